"""The cleaned HTML of a mail as lines, and the fold in it.

nh3 leaves the HTML well-formed and writes `<`, `>` and `"` inside values as references, so one pattern finds every tag
and offsets are exact. Nothing is serialized again: the fold is inserted into the text that the cleaner made safe.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from html import unescape

from app.mail.quotes.header_block import ANYWHERE, BELOW_A_RULE, MARKED
from app.mail.quotes.languages import entries
from app.mail.quotes.lines import CITED, CONTAINED, OWN, Line, Mail

#: What the cleaner must keep so that folding can see it: ids, and names of a div.
KEPT_IDS = entries(
    "divRplyFwdMsg|x_divRplyFwdMsg|appendonsend|mail-editor-reference-message-container|OLK_SRC_BODY_SECTION"
    "|Signature|x_Signature|ms-outlook-mobile-signature|ms-outlook-mobile-body-separator-line"
    "|AppleMailSignature|reply-intro|replybody1|stopSpelling|_rc_sig|isForwardContent|isReplyContent"
)
KEPT_NAMES = frozenset({"quote", "quoted-content"})

_TOKEN = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>|<!--[^<>]*-->")
_VALUE = re.compile(r'\b(class|id|type|name|style)="([^"]*)"')
#: A picture that nobody sees.
_DOT = re.compile(r'\b(?:width|height)="[01]"')
_VOID = {"br", "hr", "img", "col", "wbr", "area"}
#: Shorter attributes are remembered: those of a mail program are alike.
_CACHED_ATTRIBUTES = 300
_BLOCKS = {
    "address", "blockquote", "center", "dd", "details", "div", "dl", "dt", "figure", "h1", "h2", "h3", "h4", "h5", "h6",
    "hr", "li", "main", "ol", "p", "pre", "table", "tbody", "thead", "tr", "ul",
}  # fmt: skip
_ENDING_LINES = _BLOCKS | {"br"}
#: A blank line stands around these.
_PARAGRAPHS = {"blockquote", "h1", "h2", "h3", "p", "pre", "table", "ul", "ol"}
#: A <details> may stand directly in these; others are parted.
_FLOW = {"blockquote", "center", "dd", "div", "li", "main", "td", "th"}
_CITES = {"gmail_quote", "protonmail_quote", "tutanota_quote", "zmail_quote"}
_CONTAINERS = {
    "gmail_quote",
    "gmail_quote_container",
    "protonmail_quote",
    "zmail_extra",
    "tutanota_quote",
    "zmail_extra_hr",
}
_ATTRIBUTIONS = {"gmail_attr", "moz-cite-prefix"}
_SIGNATURES = {
    "gmail_signature",
    "gmail_signature_prefix",
    "moz-signature",
    "protonmail_signature_block",
    "ms-outlook-mobile-signature",
}
_SIGNATURE_IDS = {"Signature", "x_Signature", "ms-outlook-mobile-signature", "AppleMailSignature", "_rc_sig"}
_MARKED_IDS = {
    "divRplyFwdMsg", "x_divRplyFwdMsg", "appendonsend", "mail-editor-reference-message-container",
    "OLK_SRC_BODY_SECTION", "ms-outlook-mobile-body-separator-line",
}  # fmt: skip
_MARKED_CLASSES = {"ms-outlook-mobile-reference-message"}
#: What Outlook draws above a quote.
_OUTLOOK_BORDER = re.compile(r"border-top:\s?solid #(?:e1e1e1|b5c4df)\b", re.IGNORECASE)
_TOP_BORDER = re.compile(r"border-top:\s?(?:[\w.#]+\s){0,2}solid|border-style:\s?solid none none|border-top:\s?1px")
#: Most mails have none of these, and need not be taken apart to know.
_SIGNS = (
    "gmail_", "yahoo_quoted", "moz-", "protonmail_", "tutanota", "<blockquote", "zmail", "ignature", 'name="quote',
    "ms-outlook", "divRplyFwdMsg", "appendonsend", "reference-message", "border-top", "<hr",
    "&gt; ", "____", "-- ", "--<",
    ":</", ": </", "OLK_SRC", ":<br", ":&nbsp;<", "iPhone", "iPad", "Android", "Samsung", "Outlook",
)  # fmt: skip
_BLANK = " \t\r\n\xa0\u200b\ufeff"
SUMMARY = '<summary title="···">···</summary>'


def fold_html(html: str, subject: str = "") -> str:
    """Wrap quotes and signatures at the end of a cleaned message in <details>, which needs no script to open.

    `subject`: a forward is shown whole, and only the subject tells some of them."""
    if not any(sign in html for sign in _SIGNS):
        return html
    lines = _Reader(html).lines()
    begin = Mail(lines, subject).start_of_fold
    if begin is None:
        return html
    return _folded(html, lines[begin].offset)


@dataclass(frozen=True, slots=True)
class _Around:
    """What the elements around a text say of it."""

    quoted: int = OWN
    in_blockquote: bool = False
    in_container: bool = False
    is_attribution: bool = False
    is_signature: bool = False
    is_forward: bool = False


@dataclass(frozen=True, slots=True)
class _Marks:
    """What a tag with attributes says: of the text in its element, and of the place where it begins."""

    is_cited: bool = False
    is_contained: bool = False
    in_container: bool = False
    is_attribution: bool = False
    is_signature: bool = False
    is_forward: bool = False
    place: int = ANYWHERE


def _marks_of(tag: str, attributes: str) -> _Marks | None:
    """None if it says nothing."""
    values = dict(_VALUE.findall(attributes))
    classes = set(values.get("class", "").split())
    id_, name, style = values.get("id", ""), values.get("name", ""), values.get("style", "")
    place = ANYWHERE
    if id_ in _MARKED_IDS or name == "quote" or classes & _MARKED_CLASSES or _OUTLOOK_BORDER.search(style):
        place = MARKED
    elif _TOP_BORDER.search(style):
        place = BELOW_A_RULE
    marks = _Marks(
        is_cited=tag == "blockquote" and (values.get("type") == "cite" or bool(classes & _CITES)),
        is_contained=any(c.endswith("yahoo_quoted") for c in classes) or name == "quoted-content",
        in_container=bool(classes & _CONTAINERS) or name == "quote",
        is_attribution=bool(classes & _ATTRIBUTIONS) or id_ == "reply-intro",
        is_signature=bool(classes & _SIGNATURES) or id_ in _SIGNATURE_IDS,
        is_forward="moz-forward-container" in classes or id_ == "isForwardContent",
        place=place,
    )
    return None if marks == _NO_MARKS else marks


_NO_MARKS = _Marks()
_seen_marks = lru_cache(maxsize=2048)(_marks_of)


def _inside(above: _Around, tag: str, marks: _Marks | None) -> _Around:
    """What is said of the text in such an element, which stands in others."""
    is_blockquote = tag == "blockquote"
    if marks is None and not is_blockquote:
        return above
    marks = marks or _NO_MARKS
    quoted = CONTAINED if marks.is_contained else above.quoted
    cited = marks.is_cited or (is_blockquote and above.in_container)
    return _Around(
        quoted or (CITED if cited else OWN),
        above.in_blockquote or is_blockquote,
        above.in_container or marks.in_container,
        above.is_attribution or marks.is_attribution,
        above.is_signature or marks.is_signature,
        above.is_forward or marks.is_forward,
    )


class _Reader:
    """Reads HTML into lines, each with what its elements say of it."""

    def __init__(self, html: str) -> None:
        self._html = html
        self._tags = [""]
        self._around = [_Around()]
        self._lines: list[Line] = []
        self._words: list[str] = []
        self._offset = 0
        self._place = ANYWHERE
        self._place_offset: int | None = None

    def lines(self) -> list[Line]:
        last = 0
        for token in _TOKEN.finditer(self._html):
            start, end = token.span()
            if start > last:
                self._add_text(self._html[last:start], last)
            last = end
            closing, tag, attributes = token.groups("")
            if tag:
                self._read_tag(closing, tag.lower(), attributes, start)
        if last < len(self._html):
            self._add_text(self._html[last:], last)
        self._end_line(len(self._html), blank=False)
        return self._lines

    def _read_tag(self, closing: str, tag: str, attributes: str, start: int) -> None:
        if tag in _ENDING_LINES:
            self._end_line(start, blank=tag in _PARAGRAPHS or (tag == "br" and not self._words))
        if tag in _VOID:
            if tag == "img":
                self._add_picture(attributes, start)
            elif tag == "hr":
                self._set_place(BELOW_A_RULE, start)
            return
        if tag in ("td", "th"):
            self._words.append(" ")
        if not closing:
            self._open(tag, attributes, start)
        elif len(self._tags) > 1 and self._tags[-1] == tag:
            self._tags.pop()
            self._around.pop()

    def _open(self, tag: str, attributes: str, start: int) -> None:
        marks = None
        if attributes:
            marks = (_seen_marks if len(attributes) <= _CACHED_ATTRIBUTES else _marks_of)(tag, attributes)
        if marks is not None and marks.place > ANYWHERE:
            self._set_place(marks.place, start)
        self._tags.append(tag)
        self._around.append(_inside(self._around[-1], tag, marks))

    def _set_place(self, place: int, start: int) -> None:
        if self._place_offset is None:
            self._place_offset = start
        self._place = max(self._place, place)

    def _add_text(self, text: str, start: int) -> None:
        if not self._words:
            self._offset = start
        self._words.append(unescape(text) if "&" in text else text)

    def _add_picture(self, attributes: str, start: int) -> None:
        if not _DOT.search(attributes):
            self._add_text("\ufffc", start)

    def _end_line(self, end: int, *, blank: bool) -> None:
        text = " ".join("".join(self._words).split()).strip(_BLANK) if self._words else ""
        offset = self._offset if self._words else end
        self._words.clear()
        if not text:
            if blank:
                self._lines.append(Line("", offset=offset))
            return
        top = self._around[-1]
        if self._place_offset is not None and not top.quoted:
            offset = self._place_offset
        quoted = top.quoted or (CITED if text[0] == ">" else OWN)
        line = Line(
            text, quoted, top.in_blockquote, top.is_attribution, top.is_signature, top.is_forward,
            MARKED if top.quoted else self._place, offset,
        )  # fmt: skip
        self._lines.append(line)
        self._place, self._place_offset = ANYWHERE, None
        if blank:
            self._lines.append(Line("", offset=end))


@dataclass(slots=True)
class _Element:
    """An element that is open at the fold."""

    tag: str
    start: int
    end: int
    has_content: bool = False


def _folded(html: str, cut: int) -> str:
    """The <details> holds everything from `cut` on. Elements that begin before it and have words before are parted."""
    stack = _open_at(html, cut)
    while stack and not stack[-1].has_content:
        cut = stack.pop().start
    depth, end = _depth_and_end(html, cut, [element.tag for element in stack])
    parted = stack[depth:]
    closing = "".join(f"</{element.tag}>" for element in reversed(parted))
    opening = "".join(html[element.start : element.end] for element in parted)
    head, tail, rest = html[:cut], html[cut:end], html[end:]
    return f'{head}{closing}<details class="sb-quote">{SUMMARY}{opening}{tail}</details>{rest}'


def _open_at(html: str, cut: int) -> list[_Element]:
    """The elements open at `cut`, each with whether it holds words or pictures before."""
    stack: list[_Element] = []
    last = filled = 0
    for token in _TOKEN.finditer(html, 0, cut):
        tag = (token[2] or "").lower()
        if filled < len(stack) and (tag == "img" or _has_words(html[last : token.start()])):
            filled = _fill(stack, filled)
        last = token.end()
        if not tag or tag in _VOID:
            continue
        if not token[1]:
            stack.append(_Element(tag, token.start(), token.end()))
        elif stack and stack[-1].tag == tag:
            stack.pop()
            filled = min(filled, len(stack))
    if _has_words(html[last:cut]):
        _fill(stack, filled)
    return stack


def _fill(stack: list[_Element], filled: int) -> int:
    """Elements below `filled` know already that they have content."""
    for element in stack[filled:]:
        element.has_content = True
    return len(stack)


def _depth_and_end(html: str, cut: int, tags: list[str]) -> tuple[int, int]:
    """How many of the open elements may stay around the fold, and where the innermost of these ends."""
    ends = {0: len(html)}
    depth, inside, last, content = len(tags), 0, cut, len(tags)
    for token in _TOKEN.finditer(html, cut):
        tag = (token[2] or "").lower()
        if content > depth and (tag == "img" or _has_words(html[last : token.start()])):
            content = depth
        last = token.end()
        if not tag or tag in _VOID:
            continue
        if not token[1]:
            inside += 1
        elif inside:
            inside -= 1
        elif depth:
            ends[depth] = token.start()
            depth -= 1
    if _has_words(html[last:]):
        content = min(content, depth)
    while content and tags[content - 1] not in _FLOW:
        content -= 1
    return content, ends.get(content, len(html))


def _has_words(text: str) -> bool:
    return bool(text.replace("&nbsp;", "").strip(_BLANK))
