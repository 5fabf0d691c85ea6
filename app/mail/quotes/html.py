"""Reads the cleaned HTML of a mail as lines, and inserts the fold.

nh3 leaves well-formed HTML and escapes `<`, `>` and `"` inside values. So one pattern finds every tag, and offsets are
exact. The HTML is not serialized again: we insert the fold into the text that the cleaner made safe.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from itertools import accumulate

from app.mail.quotes.header_block import ANYWHERE, MARKED
from app.mail.quotes.lines import BLANK, CITED, CONTAINED, OWN, Line, QuotedMail
from app.mail.quotes.markup import HtmlTag, Marks, tag_of

_TAG = re.compile(r"(<[^<>]*>)")
#: A <details> may be a direct child of these; other elements are split.
_FLOW = {"blockquote", "center", "dd", "div", "li", "main", "td", "th"}
#: Most mails have none of these, so we need not parse them.
_SIGNS = (
    "gmail_", "yahoo_quoted", "moz-", "protonmail_", "tutanota", "<blockquote", "zmail", "ignature", 'name="quote',
    "ms-outlook", "divRplyFwdMsg", "appendonsend", "reference-message", "border-top", "<hr",
    "&gt; ", "____", "-- ", "--<",
    ":</", ": </", "OLK_SRC", ":<br", ":&nbsp;<", "&gt;<br", "：", "iPhone", "iPad", "Android", "Samsung", "Outlook",
)  # fmt: skip
_BLANK = " \t\r\n\xa0\u200b\ufeff"
SUMMARY = '<summary title="···">···</summary>'

#: Some text, where it ends, and the tag after it. The last piece has no tag.
_Piece = tuple[str, int, HtmlTag]


def fold_html(html: str, subject: str = "") -> str:
    """Wrap quotes and signatures at the end of a cleaned message in <details>, which needs no script to open.

    `subject`: a forward is shown whole, and some forwards are recognised only by it."""
    if not any(map(html.__contains__, _SIGNS)):
        return html
    pieces = _pieces(html)
    lines = _Reader().lines(pieces)
    begin = QuotedMail(lines, subject).start_of_fold
    if begin is None:
        return html
    return _folded(html, pieces, lines[begin].offset)


def _pieces(html: str) -> list[_Piece]:
    split = [*_TAG.split(html), ""]
    ends = list(accumulate(map(len, split)))
    return list(zip(split[::2], ends[::2], map(tag_of, split[1::2]), strict=True))


@dataclass(frozen=True, slots=True)
class _Around:
    """What the elements around a text mean for it."""

    quoted: int = OWN
    in_blockquote: bool = False
    in_container: bool = False
    is_attribution: bool = False
    is_signature: bool = False
    is_forward: bool = False


def _inside(above: _Around, marks: Marks) -> _Around:
    """The state for text in an element with these marks, inside other elements."""
    quoted = CONTAINED if marks.is_contained else above.quoted
    cited = marks.is_cited or (marks.is_blockquote and above.in_container)
    return _Around(
        quoted or (CITED if cited else OWN),
        above.in_blockquote or marks.is_blockquote,
        above.in_container or marks.in_container,
        above.is_attribution or marks.is_attribution,
        above.is_signature or marks.is_signature,
        above.is_forward or marks.is_forward,
    )


class _Reader:
    """Reads HTML into lines, with what the elements around each line mean."""

    def __init__(self) -> None:
        self._elements: list[tuple[str, _Around]] = [("", _Around())]
        self._lines: list[Line] = []
        self._words: list[str] = []
        self._offset = 0
        self._place = ANYWHERE
        self._place_offset: int | None = None

    def lines(self, pieces: Sequence[_Piece]) -> list[Line]:
        at = 0
        for text, at, tag in pieces:
            if text:
                self._add(unescape(text) if "&" in text else text, at - len(text))
            if tag.ends_line:
                is_blank = tag.is_paragraph or (tag.name == "br" and not self._words)
                if self._words or is_blank:
                    self._end_line(is_blank=is_blank)
            if tag.is_void:
                self._read_void(tag, at)
            elif tag.name:
                self._read_tag(tag, at)
        self._end_line(is_blank=False)
        return self._lines

    def _read_void(self, tag: HtmlTag, at: int) -> None:
        if tag.is_picture:
            self._add("￼", at)
        elif tag.place > ANYWHERE:
            self._set_place(tag.place, at)

    def _read_tag(self, tag: HtmlTag, at: int) -> None:
        if tag.is_cell and self._words:
            self._words.append(" ")
        above = self._elements[-1]
        if tag.is_end:
            if above[0] == tag.name:
                self._elements.pop()
            return
        if tag.place > ANYWHERE:
            self._set_place(tag.place, at)
        self._elements.append((tag.name, above[1] if tag.marks is None else _inside(above[1], tag.marks)))

    def _set_place(self, place: int, at: int) -> None:
        if self._place_offset is None:
            self._place_offset = at
        self._place = max(self._place, place)

    def _add(self, words: str, at: int) -> None:
        if not self._words:
            self._offset = at
        self._words.append(words)

    def _end_line(self, *, is_blank: bool) -> None:
        words = text = ""
        if self._words:
            words = "".join(self._words)
            text = " ".join(words.split()).strip(_BLANK)
            self._words.clear()
        if text:
            self._lines.append(self._line(text))
            self._place, self._place_offset = ANYWHERE, None
        if is_blank or (not text and "\xa0" in words):
            self._lines.append(BLANK)

    def _line(self, text: str) -> Line:
        _, around = self._elements[-1]
        if around.quoted:
            quoted, place, offset = around.quoted, MARKED, self._offset
        else:
            quoted, place = CITED if text[0] == ">" else OWN, self._place
            offset = self._offset if self._place_offset is None else self._place_offset
        return Line(
            text, quoted, around.in_blockquote, around.is_attribution, around.is_signature, around.is_forward,
            place, offset,
        )  # fmt: skip


@dataclass(slots=True)
class _Element:
    """An element that is open at the fold. `start`: where its tag begins."""

    name: str
    start: int
    has_content: bool = False


def _folded(html: str, pieces: Sequence[_Piece], cut: int) -> str:
    """Everything after `cut` goes into the <details>. Elements that begin before it and have words before it are
    split."""
    stack = _open_at(pieces, cut)
    while stack and not stack[-1].has_content:
        cut = stack.pop().start
    depth, end = _depth_and_end(html, pieces, cut, [element.name for element in stack])
    parted = stack[depth:]
    closing = "".join(f"</{element.name}>" for element in reversed(parted))
    opening = "".join(html[element.start : html.index(">", element.start) + 1] for element in parted)
    head, tail, rest = html[:cut], html[cut:end], html[end:]
    return f'{head}{closing}<details class="sb-quote">{SUMMARY}{opening}{tail}</details>{rest}'


def _open_at(pieces: Sequence[_Piece], cut: int) -> list[_Element]:
    """The elements open at `cut`, each with whether it has words or pictures before it."""
    stack: list[_Element] = []
    filled = 0  # elements further out are already marked as filled
    for text, at, tag in pieces:
        if filled < len(stack) and ((text and at <= cut and _has_words(text)) or (tag.name == "img" and at < cut)):
            for element in stack[filled:]:
                element.has_content = True
            filled = len(stack)
        if at >= cut:
            break
        if tag.is_void or not tag.name:
            continue
        if not tag.is_end:
            stack.append(_Element(tag.name, at))
        elif stack and stack[-1].name == tag.name:
            stack.pop()
            filled = min(filled, len(stack))
    return stack


def _depth_and_end(html: str, pieces: Sequence[_Piece], cut: int, names: list[str]) -> tuple[int, int]:
    """How many of the open elements may stay around the fold, and where the innermost of these ends."""
    ends = {0: len(html)}
    depth, inside, content = len(names), 0, len(names)
    for text, at, tag in pieces:
        if at < cut:
            continue
        if content > depth and (tag.name == "img" or (text and at > cut and _has_words(text))):
            content = depth
        if tag.is_void or not tag.name:
            continue
        if not tag.is_end:
            inside += 1
        elif inside:
            inside -= 1
        elif depth:
            ends[depth] = at
            depth -= 1
    while content and names[content - 1] not in _FLOW:
        content -= 1
    return content, ends.get(content, len(html))


def _has_words(text: str) -> bool:
    return bool(text.replace("&nbsp;", "").strip(_BLANK))
