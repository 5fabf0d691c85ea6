"""A TCP proxy in front of a real mail server: it hides extensions and causes faults.

It reads lines and literals in both directions and counts our requests: each connection and each command. Hidden
extensions are removed from every answer (capabilities, codes, PERMANENTFLAGS, LIST). A command that uses one is
rejected with BAD, as by a server that does not know it.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

#: Hidden like an extension: the server accepts no keyword that the folder does not know.
NEW_KEYWORDS = "\\*"
#: Hidden only in SELECT, as with Courier, and also in STATUS.
SELECT_UIDNEXT, STATUS_UIDNEXT = "UIDNEXT of SELECT", "UIDNEXT of STATUS"
#: What each extension adds to commands; without the extension these are errors.
_USES = {
    "MOVE": rb"(UID )?MOVE\b",
    "UIDPLUS": rb"UID EXPUNGE\b",
    "IDLE": rb"IDLE\b",
    "NOTIFY": rb"NOTIFY\b",
    "ID": rb"ID\b",
    "ENABLE": rb"ENABLE\b",
    "UNSELECT": rb"UNSELECT\b",
    "ESEARCH": rb"UID SEARCH RETURN\b",
    "SPECIAL-USE": rb"LIST .* RETURN \(SPECIAL-USE\)",
    "QRESYNC": rb"ENABLE QRESYNC\b|(SELECT|EXAMINE) .*\(QRESYNC|UID FETCH .*\bVANISHED\)",
    "CONDSTORE": rb"ENABLE CONDSTORE\b|(SELECT|EXAMINE) .*\((CONDSTORE|QRESYNC)|UID FETCH .*\b(CHANGEDSINCE|MODSEQ)\b",
}
#: Extensions that are hidden together with one.
_ALSO = {"CONDSTORE": {"QRESYNC"}, "ENABLE": {"QRESYNC"}}
_CODES = {
    "UIDPLUS": rb"\[(COPYUID|APPENDUID) [^\]]*\] ?",
    "CONDSTORE": rb"\[HIGHESTMODSEQ \d+\] ?",
    SELECT_UIDNEXT: rb"\[UIDNEXT \d+\] ?",
}
_ROLES = re.compile(rb" ?\\(Sent|Drafts|Junk|Trash|Archive|All|Flagged)\b")
_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n\Z")
_COMMAND = re.compile(rb"([A-Z]+\d+) (.+)\r\n\Z", re.DOTALL)
_STORE = re.compile(rb"(UID STORE \S+ \+FLAGS\S* )\(([^)]*)\)")


class How(StrEnum):
    """The kinds of faults. With the first five the command never reaches the server. With the others the server has
    carried it out."""

    DROP = "drops the connection"
    BYE = "says good-bye"
    HANG = "hangs"
    NO = "refuses without a reason"
    THROTTLE = "has no time now"
    DROP_AFTER = "does it and drops the connection"
    HANG_AFTER = "does it and hangs"
    HALF = "stops in the middle of its answer"
    TRICKLE = "says it byte by byte"

    @property
    def done(self) -> bool:
        return self in (How.DROP_AFTER, How.HANG_AFTER, How.HALF, How.TRICKLE)


@dataclass(frozen=True)
class Fault:
    """`at`: the number of the connection or command, counted from now. `act`: something else happens at that moment."""

    at: int
    how: How
    act: Callable[[], None] | None = None


class Proxy:
    """Listens on 127.0.0.1:`port` for the server on 127.0.0.1:`behind`."""

    def __init__(self, behind: int, *, hides: Collection[str] = ()) -> None:
        self.behind = behind
        self.hides = frozenset(hides).union(*(_ALSO.get(name, ()) for name in hides))
        self.heard: list[str] = []
        self._fault: Fault | None = None
        self._refusals: dict[bytes, bytes] = {}
        # commands at which it ends the connection with BYE
        self.ends_at: Callable[[bytes], bool] = lambda _words: False
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._connections: list[_Connection] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def arm(self, fault: Fault | None) -> None:
        """Start counting again; cause this fault."""
        with self._lock:
            self.heard, self._fault = [], fault

    def refuse(self, refusals: dict[bytes, bytes]) -> None:
        """From now on commands that match one of these patterns never reach the server: pattern -> answer, such as `NO
        [UNAVAILABLE] later`."""
        self._refusals = refusals

    def refusal(self, words: bytes) -> bytes | None:
        """The answer that rejects this command, if any."""
        found = (said for pattern, said in self._refusals.items() if re.match(pattern, words, re.IGNORECASE))
        return next(found, None)

    @property
    def struck(self) -> bool:
        """Whether the fault has happened."""
        return self._fault is not None and len(self.heard) >= self._fault.at

    def strikes(self, asked: str) -> Fault | None:
        """The fault for this request, if any."""
        with self._lock:
            self.heard.append(asked)
            fault = self._fault
        return fault if fault is not None and len(self.heard) == fault.at else None

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for connection in self._connections:
            connection.end()
            connection.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._connections = [one for one in self._connections if one.is_alive()]
                self._connections.append(_Connection(self, client))
                self._connections[-1].start()


@contextmanager
def proxied(behind: int, *, hides: Collection[str] = ()) -> Iterator[Proxy]:
    proxy = Proxy(behind, hides=hides)
    try:
        yield proxy
    finally:
        proxy.close()


class _Connection(threading.Thread):
    """This thread carries commands to the server; a second one carries the answers."""

    def __init__(self, proxy: Proxy, client: socket.socket) -> None:
        super().__init__()
        self._proxy = proxy
        self._client = client
        self._server: socket.socket | None = None
        #: The answer with this tag is kept back until it is complete, then damaged.
        self._spoil: tuple[bytes, Fault] | None = None
        #: A command with this tag waits for permission to send its literal.
        self._asks: bytes | None = None
        self._leave = threading.Event()
        self._granted = False

    def run(self) -> None:
        with self._client, contextlib.suppress(OSError):
            self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            fault = self._proxy.strikes("CONNECT")
            if fault is not None and not fault.how.done:
                self._fail(fault, b"*")
                return
            with socket.create_connection(("127.0.0.1", self._proxy.behind)) as self._server:
                self._spoil = (b"*", fault) if fault is not None else None
                back = threading.Thread(target=self._carry_answers, args=(self._server,))
                back.start()
                try:
                    self._carry_commands(self._server)
                finally:
                    self.end()
                    back.join()

    def end(self) -> None:
        for side in (self._client, self._server):
            if side is not None:
                with contextlib.suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)
        self._leave.set()

    # to the server ------------------------------------------------------------------------------------------------

    def _carry_commands(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError), self._client.makefile("rb") as lines:
            for line in lines:
                said = _COMMAND.match(line)
                if said is None:  # DONE, or the rest of a command
                    server.sendall(line)
                    continue
                tag, words = said.groups()
                fault = self._proxy.strikes(_name(words))
                if fault is not None and not fault.how.done:
                    if self._fail(fault, tag):
                        continue
                    return
                if self._proxy.ends_at(words):
                    self._client.sendall(b"* BYE Internal error.\r\n")
                    return
                refusal = self._refusal(words)
                if refusal is not None:
                    self._client.sendall(tag + refusal)
                    continue
                self._spoil = (tag, fault) if fault is not None else None
                self._send(server, lines, tag, self._allowed(line))

    def _send(self, server: socket.socket, lines: BinaryIO, tag: bytes, line: bytes) -> None:
        literal = _LITERAL.search(line)
        self._leave.clear()
        self._asks = tag if literal and not literal[2] else None
        server.sendall(line)
        if literal is None:
            return
        if not literal[2]:
            self._leave.wait()
            if not self._granted:
                return
        server.sendall(lines.read(int(literal[1])))
        self._send(server, lines, tag, lines.readline())

    def _refusal(self, words: bytes) -> bytes | None:
        if (said := self._proxy.refusal(words)) is not None:
            return b" " + said + b"\r\n"
        for name in self._proxy.hides:
            if name in _USES and re.match(_USES[name], words, re.IGNORECASE):
                return b" BAD Unknown command or argument.\r\n"
        if NEW_KEYWORDS in self._proxy.hides and (store := _STORE.match(words)) and not _flags_only(store[2]):
            return b" OK Nothing to store.\r\n"
        return None

    def _allowed(self, line: bytes) -> bytes:
        if NEW_KEYWORDS not in self._proxy.hides:
            return line
        return _STORE.sub(lambda found: found[1] + b"(" + _flags_only(found[2]) + b")", line)

    def _fail(self, fault: Fault, tag: bytes) -> bool:
        """The command never reaches the server. Returns whether the connection continues."""
        if fault.act is not None:
            fault.act()
        if fault.how in (How.NO, How.THROTTLE):
            code = b"[UNAVAILABLE] Account exceeded its bandwidth" if fault.how is How.THROTTLE else b"Internal error"
            self._client.sendall(tag + (b" BYE " if tag == b"*" else b" NO ") + code + b"\r\n")
            return tag != b"*"
        if fault.how is How.BYE:
            self._client.sendall(b"* BYE Server shutting down.\r\n")
        if fault.how is How.HANG:
            _wait_for_the_end(self._client)
        return False

    # to our side --------------------------------------------------------------------------------------------------

    def _carry_answers(self, server: socket.socket) -> None:
        kept = b""
        with contextlib.suppress(OSError), server.makefile("rb") as lines:
            while line := _whole(lines):
                answer = self._without_hidden(line)
                if self._told_of_leave(line) or self._spoil is None:
                    self._client.sendall(answer)
                    continue
                kept += answer
                tag, fault = self._spoil
                if line.startswith((tag + b" ", b"+")):
                    self._spoil = None
                    self._spoilt(fault, kept)
                    kept = b""
        self.end()

    def _told_of_leave(self, line: bytes) -> bool:
        """Whether the line permits sending a literal."""
        if self._asks is None or not line.startswith((b"+", self._asks + b" ")):
            return False
        self._granted, self._asks = line.startswith(b"+"), None
        self._leave.set()
        return self._granted

    def _spoilt(self, fault: Fault, answer: bytes) -> None:
        if fault.act is not None:
            fault.act()
        if fault.how is How.TRICKLE:
            for byte in answer:
                self._client.sendall(bytes([byte]))
                time.sleep(0.0001)
            return
        if fault.how is How.HANG_AFTER:
            return  # until our side gives up
        if fault.how is How.HALF:
            self._client.sendall(answer[: len(answer) // 2])
        self.end()

    def _without_hidden(self, line: bytes) -> bytes:
        hides = self._proxy.hides
        if b"CAPABILITY " in line[:40]:
            hidden = {name.encode() for name in hides} | {b"COMPRESS=DEFLATE"}
            return re.sub(rb" ([A-Z0-9=+-]+)", lambda word: b"" if word[1].upper() in hidden else word[0], line)
        if NEW_KEYWORDS in hides and b"[PERMANENTFLAGS" in line:
            return line.replace(b" \\*", b"")
        if STATUS_UIDNEXT in hides and line.startswith(b"* STATUS"):
            return re.sub(rb"UIDNEXT \d+", b"", line)
        if "SPECIAL-USE" in hides and line.startswith(b"* LIST"):
            return _ROLES.sub(b"", line)
        for name in hides & _CODES.keys():
            if line.startswith(b"* OK [") and re.search(_CODES[name], line):
                return b""
            if re.match(rb"[A-Z]+\d+ OK", line):
                line = re.sub(_CODES[name], b"", line)
        return line


def _name(words: bytes) -> str:
    """`UID STORE`, `SELECT INBOX`: enough to read in a list. No password."""
    told = words.split()
    return b" ".join(told[:2] if told[0] in (b"UID", b"SELECT", b"EXAMINE", b"ENABLE") else told[:1]).decode("latin-1")


def _flags_only(names: bytes) -> bytes:
    return b" ".join(name for name in names.split() if name.startswith(b"\\"))


def _whole(lines: BinaryIO) -> bytes:
    """A line with its literals, or what there is of it when the connection ends."""
    line = lines.readline()
    while literal := _LITERAL.search(line):
        line += lines.read(int(literal[1])) + lines.readline()
    return line


def _wait_for_the_end(client: socket.socket) -> None:
    while client.recv(65536):
        pass
