"""A server that sends exactly what a test tells it to, for answers that no available server gives reliably.

It is a replay, not an IMAP server: for each line it receives, the first matching pattern decides the bytes it sends.
`{tag}` is the tag of that line (DONE has the tag of its IDLE). None closes the connection.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from app.mail.server import Server

GREETING = b"* OK ready\r\n"
USUAL: Mapping[str, bytes] = {
    r"\w+ CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE ENABLE CONDSTORE QRESYNC UIDPLUS MOVE\r\n{tag} OK done\r\n",
    r"\w+ LOGIN": b"{tag} OK in\r\n",
    r"\w+ ENABLE": b"* ENABLED QRESYNC\r\n{tag} OK done\r\n",
}


@contextmanager
def scripted(answers: Mapping[str, bytes | None], greeting: bytes = GREETING) -> Iterator[Server]:
    """The address of such a server. `answers` override the usual ones."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, answers, greeting))
        thread.start()
        try:
            yield Server("127.0.0.1", listener.getsockname()[1], "none", "ana", "secret")
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, answers: Mapping[str, bytes | None], greeting: bytes) -> None:
    with contextlib.suppress(OSError):
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(greeting)
            tag = b""
            for line in lines:
                answer = _answer(answers, line.decode("latin-1"))
                if answer is None:
                    return
                tag = tag if line == b"DONE\r\n" else line.split()[0]
                connection.sendall(answer.replace(b"{tag}", tag))


def _answer(answers: Mapping[str, bytes | None], line: str) -> bytes | None:
    known = [*answers.items(), *USUAL.items()]
    return next((answer for pattern, answer in known if re.match(pattern, line)), None)
