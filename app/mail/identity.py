"""The identity of a mail: two copies with the same identity are one mail, in whatever folder.

Servers and clients add lines to a header and change some (Received, X-TUID, X-Mozilla-Status) when a mail is delivered,
uploaded again or migrated. So the identity is built from the sender's own bytes, as received. Our parser improves over
time, and must still recognise a mail.
"""

from __future__ import annotations

import hashlib

from app.mail.headers import Headers
from app.mail.mime import Node, tree

_WRITTEN = ("from", "subject", "date")
#: For a mail without an id, the receivers count too.
_RECEIVERS = ("to", "cc", "reply-to")
#: A larger body is identified by its outline, whether we have all of it or only the server does.
_MOST_BODY = 64 * 1024


def identity(own_id: str | None, headers: Headers, body: bytes | None, root: Node | None) -> bytes:
    """SHA-256 of Message-ID, From, Subject, Date and the body, or the numbers and sizes of its parts. A mail without a
    date takes the date of its first Received line. `body`: None if only the server has it. `root`: the tree of parts,
    or None if it was not parsed."""
    fields = _WRITTEN if own_id else (*_WRITTEN, *_RECEIVERS)
    written = [own_id or "", *(" ".join((headers.get(name) or "").split()) for name in fields)]
    if not headers.get("date"):
        written.append((headers.all("received") or [""])[-1].rpartition(";")[2].strip())
    sum_ = hashlib.sha256("\n".join(written).encode("utf-8", "replace"))
    if body is not None and len(body) <= _MOST_BODY:
        sum_.update(b"\n\n")
        sum_.update(b"\n".join(body.split(b"\r\n")).rstrip())  # twice as fast as replacing
    else:
        for leaf in (root or tree(headers, body or b"")).leaves():
            sum_.update(f"\n\n{leaf.number} {leaf.encoded_size}".encode("utf-8", "replace"))
    return sum_.digest()


def former_identity(own_id: str | None, raw: bytes, head: bytes, size: int, *, whole: bool) -> bytes:
    """The identity of mails stored before `identity` used only the sender's data. It covered the whole header block and
    the size."""
    if own_id is None and whole:
        return hashlib.sha256(raw).digest()
    text = f"{own_id or ''}\n{size}\n".encode("utf-8", "replace")
    return hashlib.sha256(text + head.rstrip(b"\r\n")).digest()
