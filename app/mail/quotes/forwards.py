"""Recognize forwarded messages. A forwarded message is the subject of the mail, so it never folds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from app.mail.quotes.header_block import labels_near
from app.mail.quotes.languages import LANGUAGES, entries, lowered, words
from app.marks import ANSWER_OR_FORWARD, ANSWERS, FORWARDS

_LONGEST = 100
_FRAME = " \t\r\n\xa0\u200b-‐–—_=*~<>|:：.…"
#: The endings of a mark without dashes around it.
_ENDS = (":", "：", ".", "…")
_MARKS = words("forwarded")
_PREFIX = re.compile(r"\s*(?:\[[^\[\]]{0,40}\]\s*)?([^\W\d_][^:：\[\]]{0,15}?)\s?(?:\[\d{1,2}\])?\s?[:：]")
_DANISH = entries(LANGUAGES["da"].sender)


def is_reply(subject: str) -> bool:
    """Whether the outermost prefix of the subject is that of an answer (Re:, AW:, SV: …)."""
    return _prefix(subject) in ANSWERS


def is_forward_mark(line: str) -> bool:
    """Whether the line is one like "---------- Forwarded message ---------" and nothing else."""
    if len(line) > _LONGEST or (line[-1:] not in _ENDS and line.lstrip()[:1] not in _FRAME):
        return False
    return lowered(line.strip(_FRAME)) in _MARKS


def is_forward(subject: str, lines: Sequence[str]) -> bool:
    """Whether the outermost prefix of the subject is that of a forward (Fwd:, WG:, RV:, TR: …)."""
    name = _prefix(subject)
    return name in FORWARDS or (name == ANSWER_OR_FORWARD and labels_near(lines, _DANISH))


@lru_cache(maxsize=16)  # this is called several times for each mail
def _prefix(subject: str) -> str:
    """The outermost prefix of the subject in lower case, empty if it has none."""
    prefix = _PREFIX.match(subject[:80])
    return lowered(prefix[1]) if prefix else ""
