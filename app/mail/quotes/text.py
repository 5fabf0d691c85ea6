"""Reads the plain text of a mail as lines, and finds where it folds."""

from __future__ import annotations

import re
from functools import lru_cache

from app.mail.quotes.attribution import attribution_lines, ends_like_attribution, has_date
from app.mail.quotes.lines import BLANK, CITED, OWN, Line, QuotedMail

#: A text with more lines than anybody reads does not fold.
_MOST_LINES = 20_000
#: Marks other than `>` count only below an introduction: "AR> " are the author's initials (The Bat!).
_RARE_MARKS = "|#):}%»"
_INITIALS = re.compile(r"^[ \t]{0,3}[^\W\d_]{1,4}>", re.MULTILINE)
#: GroupWise's introduction of a quote without marks. We read it as an attribution.
_GROUPWISE = re.compile(r">>> (.{3,200}) >>>")
_BLANK = " \t\r\n\xa0\u200b\ufeff"


def fold_text(text: str, subject: str = "") -> tuple[str, str]:
    """(what the author wrote, what it quotes); head + tail is the text. The tail is empty if nothing folds.

    `subject`: a forward is shown whole, and some forwards are recognised only by it."""
    mail = _mail(text, subject)
    begin = mail.start_of_fold
    if begin is None:
        return text, ""
    cut = mail.lines[begin].offset
    return text[:cut], text[cut:]


def own_words(text: str, subject: str = "") -> str:
    """The author's own words, for previews: no quotes, no line that introduces one, no signature."""
    mail = _mail(text, subject)
    return "\n".join(mail.own_lines()) if mail.lines else text


@lru_cache(maxsize=1)  # first the fold of a mail is needed, then its preview
def _mail(text: str, subject: str) -> QuotedMail:
    return QuotedMail(_lines(text), subject)


def _lines(text: str) -> list[Line]:
    if text.count("\n") > _MOST_LINES:
        return []
    lines, offset = [], 0
    for raw in text.split("\n"):
        line = raw.rstrip(_BLANK)
        is_cited = line.lstrip(" \t")[:1] == ">"
        if is_cited and (framed := _GROUPWISE.fullmatch(line)) and has_date(framed[1]):
            line, is_cited = f"{framed[1]}:", False
        lines.append(Line(line, CITED if is_cited else OWN, offset=offset) if line else BLANK)
        offset += len(raw) + 1
    if any(f"\n{mark}" in text for mark in _RARE_MARKS) or (">" in text and _INITIALS.search(text)):
        _find_rare_marks(lines)
    return lines


def _find_rare_marks(lines: list[Line]) -> None:
    texts = [line.text for line in lines]
    for number, line in enumerate(lines):
        if line.quoted or not line.text or not ends_like_attribution(line.text):
            continue
        first = next((below for below in lines[number + 1 : number + 4] if below.text), None)
        mark = _mark(first.text) if first is not None and not first.quoted else ""
        if mark and attribution_lines(texts, number):
            for below in lines[number + 1 :]:
                below.quoted = CITED if below.text.lstrip().startswith(mark) else below.quoted
            return


def _mark(text: str) -> str:
    if (initials := _INITIALS.match(text)) is not None:
        return initials[0].strip()
    first = text.lstrip()[:1]
    return first if first and first in _RARE_MARKS else ""
