"""Parses the values of IMAP's answers (RFC 3501 section 4): atoms, quoted strings, literals, NIL and lists of them."""

from __future__ import annotations

import re
from typing import Union

from app.mail.errors import Broken

#: One answer of the server: text, literal, text, literal, … text. Nearly always a single text.
Parts = list[bytes]
#: A list of values, or a string or atom as bytes; NIL is None.
Value = Union[bytes, None, list["Value"]]  # noqa: UP007  (a recursive alias needs the string)

_LITERAL = re.compile(rb"~?\{\d{1,20}\+?\}\Z")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ATOM = re.compile(rb'[^\s()"]+')
_MAX_DEPTH = 200


class TokenCursor:
    """A position in the texts and literals of one answer."""

    def __init__(self, parts: Parts, at: int) -> None:
        self._parts, self._part, self._at = parts, 0, at

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        match = pattern.match(self._parts[self._part], self._at)
        if match:
            self._at = match.end()
        return match

    def closes(self) -> bool:
        return self._skip(b")")

    def value(self) -> Value:
        """The next value. Lists are kept on our own stack, because strangers decide how deep they nest."""
        stack: list[list[Value]] = []
        while True:
            self._skip(b" ")
            if self._skip(b"("):
                stack.append([])
                if len(stack) > _MAX_DEPTH:
                    raise self.nonsense()
                continue
            value: Value = stack.pop() if stack and self._skip(b")") else self._single()
            if not stack:
                return value
            stack[-1].append(value)

    def nonsense(self) -> Broken:
        near = self._parts[self._part][self._at : self._at + 80]
        return Broken("The mail server's answer is not valid IMAP.", answer=repr(near))

    def _single(self) -> Value:
        if self._parts[self._part][self._at : self._at + 1] in (b"{", b"~") and self.match(_LITERAL):
            if self._part + 2 >= len(self._parts):
                raise self.nonsense()
            self._part, self._at = self._part + 2, 0
            return self._parts[self._part - 1]
        if quoted := self.match(_QUOTED):
            return re.sub(rb"\\(.)", rb"\1", quoted[1], flags=re.DOTALL) if b"\\" in quoted[1] else quoted[1]
        if atom := self.match(_ATOM):
            return None if atom[0].upper() == b"NIL" else atom[0]
        raise self.nonsense()

    def _skip(self, byte: bytes) -> bool:
        if self._parts[self._part].startswith(byte, self._at):
            self._at += 1
            return True
        return False
