"""An SMTP server that keeps a ledger of what it took, and fails at the step that a test names."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedIOBase
from typing import cast

from app.mail.server import Server

#: Instead of an answer: the connection ends there.
CUT = "cut"
#: The same after the server took the mail, before it says so.
CUT_AFTER = "cut after"
YES = "250 2.0.0 fine"


@dataclass(frozen=True)
class Taken:
    """One mail, with those to whom the server said yes."""

    sender: str
    to: tuple[str, ...]
    raw: bytes


@dataclass
class Ledger:
    """`answers`: step → what is said next, each once, then `YES`. Steps: greeting, ehlo, mail, rcpt, `rcpt ADDRESS`,
    data, body (while it comes), dot, quit."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    answers: dict[str, list[str]] = field(default_factory=dict)
    extensions: tuple[str, ...] = ("SIZE 1000000", "8BITMIME")
    seen: list[str] = field(default_factory=list)
    #: Step → what happens elsewhere while the server is at it.
    meanwhile: dict[str, Callable[[], None]] = field(default_factory=dict)

    @property
    def server(self) -> Server:
        return Server("127.0.0.1", self.port, "none", "", "")

    def say(self, step: str, *answers: str) -> None:
        self.answers.setdefault(step, []).extend(answers)

    def next_answer(self, step: str, default: str = YES) -> str:
        self.seen.append(step)
        self.meanwhile.get(step, lambda: None)()
        for name in (step, step.partition(" ")[0]):
            if self.answers.get(name):
                return self.answers[name].pop(0)
        return default

    def times(self, address: str) -> int:
        """How often the server took a mail for this recipient."""
        return sum(taken.to.count(address) for taken in self.taken)


class _Cut(Exception):
    pass


class _Handler(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self) -> None:
        try:
            self._answer("greeting", "220 ledger ready")
            while line := self.rfile.readline(10_000):
                if not self._command(line.decode("utf-8").strip()):
                    return
        except (_Cut, OSError):
            self.connection.close()

    @property
    def _ledger(self) -> Ledger:
        return cast(_Server, self.server).ledger

    def _command(self, line: str) -> bool:
        verb = line.partition(" ")[0].lower().partition(":")[0]
        address = line[line.find("<") + 1 : line.rfind(">")]
        match verb:
            case "ehlo":
                self._answer(
                    "ehlo", "\r\n".join([*(f"250-{e}" for e in ("ledger", *self._ledger.extensions)), "250 OK"])
                )
            case "mail":
                self._sender, self._to = address, []
                self._answer("mail")
            case "rcpt":
                if self._answer(f"rcpt {address}").startswith("2"):
                    self._to.append(address)
            case "data":
                if self._answer("data", "354 go on").startswith("354"):
                    self._body()
            case "quit":
                self._answer("quit", "221 bye")
                return False
            case _:
                self._answer(verb)
        return True

    def _body(self) -> None:
        if self._ledger.next_answer("body", "") == CUT:
            self.rfile.read(10)
            raise _Cut
        raw = _data(self.rfile)
        answer = self._ledger.next_answer("dot")
        if answer == CUT:
            raise _Cut
        if answer.startswith("2") or answer == CUT_AFTER:
            self._ledger.taken.append(Taken(self._sender, tuple(self._to), raw))
        if answer == CUT_AFTER:
            raise _Cut
        self._write(answer)

    def _answer(self, step: str, default: str = YES) -> str:
        answer = self._ledger.next_answer(step, default)
        if answer == CUT:
            raise _Cut
        self._write(answer)
        return answer

    def _write(self, answer: str) -> None:
        self.wfile.write(f"{answer}\r\n".encode())


def _data(lines: BufferedIOBase) -> bytes:
    raw = b""
    while (line := lines.readline()) != b".\r\n":
        if not line:
            raise _Cut
        raw += line[1:] if line.startswith(b".") else line
    return raw


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    ledger: Ledger


@contextmanager
def smtp_ledger() -> Iterator[Ledger]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.ledger = Ledger(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server.ledger
        server.shutdown()
        thread.join()
