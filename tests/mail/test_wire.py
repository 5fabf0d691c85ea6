"""Answers that break other clients: what real servers sent, replayed byte by byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from app.mail.errors import Broken, LoginRefused, OverQuota, Refused, Unavailable, Unreachable
from app.mail.imap import ImapSession
from app.sync.account import code_of
from tests.mail.script import scripted

SELECTED = b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 9] ok\r\n"
SIZES = r"\w+ UID FETCH \S+ \(UID RFC822.SIZE\)"


@contextmanager
def session_with(answers: Mapping[str, bytes | None], *, read_timeout: float = 30.0) -> Iterator[ImapSession]:
    with scripted(answers) as server, ImapSession.open(server, read_timeout=read_timeout) as session:
        yield session


def test_an_ok_without_a_text_is_an_ok() -> None:
    with (
        scripted({r"\w+ LOGIN": b"{tag} OK\r\n", r"\w+ CREATE": b"{tag} OK\r\n"}) as server,
        ImapSession.open(server) as session,
    ):
        session.create_folder("x")


def test_vanished_ranges_are_never_expanded() -> None:
    answer = SELECTED + b"* VANISHED (EARLIER) 1:4294967295,3\r\n{tag} OK done\r\n"
    with session_with({r"\w+ SELECT": answer}) as session:
        opened = session.select("INBOX", known=(7, 1))
        assert opened.vanished == [(1, 4294967295), (3, 3)]
        assert opened.qresync_used


def test_a_keyword_cannot_pretend_to_be_the_state_of_the_folder() -> None:
    row = b"* 1 FETCH (UID 1 FLAGS (* OK [UIDVALIDITY 9] [UIDNEXT 99]))\r\n"
    with session_with({r"\w+ SELECT": row + SELECTED + row + b"{tag} OK done\r\n"}) as session:
        opened = session.select("INBOX")
        assert (opened.uidvalidity, opened.uidnext) == (7, 9)


def test_a_server_without_modseq_for_a_folder_is_believed() -> None:
    with session_with({r"\w+ SELECT": SELECTED + b"* OK [NOMODSEQ] none\r\n{tag} OK [READ-ONLY]\r\n"}) as session:
        opened = session.select("INBOX")
        assert opened.highestmodseq is None
        assert opened.read_only
        assert not opened.accepts_new_keywords


def test_answers_to_earlier_commands_never_leak_into_later_ones() -> None:
    answers: dict[str, bytes | None] = {
        r"\w+ UID MOVE 1": b"* OK [COPYUID 7 1 21] moved\r\n* VANISHED 1\r\n{tag} OK done\r\n",
        r"\w+ UID MOVE": b"{tag} OK nothing there\r\n",
        r"\w+ UID FETCH": b"* 1 FETCH (UID 2 FLAGS (x) MODSEQ (9))\r\n{tag} OK done\r\n",
    }
    with session_with(answers) as session:
        assert session.move([1], "Archive") == {1: 21}
        assert session.move([2], "Archive") == {}
        assert session.changes(3).vanished == []


def test_more_moved_messages_than_were_asked_for_is_a_broken_server() -> None:
    answer = b"* OK [COPYUID 7 1:4294967295 1:4294967295] moved\r\n{tag} OK done\r\n"
    with session_with({r"\w+ UID MOVE": answer}) as session, pytest.raises(Broken):
        session.move([1], "Archive")


def test_rows_of_messages_nobody_asked_for_are_harmless() -> None:
    answer = (
        b"* 9 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (UID 5 FLAGS (a))\r\n"
        b"* 4 EXISTS\r\n* 1 FETCH (MODSEQ (8) UID 5 FLAGS (b))\r\n{tag} OK done\r\n"
    )
    with session_with({r"\w+ UID FETCH": answer}) as session:
        assert [(row.uid, row.flags) for row in session.flags([5])] == [(5, ("a",)), (5, ("b",))]


def test_a_mail_in_two_answers_is_one_mail() -> None:
    answers: dict[str, bytes | None] = {
        SIZES: b"* 1 FETCH (UID 5 RFC822.SIZE 4)\r\n{tag} OK x\r\n",
        r"\w+ UID FETCH": b"* 1 FETCH (UID 5 BODY[] {4}\r\nabcd)\r\n* 1 FETCH (UID 5 FLAGS (x))\r\n{tag} OK x\r\n",
    }
    with session_with(answers) as session:
        (mail,) = session.fetch([5])
        assert (mail.raw, mail.flags, mail.complete) == (b"abcd", ("x",), True)


def test_a_wrong_outline_makes_the_mail_come_whole() -> None:
    raw = b"Subject: x\r\n\r\nabc"
    whole = b"{%d}\r\n%s" % (len(raw), raw)
    answers: dict[str, bytes | None] = {
        SIZES: b"* 1 FETCH (UID 5 RFC822.SIZE 900)\r\n{tag} OK x\r\n",
        r".*BODYSTRUCTURE": b"* 1 FETCH (UID 5 BODYSTRUCTURE (NIL NIL) BODY[HEADER] {2}\r\n\r\n)\r\n{tag} OK x\r\n",
        r".*BODY.PEEK\[\]": b"* 1 FETCH (UID 5 BODY[]<0> " + whole + b")\r\n{tag} OK x\r\n",
    }
    with session_with(answers) as session:
        (mail,) = session.fetch([5], max_whole=100)
        assert (mail.raw, mail.complete) == (raw, True)


def test_a_mail_whose_text_the_server_lost_comes_without_and_one_that_is_gone_does_not_come() -> None:
    answers: dict[str, bytes | None] = {
        SIZES: b"".join(b"* %d FETCH (UID %d RFC822.SIZE 4)\r\n" % (uid, uid) for uid in (5, 6, 7)) + b"{tag} OK x\r\n",
        r"\w+ UID FETCH 5:7": b"* 7 FETCH (UID 7 BODY[] {4}\r\nabcd)\r\n{tag} OK some were left out\r\n",
        r"\w+ UID FETCH 5 ": b"* 5 FETCH (UID 5 FLAGS (x) BODY[] NIL)\r\n{tag} OK x\r\n",
        r"\w+ UID FETCH 6 ": b"{tag} OK x\r\n",
    }
    with session_with(answers) as session:
        assert [(mail.uid, mail.raw) for mail in session.fetch([5, 6, 7])] == [(5, b""), (7, b"abcd")]


def test_a_text_that_looks_like_a_literal_is_a_text() -> None:
    said = b"* OK see {5}\r\n{tag} NO try {7}\r\n"
    with session_with({r"\w+ CREATE": said}) as session, pytest.raises(Refused, match=r"try \{7\}"):
        session.create_folder("x")


@pytest.mark.parametrize("said", [b"* 4 EXISTS\r\n+ idling\r\n", b"+ idling\r\n* 4 EXISTS\r\n"])
def test_news_before_or_with_the_go_ahead_of_idle_rings_at_once(said: bytes) -> None:
    with session_with({r"\w+ IDLE": said, r"DONE": b"{tag} OK done\r\n"}) as session:
        assert session.idle(60)


def test_news_at_the_very_end_of_idle_rings_too() -> None:
    with session_with({r"\w+ IDLE": b"+\r\n", r"DONE": b"* 4 EXISTS\r\n{tag} OK done\r\n"}) as session:
        assert session.idle(0.1)


def test_a_server_that_keeps_the_line_warm_does_not_ring() -> None:
    warm = b"+ idling\r\n* OK Still here\r\n"
    with session_with({r"\w+ IDLE": warm, r"DONE": b"{tag} OK done\r\n"}) as session:
        assert not session.idle(0.2)


def test_a_silent_server_is_unreachable_after_the_timeout_and_for_good() -> None:
    with session_with({r"\w+ UID": b""}, read_timeout=0.3) as session:
        with pytest.raises(Unreachable, match="did not answer in time"):
            session.uids()
        assert session.closed
        with pytest.raises(Unreachable, match="is closed"):
            session.uids()


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (None, Unreachable),
        (b"* BYE Autologout; idle for too long\r\n", Unreachable),
        (b"* 4 EXI", Unreachable),
        (b"what is this\r\n", Broken),
        (b"X9 OK not your tag\r\n{tag} MAYBE x\r\n", Broken),
        (b"* 1 FETCH (UID 1 FLAGS (a\r\n{tag} OK x\r\n", Broken),
        (b"* 1 FETCH (UID 1 BODY[] {999999999999}\r\n", Broken),
        (b"* 1 FETCH " + b"(" * 5000 + b"\r\n{tag} OK x\r\n", Broken),
    ],
)
def test_an_invalid_answer_is_distinguished_from_a_refusal(said: bytes | None, error: type[Exception]) -> None:
    answers = {r"\w+ UID FETCH": said}
    with session_with(answers, read_timeout=1) as session:
        with pytest.raises(error):
            session.flags("1:*")
        if error is Unreachable:
            assert session.closed


def test_a_refusal_keeps_its_code_and_the_servers_words() -> None:
    with session_with({r"\w+ UID STORE": b"{tag} NO [LIMIT] Too many user flags in mailbox\r\n"}) as session:
        with pytest.raises(Refused) as caught:
            session.add([1], ["a"])
        assert caught.value.code == "LIMIT"
        assert "Too many user flags" in caught.value.answer
    said = b"{tag} BAD Command Argument Error. 11\r\n"
    with session_with({r"\w+ UID STORE": said}) as session, pytest.raises(Refused, match=r"Error\. 11"):
        session.add([1], ["a"])


def test_a_refusal_for_want_of_space_says_so_in_words() -> None:
    said = b"{tag} NO [OVERQUOTA] Quota exceeded (mailbox for user is full)\r\n"
    with (
        session_with({r"\w+ UID STORE": said}) as session,
        pytest.raises(OverQuota, match=r"is full .quota.") as caught,
    ):
        session.add([1], ["a"])
    assert code_of(caught.value) == "over_quota"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"{tag} NO [AUTHENTICATIONFAILED] no\r\n", LoginRefused),
        (b"{tag} NO no\r\n", LoginRefused),
        (b"{tag} NO [UNAVAILABLE] the user database is away\r\n", Unavailable),
        (b"{tag} NO [ALERT] Too many simultaneous connections. (Failure)\r\n", Unavailable),
        (b"{tag} NO LOGIN Server error - Please try again later\r\n", Unavailable),
        (b"{tag} BAD User is authenticated but not connected.\r\n", Unavailable),
        (b"{tag} NO [AUTHENTICATIONFAILED] Temporary password expired\r\n", LoginRefused),
        (b"* BYE overloaded\r\n", Unreachable),
        (None, Unreachable),
    ],
)
def test_a_refused_sign_in_is_distinguished_from_a_busy_server(said: bytes | None, error: type[Exception]) -> None:
    with scripted({r"\w+ LOGIN": said}) as server:
        with pytest.raises(error) as caught:
            ImapSession.open(server, read_timeout=5)
        assert type(caught.value) is error


def test_a_greeting_that_is_a_farewell_is_unreachable() -> None:
    with scripted({}, greeting=b"* BYE too many connections\r\n") as server, pytest.raises(Unreachable):
        ImapSession.open(server, read_timeout=5)


def test_a_name_with_a_line_end_cannot_sign_in() -> None:
    with scripted({}) as server:
        evil = type(server)(server.host, server.port, "none", "ana\r\nX1 NOOP", "secret")
        with pytest.raises(LoginRefused, match="line break"):
            ImapSession.open(evil)


def test_a_folder_list_loses_only_names_that_cannot_be_encoded() -> None:
    answer = (
        b'* LIST (\\HasNoChildren) "/" {5}\r\na{1}b\r\n* LIST () NIL NIL\r\n* LIST () "/" "bad &!!-"\r\n'
        b'* LIST (\\Noselect) "." "[Gmail]"\r\n* LIST () "/" 123\r\n{tag} OK x\r\n'
    )
    with session_with({r"\w+ LIST": answer}) as session:
        assert [folder.name for folder in session.folders()] == ["a{1}b", "NIL", "[Gmail]", "123"]
