"""Moves that ended after their COPY. The original that was left behind is deleted, and only that: copies made by people
stay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

import pytest
from sqlalchemy import select

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.mailboxes.folder import Folder
from app.mail.child import MailParser
from app.mail.errors import Refused, Unreachable
from app.mail.imap import ImapSession
from app.mail.values import Selected
from app.mail.wire import Wire
from app.sync.pull.pull import pull
from app.sync.push.push import push
from tests.cast import Cast
from tests.dovecot import Account, mail
from tests.sync.stage import Stage, connected, conversation, kinds, last_event
from tests.sync.test_odd_servers import folder, linked


class WithoutMove(ImapSession):
    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self.capabilities -= {"MOVE"}


class Breaking(WithoutMove):
    """The connection ends after each COPY."""

    def _delete(self, batch: bytes) -> None:
        raise Unreachable("The connection broke.")


class Keeping(WithoutMove):
    """It copies, and allows no deletion."""

    def _delete(self, batch: bytes) -> None:
        raise Refused("mark messages as deleted", answer="Permission denied")


class Dumb(ImapSession):
    """The connection ends before the server moves anything."""

    def move(self, uids: Iterable[int], folder: str) -> dict[int, int] | None:
        raise Unreachable("The connection broke.")


class NoJunk(WithoutMove):
    def select(self, name: str, *, known: tuple[int, int] | None = None, read_only: bool = False) -> Selected:
        if name == "Junk":
            raise Refused("open a folder", answer="Internal error")
        return super().select(name, known=known, read_only=read_only)


@pytest.fixture
def stage(account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    with connected(account, parser) as stage:
        stage.account.append(mail())
        stage.round()
        stage.act(1, Conversation.claim)
        stage.round()
        yield stage


def begun(stage: Stage, kind: type[ImapSession] = Breaking) -> None:
    """A push that reaches its COPY."""
    with linked(stage, kind) as link, suppress(Unreachable):
        push(link)


def rounds(stage: Stage, kind: type[ImapSession] = WithoutMove, times: int = 2) -> None:
    for _ in range(times):
        with linked(stage, kind) as link:
            pull(link)
            push(link)


def places(stage: Stage) -> dict[str, int]:
    """Folder -> number of mails on the server."""
    found = {name: len(stage.account.uids(name)) for name in ("INBOX", "Junk", "Archive", "Trash")}
    return {name: count for name, count in found.items() if count}


def known(stage: Stage) -> list[str]:
    """The folders of the live copies."""
    with transaction() as session:
        live = select(Folder.name).join(Copy, Copy.folder_id == Folder.id).where(Copy.gone_at.is_(None))
        return sorted(session.scalars(live))


def test_an_original_left_behind_is_deleted_once_its_copy_was_found(stage: Stage) -> None:
    stage.act(1, Conversation.mark_spam)
    begun(stage)
    assert places(stage) == {"INBOX": 1, "Junk": 1}
    rounds(stage)
    assert places(stage) == {"Junk": 1}
    rounds(stage, times=1)
    assert known(stage) == ["Junk"]
    with transaction() as session:
        talk = conversation(session, 1)
        assert (talk.owner, talk.status, talk.push_needed) == ("carla", "spam", False)
        assert kinds(session, 1) == ["imported", "claimed", "status"]


def test_a_move_that_is_called_back_after_its_copy_ends_where_the_mail_was(stage: Stage) -> None:
    stage.act(1, Conversation.mark_spam)
    begun(stage)
    stage.act(1, Conversation.reopen)
    rounds(stage, times=3)
    assert places(stage) == {"INBOX": 1}
    assert known(stage) == ["INBOX"]
    assert stage.shown() == {"assigned-carla", "$NotJunk"}


def test_a_move_that_gives_way_to_another_after_its_copy_ends_there(stage: Stage) -> None:
    stage.act(1, Conversation.move, folder(stage, "Archive"))
    begun(stage)
    with linked(stage, WithoutMove) as link:
        pull(link)
    stage.act(1, Conversation.move, folder(stage, "Trash"))
    rounds(stage, times=3)
    assert places(stage) == {"Trash": 1}
    with transaction() as session:
        assert conversation(session, 1).place == "trash"


def test_a_clients_copy_stays_beside_a_moved_mail(stage: Stage) -> None:
    stage.account.copy(1, "Archive")
    stage.act(1, Conversation.move, folder(stage, "Trash"))
    begun(stage)
    rounds(stage, times=3)
    assert places(stage) == {"Archive": 1, "Trash": 1}
    stage.account.copy(1, "INBOX", folder="Trash")
    rounds(stage, times=3)
    assert places(stage) == {"INBOX": 1, "Archive": 1, "Trash": 1}


def test_two_copies_of_one_mail_are_both_moved(stage: Stage) -> None:
    stage.account.copy(1, "INBOX")
    stage.round()
    stage.act(1, Conversation.mark_spam)
    begun(stage)
    rounds(stage, times=3)
    assert places(stage) == {"Junk": 2}
    assert known(stage) == ["Junk", "Junk"]


def test_with_move_a_client_s_copy_is_never_taken_for_half_a_move(stage: Stage) -> None:
    stage.act(1, Conversation.move, folder(stage, "Archive"))
    begun(stage, Dumb)
    stage.account.copy(1, "Archive")
    rounds(stage, ImapSession, times=3)
    assert places(stage) == {"Archive": 2}
    assert known(stage) == ["Archive", "Archive"]


def test_the_only_copy_left_is_moved_not_deleted(stage: Stage) -> None:
    stage.act(1, Conversation.mark_spam)
    begun(stage)
    with linked(stage, WithoutMove) as link:
        pull(link)
        stage.account.expunge(1, "Junk")
        pull(link)
        push(link)
    assert places(stage) == {"Junk": 1}


def test_a_folder_that_cannot_be_seen_does_not_let_a_move_be_made_twice(stage: Stage) -> None:
    stage.act(1, Conversation.mark_spam)
    begun(stage)
    rounds(stage, NoJunk)
    assert places(stage) == {"INBOX": 1, "Junk": 1}
    rounds(stage)
    assert places(stage) == {"Junk": 1}


def test_a_mail_that_cannot_be_deleted_is_copied_once_and_reported(stage: Stage) -> None:
    stage.act(1, Conversation.move, folder(stage, "Archive"))
    rounds(stage, Keeping, times=6)
    assert places(stage) == {"INBOX": 1, "Archive": 1}
    assert known(stage) == ["Archive", "INBOX"]
    with transaction() as session:
        assert not conversation(session, 1).push_needed
        told = last_event(session, 1)
        assert (told.kind, told.source, told.after) == ("moved", "system", {"folder": "INBOX"})


def test_a_pending_decision_follows_the_copy_of_a_move(stage: Stage) -> None:
    stage.account.remove_flags(1, "assigned-carla")
    with transaction() as session:
        [copy] = session.scalars(select(Copy))
        copy.held, copy.keywords = ["assigned-carla"], []
    stage.act(1, Conversation.move, folder(stage, "Archive"))
    begun(stage)
    rounds(stage)
    assert places(stage) == {"Archive": 1}
    assert stage.shown(folder="Archive") == set()
    with transaction() as session:
        assert conversation(session, 1).owner == "carla"
        assert session.scalars(select(Copy.held).where(Copy.gone_at.is_(None))).all() == [["assigned-carla"]]
