"""Plain text from HTML: for lists, search and replies to mails that have no text of their own.

Never for display: the HTML itself is shown, cleaned, elsewhere. nh3 removes the tags, so this sees what a
browser would see; patterns stop at the next `<`, so no input takes quadratic time.
"""

from __future__ import annotations

import re

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
_HIDDEN = {"script", "style", "head", "title", "template", "noscript"}


def text_from_html(html: str) -> str:
    """The words of an HTML text, a line for each block."""
    flat = _SPACE.sub(" ", html[:_MOST])
    flat = _PARAGRAPHS.sub(r"\g<0>\n", flat)
    flat = _LINE_ENDS.sub(r"\g<0>\n", flat)
    flat = _CELL_ENDS.sub(r"\g<0> ", flat)
    text = nh3.clean(flat, tags=set(), clean_content_tags=_HIDDEN, strip_comments=True)
    for escaped, letter in _ESCAPED.items():
        text = text.replace(escaped, letter)
    lines = (_SPACE.sub(" ", line).strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def declared_charset(raw: bytes) -> str | None:
    """What a `<meta>` near the beginning says, for parts whose header says nothing."""
    found = _META_CHARSET.search(raw[:2048])
    return found[1].decode("ascii", "replace") if found else None
