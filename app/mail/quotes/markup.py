"""The meaning of tags in cleaned HTML: where lines end, and what mail clients mark.

Tags are cached, because those of one mail program repeat.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from app.mail.quotes.header_block import ANYWHERE, BELOW_A_RULE, MARKED
from app.mail.quotes.languages import entries

#: Attributes that cleaning must keep for folding: ids, and names of a div.
KEPT_IDS = entries(
    "divRplyFwdMsg|x_divRplyFwdMsg|appendonsend|mail-editor-reference-message-container|OLK_SRC_BODY_SECTION"
    "|Signature|x_Signature|ms-outlook-mobile-signature|ms-outlook-mobile-body-separator-line"
    "|AppleMailSignature|reply-intro|replybody1|stopSpelling|_rc_sig|isForwardContent|isReplyContent"
)
KEPT_NAMES = frozenset({"quote", "quoted-content"})

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>")
_VALUE = re.compile(r'\b(class|id|type|name|style)="([^"]*)"')
#: An invisible picture.
_DOT = re.compile(r'\b(?:width|height)="[01]"')
#: Shorter tags are cached.
_CACHED_TAG = 300
_VOID = {"br", "hr", "img", "col", "wbr", "area"}
_BLOCKS = {
    "address", "blockquote", "center", "dd", "details", "div", "dl", "dt", "figure", "h1", "h2", "h3", "h4", "h5", "h6",
    "hr", "li", "main", "ol", "p", "pre", "table", "tbody", "thead", "tr", "ul",
}  # fmt: skip
_ENDING_LINES = _BLOCKS | {"br"}
#: There is a blank line around these.
_PARAGRAPHS = {"blockquote", "h1", "h2", "h3", "p", "pre", "table", "ul", "ol"}
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
#: The border that Outlook draws above a quote.
_OUTLOOK_BORDER = re.compile(r"border-top:\s?solid #(?:e1e1e1|b5c4df)\b", re.IGNORECASE)
_TOP_BORDER = re.compile(r"border-top:\s?(?:[\w.#]+\s){0,2}solid|border-style:\s?solid none none|border-top:\s?1px")


@dataclass(frozen=True, slots=True)
class Marks:
    """What an element means for the text in it."""

    is_blockquote: bool = False
    is_cited: bool = False
    is_contained: bool = False
    in_container: bool = False
    is_attribution: bool = False
    is_signature: bool = False
    is_forward: bool = False


@dataclass(frozen=True, slots=True)
class HtmlTag:
    """`name`: in lower case, empty if it is not a tag. `ends_line`: a line of text ends here; `is_paragraph`: a blank
    line follows. `place`: the kind of place of the next line. `marks`: None if the element means nothing for its
    text."""

    name: str = ""
    is_end: bool = False
    is_void: bool = False
    is_cell: bool = False
    is_picture: bool = False
    ends_line: bool = False
    is_paragraph: bool = False
    place: int = ANYWHERE
    marks: Marks | None = None


def tag_of(written: str) -> HtmlTag:
    """The tag with this source text."""
    return _seen_tag(written) if len(written) <= _CACHED_TAG else _tag(written)


def _tag(written: str) -> HtmlTag:
    match = _TAG.fullmatch(written)
    if match is None:
        return HtmlTag()
    name, attributes = match[2].lower(), dict(_VALUE.findall(match[3]))
    return HtmlTag(
        name,
        is_end=bool(match[1]),
        is_void=name in _VOID,
        is_cell=name in ("td", "th"),
        is_picture=name == "img" and _DOT.search(match[3]) is None,
        ends_line=name in _ENDING_LINES,
        is_paragraph=name in _PARAGRAPHS,
        place=_place(name, attributes),
        marks=_marks(name, attributes),
    )


_seen_tag = lru_cache(maxsize=2048)(_tag)


def _place(name: str, attributes: dict[str, str]) -> int:
    if name in _VOID:
        return BELOW_A_RULE if name == "hr" else ANYWHERE
    style, classes = attributes.get("style", ""), attributes.get("class", "").split()
    if attributes.get("id") in _MARKED_IDS or attributes.get("name") == "quote":
        return MARKED
    if not _MARKED_CLASSES.isdisjoint(classes) or _OUTLOOK_BORDER.search(style):
        return MARKED
    return BELOW_A_RULE if _TOP_BORDER.search(style) else ANYWHERE


def _marks(name: str, attributes: dict[str, str]) -> Marks | None:
    classes = set(attributes.get("class", "").split())
    id_, named = attributes.get("id", ""), attributes.get("name", "")
    marks = Marks(
        is_blockquote=name == "blockquote",
        is_cited=name == "blockquote" and (attributes.get("type") == "cite" or bool(classes & _CITES)),
        is_contained=any(c.endswith("yahoo_quoted") for c in classes) or named == "quoted-content",
        in_container=bool(classes & _CONTAINERS) or named == "quote",
        is_attribution=bool(classes & _ATTRIBUTIONS) or id_ == "reply-intro",
        is_signature=bool(classes & _SIGNATURES) or id_ in _SIGNATURE_IDS,
        is_forward="moz-forward-container" in classes or id_ == "isForwardContent",
    )
    return None if marks == Marks() else marks
