"""Finds where the author's own words end and quotes and signatures begin.

Text and HTML are read into the same kind of lines. Everything that folds is removed from the end, piece by piece: a
quote, the line that introduces it, a signature, a footer. The rest is the author's, so an answer between or below
quoted lines stays visible. A quote without marks folds to the end of the mail, and only below an introduction that
nobody writes by hand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from app.mail.quotes import answers
from app.mail.quotes.attribution import attribution_lines, certain_attribution_lines, ends_like_attribution
from app.mail.quotes.forwards import is_forward, is_forward_mark, is_reply
from app.mail.quotes.header_block import (
    ANYWHERE,
    BELOW_A_RULE,
    MARKED,
    NOWHERE,
    field_kind,
    is_original_mark,
    is_rule,
    quoting_block,
)
from app.mail.quotes.signatures import is_delimiter, is_footer, is_sign_off, is_signature

_SIGNATURE_REACH = 40
#: Introductions that are tried; each may need a look at the rest of the mail.
_MOST_TRIES = 10
#: Lines that are checked because they end like an attribution.
_MOST_HINTS = 1000
_CODE = re.compile(
    r"(?:>>|\$|#|//|[\w./-]+\s?[({=]|.*[;{}]\s*$|(?:npm|pip|git|cd|ls|curl|docker|sudo|select|import|echo|cat)\b)", re.I
)
#: "------- something -------" in a language that we do not know.
_FRAMED = re.compile(r"\s{0,9}[-‐=_]{4,80}[^-‐=_\n]{2,80}[-‐=_]{4,80}\s{0,9}")

_SHORT_RULE = re.compile(r"\s{0,9}[-_=]{8,80}\s{0,9}")
_ADDRESS_ALONE = re.compile(r"\s{0,9}[\w.+=-]{1,100}@[\w.-]{1,100}\s{0,9}")
_RULE_ENDS = ("-", "‐", "–", "—", "_", "=", "*")

#: The values of `Line.quoted`.
OWN, CITED, CONTAINED = range(3)


@dataclass(slots=True)
class Line:
    text: str
    #: CITED: the line has a mark. CONTAINED: it is in an element that a client puts around everything older.
    quoted: int = OWN
    #: Whether the line is in a blockquote of unknown meaning.
    in_blockquote: bool = False
    #: Whether the client's own markup says so.
    is_attribution: bool = False
    is_signature: bool = False
    is_forward: bool = False
    place: int = ANYWHERE
    #: Where the line begins in its source.
    offset: int = 0

    @property
    def is_blank(self) -> bool:
        return not self.text


#: Shared, because no fold begins at a blank line.
BLANK = Line("")


class QuotedMail:
    """The lines of one mail. Call `start_of_fold`."""

    def __init__(self, lines: Sequence[Line], subject: str = "") -> None:
        self.lines = lines
        self._texts = [line.text for line in lines]
        self._subject = subject

    @cached_property
    def start_of_fold(self) -> int | None:
        """The first line of the folded end; None if nothing folds. Every line from there on is a quote or a
        signature."""
        if self._is_forwarded():
            return None
        begin = self._unmarked_quote()
        end = self._without_end(len(self.lines) if begin is None else begin)
        if end == len(self.lines):
            return None
        guarded = begin is not None or any(line.quoted == CONTAINED for line in self.lines[end:])
        own = [line.text for line in self.lines[:end] if line.text and not line.quoted]
        if not own or (guarded and answers.may_follow(own, self._texts[end:])):
            return None
        return next((number for number in range(end, len(self.lines)) if not self.lines[number].is_blank), None)

    def own_lines(self) -> list[str]:
        """The author's lines, without quotes and their introductions, wherever these are."""
        end = self.start_of_fold
        dropped: set[int] = set()
        for number in range(len(self.lines) if end is None else end):
            line = self.lines[number]
            if line.quoted:
                dropped.add(number)
                if number and not self.lines[number - 1].quoted:
                    dropped.update(range(self._introduction(number), number))
        kept = range(len(self.lines) if end is None else end)
        return [self._texts[number] for number in kept if number not in dropped]

    def _is_forwarded(self) -> bool:
        if is_forward(self._subject, self._texts) or any(line.is_forward for line in self.lines):
            return True
        mark = next((number for number, text in enumerate(self._texts) if text and is_forward_mark(text)), None)
        return mark is not None and not self._follows_attribution(mark)

    def _follows_attribution(self, number: int) -> bool:
        """Whether a mark of a forward is inside a quote. It then belongs to an older mail."""
        if self._unmarked_quote(until=number) is not None:
            return True
        first = number
        while first and (self.lines[first - 1].quoted or self.lines[first - 1].is_blank):
            first -= 1
        inside = any(not line.is_blank for line in self.lines[first:number])
        return bool(self.lines[number].quoted) and (inside or self._introduction(first) < first)

    def _unmarked_quote(self, until: int | None = None) -> int | None:
        """The line where a quote begins that has an introduction but no marks."""
        tries = hints = 0
        for number, line in enumerate(self.lines[:until]):
            if line.quoted or not _may_introduce(line.text):
                continue
            begin, after, is_block = self._introduction_at(number)
            if begin is not None and not self._is_marked_from(after, is_block=is_block):
                return begin
            tries += begin is not None
            hints += ends_like_attribution(line.text)
            if tries == _MOST_TRIES or hints == _MOST_HINTS:
                break
        return None

    def _introduction_at(self, number: int) -> tuple[int | None, int, bool]:
        """(first line, line after it, whether it is a header block) of an introduction that needs no marks."""
        text = self._texts[number]
        if is_original_mark(text):
            return self._below_original_mark(number)
        if field_kind(text):
            begin, place = self._rule_above(number)
            block = quoting_block(self._texts, number, place)
            if block is not None and not answers.is_form(self._texts[max(0, begin - 12) : begin], place):
                return begin, block.end, True
        if ends_like_attribution(text) and not self.lines[number].is_attribution:  # these clients mark what they quote
            count = certain_attribution_lines(self._texts, number)
            if count and not self._is_announced(number - count + 1):
                return number - count + 1, number + 1, False
        return None, number, False

    def _below_original_mark(self, number: int) -> tuple[int, int, bool]:
        below = next((n for n in range(number + 1, min(number + 4, len(self._texts))) if self._texts[n]), None)
        block = None if below is None else quoting_block(self._texts, below, MARKED)
        return (number, number + 1, False) if block is None else (number, block.end, True)

    def _rule_above(self, number: int) -> tuple[int, int]:
        """The real start of an introduction, with a rule or a mark above its first field; and the kind of place."""
        place, begin = self.lines[number].place, number
        above = number - 1
        while above >= 0 and number - above <= 4:
            text = self._texts[above]
            if is_original_mark(text):
                return above, MARKED
            if is_rule(text):
                place, begin = max(place, BELOW_A_RULE), above
            elif begin == number and self._is_address_alone(above):
                begin = above
            elif text:
                break
            above -= 1
        if place < MARKED and self._is_announced(begin):
            return begin, NOWHERE
        begins = number == 0 or not self._texts[number - 1] or begin < number or place > ANYWHERE
        return begin, place if begins else NOWHERE

    def _is_address_alone(self, number: int) -> bool:
        """Foxmail writes the sender on a line of its own, between blank lines."""
        around = self._texts[max(0, number - 1) : number], self._texts[number + 1 : number + 2]
        return _ADDRESS_ALONE.fullmatch(self._texts[number]) is not None and not any(map(any, around))

    def _is_announced(self, begin: int) -> bool:
        """Whether the line above announces what follows, because the author shows or forwards it."""
        above = next((text for text in reversed(self._texts[max(0, begin - 4) : begin]) if text), "").rstrip()
        return above.endswith((":", "：")) or _FRAMED.fullmatch(above) is not None

    def _is_marked_from(self, after: int, *, is_block: bool) -> bool:
        """Whether the quoted lines have marks. The end of the mail then decides the rest."""
        rest = [line for line in self.lines[after:] if line.text]
        if not rest:
            return False
        if rest[0].quoted or rest[0].in_blockquote:
            return True
        seen = False
        for line in rest if not is_block else ():
            if line.quoted == CITED:
                seen = True
            elif seen and not line.is_signature:
                return True
        return False

    def _without_end(self, end: int) -> int:
        """The end of the author's words, without quotes, their introductions, signatures and footers."""
        while True:
            while end and not self._texts[end - 1]:
                end -= 1
            shorter = self._without_quote(end)
            shorter = self._without_signature(end) if shorter == end else shorter
            if shorter == end:
                return end
            end = shorter

    def _without_quote(self, end: int) -> int:
        begin = end
        while begin and (self.lines[begin - 1].quoted or not self._texts[begin - 1]):
            begin -= 1
        if begin == end:
            return self._without_blockquote(end)
        while self.lines[begin].is_blank:
            begin += 1
        above = self._introduction(begin)
        return above if above < begin or self._is_surely_quoted(begin, end) else end

    def _without_blockquote(self, end: int) -> int:
        """Remove a blockquote that is a quote only because of the introduction above it."""
        begin = end
        while begin and (self.lines[begin - 1].in_blockquote or not self._texts[begin - 1]):
            begin -= 1
        above = self._introduction(begin) if begin < end else begin
        return above if above < begin or self._begins_with_introduction(begin, end) else end

    def _begins_with_introduction(self, begin: int, end: int) -> bool:
        """Whether a blockquote begins with an introduction of its own, as Mail.ru, Zimbra and others write it."""
        first = next((n for n in range(begin, end) if not self.lines[n].is_blank), end)
        above = self._texts[max(0, begin - 12) : begin]
        if first == end or not begin or self._is_announced(begin) or answers.is_form(above, BELOW_A_RULE):
            return False
        texts = self._texts[first:end]
        block = quoting_block(texts, 0, max(self.lines[first].place, BELOW_A_RULE))
        if block is not None and block.end < len(texts):
            return True
        attribution = attribution_lines if is_reply(self._subject) else certain_attribution_lines
        return any(attribution(texts, n) == n + 1 for n in range(min(3, len(texts) - 1)))

    def _introduction(self, begin: int) -> int:
        """The first line of the introduction to a quote that begins at `begin`; `begin` if there is none."""
        last = begin - 1
        while last >= 0 and self.lines[last].is_blank and begin - last < 4:
            last -= 1
        if last < 0 or self.lines[last].quoted:
            return begin
        if self.lines[last].is_attribution:
            while last and self.lines[last - 1].is_attribution:
                last -= 1
            return last
        if is_original_mark(self._texts[last]):
            return last
        count = attribution_lines(self._texts, last)
        return self._fields_above(last - count + 1) if count else self._block_above(last, begin)

    def _fields_above(self, begin: int) -> int:
        """Yandex writes a rule and some fields above the attribution."""
        first = begin
        while first and begin - first < 4 and field_kind(self._texts[first - 1]) in ("to", "copy", "subject"):
            first -= 1
        is_ruled = first < begin and first > 0 and _SHORT_RULE.fullmatch(self._texts[first - 1])
        return first - 1 if is_ruled else begin

    def _block_above(self, last: int, begin: int) -> int:
        first = last
        while first and self._texts[first - 1] and last - first < 12:
            first -= 1
        for number in range(first, last + 1):
            if field_kind(self._texts[number]):
                start, place = self._rule_above(number)
                block = quoting_block(self._texts, number, place)
                return start if block is not None and block.end > last else begin
        return begin

    def _is_surely_quoted(self, begin: int, end: int) -> bool:
        """A quote without introduction: the client's markup says so, or it is marked text in a paragraph of its own."""
        lines = self.lines[begin:end]
        if lines[0].place == MARKED:
            return True
        inner = [line.text.lstrip("> \t") for line in lines if line.text.strip("> \t")]
        if inner and any(attribution_lines(inner, number) for number in range(min(3, len(inner)))):
            return True
        if begin and (self._texts[begin - 1] or self._is_announced(begin)):
            return False
        if self._subject and not is_reply(self._subject):
            return False
        return len(inner) > 1 and not any(_CODE.match(text) for text in inner[:20])

    def _without_signature(self, end: int) -> int:
        last = self.lines[end - 1] if end else None
        if last is None:
            return end
        if last.is_signature or is_sign_off(last.text) or is_delimiter(last.text):
            return end - 1
        first = end - 1
        while first and self._texts[first - 1] and end - first < _SIGNATURE_REACH:
            first -= 1
        if is_footer(self._texts[first:end]):
            return first
        number = next((number for number in self._delimiters if number < end), end)
        is_near = end - _SIGNATURE_REACH < number < end
        return number if is_near and is_signature(self._texts[number + 1 : end]) else end

    @cached_property
    def _delimiters(self) -> list[int]:
        """The lines above signatures, last one first."""
        return [n for n, text in enumerate(self._texts) if "--" in text and is_delimiter(text)][::-1]


def _may_introduce(text: str) -> bool:
    """A cheap test that most lines fail."""
    return ":" in text or "：" in text or text.endswith(_RULE_ENDS)
