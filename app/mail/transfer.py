"""Transfer encodings of parts (RFC 2045 section 6), undone however badly they were made. Never raises."""

from __future__ import annotations

import binascii
import contextlib
import re

from app.mail.headers import from_base64
from app.mail.mime import Node

#: A line goes on behind it. Blanks that were added on the way mean nothing (RFC 2045 section 6.7, rule 3).
_SOFT_BREAK = re.compile(rb"=[ \t]+(?=\r?\n|\Z)")
#: An `=` that encodes nothing and ends no line. Some programs forget to encode it.
_BARE_EQUALS = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n|\Z)")


def content_of(node: Node, most: int | None = None) -> bytes:
    """The content of a part, or the beginning of it; empty where only the server has it."""
    if node.content is not None:
        return node.content[:most]
    raw = node.raw or b""
    return decoded_part(raw if most is None else raw[: 2 * most], node.encoding)[:most]


def decoded_part(raw: bytes, encoding: str) -> bytes:
    """The content of a part; unknown encodings are left as they are. `encoding`: in lower case."""
    if encoding == "base64":
        return from_base64(raw)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(_BARE_EQUALS.sub(b"=3D", _SOFT_BREAK.sub(b"=", raw)))
    if encoding in ("x-uuencode", "uuencode", "x-uue"):
        return _from_uuencode(raw)
    return raw


def _from_uuencode(raw: bytes) -> bytes:
    _, begin, rest = raw.partition(b"begin ")
    content = bytearray()
    for line in rest.split(b"\n")[1:] if begin else ():
        if line.strip() in (b"end", b"`", b""):
            break
        try:
            content += binascii.a2b_uu(line)
        except binascii.Error:  # some programs end a line with more than it says; of one that is cut nothing is left
            length = (((line[0] - 32) & 63) * 4 + 5) // 3
            with contextlib.suppress(binascii.Error):
                content += binascii.a2b_uu(line[:length])
    return bytes(content)
