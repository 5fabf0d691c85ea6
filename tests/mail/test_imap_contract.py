"""The promises of ImapSession, on a real Dovecot with Maildir and with sdbox. `doveadm` is the other client."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from app.mail.errors import FolderGone, LoginRefused, MailError, Refused, Unreachable
from app.mail.imap import ImapSession
from tests.dovecot import Account, mail

POISON = ("a[b", "UID", "123", "NIL", "FLAGS", "$Forwarded", "~x}")


@pytest.fixture
def box(any_account: Account) -> Account:
    return any_account


@pytest.fixture
def session(box: Account) -> Iterator[ImapSession]:
    with box.open() as opened:
        yield opened


def names_of(session: ImapSession, uid: int) -> set[str]:
    return set(session.flags([uid])[0].flags)


def test_it_finds_the_special_folders_by_special_use(session: ImapSession) -> None:
    role_of = {folder.name: folder.role for folder in session.folders()}
    assert role_of["INBOX"] == "inbox"
    assert {role_of[name] for name in ("Sent", "Drafts", "Junk", "Trash", "Archive")} == {
        "sent", "drafts", "junk", "trash", "archive",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "Später",
        "客户/投诉",
        "Kunden/Müller & Söhne",
        'with "quotes"',
        "two  spaces",
        "back\\slash",
        "{5}",
        "NIL",
        "a[b",
    ],
)
def test_a_folder_with_any_name_is_made_filled_read_and_deleted(session: ImapSession, name: str) -> None:
    session.create_folder(name)
    uid = session.append(name, mail("inside"))
    assert name in [folder.name for folder in session.folders()]
    assert session.select(name).exists == 1
    assert [found.uid for found in session.fetch("1:*")] == [uid]
    session.delete_folder(name)
    assert name not in [folder.name for folder in session.folders()]


def test_shared_folders_of_another_namespace_can_be_used(session: ImapSession) -> None:
    shared = next(folder for folder in session.folders() if folder.name == "Public/Team")
    assert shared.selectable
    uid = session.append("Public/Team", mail("for all"))
    session.select("Public/Team")
    assert uid is not None
    session.add([uid], ["assigned-ana"])
    assert "assigned-ana" in names_of(session, uid)


def test_a_parent_that_is_not_a_folder_is_listed_as_not_selectable(session: ImapSession) -> None:
    public = next(folder for folder in session.folders() if folder.name == "Public")
    assert not public.selectable
    assert public.role is None


def test_a_missing_folder_is_distinguished_from_a_refusal(box: Account, session: ImapSession) -> None:
    for attempt in (
        lambda: session.select("Nowhere"),
        lambda: session.append("Nowhere", mail()),
        lambda: session.delete_folder("Nowhere"),
    ):
        with pytest.raises(FolderGone) as caught:
            attempt()
        assert caught.value.folder == "Nowhere"
    box.append(mail())
    session.select("INBOX")
    with pytest.raises(FolderGone):
        session.move([1], "Nowhere")
    with pytest.raises(Refused, match="refused to create a folder") as refused:
        session.create_folder("INBOX")
    assert refused.value.answer
    session.folders()


def test_select_reports_everything_that_a_round_needs(box: Account, session: ImapSession) -> None:
    first = box.append(mail())
    box.add_flags(first, "todo", "\\Seen")
    opened = session.select("INBOX")
    assert (opened.exists, opened.uidnext) == (1, first + 1)
    assert opened.uidvalidity > 0
    assert opened.highestmodseq
    assert opened.accepts_new_keywords
    assert "todo" in opened.keywords
    assert not opened.read_only
    assert not opened.qresync_used
    assert session.select("INBOX", read_only=True).read_only


def test_a_bookmark_brings_exactly_the_changes_since(box: Account, session: ImapSession) -> None:
    uids = [box.append(mail(f"number {n}")) for n in range(6)]
    bookmark = session.select("INBOX")
    box.add_flags(uids[1], "state-closed")
    for uid in uids[2:4]:
        box.expunge(uid)
    known = (bookmark.uidvalidity, bookmark.highestmodseq or 0)
    opened = session.select("INBOX", known=known)
    assert opened.qresync_used
    assert [(row.uid, row.flags) for row in opened.changes] == [(uids[1], ("state-closed",))]
    assert opened.vanished == [(uids[2], uids[3])]
    assert all(row.modseq and row.modseq > known[1] for row in opened.changes)
    changes = session.changes(known[1])
    assert [row.uid for row in changes.rows] == [uids[1]]
    assert changes.vanished == [(uids[2], uids[3])]
    assert session.changes(opened.highestmodseq or 0).rows == []


def test_a_bookmark_of_another_uidvalidity_says_so_instead_of_pretending(box: Account, session: ImapSession) -> None:
    box.append(mail())
    opened = session.select("INBOX")
    again = session.select("INBOX", known=(opened.uidvalidity + 1, opened.highestmodseq or 1))
    assert not again.qresync_used
    assert (again.changes, again.vanished) == ([], [])


def test_names_that_break_other_parsers_arrive_as_they_are(box: Account, session: ImapSession) -> None:
    uid = box.append(mail())
    box.add_flags(uid, *POISON)
    session.select("INBOX")
    assert names_of(session, uid) == set(POISON)
    assert set(session.sizes("1:*")[0].flags) == set(POISON)
    assert set(next(session.fetch([uid])).flags) == set(POISON)
    session.remove([uid], POISON)
    assert names_of(session, uid) == set()


def test_flags_are_added_and_removed_without_touching_others(box: Account, session: ImapSession) -> None:
    uids = [box.append(mail()) for _ in range(3)]
    box.add_flags(uids[0], "theirs")
    session.select("INBOX")
    session.add(uids, ["assigned-ana", "state-pending", "\\Flagged"])
    session.remove([uids[1]], ["STATE-PENDING"])
    assert box.flags(uids[0]) == {"theirs", "assigned-ana", "state-pending", "\\Flagged"}
    assert box.flags(uids[1]) == {"assigned-ana", "\\Flagged"}
    session.add([99_999], ["assigned-ana"])


def test_flags_of_more_messages_than_fit_into_one_command(box: Account, session: ImapSession) -> None:
    session.select("INBOX")
    for _ in range(20):
        session.append("INBOX", mail())
    scattered = [1, 3, 5, *range(7, 4_000_000, 3_001)]
    session.add(scattered, ["wide"])
    assert [row.uid for row in session.flags(scattered) if "wide" in row.flags] == [1, 3, 5, 7]


@pytest.mark.parametrize("name", ["a b", "a\r\nX1 NOOP", "", "ä", "(x)", "x]", "*", "%", "\\Custom", "x" * 51])
def test_an_invalid_name_never_reaches_the_server(box: Account, session: ImapSession, name: str) -> None:
    uid = box.append(mail())
    session.select("INBOX")
    for attempt in (session.add, session.remove):
        with pytest.raises(ValueError, match="cannot be a keyword"):
            attempt([uid], [name])
    with pytest.raises(ValueError, match="cannot be a keyword"):
        session.append("INBOX", mail(), [name])
    assert names_of(session, uid) == set()


def test_a_line_end_cannot_be_smuggled_into_any_command(session: ImapSession) -> None:
    evil = 'x"\r\nX1 DELETE INBOX\r\n'
    for attempt in (session.select, session.create_folder, session.delete_folder):
        with pytest.raises(ValueError, match="cannot be the name"):
            attempt(evil)
    with pytest.raises(ValueError, match="cannot be the name"):
        session.append(evil, mail())
    with pytest.raises(ValueError, match="not a set of UIDs"):
        session.flags("1:*\r\nX1 NOOP")
    session.folders()


def test_uids_from_a_number_on_never_bring_the_last_one_unasked(box: Account, session: ImapSession) -> None:
    uids = [box.append(mail()) for _ in range(3)]
    session.select("INBOX")
    assert session.uids() == uids
    assert session.uids(uids[1]) == uids[1:]
    assert session.uids(uids[-1] + 1) == []
    assert session.uids(1, uids[1]) == uids[:2]
    session.select("Trash")
    assert session.uids() == []


def test_fetching_neither_marks_as_read_nor_changes_a_byte(box: Account, session: ImapSession) -> None:
    raw = mail("Grüße", "Liebe Leute,\r\n\r\nviele Grüße\r\n")
    uid = box.append(raw)
    session.select("INBOX")
    found = list(session.fetch([uid, uid + 7]))
    assert [one.raw for one in found] == [raw]
    assert found[0].complete
    assert found[0].size == len(raw)
    assert found[0].internaldate is not None
    assert abs((datetime.now(UTC) - found[0].internaldate).total_seconds()) < 120
    assert box.flags(uid) == set()


def test_appending_returns_the_uid_and_keeps_flags_and_time(box: Account, session: ImapSession) -> None:
    moment = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
    uid = session.append("Sent", mail(), ["\\Seen", "assigned-ana"], moment)
    assert uid is not None
    session.select("Sent")
    row = session.sizes([uid])[0]
    assert row.internaldate == moment
    assert set(row.flags) == {"\\Seen", "assigned-ana"}


def test_moving_tells_the_new_uids_and_takes_the_keywords_along(box: Account, session: ImapSession) -> None:
    uids = [box.append(mail(f"number {n}")) for n in range(3)]
    box.append(mail("already there"), "Archive")
    session.select("INBOX")
    session.add(uids[:2], ["assigned-ana"])
    moved = session.move([*uids[:2], 4_000], "Archive")
    assert moved is not None
    assert sorted(moved) == uids[:2]
    assert session.uids() == uids[2:]
    assert all(box.flags(uid, "Archive") == {"assigned-ana"} for uid in moved.values())
    assert session.move([5_000], "Archive") == {}


def test_without_move_messages_are_copied_and_only_they_are_expunged(box: Account, session: ImapSession) -> None:
    uids = [box.append(mail()) for _ in range(3)]
    box.add_flags(uids[2], "\\Deleted")
    session.capabilities -= {"MOVE"}
    session.select("INBOX")
    moved = session.move([uids[0]], "Archive")
    assert moved == {uids[0]: box.uids("Archive")[0]}
    assert session.uids() == uids[1:]


def test_without_uidplus_nothing_is_ever_expunged(box: Account, session: ImapSession) -> None:
    uids = [box.append(mail()) for _ in range(2)]
    box.add_flags(uids[1], "\\Deleted")
    session.capabilities -= {"MOVE", "UIDPLUS"}
    session.select("INBOX")
    assert session.move([uids[0]], "Archive") is None
    assert session.uids() == uids
    assert "\\Deleted" in names_of(session, uids[0])
    assert len(box.uids("Archive")) == 1
    with pytest.raises(Refused):
        session.expunge_uids(uids)


def test_a_copied_mail_can_be_deleted_separately_and_again(box: Account, session: ImapSession) -> None:
    uids = [box.append(mail()) for _ in range(3)]
    box.add_flags(uids[2], "\\Deleted")
    session.select("INBOX")
    session.delete(uids[:1])
    session.delete(uids[:1])
    left = uids[1:] if session.has_uidplus else uids  # without UIDPLUS it stays, marked as deleted
    assert session.uids() == left
    session.capabilities -= {"UIDPLUS"}
    session.delete(uids[1:2])
    assert session.uids() == left
    assert "\\Deleted" in names_of(session, uids[1])


def test_single_messages_are_expunged(box: Account, session: ImapSession) -> None:
    uids = [box.append(mail()) for _ in range(3)]
    session.select("INBOX")
    session.add(uids[:2], ["\\Deleted"])
    session.expunge_uids(uids[:1])
    assert session.uids() == uids[1:]


def ring_later(act: Callable[[], object]) -> threading.Thread:
    def later() -> None:
        time.sleep(0.3)
        act()

    thread = threading.Thread(target=later)
    thread.start()
    return thread


def test_idle_hears_of_mail_flags_and_expunges(box: Account, session: ImapSession) -> None:
    uid = box.append(mail())
    session.select("INBOX")
    for act in (
        lambda: box.append(mail()),
        lambda: box.add_flags(uid, "brand-new"),
        lambda: box.remove_flags(uid, "brand-new"),
        lambda: box.expunge(uid),
    ):
        thread = ring_later(act)
        assert session.idle(30)
        thread.join()
    while session.idle(0.6):
        pass
    session.folders()


def test_a_quiet_folder_does_not_ring(session: ImapSession) -> None:
    session.select("INBOX")
    assert not session.idle(0.3)
    assert not session.idle(0.3)


def test_one_connection_hears_of_several_folders(box: Account, session: ImapSession) -> None:
    assert session.has_notify
    box.create_folder("Später")
    session.notify(["INBOX", "Sent", "Später"])
    uid = box.append(mail())
    assert session.notified(30)
    box.append(mail(), "Später")
    assert session.notified(30)
    if session.condstore:  # otherwise a server cannot report flags of a folder that is not open (RFC 5465)
        box.add_flags(uid, "state-closed")
        assert session.notified(30)
    while session.notified(0.6):
        pass
    session.folders()


def test_a_connection_that_dies_while_waiting_is_unreachable_at_once(box: Account, session: ImapSession) -> None:
    session.select("INBOX")
    thread = ring_later(box.kick)
    with pytest.raises(Unreachable):
        session.idle(60)
    thread.join()
    assert session.closed
    with pytest.raises(Unreachable, match="closed"):
        session.uids()
    with pytest.raises(Unreachable, match="closed"):
        session.folders()


def for_ever(act: Callable[[ImapSession], object], session: ImapSession) -> None:
    """The end of a connection takes a moment to arrive."""
    while True:
        act(session)


def test_a_dead_connection_is_unreachable_for_every_command(box: Account) -> None:
    for act in (
        lambda one: one.append("INBOX", mail()),
        lambda one: list(one.fetch("1:*")),
        lambda one: one.folders(),
    ):
        with box.open() as one:
            one.select("INBOX")
            box.kick()
            with pytest.raises(Unreachable):
                for_ever(act, one)
            assert one.closed


def test_a_wrong_password_is_distinguished_from_a_broken_server(box: Account) -> None:
    with pytest.raises(LoginRefused) as caught:
        box.opened("wrong")
    assert "AUTHENTICATIONFAILED" in caught.value.answer
    assert "wrong" not in str(caught.value) + caught.value.answer


def test_a_guard_that_forbids_stops_before_anything_is_sent(box: Account) -> None:
    class LockLost(Exception):
        pass

    allowed = True

    def guard() -> None:
        if not allowed:
            raise LockLost

    uid = box.append(mail())
    with ImapSession.open(box.server, guard=guard) as session:
        session.select("INBOX")
        allowed = False
        with pytest.raises(LockLost):
            session.add([uid], ["assigned-ana"])
        with pytest.raises(LockLost):
            session.append("INBOX", mail())
    assert box.flags(uid) == set()
    assert box.uids() == [uid]


def test_every_trouble_is_a_sentence(box: Account) -> None:
    with pytest.raises(MailError, match=r"No IMAP server answers at 127\.0\.0\.1:9\."):
        ImapSession.open(type(box.server)("127.0.0.1", 9, "none", "a", "b"))
