"""Whether two mails with one Message-ID are one mail that servers changed on its way, or two; pure.

A mailing list adds a label and a footer, a gateway its disclaimer, and a server that a mail is moved to writes it anew.
Sender and date stay, and so do all the words. A script that gives one id to all its mails writes other words, or at
another time: those are mails of their own, for nothing may be lost.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

_WORD = re.compile(r"\w+")
_LABEL = re.compile(r"\[[^\[\]]{1,80}\]")
#: Characters of a text that are compared.
_ENOUGH = 50_000


@dataclass(frozen=True)
class Look:
    """What is compared. `files`: their sizes."""

    message_id: str | None
    sender: str
    reply_to: Sequence[Sequence[str]]  # (name, address)
    date: dt.datetime | None
    subject: str
    text: str
    files: Sequence[int]

    @cached_property
    def words(self) -> str:
        return _words(self.text)


def may_be_same(one: Look, other: Look) -> bool:
    """By what stands in their headers; texts need not be known."""
    return (
        one.message_id is not None
        and one.message_id == other.message_id
        and one.date is not None
        and one.date == other.date
        and _have_one_sender(one, other)
        and (_is_labelled(one.subject, other.subject) or _is_labelled(other.subject, one.subject))
    )


def is_same(one: Look, other: Look) -> bool:
    """One of them holds all words and all files of the other."""
    if not may_be_same(one, other):
        return False
    few, many = sorted((Counter(one.files), Counter(other.files)), key=Counter.total)
    return few <= many and _holds(one.words, other.words) and (bool(one.words) or few == many)


def _have_one_sender(one: Look, other: Look) -> bool:
    """Mailing lists put themselves in the place of the sender, and him into Reply-To."""
    if one.sender.lower() == other.sender.lower():
        return True
    return one.sender.lower() in _answered(other) or other.sender.lower() in _answered(one)


def _answered(look: Look) -> set[str]:
    return {address.lower() for _, address in look.reply_to}


def _is_labelled(subject: str, plain: str) -> bool:
    """Whether it is the plain subject with what lists and filters add: "[Talk] Re: x", "Re: [Talk] x", "SPAM: x"."""
    words, short = _words(subject), _words(plain)
    return words == short or (bool(short) and (words.endswith(f" {short}") or _words(_LABEL.sub("", subject)) == short))


def _holds(one: str, other: str) -> bool:
    short, long_ = sorted((one, other), key=len)
    return short == long_ or (bool(short) and f" {short} " in f" {long_} ")


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text[:_ENOUGH].casefold()))
