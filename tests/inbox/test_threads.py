"""The same mails in any order, in batches of any size, give the same conversations."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import itertools
from collections.abc import Iterable, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.arriving.arrival import Arrival
from app.inbox.arriving.receive import receive
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Message
from app.inbox.mailboxes.mailbox import Mailbox
from tests.cast import Cast, add_mailbox, arrival

_mailboxes = itertools.count(1)
_PEOPLE = ("mia@customer.example", "Tom@customer.example", "eve@elsewhere.example")


@dataclasses.dataclass(frozen=True)
class Mail:
    """One mail of a generated exchange. Ids are small numbers, so that they collide."""

    content: int
    own: int | None
    names: tuple[int, ...]
    sender: int
    to: int
    minute: int
    sent: bool
    auto: bool
    seen: bool


_ids = st.integers(0, 6)
_mails = st.builds(
    Mail,
    content=st.integers(0, 9),
    own=st.none() | _ids,
    names=st.lists(_ids, max_size=3).map(tuple),
    sender=st.integers(0, 2),
    to=st.integers(0, 2),
    minute=st.integers(0, 3),
    sent=st.booleans(),
    auto=st.booleans(),
    seen=st.booleans(),
)
_order = st.lists(_mails, min_size=2, max_size=8).flatmap(
    lambda mails: st.tuples(st.just(mails), st.permutations(mails), st.integers(1, len(mails)))
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(told=_order, importing=st.booleans())
def test_any_order_and_any_batch_give_the_same_conversations(
    cast: Cast, session: Session, told: tuple[list[Mail], list[Mail], int], importing: bool
) -> None:
    mails, shuffled, size = told
    straight = _conversations(session, [mails], importing)
    assert _conversations(session, [shuffled], importing) == straight
    batches = [shuffled[start : start + size] for start in range(0, len(shuffled), size)]
    assert _conversations(session, batches, importing) == straight
    assert _conversations(session, [[mail] for mail in reversed(mails)], importing) == straight


def test_an_answer_in_the_same_second_comes_after_its_question(cast: Cast, session: Session) -> None:
    box = add_mailbox(session, "Seconds", "help@halden.example")
    second = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
    for n in range(8):  # with one mail, every other result would be right by chance
        question = arrival(box, message_id=f"<q{n}@x>", received_at=second, subject=f"{n}", preview="May I ask?")
        answer = arrival(
            box, message_id=f"<a{n}@x>", received_at=second, subject=f"Re: {n}", preview="You may.",
            references=(f"<q{n}@x>",), folder="Sent",
        )  # fmt: skip
        receive(session, box, [answer, question], importing=True)
    found = sorted(_living(session, box), key=lambda c: c.subject)
    assert [(c.subject, c.preview, c.last_direction) for c in found] == [(f"{n}", "You may.", "out") for n in range(8)]
    assert [[m.direction for m in c.messages] for c in found] == [["in", "out"]] * 8


def _conversations(session: Session, batches: Iterable[Sequence[Mail]], importing: bool) -> set[object]:
    """The conversations of the mails in a separate mailbox: content only, no ids of rows or numbers."""
    n = next(_mailboxes)
    box = add_mailbox(session, f"Box {n}", "help@halden.example")
    for batch in batches:
        receive(session, box, [_arrival(box, mail) for mail in batch], importing=importing)
    session.flush()
    found = {_seen_from_outside(session, c) for c in _living(session, box)}
    session.rollback()
    return found


def _living(session: Session, box: Mailbox) -> Sequence[Conversation]:
    living = select(Conversation).where(Conversation.mailbox_id == box.id, Conversation.merged_into_id.is_(None))
    return session.scalars(living.execution_options(populate_existing=True)).all()


def _seen_from_outside(session: Session, c: Conversation) -> object:
    messages = session.scalars(
        select(Message).where(Message.conversation_id == c.id).execution_options(populate_existing=True)
    )
    return (
        frozenset((m.identity, m.newcomer, m.direction, len(m.copies)) for m in messages),
        (c.subject, c.preview, c.from_address, c.message_count, c.waiting_since, c.last_at, c.last_in_at),
        (c.last_direction, c.place, str(c.status), c.unseen),
    )


def _arrival(box: Mailbox, mail: Mail) -> Arrival:
    plain = dataclasses.astuple(dataclasses.replace(mail, sent=False, seen=False, minute=0))
    identity = hashlib.sha256(repr(plain).encode()).digest()
    return arrival(
        box,
        identity=identity,
        folder="Sent" if mail.sent else "INBOX",
        message_id=None if mail.own is None else _id(mail.own),
        references=tuple(map(_id, mail.names)),
        sender=("", _PEOPLE[mail.sender]),
        to=(("", _PEOPLE[mail.to]),),
        received_at=dt.datetime(2026, 11, 2, 9, int.from_bytes(identity[:1]) % 4, tzinfo=dt.UTC),
        subject=f"{mail.content} {identity.hex()}",
        preview=f"{mail.content} {identity.hex()}",
        machine="auto_reply" if mail.auto else None,
        keywords=("\\Seen",) if mail.auto else (),
    )


def _id(number: int) -> str:
    return f"<{number}@customer.example>"
