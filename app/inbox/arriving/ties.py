"""Ties: which mails that name a common Message-ID belong together; pure.

An id alone does not tie strangers: scripts give one id to all their mails, and shops name one id in all their notices.
So two mails that name an id are tied if something else agrees.

- A mail and the mail it answers: somebody takes part in both, or we wrote the answered mail to somebody, or it is a
  direct answer about the same subject. The subject does not count if mails of several senders have the id, nor if our
  mail names no recipient: strangers answer a circular by Bcc.
- Two mails that name the same third: the author of one takes part in the other, or both reached the same people besides
  us, or one author wrote both about one subject, or people of one company answer the third directly about one subject.
  If such people are strangers, they may be answering a circular by Bcc.
- Two mails with the same id of their own: they have the same sender and date.

Each rule looks only at two mails, so the order of arrival does not matter. One exception: whether an id has several
senders depends on the mails that arrived before.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from app.inbox.arriving.own import OwnAddresses
from app.inbox.arriving.subject import topic
from app.inbox.mailboxes.providers import is_provider

#: If a mail has more recipients, only this many count.
_MOST_PEOPLE = 50
_CLOCKS_DIFFER = dt.timedelta(days=1)
Pairs = Sequence[Sequence[str]]  # (name, address)
Key = tuple[Hashable, ...]


class NamedMail(NamedTuple):  # a frozen dataclass takes three times as long to create
    """The parts of a mail that may tie it to others. Addresses are in lower case, without our own."""

    own_id: str | None
    root: str | None  # the first id it names
    parent: str | None  # the last
    author: frozenset[str]  # whom an answer goes to; empty: the team
    people: frozenset[str]
    reached: frozenset[str]  # recipients that distinguish this talk from others
    senders: frozenset[str]  # From and Reply-To, including our own
    subjects: frozenset[str]
    is_answer: bool  # by its subject; a forward counts as well
    is_forward: bool
    is_ours: bool
    date: dt.datetime | None

    @property
    def talks(self) -> frozenset[str]:
        """The people of this mail. A mail that involves one of them belongs to the same talk."""
        return self.author | self.reached

    @property
    def companies(self) -> set[str]:
        """Domains of the author. Customers of a mail provider do not belong together."""
        domains = {address.rpartition("@")[2] for address in self.author}
        return {domain for domain in domains if domain and not is_provider(domain)}


def mail(
    own: OwnAddresses,
    own_id: str | None,
    references: Sequence[str],
    *,
    sender: str,
    reply_to: Pairs,
    receivers: Iterable[Sequence[str]],
    subject: str,
    date: dt.datetime | None,
) -> NamedMail:
    """Ids in the form of `short`. The first and the last reference count."""
    writer = _foreign((sender,), own)
    author = (_foreign((address for _, address in reply_to), own) if reply_to else None) or writer
    is_ours = not author and sender in own
    received = _foreign((address for _, address in receivers), own)
    reached = received if is_ours else frozenset(a for a in received if not own.is_in_domain(a))
    about = topic(subject)
    senders = frozenset(a.lower() for a in (sender, *(address for _, address in reply_to)) if a)
    people = author | writer | received
    root, parent = (references[0], references[-1]) if references else (None, None)
    marks = about.is_answer, about.is_forward
    return NamedMail(own_id, root, parent, author, people, reached, senders, about.names, *marks, is_ours, date)


def _foreign(addresses: Iterable[str], own: OwnAddresses) -> frozenset[str]:
    foreign = {address.lower() for address in addresses if address and address not in own}
    return frozenset(foreign if len(foreign) <= _MOST_PEOPLE else sorted(foreign)[:_MOST_PEOPLE])


@dataclass(slots=True)
class _Sides:
    """Mails on both sides of a tie: all of one side are tied to all of the other."""

    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)


def ties(id_: str, mails: Mapping[int, NamedMail]) -> list[tuple[list[int], list[int]]]:
    """Pairs of sides among the mails that have or name this id. Each mail of one side is tied to each of the other."""
    bearers = {key: mail for key, mail in mails.items() if mail.own_id == id_}
    has_one_sender = len({mail.author for mail in bearers.values()}) <= 1
    sides: dict[Key, _Sides] = defaultdict(_Sides)
    for key, one in mails.items():
        left, right = _of_bearer(one) if key in bearers else _of_namer(one)
        if has_one_sender and key not in bearers:
            left += (same := _about_the_same(id_, one))
            right += same
        for tie in left:
            sides[tie].left.append(key)
        for tie in right:
            sides[tie].right.append(key)
    by_subject = _by_subject(bearers, mails) if has_one_sender else ()
    return [*by_subject, *((side.left, side.right) for side in sides.values() if side.left and side.right)]


def _by_subject(
    bearers: Mapping[int, NamedMail], mails: Mapping[int, NamedMail]
) -> Iterator[tuple[list[int], list[int]]]:
    """A mail and its answers about the same subject. An answer is not clearly older than the mail."""
    for key, answered in bearers.items():
        if answered.people or not answered.is_ours:
            yield [key], [k for k, mail in mails.items() if k not in bearers and _may_answer(mail, answered)]


def _may_answer(mail: NamedMail, answered: NamedMail) -> bool:
    is_direct = mail.parent == answered.own_id and (mail.is_forward or not (mail.is_ours and mail.people))
    is_early = mail.date and answered.date and mail.date < answered.date - _CLOCKS_DIFFER
    return is_direct and not is_early and bool(mail.subjects & answered.subjects)


def _about_the_same(id_: str, mail: NamedMail) -> list[Key]:
    """Answers of one company with one subject to one mail, or within one chain. For our own mails we know the
    recipients."""
    if not mail.is_answer or mail.is_ours:
        return []
    chain = () if id_ == mail.parent else (mail.root,) if id_ != mail.root else None
    return (
        []
        if chain is None
        else [("answers", company, about, *chain) for company in mail.companies for about in mail.subjects]
    )


def _of_bearer(mail: NamedMail) -> tuple[list[Key], list[Key]]:
    left: list[Key] = [("talks", who) for who in mail.talks]
    left += [("takes part", who) for who in mail.people]
    if mail.is_ours:
        left.append(("ours", bool(mail.people)))
    again: list[Key] = [("again", who, mail.date) for who in mail.senders] if mail.date else []
    return left + again, again


def _of_namer(mail: NamedMail) -> tuple[list[Key], list[Key]]:
    right: list[Key] = [("talks", who) for who in mail.people]
    right += [("takes part", who) for who in mail.talks]
    right += [("ours", True)] if mail.people else [("ours", True), ("ours", False)]
    wrote: list[Key] = [("wrote", who, about) for who in mail.author for about in mail.subjects]
    left: list[Key] = [("met", who) for who in (mail.talks if mail.is_answer else mail.reached)]
    right += [("met", who) for who in mail.people]
    return left + wrote, right + wrote
