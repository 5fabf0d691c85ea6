"""The stored parts of a mail: its text, its files on request, and the health of the mailbox."""

from __future__ import annotations

import datetime as dt
import os
import threading

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from app import db
from app.db import engine, transaction
from app.inbox.actor import COMMAND
from app.inbox.arriving import thread
from app.inbox.arriving.arrival import File
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.history.event import Event
from app.inbox.lists import find
from app.inbox.lists.whole_conversation import whole_conversation
from app.inbox.mailboxes.folder import Folder
from app.inbox.server import download
from app.inbox.server.download import CHUNK, Chunk, Download
from app.inbox.server.health import health
from app.inbox.server.keywords_on_server import ServerCopy, server_copies
from app.inbox.server.retrying import resume
from app.queue import take
from tests.cast import Cast, acting, arrival, arrive, conversation, mailbox, member
from tests.conftest import Clock

_FILE = File("2", "offer.pdf", "application/pdf", 3_000_000_000, "base64", None, inline=False)


def _on_server(session: Session, c: Conversation) -> list[ServerCopy]:
    return server_copies(session, whole_conversation(session, member(session, "carla"), c.id))


def test_everything_of_a_mail_is_kept(cast: Cast, session: Session) -> None:
    c = conversation(
        session,
        sender=("Mia", "Mia@Customer.example"),
        cc=(("Tom", "tom@x.example"),),
        reply_to=(("", "desk@x.example"),),
        subject="Offer 👋",
        html="<p>Hi</p>",
        keywords=("\\Seen", "\\ANSWERED", "$Forwarded", "todo"),
        files=(_FILE, File("3", "logo.png", "image/png", 10, "base64", "logo@x", inline=True)),
        size=3_000_000_000,
        date=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
    )
    session.expire_all()
    [m] = c.messages
    assert (m.subject, m.from_name, m.from_address, m.size) == ("Offer 👋", "Mia", "Mia@Customer.example", 3 * 10**9)
    assert (m.cc, m.reply_to) == ([["Tom", "tom@x.example"]], [["", "desk@x.example"]])
    assert m.addresses == ["desk@x.example", "help@halden.example", "mia@customer.example", "tom@x.example"]
    assert (m.seen, m.answered, m.forwarded, m.has_attachments, c.has_attachments) == (True,) * 5
    assert m.body is not None
    assert (m.body.html, m.body.source) == ("<p>Hi</p>", None)
    assert [(a.part, a.filename, a.size, a.inline) for a in m.attachments] == [
        ("2", "offer.pdf", 3 * 10**9, False),
        ("3", "logo.png", 10, True),
    ]
    assert m.copies[0].keywords == ["\\Seen", "\\ANSWERED", "$Forwarded", "todo"]
    assert find.attachment(session, member(session, "dora"), m.attachments[0].id) is m.attachments[0]


def test_hostile_text_is_stored(cast: Cast, session: Session) -> None:
    c = conversation(
        session,
        subject="a\0b",
        text="\ud800\0" + "🦓 " * 150_000 + "ﷺ" * 100_000,
        sender=("\0", "\udfff"),
        to=(("x" * 100_000, "y" * 100_000),),
        message_id="<\ud800\0@x>",
        references=("<\0>", "", "<" + "\ud83d" * 4000),
    )
    session.expire_all()
    assert (c.subject, c.messages[0].message_id, c.from_address) == ("ab", "<@x>", "")


def test_a_mail_met_in_sent_too_is_ours_whichever_was_met_first(cast: Cast, session: Session) -> None:
    box = mailbox(session)
    for first, second in (("INBOX", "Sent"), ("Sent", "INBOX")):
        for apart in (True, False):
            same = f"<{first}-{apart}@x.example>"
            mails = [arrival(box, message_id=same, folder=folder) for folder in (first, second)]
            received = arrive(session, mails[0]) + arrive(session, mails[1]) if apart else arrive(session, *mails)
            assert [r.new for r in received] == [True, False]
            [message] = session.scalars(select(Message).where(Message.message_id == same))
            assert message.direction == "out"


def test_an_import_writes_one_line_for_each_conversation(cast: Cast, session: Session) -> None:
    box = mailbox(session)
    arrive(session, *(arrival(box, references=("<root@x.example>",)) for _ in range(3)), importing=True)
    session.flush()
    assert session.scalars(select(Event.kind).where(Event.conversation_id.is_not(None))).all() == ["imported"]


def test_nothing_arrives_in_an_empty_batch(cast: Cast, session: Session) -> None:
    assert arrive(session) == []


def test_each_conversation_has_a_number_in_its_mailbox(cast: Cast, session: Session) -> None:
    numbers = [conversation(session).number for _ in range(3)]
    assert numbers == [1, 2, 3]
    assert conversation(session, name="Billing").number == 1


# gone -----------------------------------------------------------------------------------------------------------------


def test_a_conversation_without_a_copy_is_gone_after_ten_minutes(cast: Cast, session: Session, clock: Clock) -> None:
    c = conversation(session, message_id="<first@x.example>")
    arrive(session, arrival(mailbox(session), references=("<first@x.example>",)))
    first, second = session.scalars(select(Copy).order_by(Copy.id))
    first.gone_at = clock.at
    clock.pass_(minutes=8)
    second.gone_at = clock.at
    clock.pass_(minutes=3)
    assert thread.mark_gone(session) == []
    clock.pass_(minutes=8)
    assert thread.mark_gone(session) == [c.id]
    assert c.place == "gone"
    assert thread.mark_gone(session) == []
    session.flush()
    assert session.scalars(select(Event.kind).where(Event.kind == "gone")).all() == ["gone"]
    arrive(session, arrival(mailbox(session), message_id="<first@x.example>", folder="Archive"))
    session.refresh(c)
    assert c.place == "here"


# downloads ------------------------------------------------------------------------------------------------------------


def _message(session: Session) -> Message:
    return conversation(session, files=(_FILE,)).messages[0]


def test_a_file_is_asked_for_once(cast: Cast, session: Session) -> None:
    message = _message(session)
    asked = download.ask(session, message, "2")
    assert download.ask(session, message, "2") is asked
    assert take(session, Download) is asked
    assert take(session, Download) is None
    download.store(session, asked, b"data")
    session.flush()
    assert (asked.state, asked.size) == ("ready", 4)
    assert take(session, Download) is None
    assert download.ask(session, message, "2").state == "ready"


def test_a_file_comes_in_chunks_and_a_slow_reader_holds_no_connection(database: str, cast: Cast) -> None:
    data = os.urandom(2 * CHUNK + 5)
    with transaction() as session:
        asked = download.ask(session, _message(session), "2")
        download.store(session, asked, data)
        session.flush()
        id_ = asked.id
    reader = download.content(id_)
    parts = [next(reader)]
    pool = engine().pool
    assert isinstance(pool, QueuePool)
    assert pool.checkedout() == 0
    parts += reader
    assert [len(part) for part in parts] == [CHUNK, CHUNK, 5]
    assert b"".join(parts) == data


def test_a_failed_download_stays_failed_for_a_moment_and_is_then_retried(
    cast: Cast, session: Session, clock: Clock
) -> None:
    message = _message(session)
    asked = download.ask(session, message, "")
    asked.note_failed("gone")
    assert (asked.state, asked.error) == ("failed", "gone")
    assert take(session, Download) is None
    assert download.ask(session, message, "").state == "failed"
    clock.pass_(minutes=2)
    assert download.ask(session, message, "").state == "waiting"


def test_the_cache_keeps_the_latest_downloads(cast: Cast, session: Session, clock: Clock) -> None:
    kept = []
    for size in (60, 50, 40):
        asked = download.ask(session, _message(session), "2")
        download.store(session, asked, b"x" * size)
        clock.pass_(minutes=1)
        kept.append(asked.id)
    waiting = download.ask(session, _message(session), "2")
    session.flush()
    download.trim(session, limit=100)
    assert session.scalars(select(Download.id).order_by(Download.id)).all() == [*kept[1:], waiting.id]
    assert session.scalar(select(func.count()).select_from(Chunk)) == 2


def test_two_simultaneous_requests_share_one_download(database: str, cast: Cast) -> None:
    with db.transaction() as session:
        id_ = _message(session).id
    start, found = threading.Barrier(2), []

    def ask() -> None:
        start.wait(30)
        with db.transaction() as session:
            found.append(download.ask(session, session.get_one(Message, id_), "2").id)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 2
    assert len(set(found)) == 1


# health and the server's side -----------------------------------------------------------------------------------------


def test_health_has_the_contracts_shape(cast: Cast, session: Session) -> None:
    box = mailbox(session)
    assert health(session, box).shape() == {
        "state": "ok",
        "last_round_at": None,
        "missing": 0,
        "unmatched": 0,
        "left_out": 0,
        "unreadable": 0,
        "deferred": 0,
        "behind": False,
        "waiting_read": 0,
        "waiting_read_since": None,
        "slow_mails": 0,
        "last_slow": None,
        "waiting_push": 0,
        "refused": 0,
        "no_room": 0,
        "queued_replies": 0,
        "held": [],
        "frozen": 0,
        "lost_folders": [],
        "refused_folders": [],
        "unwritable_folders": [],
    }
    conversation(session, unreadable=True)
    conversation(session).star(by=acting(session, "carla"))
    session.execute(update(Folder).where(Folder.mailbox_id == box.id).values(missing=2, unmatched=1, left_out=3))
    box.last_round_at = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
    box.failing_since, box.error_text = box.last_round_at, "The server refused the password."
    session.flush()
    assert health(session, box).shape() == {
        "state": "failing",
        "last_round_at": "2026-11-02T09:00:00Z",
        "missing": 10,
        "unmatched": 5,
        "left_out": 15,
        "unreadable": 1,
        "deferred": 0,
        "behind": False,
        "waiting_read": 0,
        "waiting_read_since": None,
        "slow_mails": 0,
        "last_slow": None,
        "waiting_push": 1,
        "refused": 0,
        "no_room": 0,
        "queued_replies": 0,
        "held": [],
        "frozen": 0,
        "lost_folders": [],
        "refused_folders": [],
        "unwritable_folders": [],
        "error": "The server refused the password.",
    }


def test_the_states_of_a_mailbox(cast: Cast, session: Session) -> None:
    box = mailbox(session)
    box.imported_at = None
    assert health(session, box).state == "importing"
    box.failing_since = dt.datetime.now(dt.UTC)
    assert health(session, box).state == "failing"
    box.pause(by=COMMAND)
    assert health(session, box).state == "paused"
    resume(box, by=COMMAND)
    assert health(session, box).state == "importing"
    assert box.failing_since is None


@pytest.mark.parametrize("mirrored", [True, False])
def test_a_page_shows_pending_changes(cast: Cast, session: Session, mirrored: bool) -> None:
    c = conversation(session, keywords=("\\Seen", "state-pending"), message_id="<first@x.example>")
    arrive(session, arrival(c.mailbox, references=("<first@x.example>",), folder="Archive"))
    c.messages[0].copies[0].shown = ["state-pending"]
    c.agreed_status = c.status = "pending"
    if mirrored:
        c.assign(member(session, "carla"), by=acting(session, "carla"))
        c.close(by=acting(session, "carla"))
        c.move(next(f for f in c.mailbox.folders if f.name == "Archive"), by=acting(session, "carla"))
    session.flush()
    session.expire_all()
    newest, oldest = _on_server(session, c)
    assert (newest.folder, oldest.folder, oldest.ours) == ("Archive", "INBOX", ("state-pending",))
    if mirrored:
        assert (oldest.adding, oldest.leaving) == (("assigned-carla", "state-closed"), ("state-pending",))
        assert (oldest.moving_to, newest.moving_to, newest.waiting) == ("Archive", None, True)
    else:
        assert not oldest.waiting
        assert not newest.waiting


def test_a_rejected_keyword_is_reported_only_while_it_makes_a_difference(cast: Cast, session: Session) -> None:
    c = conversation(session, keywords=("assigned-ben",))
    [copy] = c.messages[0].copies
    copy.shown = ["assigned-ben"]
    copy.refuses = ["\\flagged", "\\seen", "assigned-ben", "assigned-carla", "state-closed"]
    c.claim(by=acting(session, "carla"))
    session.flush()
    assert _on_server(session, c)[0].refused == ("assigned-ben", "assigned-carla")
    c.mark_seen(by=acting(session, "carla"))
    assert _on_server(session, c)[0].refused == ("\\seen", "assigned-ben", "assigned-carla")
    c.release(by=acting(session, "carla"))
    copy.keywords, copy.shown = ["\\Seen"], []
    assert _on_server(session, c)[0].refused == ()
    assert not _on_server(session, c)[0].lacking
