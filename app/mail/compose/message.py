"""An outgoing mail as bytes.

The header is ours (fields.py), the parts are Python's: text and HTML as quoted-printable, files as base64. So no line
is long, line ends are CRLF, and nothing needs a server that takes 8 bits. Bcc is in no byte of it; `with_bcc` adds it
for the team's own copy.
"""

from __future__ import annotations

import binascii
import mimetypes
import re
from base64 import encodebytes
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message
from email.policy import compat32
from email.utils import format_datetime

from app.mail.addresses import Address
from app.mail.compose import fields

_POLICY = compat32.clone(linesep="\r\n", max_line_length=None, mangle_from_=False)
_LINE_END = re.compile(r"\r\n|\r")
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}")


@dataclass(frozen=True)
class OutgoingFile:
    """`content_id`, without brackets: the HTML shows it as `cid:…`. None: an ordinary attachment."""

    filename: str
    type: str
    data: bytes = field(repr=False)
    content_id: str | None = None


@dataclass(frozen=True)
class OutgoingMail:
    """`message_id` and `references` have angle brackets. `references`: the messages before, oldest first; the last one
    is answered. `date` has the offset of the mailbox's zone. `automatic`: a program answers (RFC 3834)."""

    message_id: str
    date: datetime
    sender: Address
    to: Sequence[Address]
    subject: str
    text: str
    html: str | None = None
    cc: Sequence[Address] = ()
    references: Sequence[str] = ()
    files: Sequence[OutgoingFile] = ()
    automatic: bool = False


def written(mail: OutgoingMail) -> bytes:
    """The bytes that are sent. Raises ValueError for a line end in a header field and for an address that cannot be
    written."""
    lines = [f"{name}: {value}" for name, value in _header(mail) if value]
    return "\r\n".join([*lines, ""]).encode("utf-8") + _body(mail).as_bytes(policy=_POLICY)


def with_bcc(raw: bytes, bcc: Sequence[Address]) -> bytes:
    """The team's own copy, which says to whom it also went."""
    return f"Bcc: {fields.people(bcc)}\r\n".encode() + raw if bcc else raw


def _header(mail: OutgoingMail) -> list[tuple[str, str]]:
    before = fields.references(mail.references)
    return [
        ("Date", format_datetime(mail.date)),
        ("From", fields.people([mail.sender])),
        ("To", fields.people(mail.to) or ("" if mail.cc else "undisclosed-recipients:;")),
        ("Cc", fields.people(mail.cc)),
        ("Subject", fields.text(mail.subject)),
        ("Message-ID", mail.message_id),
        ("In-Reply-To", fields.ids(before[-1:])),
        ("References", fields.ids(before)),
        ("Auto-Submitted", "auto-replied" if mail.automatic else ""),
        ("MIME-Version", "1.0"),
    ]


def _body(mail: OutgoingMail) -> Message:
    shown = [_file(file) for file in mail.files if file.content_id]
    attached = [_file(file) for file in mail.files if not file.content_id]
    readable = _text(mail.text, "plain")
    if mail.html is not None:
        html = _parts("related", [_text(mail.html, "html"), *shown]) if shown else _text(mail.html, "html")
        readable = _parts("alternative", [readable, html])
    return _parts("mixed", [readable, *attached]) if attached else readable


def _parts(kind: str, parts: Sequence[Message]) -> Message:
    whole = Message(policy=_POLICY)
    whole["Content-Type"] = f"multipart/{kind}"
    for part in parts:
        whole.attach(part)
    return whole


def _text(text: str, kind: str) -> Message:
    part = Message(policy=_POLICY)
    part["Content-Type"] = f"text/{kind}; charset=utf-8"
    part["Content-Transfer-Encoding"] = "quoted-printable"
    lines = _LINE_END.sub("\n", text.replace("\0", "")).rstrip("\n") + "\n"
    spelt = binascii.b2a_qp(lines.encode("utf-8", "replace"), istext=True).decode("ascii")
    part.set_payload(re.sub(r"^From ", "=46rom ", spelt, flags=re.MULTILINE))  # mbox would put a > before it
    return part


def _file(file: OutgoingFile) -> Message:
    part = Message(policy=_POLICY)
    type_ = _type_of(file)
    part["Content-Type"] = type_
    disposition = "inline" if file.content_id else "attachment"
    part["Content-Disposition"] = f"{disposition};\r\n {fields.filename(file.filename)}"
    if file.content_id:
        part["Content-ID"] = f"<{file.content_id}>"
    if type_ == "message/rfc822":
        part["Content-Transfer-Encoding"] = "7bit"
        part.set_payload("\r\n".join(file.data.decode("ascii").splitlines()))
    else:
        part["Content-Transfer-Encoding"] = "base64"
        part.set_payload(encodebytes(file.data).decode("ascii"))
    return part


def _type_of(file: OutgoingFile) -> str:
    """A type that can be written. A mail may be attached as one if it needs no encoding, as none is allowed for it
    (RFC 2046 5.2.1); else it is a file with the name of a mail."""
    type_ = file.type.lower() if _TYPE.fullmatch(file.type) else mimetypes.guess_type(file.filename)[0] or ""
    if type_ == "message/rfc822" and not _is_7bit(file.data):
        type_ = ""
    is_structured = type_.startswith(("multipart/", "message/")) and type_ != "message/rfc822"
    return "application/octet-stream" if not type_ or is_structured else type_


def _is_7bit(data: bytes) -> bool:
    return data.isascii() and b"\0" not in data and all(len(line) <= 998 for line in data.splitlines())
