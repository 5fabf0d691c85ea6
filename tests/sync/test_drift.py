"""Drift: differences are reported, comparing changes nothing, and a person's choice of a side is applied."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from app.db import transaction
from app.inbox.actor import COMMAND, web
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.errors import NotAllowed
from app.inbox.history.event import Event, EventKind
from app.mail.child import MailParser
from app.sync.compare.drift import Drift, drift
from app.sync.compare.sides import choose
from tests.cast import Cast, member
from tests.dovecot import Account, mail
from tests.sync.stage import KEY, Stage, connected, conversation, kinds
from tests.waiting import eventually


@pytest.fixture
def shared(account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    """Two conversations on which both sides agree: one is Carla's and closed, the other bare."""
    account.append(mail("Hers"))
    account.append(mail("Bare"))
    with connected(account, parser) as stage:
        stage.round()
        stage.act(number_of("Hers"), Conversation.claim)
        stage.act(number_of("Hers"), Conversation.close)
        stage.round()
        yield stage


def test_without_differences_there_is_no_drift(shared: Stage) -> None:
    assert found(shared).shape() == {"in_sync": True, "lines": []}


def test_a_clients_later_change_is_reported_and_not_adopted(shared: Stage) -> None:
    hers, bare = shared.uid(number_of("Hers")), shared.uid(number_of("Bare"))
    shared.account.remove_flags(hers, "assigned-carla", "state-closed")
    shared.account.add_flags(bare, "assigned-zoe", "state-pending", "\\Flagged", "\\Seen", "\\Deleted", "von-hand")
    assert told(shared) == {
        (hers, "owner", None, "carla"),
        (hers, "status", "open", "closed"),
        (bare, "owner", "zoe", None),
        (bare, "status", "pending", "open"),
        (bare, "star", True, False),
        (bare, "tag", "von-hand", None),
        (bare, "seen", True, False),
        (bare, "deleted", True, False),
    }
    with transaction() as session:
        assert kinds(session, number_of("Hers"))[-1] == "status"
        assert conversation(session, number_of("Bare")).owner is None


def test_members_later_changes_are_reported_as_on_their_way(shared: Stage) -> None:
    shared.act(number_of("Bare"), Conversation.tag, "billing", by="ben")
    shared.act(number_of("Hers"), Conversation.mark_spam)
    bare, hers = shared.uid(number_of("Bare")), shared.uid(number_of("Hers"))
    assert told(shared) == {
        (bare, "tag", None, "billing"),
        (hers, "status", "closed", "spam"),
        (hers, "folder", "INBOX", "Junk"),
    }
    assert all(line.waiting for line in found(shared).lines)
    shared.round()
    shared.round()
    assert told(shared) == set()


def test_mails_on_only_one_side_are_reported(shared: Stage) -> None:
    bare = shared.uid(number_of("Bare"))
    shared.account.expunge(bare)
    new = shared.account.append(mail("New"))
    junk = shared.account.append(mail("Junk"), "Junk")
    assert told(shared) == {
        (bare, "unmatched", None, "there"),
        (new, "missing", "there", None),
        (junk, "missing", "there", None),
    }


def test_a_missing_or_renumbered_folder_is_reported_as_a_whole(
    account: Account, parser: MailParser, cast: Cast
) -> None:
    account.create_folder("Orders")
    account.append(mail("An order"), "Orders")
    with connected(account, parser, folders=["Orders"]) as stage:
        stage.round()
        account.delete_folder("Orders")
        assert told(stage) == {(None, "folder", None, "Orders")}
        deleted = time.time()
        eventually(lambda: time.time() >= deleted + 1)  # Dovecot’s UIDVALIDITY is the second in which it was created
        account.create_folder("Orders")
        [line] = found(stage).lines
        assert (line.uid, line.folder, line.what) == (None, "Orders", "numbering")


def test_the_servers_is_taken_when_a_person_says_so(shared: Stage) -> None:
    hers, bare = shared.uid(number_of("Hers")), shared.uid(number_of("Bare"))
    shared.act(number_of("Hers"), Conversation.reopen)  # not written yet
    shared.account.add_flags(bare, "assigned-ben", "\\Seen")
    assert choose(shared.mailbox_id, found(shared), take_theirs=True, by=COMMAND) == 2
    with transaction() as session:
        assert conversation(session, number_of("Hers")).status == "closed"
        assert conversation(session, number_of("Bare")).owner == "ben"
        assert not conversation(session, number_of("Bare")).unseen
        told_in_mailbox = session.scalars(select(Event).where(Event.kind == EventKind.DECIDED)).one()
        assert told_in_mailbox.after == {"use": "server", "copies": 2}
    shared.round()
    assert told(shared) == set()
    assert shared.account.flags(hers) == {"assigned-carla", "state-closed"}


def test_ours_are_written_when_a_person_says_so(shared: Stage) -> None:
    hers, bare = shared.uid(number_of("Hers")), shared.uid(number_of("Bare"))
    shared.account.remove_flags(hers, "assigned-carla")
    shared.account.add_flags(bare, "assigned-ben")
    assert choose(shared.mailbox_id, found(shared), take_theirs=False, by=COMMAND) == 2
    shared.push()
    assert shared.account.flags(hers) == {"assigned-carla", "state-closed"}
    assert shared.account.flags(bare) == set()
    shared.round()
    assert told(shared) == set()
    with transaction() as session:
        assert kinds(session, number_of("Hers"))[-1] == EventKind.SETTLED


def test_changes_that_a_server_no_longer_reports_are_found(shared: Stage) -> None:
    """A restored server may show other keywords under the MODSEQ we know, so no pull would look."""
    with transaction() as session:
        lost = session.scalars(select(Copy).where(Copy.uid == shared.uid(number_of("Bare")))).one()
        lost.shown, lost.keywords = ["assigned-ben"], ["assigned-ben"]
        forgotten = session.scalars(select(Copy).where(Copy.uid == shared.uid(number_of("Hers")))).one()
        forgotten.uid += 1000
    shared.round()
    assert {line.what for line in found(shared).lines} == {"owner", "missing", "unmatched"}
    choose(shared.mailbox_id, found(shared), take_theirs=True, by=COMMAND)
    shared.round()
    assert told(shared) == set()


def test_only_an_administrator_chooses(shared: Stage) -> None:
    with transaction() as session:
        ben = web(member(session, "ben"))
    with pytest.raises(NotAllowed):
        choose(shared.mailbox_id, Drift([]), take_theirs=True, by=ben)


def found(stage: Stage) -> Drift:
    return drift(stage.mailbox_id, private_key=bytes(KEY))


def told(stage: Stage) -> set[tuple[int | None, str, str | bool | None, str | bool | None]]:
    return {(line.uid, line.what, line.server, line.ours) for line in found(stage).lines}


def number_of(subject: str) -> int:
    with transaction() as session:
        return session.scalars(select(Conversation.number).where(Conversation.subject == subject)).one()
