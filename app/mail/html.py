"""Plain text from HTML: for lists, search and replies to mails that have no text of their own.

The HTML itself is shown, cleaned, elsewhere. nh3 removes the tags, so this sees what a browser would see. Its time
grows with the square of the tags: beyond what people design a pattern removes them. Patterns stop at the next `<`.
"""

from __future__ import annotations

import re
from html import unescape

import nh3

_SPACE = re.compile(r"[ \t\r\n\f]+")
_LINE_ENDS = re.compile(
    r"<(?:br|/p|/div|/tr|/li|/h[1-6]|/blockquote|/table|/ul|/ol|/pre|hr|p|div|tr|li|table|blockquote|h[1-6])"
    r"(?=[\s/>])[^<>]*>",
    re.IGNORECASE,
)
_CELL_ENDS = re.compile(r"</t[dh](?=[\s>])[^<>]*>", re.IGNORECASE)
_PARAGRAPHS = re.compile(r"</(?:p|h[1-6]|blockquote|table|ul|ol)\s*>", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
#: What nh3 escapes in text, `&` last.
_ESCAPED = {"&nbsp;": " ", "\xa0": " ", "&lt;": "<", "&gt;": ">", "&amp;": "&"}
#: More HTML than anybody writes by hand; the rest is not searched.
_MOST = 500_000
_MOST_TAGS = 500  # begun and ended
_HIDDEN_TAG = re.compile(r"<(?:script|style|head|title|template|noscript)\b[^<]*|<!--[^<]*", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>?")
_HIDDEN = {"script", "style", "head", "title", "template", "noscript"}


def text_from_html(html: str) -> str:
    """The words of an HTML text, a line for each block."""
    flat = _SPACE.sub(" ", html[:_MOST])
    flat = _PARAGRAPHS.sub(r"\g<0>\n", flat)
    flat = _LINE_ENDS.sub(r"\g<0>\n", flat)
    flat = _CELL_ENDS.sub(r"\g<0> ", flat)
    text = _without_tags(flat)
    lines = (_SPACE.sub(" ", line).strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _without_tags(html: str) -> str:
    if html.count("<") > _MOST_TAGS:
        return unescape(_TAG.sub("", _HIDDEN_TAG.sub("", html)))
    text = nh3.clean(html, tags=set(), clean_content_tags=_HIDDEN, strip_comments=True)
    for escaped, letter in _ESCAPED.items():
        text = text.replace(escaped, letter)
    return text


def declared_charset(raw: bytes) -> str | None:
    """What a `<meta>` near the beginning says, for parts whose header says nothing."""
    found = _META_CHARSET.search(raw[:2048])
    return found[1].decode("ascii", "replace") if found else None
