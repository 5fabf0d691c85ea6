"""Plain text from HTML: for lists, search, and mails that have no text of their own.

`text_from_shown` reads the safe fragment that pages show, so that what is searched is what is read. `text_from_html`
reads HTML that is not cleaned: of mails too tangled to be shown by it. Every pattern takes time in step with the text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape

_PARAGRAPH_ENDS = re.compile(r"<(?:table|/(?:p|h[1-6]|blockquote|table|ul|ol))(?=[\s>])[^<>]*>", re.IGNORECASE)
#: A run of blocks that begin and end is one line break, each <br> is one.
_LINE_ENDS = re.compile(
    r"(?:</?(?:p|div|tr|li|h[1-6]|blockquote|table|ul|ol|pre|hr|dt|dd|dl|center|section|article|header|footer|option"
    r"|details|summary|figure|figcaption|main|caption|tbody|thead|tfoot)(?=[\s/>])[^<>]*> *)+|<br(?=[\s/>])[^<>]*>",
    re.IGNORECASE,
)
_CELL_ENDS = re.compile(r"</t[dh](?=[\s>])[^<>]*>", re.IGNORECASE)
#: The words of a picture stand where it would.
_PICTURE = re.compile(r"<img(?=\s)[^<>]*>", re.IGNORECASE)
_ALT = re.compile(r"\balt=\"([^\"]*)\"", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>?")
#: Tags with nothing but spaces between them.
_TAGS = re.compile(r"(<[^<>]*+>?+ *+(?:<[^<>]*+>?+ *+)*+)")
#: Shorter runs of tags are remembered: those of a mail, and of a mail program, are alike.
_CACHED_TAGS = 200
_META_CHARSET = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
#: Elements whose content nobody reads, in lower case.
_HIDDEN = re.compile(
    r"<!--|<(script|style|head|title|template|noscript|iframe|noframes|noembed|xmp|select|datalist|object|svg)(?=[\s/>])"
)
#: Pictures pasted into the text, which are not words.
PASTED = re.compile(r"data:[^\s\"'<>]{100,}")
_PRE = re.compile(r"<(/?)pre(?=[\s>])[^<>]*>", re.IGNORECASE)
_EMPTY_LINES = re.compile(r"\n\n\n+")


def text_from_shown(html: str) -> str:
    """The words of a safe fragment (safe_html.py), a line for each block."""
    flat = _with_breaks(html) if "<pre" in html else html
    for space in "\t\r\n\f":
        flat = flat.replace(space, " ")
    if "alt=" in flat:
        flat = _PICTURE.sub(_alternative, flat)
    pieces = _TAGS.split(flat)
    pieces[1::2] = map(_breaks, pieces[1::2])
    text = unescape("".join(pieces)).replace("\0", "")
    text = "\n".join(" ".join(line.split()) for line in text.split("\n")).strip()
    return _EMPTY_LINES.sub("\n\n", text) if "\n\n\n" in text else text


def text_from_html(html: str) -> str:
    """The same of any HTML, without what browsers do not show."""
    return text_from_shown(_without_hidden(PASTED.sub("", html) if "data:" in html else html))


def declared_charset(raw: bytes) -> str | None:
    """What a `<meta>` near the beginning says, for parts whose header says nothing."""
    found = _META_CHARSET.search(raw[:2048])
    return found[1].decode("ascii", "replace") if found else None


def _breaks(tags: str) -> str:
    return _seen_breaks(tags) if len(tags) <= _CACHED_TAGS else _breaks_of(tags)


def _breaks_of(tags: str) -> str:
    """The line ends and spaces that these tags stand for."""
    flat = _PARAGRAPH_ENDS.sub("\n\n", tags)
    flat = _LINE_ENDS.sub("\n", flat)
    return _TAG.sub("", _CELL_ENDS.sub(" ", flat))


_seen_breaks = lru_cache(maxsize=2048)(_breaks_of)


def _alternative(picture: re.Match[str]) -> str:
    found = _ALT.search(picture[0])
    return f" {found[1]} " if found else ""


def _without_hidden(html: str) -> str:
    """Without comments and the content of hidden elements. Of one that does not end only its tag is taken away."""
    lower = html.replace("İ", "i").lower()  # the one letter that grows when it is made small
    pieces, at, endless = [], 0, set[str]()
    for found in _HIDDEN.finditer(lower):
        end = "-->" if found[1] is None else f"</{found[1]}"
        if found.start() < at or end in endless:
            continue
        stop = lower.find(end, found.end())
        if stop < 0:
            endless.add(end)
            continue
        pieces.append(html[at : found.start()])
        at = stop + 3 if found[1] is None else max(html.find(">", stop) + 1, stop)
    return " ".join([*pieces, html[at:]])


def _with_breaks(html: str) -> str:
    """The lines of preformatted text as lines that stay."""
    pieces, at, depth = [], 0, 0
    for found in _PRE.finditer(html):
        piece = html[at : found.end()]
        pieces.append(piece.replace("\r\n", "\n").replace("\n", "<br>") if depth else piece)
        depth = max(depth + (-1 if found[1] else 1), 0)
        at = found.end()
    return "".join([*pieces, html[at:]])
