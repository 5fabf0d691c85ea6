"""Recognize forwarded messages. What somebody forwards is what the mail is about, so it never folds."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.mail.quotes.header_block import labels_near
from app.mail.quotes.languages import LANGUAGES, words

_LONGEST = 100
_FRAME = " \t\r\n\xa0\u200b-–—_=*~<>|:：.…"
_MARKS = words("forwarded")
_PREFIX = re.compile(r"\s*(?:\[[^\[\]]{0,40}\]\s*)?([^\W\d_][^:：\[\]]{0,15}?)\s?(?:\[\d{1,2}\])?\s?[:：]")
_PREFIXES = words("prefixes")
#: A Finnish "Vs:" is a reply, a Danish or Norwegian "VS:" a forward.
_FINNISH = frozenset(LANGUAGES["fi"].sender.split("|"))


def is_forward_mark(line: str) -> bool:
    """Whether the line is one like "---------- Forwarded message ---------" and nothing else."""
    return len(line) <= _LONGEST and line.strip(_FRAME).lower() in _MARKS


def is_forward(subject: str, lines: Sequence[str]) -> bool:
    """Whether the outermost prefix of the subject is that of a forward (Fwd:, WG:, RV:, TR: …)."""
    prefix = _PREFIX.match(subject[:80])
    if prefix is None or prefix[1].lower() not in _PREFIXES:
        return False
    return prefix[1].lower() != "vs" or not labels_near(lines, _FINNISH)
