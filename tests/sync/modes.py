"""A mailbox that changes its mode: acts of members, clients and administrators, and what they see."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.db import transaction
from app.inbox.actor import COMMAND, web
from app.inbox.arriving import thread
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.goal import conversation_copies, goals
from app.inbox.conversations.locking import locked
from app.inbox.conversations.tag import vocabulary_of
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.server import mode
from app.inbox.server.health import health
from app.mail.imap import ImapSession
from app.sync.compare.drift import drift
from app.sync.compare.sides import choose
from app.sync.link import Link
from app.sync.pull import returning
from tests.account import AnyAccount
from tests.cast import member
from tests.sync.stage import KEY, Stage, conversation


def between_two_batches(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None], *, many: int = 1) -> None:
    """Do something after every `many` conversations that are frozen before the mode changes."""

    def freeze_and_act(link: Link, last: int) -> int | None:
        frozen_last = freeze_some(link, last)
        act()
        return frozen_last

    freeze_some = returning._freeze_some
    monkeypatch.setattr(returning, "_CONVERSATIONS", many)
    monkeypatch.setattr(returning, "_freeze_some", freeze_and_act)


def set_frozen(number: int, registers: list[str]) -> None:
    with transaction() as session:
        conversation(session, number).frozen = registers


def star(stage: Stage[AnyAccount], uids: list[int], how: Callable[[ImapSession, list[int], list[str]], None]) -> None:
    with stage.account.open() as imap:
        imap.select("INBOX")
        how(imap, uids, ["\\Flagged"])


def dies() -> None:
    raise RuntimeError("it died")


def split(number: int, subject: str) -> None:
    with transaction() as session:
        [held] = locked(session, [conversation(session, number).id])
        thread.split(next(m for m in held.messages if m.subject == subject), by=web(member(session, "ben")))


def merge(number: int, *, into: int) -> None:
    with transaction() as session:
        source, target = (conversation(session, one) for one in (number, into))
        locked(session, [source.id, target.id])
        thread.merge(source, target, by=web(member(session, "ben")))


def settle(stage: Stage[AnyAccount], *, take_theirs: bool) -> None:
    found = drift(stage.mailbox_id, private_key=bytes(KEY))
    choose(stage.mailbox_id, found, take_theirs=take_theirs, by=COMMAND)


def number_of(subject: str) -> int:
    with transaction() as session:
        return session.scalars(select(Conversation.number).where(Conversation.subject == subject)).one()


def change_mode(stage: Stage[AnyAccount], to: Mode) -> None:
    with transaction() as session:
        mode.change_mode(session.get_one(Mailbox, stage.mailbox_id), to, by=COMMAND)


def frozen(number: int) -> list[str]:
    with transaction() as session:
        return conversation(session, number).frozen


def waiting(stage: Stage[AnyAccount]) -> tuple[int, int]:
    """(conversations to be written, conversations that wait for a person)."""
    with transaction() as session:
        well = health(session, session.get_one(Mailbox, stage.mailbox_id))
        return well.waiting_push, well.frozen


def told(stage: Stage[AnyAccount]) -> set[tuple[int | None, str, str | bool | None, str | bool | None]]:
    found = drift(stage.mailbox_id, private_key=bytes(KEY))
    return {(line.number, line.what, line.server, line.ours) for line in found.lines}


def all_at_goal(stage: Stage[AnyAccount]) -> bool:
    with transaction() as session:
        vocabulary = vocabulary_of(session, session.get_one(Mailbox, stage.mailbox_id))
        for one in session.scalars(select(Conversation).where(Conversation.mailbox_id == stage.mailbox_id)):
            copies = conversation_copies(one)
            wanted = goals(copies, one.state, vocabulary, mirrored=one.mirrored)
            if any(wanted[copy.id] != vocabulary.ours(copy.keywords) for copy in copies if copy.live):
                return False
    return True
