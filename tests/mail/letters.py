"""Builds mails and their parts byte by byte, because a library only writes correct mail."""

from __future__ import annotations

import base64
import itertools
import quopri
from typing import Literal

_numbers = itertools.count(1)


def letter(
    kind: str, *content: bytes, how: Literal["8bit", "base64", "quoted-printable"] = "8bit", **fields: str
) -> bytes:
    """A part, or with `subject` a whole mail. `content` are the parts of a multipart, otherwise the body."""
    head = "".join(f"{name.replace('_', '-').title()}: {value}\r\n" for name, value in fields.items())
    if not kind.startswith("multipart/"):
        body = _encoded(b"".join(content), how)
        return f"{head}Content-Type: {kind}\r\nContent-Transfer-Encoding: {how}\r\n\r\n".encode() + body
    boundary = f"=_{next(_numbers)}"
    mark = f"\r\n--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + part for part in content) + mark + b"--\r\n"
    return f'{head}Content-Type: {kind}; boundary="{boundary}"\r\n\r\n'.encode() + body


def _encoded(raw: bytes, how: str) -> bytes:
    if how == "base64":
        return base64.encodebytes(raw).replace(b"\n", b"\r\n")
    return quopri.encodestring(raw).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") if how != "8bit" else raw
