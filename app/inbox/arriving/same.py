"""Decides whether two mails with one Message-ID are one mail that servers changed on its way, or two; pure.

A mailing list adds a label and a footer, a gateway its disclaimer. A server may rewrite a mail that is moved to it, and
so may a client that uploads it. Sender, date and all the words stay. A script that gives one id to all its mails writes
other words, or writes at another time. Those are separate mails, because nothing may be lost.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from app.inbox.arriving.subject import WAS

_WORD = re.compile(r"\w+")
#: What lists and filters add to a subject: [Talk], {Spam?}, *** EXTERNAL ***, (was: something else).
_LABEL = re.compile(
    r"\[([^\[\]]{1,80})\]|\{([^{}]{1,80})\}|\*{2,10}([^*]{1,80})\*{2,10}|<([^<>]{1,40})>"
    rf"|\(((?:{WAS})\b[^()]{{1,500}}|(?:ext|spam|junk)[^()]{{0,40}})\)",
    re.IGNORECASE,
)
#: What gateways add after a subject, without brackets: "Lamp - EXTERNAL".
_TAIL = {
    "ext", "extern", "externe", "externer", "external", "externo", "externa", "esterno", "esterna", "extérieur",
    "zewnętrzny", "spam", "junk", "bulk", "suspected", "probable", "possible", "verdacht", "sospechoso",
    "e", "mail", "email", "message", "sender", "nachricht", "absender",
}  # fmt: skip
_DIGIT = re.compile(r"\d")
#: Characters of a text that we compare.
_ENOUGH = 50_000
_LINE_END = len("\r\n")


@dataclass(frozen=True)
class MailContent:
    """The compared parts of a mail. `files`: (type, size in bytes)."""

    message_id: str | None
    sender: str
    reply_to: Sequence[Sequence[str]]  # (name, address)
    date: dt.datetime | None
    subject: str
    text: str
    files: Sequence[tuple[str, int]]

    @cached_property
    def words(self) -> str:
        return _words(self.text)


def may_be_same(one: MailContent, other: MailContent) -> bool:
    """Decided by their headers; the texts may be unknown."""
    return (
        one.message_id is not None
        and one.message_id == other.message_id
        and one.date is not None
        and one.date == other.date
        and _have_one_sender(one, other)
        and (_is_labelled(one.subject, other.subject) or _is_labelled(other.subject, one.subject))
    )


def is_same(one: MailContent, other: MailContent) -> bool:
    """Whether one of them contains all words and all files of the other."""
    if not may_be_same(one, other):
        return False
    few, many = sorted((one.files, other.files), key=len)
    if not (_has_files(many, few) and _holds(one.words, other.words)):
        return False
    return bool(one.words) or len(few) == len(many)


def _has_files(many: Sequence[tuple[str, int]], few: Sequence[tuple[str, int]]) -> bool:
    """A program that writes a mail anew may change the line end at the end of a text part."""
    if not Counter(_sizes(few, text=False)) <= Counter(_sizes(many, text=False)):
        return False
    left = iter(_sizes(many, text=True))
    return all(any(abs(other - size) <= _LINE_END for other in left) for size in _sizes(few, text=True))


def _sizes(files: Sequence[tuple[str, int]], *, text: bool) -> list[int]:
    return sorted(size for type_, size in files if type_.startswith(("text/", "message/")) == text)


def _have_one_sender(one: MailContent, other: MailContent) -> bool:
    """Mailing lists replace the sender with themselves, and put the sender into Reply-To."""
    if one.sender.lower() == other.sender.lower():
        return True
    return one.sender.lower() in _answered(other) or other.sender.lower() in _answered(one)


def _answered(look: MailContent) -> set[str]:
    return {address.lower() for _, address in look.reply_to}


def _is_labelled(subject: str, plain: str) -> bool:
    """Whether it is the plain subject with additions of lists and filters: "[Talk] Re: x", "Re: [Talk] x", "x
    [EXT]"."""
    words, short = _words(subject), _words(plain)
    if words == short or (short and words.endswith(f" {short}")):
        return True
    if short and words.startswith(f"{short} ") and _TAIL.issuperset(words.removeprefix(short).split()):
        return True
    return _have_other_labels(subject, plain)


def _have_other_labels(one: str, other: str) -> bool:
    """Whether only labels without numbers differ: [Order 1] and [Order 2] are two things."""
    bare, bare_other = _words(_LABEL.sub(" ", one)), _words(_LABEL.sub(" ", other))
    if not bare:
        return not other.strip()
    labels, others = _labels(one), _labels(other)
    both_differ = bool(labels - others and others - labels)
    is_numbered = both_differ and any(map(_DIGIT.search, labels ^ others))
    return not is_numbered and (bare == bare_other or (bool(bare_other) and bare.endswith(f" {bare_other}")))


def _labels(subject: str) -> set[str]:
    return {_words(label[0]) for label in _LABEL.finditer(subject)}


def _holds(one: str, other: str) -> bool:
    short, long_ = sorted((one, other), key=len)
    return short == long_ or (bool(short) and f" {short} " in f" {long_} ")


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text[:_ENOUGH].casefold()))
