"""The topic of a subject, without the prefixes of mail programs (RFC 5256 section 2.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from app.marks import ABSENT, ANSWERS, AUTOMATIC, FORWARDS, NOTICES, UNDELIVERED

_MARKS = ANSWERS | FORWARDS | NOTICES | UNDELIVERED | AUTOMATIC | ABSENT
_MARK = re.compile(r"([^\W\d_][^:：\[\](*]{0,40}?) ?(?:[\[(]\d{1,3}[\])]|\*\d{1,3})? ?[:：]")
_LABEL = re.compile(r"\[[^\[\]]{1,80}\]")
#: "new thing (was: old thing)"
WAS = "was|war|era|était|ehemals"
_WAS = re.compile(rf"\((?:{WAS})\b[ :]*([^()]{{1,500}})\)$", re.IGNORECASE)
_MOST_MARKS = 20


@dataclass(frozen=True, slots=True)
class Topic:
    """`names`: its topics in lower case. `new thing (was: old thing)` has both topics, an empty subject none.
    `is_answer`: it has the prefix of an answer or a forward."""

    names: frozenset[str]
    is_answer: bool
    is_forward: bool


@lru_cache(maxsize=1024)  # the mails of a conversation have the same subject
def topic(subject: str) -> Topic:
    """Removes labels of mailing lists like prefixes."""
    plain, marks = _stripped(" ".join(subject[:2000].split()))
    was = _WAS.search(plain)
    names = {plain} if was is None else {plain[: was.start()].strip(), _stripped(was[1])[0]}
    return Topic(frozenset(name.casefold() for name in names if name), bool(marks), not marks.isdisjoint(FORWARDS))


def _stripped(text: str) -> tuple[str, set[str]]:
    marks = set[str]()
    for _ in range(_MOST_MARKS):
        mark, label = _MARK.match(text), _LABEL.match(text)
        if mark is not None and mark[1].casefold() not in _MARKS:
            mark = None
        prefix = mark or label
        if prefix is None or (label and not text[label.end() :].strip()):
            break
        if mark is not None:
            marks.add(mark[1].casefold())
        text = text[prefix.end() :].strip()
    return text, marks
