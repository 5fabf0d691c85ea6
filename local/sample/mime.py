"""Writes mails as bytes, by hand: ten times faster than the `email` package, and able to write invalid ones, too."""

from __future__ import annotations

import binascii
import datetime as dt
import quopri
import random
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import format_datetime

Header = tuple[str, str]
_ATOMS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_'!")


@dataclass(frozen=True)
class Blob:
    """The content of an attachment, encoded once for all mails that have it."""

    name: str
    type: str
    encoded: bytes


def blob(name: str, type_: str, content: bytes) -> Blob:
    return Blob(name, type_, base64_lines(content))


def mail(headers: Iterable[Header], entity: bytes, charset: str = "utf-8") -> bytes:
    """A whole mail. `entity` begins with its own Content-Type."""
    lines = [f"{name}: {encoded(value, charset)}\r\n" for name, value in headers]
    return "".join(lines).encode("utf-8") + b"MIME-Version: 1.0\r\n" + entity


def text(content: str, subtype: str = "plain", charset: str = "utf-8", transfer: str = "quoted-printable") -> bytes:
    """A text part. Falls back to UTF-8 if the charset lacks a letter."""
    try:
        body = content.encode(charset)
    except UnicodeEncodeError:
        charset, body = "utf-8", content.encode()
    if transfer in ("7bit", "8bit"):
        transfer = "7bit" if body.isascii() else "8bit"
        body = body.replace(b"\n", b"\r\n")
    elif transfer == "base64":
        body = base64_lines(body.replace(b"\n", b"\r\n"))
    else:
        body = quopri.encodestring(body).replace(b"\n", b"\r\n")
    head = f"Content-Type: text/{subtype}; charset={charset}\r\nContent-Transfer-Encoding: {transfer}\r\n\r\n"
    return head.encode() + body + b"\r\n"


def multipart(subtype: str, parts: Iterable[bytes], rng: random.Random, parameters: str = "") -> bytes:
    mark = f"=_{rng.getrandbits(96):024x}".encode()
    inner = b"".join(b"--" + mark + b"\r\n" + part for part in parts)
    head = f'Content-Type: multipart/{subtype}; boundary="{mark.decode()}"{parameters}\r\n\r\n'.encode()
    return head + inner + b"--" + mark + b"--\r\n"


def attachment(content: Blob, *, inline_id: str | None = None, name: str | None = None) -> bytes:
    name = content.name if name is None else name
    parameter = f'"{name}"' if name.isascii() else f'"{encoded(name)}"'
    head = f"Content-Type: {content.type}; name={parameter}\r\nContent-Transfer-Encoding: base64\r\n"
    if inline_id:
        head += f"Content-ID: <{inline_id}>\r\nContent-Disposition: inline; filename={parameter}\r\n\r\n"
    else:
        head += f"Content-Disposition: attachment; filename={parameter}\r\n\r\n"
    return head.encode() + content.encoded


def encoded(value: str, charset: str = "utf-8") -> str:
    """A header value, as encoded words (RFC 2047) if it is not ASCII."""
    if value.isascii():
        return value
    if value.endswith(">") and " <" in value:  # only the name of an address may be encoded
        name, _, address = value.rpartition(" <")
        return f"{encoded(name, charset)} <{address}"
    words, room = [], 12 if charset == "iso-2022-jp" else 16
    for start in range(0, len(value), room):
        piece = value[start : start + room]
        try:
            body = piece.encode(charset)
        except UnicodeEncodeError:
            return encoded(value)
        words.append(f"=?{charset}?B?{b64encode(body).decode()}?=")
    return "\r\n ".join(words)


def address(name: str, at: str) -> str:
    """`Name <address>`, quoted if the name needs it."""
    if name.isascii() and not set(name) <= _ATOMS:
        name = f'"{name}"'
    return f"{name} <{at}>"


def date(moment: dt.datetime, zone: int) -> str:
    return format_datetime(moment.astimezone(dt.timezone(dt.timedelta(hours=zone))))


def base64_lines(content: bytes) -> bytes:
    pieces = (content[start : start + 57] for start in range(0, len(content), 57))
    return b"".join(binascii.b2a_base64(piece, newline=False) + b"\r\n" for piece in pieces)
