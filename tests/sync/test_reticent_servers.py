"""Servers that report less than others: no UIDNEXT, nothing for an empty folder, nothing for a search for `*`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.history.event import Event, EventKind
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server import health
from app.mail.child import MailParser
from app.mail.errors import Broken
from app.mail.imap import ImapSession
from app.mail.probe import probe
from local.dovecot import LocalDovecot
from tests.cast import Cast
from tests.dovecot import Account, fresh_account, mail
from tests.faults.ways import through
from tests.mail.script import scripted
from tests.proxy import SELECT_UIDNEXT, STATUS_UIDNEXT, Proxy, proxied
from tests.sync.stage import Stage, connected

SILENT = {
    "in SELECT": (SELECT_UIDNEXT, "CONDSTORE"),
    "anywhere": (SELECT_UIDNEXT, STATUS_UIDNEXT, "CONDSTORE"),
    "anywhere, with CONDSTORE": (SELECT_UIDNEXT, STATUS_UIDNEXT, "QRESYNC"),
}
#: An old date-time in IMAP's form.
OLD = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(params=list(SILENT.values()), ids=list(SILENT))
def silent(request: pytest.FixtureRequest, sdbox_server: LocalDovecot) -> Iterator[Account]:
    """An account on a server that reports no UIDNEXT."""
    with proxied(sdbox_server.port, hides=request.param) as proxy:
        yield through(fresh_account(sdbox_server), proxy.port)


@pytest.fixture
def proxy(sdbox_server: LocalDovecot) -> Iterator[Proxy]:
    with proxied(sdbox_server.port, hides=("CONDSTORE",)) as proxy:
        yield proxy


def uids_known(stage: Stage, folder: str = "INBOX") -> list[int]:
    with transaction() as session:
        here = select(Copy.uid).where(Copy.gone_at.is_(None), Copy.folder.has(name=folder, mailbox_id=stage.mailbox_id))
        return sorted(session.scalars(here))


def missing_and_resets(stage: Stage) -> tuple[int, int]:
    with transaction() as session:
        resets = session.scalar(select(func.count()).where(Event.kind == EventKind.RESET)) or 0
        return health.health(session, session.get_one(Mailbox, stage.mailbox_id)).missing, resets


# no UIDNEXT -----------------------------------------------------------------------------------------------------------


def test_without_uidnext_all_mail_is_imported_and_new_mail_arrives(
    silent: Account, parser: MailParser, cast: Cast
) -> None:
    before = [silent.append(mail(f"No {number}")) for number in range(3)]
    with connected(silent, parser) as stage:
        stage.round()
        assert uids_known(stage) == before
        after = silent.append(mail("Later"))
        stage.act(1, Conversation.claim)
        stage.round()
        assert uids_known(stage) == [*before, after]
        assert "assigned-carla" in stage.shown()
        assert missing_and_resets(stage) == (0, 0)


def test_without_uidnext_the_newest_mail_may_be_expunged_and_the_folder_emptied(
    silent: Account, parser: MailParser, cast: Cast
) -> None:
    first, second = silent.append(mail("First")), silent.append(mail("Second"))
    with connected(silent, parser) as stage:
        stage.round()
        silent.expunge(second)
        stage.round()
        assert uids_known(stage) == [first]
        silent.expunge(first)
        stage.round()
        assert uids_known(stage) == []
        third = silent.append(mail("Third"))
        stage.round()
        assert uids_known(stage) == [third]
        assert missing_and_resets(stage) == (0, 0)


@pytest.mark.parametrize("choice", ["new", "since"])
def test_without_uidnext_the_import_begins_at_its_start_line(
    silent: Account, parser: MailParser, cast: Cast, choice: str
) -> None:
    with silent.open() as session:
        session.append("INBOX", mail("Old"), internaldate=OLD)
    since = OLD + dt.timedelta(days=300) if choice == "since" else None
    with connected(silent, parser, import_choice=choice, import_since=since) as stage:
        stage.round()
        assert uids_known(stage) == []
        new = silent.append(mail("New"))
        stage.round()
        assert uids_known(stage) == [new]
        with transaction() as session:
            assert health.health(session, session.get_one(Mailbox, stage.mailbox_id)).left_out == 1


# empty folders --------------------------------------------------------------------------------------------------------


def test_a_folder_that_became_empty_is_not_searched(
    proxy: Proxy, sdbox_server: LocalDovecot, parser: MailParser, cast: Cast
) -> None:
    account = through(fresh_account(sdbox_server), proxy.port)
    uid = account.append(mail(), "Trash")
    with connected(account, parser) as stage:
        stage.round()
        assert uids_known(stage, "Trash") == [uid]
        account.expunge(uid, "Trash")
        proxy.refuse({rb"UID (SEARCH|FETCH)": b"NO no such message"})
        stage.round()
        assert uids_known(stage, "Trash") == []
        with transaction() as session:
            assert health.health(session, session.get_one(Mailbox, stage.mailbox_id)).refused_folders == []


# searches that find nothing -------------------------------------------------------------------------------------------

SELECTED = b"* %d EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 9] x\r\n{tag} OK [READ-WRITE] done\r\n"


def answers(exists: int, found: bytes) -> dict[str, bytes | None]:
    return {
        r"\w+ CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n",
        r"\w+ (SELECT|EXAMINE)": SELECTED % exists,
        r"\w+ UID SEARCH": b"* SEARCH\r\n{tag} OK done\r\n",
        r"\w+ UID FETCH": found + b"{tag} OK done\r\n",
        r"\w+ (LIST|CREATE|APPEND|DELETE)": b"{tag} NO not here\r\n",
    }


def test_mails_that_a_search_misses_are_listed_by_fetch() -> None:
    rows = b"* 1 FETCH (UID 3)\r\n* 2 FETCH (UID 8)\r\n"
    with scripted(answers(2, rows)) as server, ImapSession.open(server) as session:
        session.select("INBOX")
        assert session.uids() == [3, 8]


def test_a_folder_whose_messages_are_counted_and_never_shown_is_not_believed() -> None:
    with scripted(answers(2, b"")) as server, ImapSession.open(server) as session:
        session.select("INBOX")
        with pytest.raises(Broken, match="counts 2 messages in a folder but lists none"):
            session.uids()


def test_the_probe_says_that_its_message_is_not_shown(
    sdbox_server: LocalDovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without UIDPLUS and with empty searches, the probe finds no message; it believes the promise."""
    monkeypatch.setattr(ImapSession, "uids", lambda *_: [])
    with proxied(sdbox_server.port, hides=("UIDPLUS",)) as proxy:
        report = probe(through(fresh_account(sdbox_server), proxy.port).server)
    assert (report.mode, report.proved) == ("keywords", False)
