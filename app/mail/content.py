"""What people read in a mail, and what is attached to it, from the tree of its parts.

Text and HTML are made section by section: of an alternative the plain and the HTML form of the same words,
else whichever form a section has, turned into the other where it is missing. So both forms say the same.
"""

from __future__ import annotations

import binascii
import contextlib
import html as entities
import mimetypes
import re
from dataclasses import dataclass

from app.mail.charset import decoded
from app.mail.flowed import unwrapped
from app.mail.headers import from_base64
from app.mail.html import declared_charset, text_from_html
from app.mail.mime import Node

#: Characters of text that are shown and searched; the source keeps the rest.
MAX_TEXT = 2_000_000
_MAX_NAME = 150
#: Slashes and drive letters, characters Windows forbids, control and direction-changing characters.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+')
_CID = re.compile(r"[cC][iI][dD]:([^\"'\s>)]+)")


@dataclass(frozen=True)
class Part:
    """Something attached. `number` is what IMAP calls it (`2.1`); `size` is its size once decoded.

    `inline`: the HTML shows it by its content id.
    """

    number: str
    filename: str
    type: str
    size: int
    content_id: str | None
    location: str | None
    inline: bool
    encoding: str
    charset: str | None


@dataclass(frozen=True, slots=True)
class Content:
    """The readable text of a mail, its HTML form if it has one, and everything else."""

    text: str
    html: str | None
    attachments: list[Part]


def content(root: Node) -> Content:
    """Text, HTML and attachments of a mail."""
    sections: list[tuple[str | None, str | None]] = []
    attached: list[Node] = []
    _collect(root, sections, attached)
    text = "\n\n".join(_as_text(*section).strip("\n") for section in sections)
    has_html = any(html is not None for _, html in sections)
    html = "\n".join(_as_html(*section) for section in sections) if has_html else None
    shown = _content_ids_in(html or "") if attached else frozenset()
    return Content(text[:MAX_TEXT], html and html[:MAX_TEXT], [_part(node, shown) for node in attached])


def readable(root: Node) -> list[Node]:
    """The parts that are shown as text."""
    return [node for node in root.leaves() if _is_body(node)]


def decoded_part(raw: bytes, encoding: str) -> bytes:
    """Undo a transfer encoding; unknown ones are left as they are. Never raises."""
    encoding = encoding.strip().lower()
    if encoding == "base64":
        return from_base64(raw)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(raw)
    if encoding in ("x-uuencode", "uuencode", "x-uue"):
        return _from_uuencode(raw)
    return raw


def safe_filename(name: str, media_type: str) -> str:
    """A name that is only a name: no path, no control or direction characters, not hidden, not too long."""
    name = _UNSAFE.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1]).strip(" ._")
    stem, dot, ending = name.rpartition(".")
    if len(name) > _MAX_NAME:
        name = f"{stem[: _MAX_NAME - 20]}.{ending[:15]}" if dot and stem else name[:_MAX_NAME]
    if name:
        return name
    known = ".eml" if media_type == "message/rfc822" else mimetypes.guess_extension(media_type) or ""
    return f"attachment{known}"


def _collect(node: Node, sections: list[tuple[str | None, str | None]], attached: list[Node]) -> None:
    """Walk in reading order. The depth of a tree is limited where it is built."""
    if node.type == "multipart/alternative" and node.children:
        inner: list[tuple[str | None, str | None]] = []
        for child in node.children:
            _collect(child, inner, attached)
        plain = [text for text, _ in inner if text is not None]
        html = [html for _, html in inner if html is not None]
        if plain or html:
            sections.append(("\n".join(plain) if plain else None, "\n".join(html) if html else None))
    elif node.children:
        for child in node.children:
            _collect(child, sections, attached)
    elif not _is_body(node):
        attached.append(node)
    elif node.raw is not None:
        sections.append(_section(node))


def _is_body(node: Node) -> bool:
    """Text that is no file. (What is nested too deep stays a multipart, and is shown as it is.)"""
    if node.disposition == "attachment" or (node.filename and node.disposition):
        return False
    return node.type in ("text/plain", "text/html") or node.type.startswith("multipart/")


def _section(node: Node) -> tuple[str | None, str | None]:
    raw = decoded_part(node.raw or b"", node.encoding)[: MAX_TEXT * 4]
    if node.type == "text/html":
        return None, decoded(raw, node.charset or declared_charset(raw)).replace("\r\n", "\n")
    text = decoded(raw, node.charset).replace("\r\n", "\n").replace("\r", "\n")
    if node.params.get("format", "").lower() == "flowed":
        text = unwrapped(text, delsp=node.params.get("delsp", "").lower() == "yes")
    return text, None


def _as_text(text: str | None, html: str | None) -> str:
    if text is not None and (text.strip() or html is None):
        return text
    return text_from_html(html or "")


def _as_html(text: str | None, html: str | None) -> str:
    if html is not None:
        return html
    return f'<div style="white-space:pre-wrap">{entities.escape(text or "")}</div>'


def _content_ids_in(html: str) -> frozenset[str]:
    return frozenset(entities.unescape(found) for found in _CID.findall(html))


def _part(node: Node, shown: frozenset[str]) -> Part:
    return Part(
        number=node.number,
        filename=safe_filename(node.filename, node.type),
        type=node.type,
        size=_decoded_size(node),
        content_id=node.content_id,
        location=node.location,
        inline=node.content_id in shown,
        encoding=node.encoding,
        charset=node.charset,
    )


def _decoded_size(node: Node) -> int:
    """Exact where the part is here, else the server's figure less what base64 adds."""
    if node.raw is None:
        return node.encoded_size * 57 // 78 if node.encoding == "base64" else node.encoded_size
    if node.encoding == "base64":
        letters = len(node.raw) - node.raw.count(b"\n") - node.raw.count(b"\r")
        return max(letters * 3 // 4 - node.raw[-6:].count(b"="), 0)
    return len(decoded_part(node.raw, node.encoding))


def _from_uuencode(raw: bytes) -> bytes:
    _, begin, rest = raw.partition(b"begin ")
    found = bytearray()
    for line in rest.split(b"\n")[1:] if begin else ():
        if line.strip() in (b"end", b"`", b""):
            break
        try:
            found += binascii.a2b_uu(line)
        except binascii.Error:  # some programs end a line with more than it says; of one that is cut nothing is left
            length = (((line[0] - 32) & 63) * 4 + 5) // 3
            with contextlib.suppress(binascii.Error):
                found += binascii.a2b_uu(line[:length])
    return bytes(found)
