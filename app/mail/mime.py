"""The parts of a mail as a tree, cut out of its bytes (RFC 2046) or described by the server's BODYSTRUCTURE.

Both number the parts as IMAP does (`2.1`), so an attachment found in one can be fetched by the other. The stdlib parser
walks a mail line by line. Cutting at the delimiter lines gives the same tree several times faster, which the first
import needs (tests/mail/test_mime.py compares both). Never raises. Limits: depth 50 (a deeper part stays one part),
1,000 parts (the source has the rest).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from app.mail.charset import decoded
from app.mail.headers import Headers, Parameters, decoded_words
from app.mail.tokens import Value

MAX_DEPTH = 50
MAX_PARTS = 1000

#: We ignore words after a delimiter, as Dovecot does, because some programs write "--b part 2".
_DELIMITER_REST = re.compile(rb"(--)?(?:[ \t][^\r\n]*)?(?:\r?\n|\Z)")
#: The first field of a part, as all programs write it. A line followed by one is a delimiter.
_PART_FIELD = re.compile(rb"content-(?:type|transfer-encoding|disposition|id)[ \t]*:", re.IGNORECASE)
_LIKELY_DELIMITER = re.compile(
    rb"^(--[^\r\n]{1,200}?)[ \t]*\r?\n(?=content-(?:type|transfer-encoding|disposition|id)[ \t]*:)",
    re.MULTILINE | re.IGNORECASE,
)
_BEGINS_WITH_PART = re.compile(
    rb"\s{0,10}(?:this is a multi-?part message[^\r\n]{0,200}\s{1,10})?--[^\r\n]{1,200}\r?\ncontent-type[ \t]*:",
    re.IGNORECASE,
)
_FIRST_FIELD = re.compile(rb"^[ \t]*[!-9;-~]+[ \t]*:", re.MULTILINE)
#: A line that is not a field, then fields, and a blank line.
_REST_OF_HEADER = re.compile(
    rb"(?![!-9;-~]+[ \t]*:)[^\s][^\n]{0,2000}\n"
    rb"((?:[!-9;-~]{1,100}[ \t]{0,20}:[^\n]*\n(?:[ \t][^\n]*\n){0,200}){1,200})\r?\n"
)
_KNOWN_FIELD = re.compile(
    rb"^(from|to|subject|date|message-id|received|mime-version|content-type|content-transfer-encoding)[ \t]*:",
    re.MULTILINE | re.IGNORECASE,
)
#: People do not type these.
_FIELDS_OF_PROGRAMS = {b"received", b"mime-version", b"content-type", b"content-transfer-encoding"}
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
_TEXT_CHARSET = re.compile(
    rb"^content-type:[ \t]*text/(?:[^\n]|\n[ \t]){0,300}?charset[ \t]*=[ \t]*\"?([A-Za-z0-9.:_+-]{1,60})",
    re.MULTILINE | re.IGNORECASE,
)
#: Scripts write `plain/text` and the like; `multipart/*` is the pattern of a filter, mistaken for a type.
_MISTAKEN_TYPES = {"plain/text": "text/plain", "html/text": "text/html", "multipart/*": "multipart/mixed"}
_ENCODING = re.compile(r"[a-z0-9_/-]+")
_COMMENT = re.compile(r"\([^()]*\)")
_NO_SEPARATORS = str.maketrans("", "", "-_/")
_MISSPELT = {
    **dict.fromkeys(("base64", "b64", "b", "base64encoded", "mimebase64"), "base64"),
    **dict.fromkeys(("quotedprintable", "qp", "q", "quotedprint", "quotedprintible"), "quoted-printable"),
    **dict.fromkeys(("7bit", "7bits"), "7bit"),
    **dict.fromkeys(("8bit", "8bits"), "8bit"),
}
_LOOKED_THROUGH = 64 * 1024
#: Headers of parts up to this many bytes are cached.
_CACHED_HEAD = 300


@dataclass(slots=True, eq=False)
class Node:
    """One part. `raw` is its body as sent, still encoded; None if only the server has it.

    `content` is its decoded body, if it was fetched alone; `cut`: the server has more of it. `subject` is the subject
    of an attached mail, if the server sent it."""

    number: str
    type: str = "text/plain"
    params: Mapping[str, str] = field(default_factory=dict)
    disposition: str = ""
    filename: str = ""
    content_id: str | None = None
    location: str | None = None  # Content-Location (RFC 2557): another way for HTML to name a picture
    description: str = ""
    subject: str = ""
    encoding: str = "7bit"
    encoded_size: int = 0
    raw: bytes | None = None
    content: bytes | None = None
    cut: bool = False
    children: list[Node] = field(default_factory=list)

    @property
    def is_here(self) -> bool:
        return self.raw is not None or self.content is not None

    @property
    def charset(self) -> str | None:
        return self.params.get("charset")

    def leaves(self) -> list[Node]:
        """The parts that are not containers, in reading order."""
        found: list[Node] = []
        waiting = [self]
        while waiting:
            node = waiting.pop()
            if node.children:
                waiting.extend(reversed(node.children))
            else:
                found.append(node)
        return found


def split_header(raw: bytes) -> tuple[bytes, bytes]:
    """Header block and body of a mail or part, without the blank line between them. Text without any field is all
    body."""
    head, body = _split(raw)
    return (head, body) if not head or _FIRST_FIELD.search(head) else (b"", raw)


def split_mail(raw: bytes) -> tuple[bytes, bytes]:
    """The same for a whole mail. Some programs end the header at a line without a colon. If they upload such a mail
    again (offlineimap), the rest of its header is at the beginning of the body. We put it back."""
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")  # line ends of old Macs
    head, body = split_header(raw)
    found = _REST_OF_HEADER.match(body) if head else None
    if found is None:
        return head, body
    here, there = _known_fields(head), _known_fields(found[1])
    is_rest = here and here.isdisjoint(there) and (len(there) > 1 or there & _FIELDS_OF_PROGRAMS)
    return (head + found[1], body[found.end() :]) if is_rest else (head, body)


def _known_fields(block: bytes) -> set[bytes]:
    return {name.lower() for name in _KNOWN_FIELD.findall(block)}


def _split(raw: bytes) -> tuple[bytes, bytes]:
    if raw.startswith((b"\r\n", b"\n")):
        return b"", raw[raw.index(b"\n") + 1 :]
    end = raw.find(b"\n\r\n")
    bare = raw.find(b"\n\n", 0, end + 1 if end >= 0 else len(raw))
    end = bare if bare >= 0 else end
    if end < 0:
        return raw, b""
    return raw[: end + 1], raw[raw.index(b"\n", end + 1) + 1 :]


def tree(headers: Headers, body: bytes) -> Node:
    """The tree of a whole mail, given its parsed header block and its body."""
    root = Node("", raw=body, encoded_size=len(body), **_fields(headers, "text/plain"))
    if "content-type" not in headers and _BEGINS_WITH_PART.match(body):
        root.type = "multipart/mixed"  # the header was lost, but the parts are here
    budget = MAX_PARTS
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if not node.type.startswith("multipart/") or depth >= MAX_DEPTH:
            continue
        pieces = _found_pieces(node.raw or b"", node.params.get("boundary", ""))[:budget]
        budget -= len(pieces)
        default = "message/rfc822" if node.type == "multipart/digest" else "text/plain"
        for at, piece in enumerate(pieces, 1):
            head, content = split_header(piece)
            number = f"{node.number}.{at}" if node.number else str(at)
            child = Node(number, raw=content, encoded_size=len(content), **_fields_of_part(head, default, headers))
            node.children.append(child)
            waiting.append((child, depth + 1))
        if node.children:
            node.raw = None
        else:
            node.type = "text/plain"  # the parts were lost, but the rest can be read
    if not root.number and not root.children:
        root.number = "1"
    return root


def charset_of_text(body: bytes) -> str | None:
    """The charset that the first text part in a body declares."""
    match = _TEXT_CHARSET.search(body, 0, _LOOKED_THROUGH)
    return match[1].decode("ascii") if match else None


def encoding_named(field: str) -> str:
    """The transfer encoding in Content-Transfer-Encoding, without the quotes and comments of some programs."""
    match = _ENCODING.search(_COMMENT.sub("", field.lower()))
    name = match[0] if match else "7bit"
    return _MISSPELT.get(name.removeprefix("x-").translate(_NO_SEPARATORS), name)


def retyped(node: Node, headers: Headers) -> None:
    """Believe the part's own header instead of the server's outline, because a server fills in defaults."""
    told = Node(node.number, **_fields(headers, "text/plain" if "content-type" in headers else node.type))
    # An invalid type is text (RFC 2045 5.2). A multipart whose parts were not found can still be read as text.
    node.type = "text/plain" if told.type.startswith("multipart/") else told.type
    node.params, node.disposition, node.filename = told.params, told.disposition, told.filename
    node.content_id, node.location, node.description = told.content_id, told.location, told.description
    if "content-transfer-encoding" in headers:
        node.encoding = told.encoding


def _fields_of_part(head: bytes, default_type: str, around: Headers) -> Mapping[str, Any]:
    """The fields of a Node from the header of its part. `around`: the header of the mail."""
    if len(head) <= _CACHED_HEAD and head.isascii():
        return _seen_fields(head, default_type)
    return _fields(Headers(head, lambda: around.charset), default_type)


@lru_cache(maxsize=512)  # few parts differ, and nobody changes the result
def _seen_fields(head: bytes, default_type: str) -> Mapping[str, Any]:
    return _fields(Headers(head), default_type)


def _fields(headers: Headers, default_type: str) -> Mapping[str, Any]:
    """The fields of a Node from headers."""
    kind = Parameters(headers.get("content-type") or "")
    placed = Parameters(headers.get("content-disposition") or "")
    content_id = headers.text("content-id").strip().strip("<>").strip()
    return {
        "type": _media_type(kind.value, default_type),
        "params": kind.params,
        "disposition": placed.value,
        "filename": placed.params.get("filename") or kind.params.get("name") or "",
        "content_id": content_id or None,
        "location": headers.text("content-location").strip() or None,
        "description": headers.text("content-description"),
        "encoding": encoding_named(headers.get("content-transfer-encoding") or ""),
    }


def _media_type(value: str, default: str) -> str:
    value = _MISTAKEN_TYPES.get(value, value)
    return value if _MEDIA_TYPE.fullmatch(value) else default


def _found_pieces(body: bytes, boundary: str) -> list[bytes]:
    """The parts of a body. If its delimiter lines differ from the header, the first line that looks like a delimiter
    counts."""
    pieces = _pieces(body, b"--" + boundary.encode("utf-8", "surrogateescape").rstrip()) if boundary else []
    if not pieces and (match := _LIKELY_DELIMITER.search(body, 0, _LOOKED_THROUGH)):
        return _pieces(body, match[1])
    return pieces


def _pieces(body: bytes, mark: bytes) -> list[bytes]:
    """The texts between the delimiter lines. The last delimiter may be missing or too early."""
    pieces: list[bytes] = []
    start, is_closed = -1, False
    for at in _line_starts(body, mark):
        match = _DELIMITER_REST.match(body, at + len(mark))
        if match is None:
            continue
        if start >= 0:
            pieces.append(body[start : max(start, _line_end_before(body, at))])
        is_part = not match[1] and (not is_closed or _PART_FIELD.match(body, match.end()))
        is_closed = is_closed or bool(match[1])
        start = match.end() if is_part else -1
        if len(pieces) == MAX_PARTS:
            return pieces
    if start >= 0:
        pieces.append(body[start:])
    return pieces


def _line_starts(body: bytes, mark: bytes) -> Iterator[int]:
    """The positions of lines that begin with the mark. The mark may occur inside a line any number of times."""
    if body.startswith(mark):
        yield 0
    line = b"\n" + mark
    at = body.find(line)
    while at >= 0:
        yield at + 1
        at = body.find(line, at + len(line))


def _line_end_before(body: bytes, at: int) -> int:
    """The line end before a delimiter belongs to the delimiter."""
    return at - 2 if body[max(at - 2, 0) : at] == b"\r\n" else at - 1


def described(structure: Value) -> Node | None:
    """The tree that a server describes in BODYSTRUCTURE (RFC 3501 7.4.2); None if it is malformed."""
    try:
        return _described("", structure, 0)
    except (ValueError, TypeError, IndexError, AttributeError):
        return None


def _described(number: str, value: Value, depth: int) -> Node:
    if not isinstance(value, list) or not value or depth > MAX_DEPTH:
        raise ValueError("not a part")
    if isinstance(value[0], list):
        return _described_multipart(number, value, depth)
    kind, subtype, params, content_id, description, encoding, size = value[:7]
    media = f"{_low(kind)}/{_low(subtype)}"
    # Text and enclosed mails have their own fields before the disposition.
    at = 11 if media == "message/rfc822" else 9 if media.startswith("text/") else 8
    placed, wanted = _placed(value[at] if len(value) > at else None)
    parameters = Parameters.of_pairs(_pairs(params))
    return Node(
        number=number or "1",
        type=_media_type(media, "application/octet-stream"),
        params=parameters.params,
        disposition=placed,
        filename=wanted.params.get("filename") or parameters.params.get("name") or "",
        content_id=decoded_words(_str(content_id)).strip().strip("<>").strip() or None,
        location=decoded_words(_str(value[at + 2])).strip() or None if len(value) > at + 2 else None,
        description=decoded_words(_str(description)),
        subject=_enclosed_subject(value) if media == "message/rfc822" else "",
        encoding=encoding_named(_str(encoding)),
        encoded_size=int(_str(size) or 0),
    )


def _enclosed_subject(value: list[Value]) -> str:
    """The second field of the envelope (RFC 3501 section 7.4.2)."""
    envelope = value[7] if len(value) > 7 else None
    return decoded_words(_str(envelope[1])) if isinstance(envelope, list) and len(envelope) > 1 else ""


def _described_multipart(number: str, value: list[Value], depth: int) -> Node:
    parts = [piece for piece in value if isinstance(piece, list)]
    first = next(at for at, piece in enumerate(value) if not isinstance(piece, list))
    node = Node(number=number, type=_media_type(f"multipart/{_low(value[first])}", "multipart/mixed"))
    for at, piece in enumerate(parts[:first][:MAX_PARTS], 1):
        node.children.append(_described(f"{number}.{at}" if number else str(at), piece, depth + 1))
    return node


def _placed(value: Value) -> tuple[str, Parameters]:
    if not isinstance(value, list) or not value:
        return "", Parameters("")
    return _low(value[0]), Parameters.of_pairs(_pairs(value[1] if len(value) > 1 else None))


def _pairs(value: Value) -> list[tuple[str, str]]:
    words = [_str(word) for word in value] if isinstance(value, list) else []
    return list(zip(words[::2], words[1::2], strict=False))


def _low(value: Value) -> str:
    return _str(value).lower()


def _str(value: Value) -> str:
    return decoded(value) if isinstance(value, bytes) else ""
