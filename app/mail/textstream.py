"""Reads the text of a part piece by piece in bounded memory, however large the part is.

Pictures pasted into HTML as `data:` addresses (RFC 2397) are not text. They have a limit of their own, so that we read
the words after a screenshot. Pictures beyond the limit are left out.
"""

from __future__ import annotations

import binascii
import re

from app.mail.headers import BASE64_PIECES, URL_SAFE, from_base64
from app.mail.transfer import UUENCODE, decoded_part, end_of_base64

#: Bytes of text that are kept of one mail, and bytes of pictures pasted into it.
MOST_TEXT = 8 * 1024 * 1024
MOST_PICTURES = 2 * 1024 * 1024
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64) - set(b"-_"))
_SHORT = 256
_PICTURE = re.compile(rb"data:image/[a-z0-9.+-]{1,30};base64,", re.IGNORECASE)
_PICTURE_BYTES = re.compile(rb"[A-Za-z0-9+/=%\r\n]*")
#: A picture may begin at the end of one piece and continue in the next.
_HELD_BACK = 64
_LONGEST_LINE = 64 * 1024


class TextStream:
    """Feed it the pieces of a part as they arrive; `content` is the kept part, decoded.

    `is_full`: no more is needed."""

    def __init__(self, encoding: str, *, html: bool, most: int = MOST_TEXT, pictures: int = MOST_PICTURES) -> None:
        self._encoding = encoding
        self._html = html
        self._encoded = b""
        self._most = most
        self._kept = bytearray()
        self._pictures = _Pictures(pictures)

    @property
    def size(self) -> int:
        """Bytes of text without pictures."""
        return len(self._kept) + len(self._encoded) - self._pictures.kept

    @property
    def is_full(self) -> bool:
        return self.size >= self._most

    @property
    def content(self) -> bytes:
        return bytes(self._kept[: self._most + self._pictures.kept])

    def feed(self, piece: bytes) -> None:
        self._take(self._decoded(piece), last=False)

    def close(self) -> None:
        """Finish: there are no more pieces."""
        rest, self._encoded = self._encoded, b""
        self._take(decoded_part(rest, self._encoding, is_text=not self._kept), last=True)

    def _take(self, content: bytes, *, last: bool) -> None:
        self._kept += self._pictures.sifted(content, last=last) if self._html else content

    def _decoded(self, piece: bytes) -> bytes:
        """The bytes that can be decoded already; the rest waits for the next piece."""
        if self._encoding == "base64":
            return self._from_base64(piece)
        if self._encoding == "quoted-printable":
            waiting = self._encoded + piece
            end = waiting.rfind(b"\n") + 1
            if len(waiting) - end > _LONGEST_LINE:
                escape = waiting.find(b"=", len(waiting) - 3)
                end = len(waiting) if escape < 0 else escape
            self._encoded = waiting[end:]
            return decoded_part(waiting[:end], self._encoding, is_text=True)
        if self._encoding in UUENCODE:
            self._encoded += piece
            return b""
        return piece

    def _from_base64(self, piece: bytes) -> bytes:
        """Short content waits until it is complete, because it may not be base64 at all."""
        if not self._kept and len(self._encoded) + len(piece) <= _SHORT:
            self._encoded += piece
            return b""
        piece = self._encoded + piece
        self._encoded = b""
        end = end_of_base64(piece)
        *whole, last = BASE64_PIECES.split(piece[:end]) if piece.find(b"=", 0, end - 4) >= 0 else [piece[:end]]
        letters = last.translate(URL_SAFE, _NOT_BASE64)
        cut = len(letters) // 4 * 4
        content = b"".join(map(from_base64, whole)) + binascii.a2b_base64(letters[:cut])
        if end == len(piece):
            self._encoded = letters[cut:]
            return content
        self._encoding = "8bit"  # text after base64, or no base64 at all
        content += from_base64(letters[cut:])
        return content + b"\n" * bool(content or self._kept) + piece[end:]


class _Pictures:
    """Filters pasted pictures from a stream. Pictures within the limit stay; the others lose their bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting = b""
        self._open: bytearray | None = None  # the picture that is being read
        self._dropped = False
        self.kept = 0

    def sifted(self, content: bytes, *, last: bool) -> bytes:
        waiting, at, out = self._waiting + content, 0, bytearray()
        while at < len(waiting):
            if self._open is not None:
                at = self._read(waiting, at, out)
                continue
            match = _PICTURE.search(waiting, at)
            if match is None:
                break
            out += waiting[at : match.end()]
            self._open, self._dropped, at = bytearray(), False, match.end()
        end = len(waiting) if last else max(at, len(waiting) - _HELD_BACK)
        out += waiting[at:end]
        self._waiting = waiting[end:]
        if last and self._open is not None:
            self._finish(out)
        return bytes(out)

    def _read(self, waiting: bytes, at: int, out: bytearray) -> int:
        match = _PICTURE_BYTES.match(waiting, at)
        assert match is not None
        assert self._open is not None
        self._dropped = self._dropped or self.kept + len(self._open) + len(match[0]) > self._most
        if self._dropped:
            self._open.clear()
        else:
            self._open += match[0]
        if match.end() < len(waiting):
            self._finish(out)
        return match.end()

    def _finish(self, out: bytearray) -> None:
        assert self._open is not None
        out += self._open
        self.kept += len(self._open)
        self._open = None


def without_large_pictures(html: bytes) -> bytes:
    """HTML with its pasted pictures cut to their limit."""
    if len(html) <= MOST_PICTURES:
        return html
    stream = TextStream("8bit", html=True)
    stream.feed(html)
    stream.close()
    return stream.content
