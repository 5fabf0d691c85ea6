"""Plain text from HTML, for lists, search, and mails without text of their own.

`text_from_shown` reads the safe fragment that pages show, so that people search the text that they see.
`text_from_html` reads HTML that was not cleaned, of mails whose HTML is too tangled to be shown. Every pattern is
linear in the length of the text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape

_PARAGRAPH_ENDS = re.compile(r"<(?:table|/(?:p|h[1-6]|blockquote|table|ul|ol))(?=[\s>])[^<>]*>", re.IGNORECASE)
#: A run of block tags is one line break; each <br> is one line break.
_LINE_ENDS = re.compile(
    r"(?:</?(?:p|div|tr|li|h[1-6]|blockquote|table|ul|ol|pre|hr|dt|dd|dl|center|section|article|header|footer|option"
    r"|details|summary|figure|figcaption|main|caption|tbody|thead|tfoot)(?=[\s/>])[^<>]*> *)+|<br(?=[\s/>])[^<>]*>",
    re.IGNORECASE,
)
_CELL_ENDS = re.compile(r"</t[dh](?=[\s>])[^<>]*>", re.IGNORECASE)
#: The alternative text of a picture takes its place.
_PICTURE = re.compile(r"<img(?=\s)[^<>]*>", re.IGNORECASE)
_ALT = re.compile(r"\balt=\"([^\"]*)\"", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>?")
#: Tags with only spaces between them.
_TAGS = re.compile(r"(<[^<>]*+>?+ *+(?:<[^<>]*+>?+ *+)*+)")
#: Shorter runs of tags are cached, because mails and mail programs repeat them.
_CACHED_TAGS = 200
_META_CHARSET = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
#: Elements whose content is not displayed, in lower case.
_HIDDEN = re.compile(
    r"<!--|<(script|style|head|title|template|noscript|iframe|noframes|noembed|xmp|select|datalist|object|svg)(?=[\s/>])"
)
#: Pictures pasted into the text are not words.
PASTED = re.compile(r"data:[^\s\"'<>]{100,}")
_PRE = re.compile(r"<(/?)pre(?=[\s>])[^<>]*>", re.IGNORECASE)
_EMPTY_LINES = re.compile(r"\n\n\n+")
#: A `<` that begins no tag is text (HTML 13.2.5.6). We replace it for parsing, because a parser needs long for it as a
#: tag.
_LONE = re.compile(r"<(?![a-zA-Z/!?])")
_LONE_MARK = "\1"


def text_from_shown(html: str) -> str:
    """The words of a safe fragment (safe_html.py), one line per block."""
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
    """The same for any HTML, without the content that browsers do not show."""
    html = _LONE.sub(_LONE_MARK, html.replace(_LONE_MARK, ""))
    html = PASTED.sub("", html) if "data:" in html else html
    return text_from_shown(_without_hidden(html)).replace(_LONE_MARK, "<")


def declared_charset(raw: bytes) -> str | None:
    """The charset from a `<meta>` near the beginning, for parts whose header declares none."""
    match = _META_CHARSET.search(raw[:2048])
    return match[1].decode("ascii", "replace") if match else None


def _breaks(tags: str) -> str:
    return _seen_breaks(tags) if len(tags) <= _CACHED_TAGS else _breaks_of(tags)


def _breaks_of(tags: str) -> str:
    """The line ends and spaces that these tags mean."""
    flat = _PARAGRAPH_ENDS.sub("\n\n", tags)
    flat = _LINE_ENDS.sub("\n", flat)
    return _TAG.sub("", _CELL_ENDS.sub(" ", flat))


_seen_breaks = lru_cache(maxsize=2048)(_breaks_of)


def _alternative(picture: re.Match[str]) -> str:
    match = _ALT.search(picture[0])
    return f" {match[1]} " if match else ""


def _without_hidden(html: str) -> str:
    """The HTML without comments and the content of hidden elements. If a hidden element does not end, only its tag is
    removed."""
    lower = html.replace("İ", "i").lower()  # the only letter that grows in lower case
    pieces, at, endless = [], 0, set[str]()
    for match in _HIDDEN.finditer(lower):
        end = "-->" if match[1] is None else f"</{match[1]}"
        if match.start() < at or end in endless:
            continue
        stop = lower.find(end, match.end())
        if stop < 0:
            endless.add(end)
            continue
        pieces.append(html[at : match.start()])
        at = stop + 3 if match[1] is None else max(html.find(">", stop) + 1, stop)
    return " ".join([*pieces, html[at:]])


def _with_breaks(html: str) -> str:
    """The HTML with the line ends of preformatted text as <br>."""
    pieces, at, depth = [], 0, 0
    for match in _PRE.finditer(html):
        piece = html[at : match.end()]
        pieces.append(piece.replace("\r\n", "\n").replace("\n", "<br>") if depth else piece)
        depth = max(depth + (-1 if match[1] else 1), 0)
        at = match.end()
    return "".join([*pieces, html[at:]])
