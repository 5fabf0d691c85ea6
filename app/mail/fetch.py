"""Fetches mails and their parts from the open folder, in amounts that fit into memory.

A mail of at most `max_whole` bytes is fetched whole. Of a larger one we fetch the header block, the outline
(BODYSTRUCTURE), the header of each part and the parts that people read. Attachments stay on the server until somebody
asks for them. If the outline is wrong, the mail is fetched whole after all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from app.mail.charset import likely_charset
from app.mail.content import MAX_ENCLOSED, text_parts
from app.mail.errors import Refused
from app.mail.headers import Headers
from app.mail.mime import Node, described, encoding_named, retyped, split_header, tree
from app.mail.names import uid_set
from app.mail.rows import Row, rows
from app.mail.selection import HTML, bodies
from app.mail.textstream import MOST_TEXT, TextStream
from app.mail.transfer import content_of, decoded_part
from app.mail.values import FetchedMail, SizeRow
from app.mail.wire import Wire

#: Bytes of mail held in memory at a time, while reading from the server.
_CHUNK_BYTES = 8 * 1024 * 1024
#: The most that is fetched of a text with pasted pictures, or of a mail that must be fetched whole.
_MOST_BYTES = 64 * 1024 * 1024
_PIECE = 1024 * 1024
#: Bytes of the first piece of a text part. Nearly all parts are smaller, so one command fetches several.
_FIRST_PIECE = 256 * 1024
_FIRST_PIECES = 2 * 1024 * 1024
#: The most bytes that a part's header and delimiter can have, and the share of a mail that its parts make up at least.
_PART_HEADER = 4096
_MOST_OF_IT = 0.8
#: Headers of parts in one command. Its line must stay below 8,000 bytes.
_MOST_HEADERS = 100


def sizes(wire: Wire, batches: Iterable[bytes], *, modseq: bool) -> list[SizeRow]:
    """Size, flags and arrival time, ascending by UID."""
    items = b"(%s)" % _known(modseq)
    found: dict[int, SizeRow] = {}
    for batch in batches:
        for uid, row in _fetched(wire, batch, items).items():
            if row.size is not None:
                found[uid] = SizeRow(uid, row.size, row.flags or (), row.modseq, row.internaldate)
    return [found[uid] for uid in sorted(found)]


def fields(wire: Wire, batch: bytes, name: str) -> list[list[str]]:
    """All values of a header field for each of these messages."""
    items = b"(UID BODY.PEEK[HEADER.FIELDS (%s)])" % name.upper().encode()
    blocks = (b"".join((row.bodies or {}).values()) for row in _fetched(wire, batch, items).values())
    return [Headers(block).all(name) for block in blocks]


def mails(wire: Wire, batch: bytes, *, modseq: bool, max_whole: int) -> Iterator[FetchedMail]:
    """The mails of one batch. No command is in flight between two of them."""
    known = _known(modseq)
    sized = _fetched(wire, batch, b"(UID RFC822.SIZE)")
    waiting = sorted((uid, row.size) for uid, row in sized.items() if row.size is not None)
    for chunk in _chunks(waiting, max_whole):
        uids = [uid for uid, _ in chunk]
        if chunk[0][1] > max_whole:
            yield from _large(wire, uids[0], known)
        else:
            yield from _small(wire, uids, b"(%s BODY.PEEK[])" % known)


def part(wire: Wire, uid: int, number: str) -> bytes:
    """A part with its transfer encoding undone. It is cut out of the whole mail if the server cannot send it alone."""
    if not all(step.isdigit() for step in number.split(".")):
        raise ValueError(f"{number!r} is not the number of a part.")
    section = number.encode()
    items = b"(UID BODY.PEEK[%s.MIME] BODY.PEEK[%s])" % (section, section)
    bodies = _one(wire, uid, items).bodies or {}
    head, body = bodies.get(f"{number}.MIME", b""), bodies.get(number, b"")
    headers = Headers(head)
    encoding = headers.get("content-transfer-encoding")
    if body and encoding is not None:
        is_text = (headers.get("content-type") or "text/plain").strip().lower().startswith("text/")
        return decoded_part(body, encoding_named(encoding), is_text=is_text)
    return _part_of(b"".join(source(wire, uid)), number)


def source(wire: Wire, uid: int) -> Iterator[bytes]:
    """The bytes of a mail, piece by piece."""
    at = 0
    while True:
        row = _one(wire, uid, b"(UID BODY.PEEK[]<%d.%d>)" % (at, _PIECE))
        piece = (row.bodies or {}).get("", b"")
        if not piece:
            return
        yield piece
        at += len(piece)
        if len(piece) < _PIECE:
            return


def _known(modseq: bool) -> bytes:
    return b"UID FLAGS INTERNALDATE RFC822.SIZE" + b" MODSEQ" * modseq


def _fetched(wire: Wire, uids: bytes, items: bytes) -> dict[int, Row]:
    answer = wire.command("show messages", b"UID FETCH", uids, items)
    found: dict[int, Row] = {}
    for row in rows(answer.untagged):
        found.setdefault(row.uid or 0, row).take_from(row)
    return found


def _one(wire: Wire, uid: int, items: bytes) -> Row:
    row = _fetched(wire, uid_set([uid]), items).get(uid)
    if row is None or row.bodies is None:
        raise Refused("show a message", answer="it no longer exists")
    return row


def _chunks(waiting: list[tuple[int, int]], max_whole: int) -> Iterator[list[tuple[int, int]]]:
    """Groups of mails (UID, size) that together stay below the limit. A large mail is a group of its own."""
    chunk: list[tuple[int, int]] = []
    total = 0
    for uid, size in waiting:
        if chunk and (size > max_whole or total + size > _CHUNK_BYTES or chunk[-1][1] > max_whole):
            yield chunk
            chunk, total = [], 0
        chunk.append((uid, size))
        total += size
    if chunk:
        yield chunk


def _small(wire: Wire, uids: list[int], wanted: bytes) -> Iterator[FetchedMail]:
    """Whole mails. A mail that the server skips is asked for once more by itself. If it is still there without its
    text, it is returned without text: the server has lost it, and people should see that.
    """
    found = _fetched(wire, uid_set(uids), wanted)
    for uid in uids:
        row = found.get(uid)
        if row is None or row.bodies is None:
            row = _fetched(wire, uid_set([uid]), wanted).get(uid)
        if row is not None:
            yield _whole(row)


def _whole(row: Row) -> FetchedMail:
    raw = (row.bodies or {}).get("", b"")
    size = len(raw) if row.size is None else row.size
    return FetchedMail(row.uid or 0, row.flags or (), row.modseq, row.internaldate, size, raw, True)


def _large(wire: Wire, uid: int, known: bytes) -> Iterator[FetchedMail]:
    row = _fetched(wire, uid_set([uid]), b"(%s BODYSTRUCTURE BODY.PEEK[HEADER])" % known).get(uid)
    if row is None:
        return
    header = (row.bodies or {}).get("HEADER")
    outline = described(row.structure) if header else None
    is_covered = header and outline and _is_covered(outline, (row.size or 0) - len(header))
    if not header or not outline or not is_covered or not _filled(wire, uid, outline, header):
        row.bodies = {"": b"".join(_limited(source(wire, uid)))}
        yield _whole(row)
        return
    size, flags = row.size or 0, row.flags or ()
    yield FetchedMail(uid, flags, row.modseq, row.internaldate, size, header, False, outline)


def _is_covered(outline: Node, size: int) -> bool:
    """Whether the parts of the outline add up to the mail. A server finds no parts if the boundary differs from the
    header."""
    leaves = outline.leaves()
    return sum(leaf.encoded_size + _PART_HEADER for leaf in leaves) >= size * _MOST_OF_IT


def _filled(wire: Wire, uid: int, outline: Node, header: bytes) -> bool:
    """Fetch the text of a mail into its outline. False if the server does not have the parts it described."""
    _believe_parts(wire, uid, outline, header)
    room = MOST_TEXT
    while waiting := [node for node in text_parts(outline) if not node.is_here]:
        shown = frozenset(bodies(outline))
        for nodes in _first_pieces(waiting):
            for node, piece in _begun(wire, uid, nodes):
                if not piece and node.encoded_size:
                    return False
                if node in shown:
                    room -= _fill(wire, uid, node, piece, room)
                else:
                    _fill(wire, uid, node, piece, MAX_ENCLOSED)
    return True


def _believe_parts(wire: Wire, uid: int, outline: Node, header: bytes) -> None:
    """Take charset, name and encoding of each part from its own header. In its outline a server fills in defaults such
    as us-ascii, and cuts a name at a space. Raw letters have the charset of the text."""
    if not outline.children:
        retyped(outline, Headers(header))
        return
    heads = _heads(wire, uid, outline.leaves())

    @cache
    def charset() -> str | None:
        own = Headers(header).charset
        texts = (Headers(head).charset for node, head in heads if node.type.startswith("text/"))
        return own or next(filter(None, texts), None) or likely_charset(header, b"\n".join(h for _, h in heads))

    for node, head in heads:
        retyped(node, Headers(head, charset))


def _heads(wire: Wire, uid: int, leaves: list[Node]) -> list[tuple[Node, bytes]]:
    """The parts whose own header the server sends, with that header."""
    heads: list[tuple[Node, bytes]] = []
    for at in range(0, len(leaves), _MOST_HEADERS):
        some = leaves[at : at + _MOST_HEADERS]
        items = b" ".join(b"BODY.PEEK[%s.MIME]" % node.number.encode() for node in some)
        bodies = _one(wire, uid, b"(UID %s)" % items).bodies or {}
        heads += [(node, bodies.get(f"{node.number}.MIME", b"").strip(b"\r\n")) for node in some]
    return [(node, head) for node, head in heads if head]


def _first_pieces(nodes: list[Node]) -> Iterator[list[Node]]:
    """Groups of parts whose first pieces fit into one answer."""
    group: list[Node] = []
    total = 0
    for node in nodes:
        size = min(node.encoded_size, _FIRST_PIECE)
        if group and (total + size > _FIRST_PIECES or len(group) == _MOST_HEADERS):
            yield group
            group, total = [], 0
        group.append(node)
        total += size
    if group:
        yield group


def _begun(wire: Wire, uid: int, nodes: list[Node]) -> list[tuple[Node, bytes]]:
    sections = b" ".join(b"BODY.PEEK[%s]<0.%d>" % (node.number.encode(), _FIRST_PIECE) for node in nodes)
    bodies = _one(wire, uid, b"(UID %s)" % sections).bodies or {}
    return [(node, bodies.get(node.number) or b"") for node in nodes]


def _fill(wire: Wire, uid: int, node: Node, piece: bytes, room: int) -> int:
    """Read on after the first piece until the part ends or the room is used up. Returns the number of bytes kept."""
    stream = TextStream(node.encoding, html=node.type in HTML, most=max(room, 0))
    at, asked = len(piece), _FIRST_PIECE
    stream.feed(piece)
    while len(piece) == asked and not stream.is_full and at < _MOST_BYTES:
        asked = _PIECE
        section = b"(UID BODY.PEEK[%s]<%d.%d>)" % (node.number.encode(), at, asked)
        piece = (_one(wire, uid, section).bodies or {}).get(node.number, b"")
        stream.feed(piece)
        at += len(piece)
    stream.close()
    node.content, node.cut = stream.content, len(piece) == asked and at < node.encoded_size
    return stream.size


def _limited(pieces: Iterator[bytes]) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        yield piece
        total += len(piece)
        if total >= _MOST_BYTES:
            return


def _part_of(raw: bytes, number: str) -> bytes:
    head, body = split_header(raw)
    for node in tree(Headers(head), body).leaves():
        if node.number == number and node.raw is not None:
            return content_of(node)
    raise Refused("show an attachment", answer=f"there is no part {number}")
