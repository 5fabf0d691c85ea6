"""Many open pages: each holds an event stream while members claim and release, twenty times a second."""

from __future__ import annotations

import http.client
import itertools
import json
import selectors
import socket
import threading
import time
from collections import defaultdict

from sqlalchemy import select

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from bench.live import processes
from bench.measures import Measurement, spread
from bench.place import Setup

_STREAMS, _A_SECOND, _SECONDS = 200, 20, 15
#: A web process allows only a few streams per member.
_READERS = 50
#: One holds 64 streams at most.
_WEB_PROCESSES = 4
_PATIENCE = 60.0


def streams(place: Setup, mailbox_id: int) -> list[Measurement]:
    readers = itertools.cycle([place.token(mailbox_id, f"agent-{n}") for n in range(_READERS)])
    carla = place.token(mailbox_id)
    with transaction() as session:
        free = select(Conversation.id).where(Conversation.place == "here", Conversation.assignee_id.is_(None))
        ids = list(session.scalars(free.limit(_A_SECOND * _SECONDS)))
    with processes(place, _WEB_PROCESSES) as port:
        ears = _Ears(port, [next(readers) for _ in range(_STREAMS)])
        began = time.perf_counter()
        answers, claims = {}, []
        for n, id_ in enumerate(ids):
            time.sleep(max(0.0, began + n / _A_SECOND - time.perf_counter()))
            answers[id_] = time.perf_counter()
            _claim(port, carla, id_)
            claims.append(time.perf_counter() - answers[id_])
        heard = ears.close(expected=len(ids))
    delays = [moment - answers[id_] for id_, moments in heard.items() if id_ in answers for moment in moments]
    missed = len(ids) * _STREAMS - len(delays)
    what = f"{_A_SECOND} claims a second, {_STREAMS} open streams"
    return [
        *spread(f"{what}: a claim", claims),
        *spread(f"{what}: from the call to the event in a page", delays),
        Measurement(f"{what}: events that did not come", missed, "", len(ids) * _STREAMS),
    ]


def _claim(port: int, token: str, id_: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request("PUT", f"/api/v1/conversations/{id_}/assignment", json.dumps({"assignee": "carla"}), headers)
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"claim: {answer.status} {answer.read()[:300]!r}")
    connection.close()


def _open(port: int, token: str) -> socket.socket:
    """A stream. If a web process has no room, it says so, and another try may reach a different one."""
    head = f"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"
    for _ in range(50):
        stream = socket.create_connection(("127.0.0.1", port), timeout=30)
        stream.sendall(head.encode())
        if b" 200 " in stream.recv(65536).split(b"\r\n", 1)[0]:
            return stream
        stream.close()
    raise RuntimeError("A stream was refused again and again.")


class _Ears:
    """Listens to many streams in one thread. Records when each first receives an event about a conversation."""

    def __init__(self, port: int, tokens: list[str]) -> None:
        self._heard: dict[int, dict[int, float]] = defaultdict(dict)
        self._selector = selectors.DefaultSelector()
        for n, token in enumerate(tokens):
            stream = _open(port, token)
            self._selector.register(stream, selectors.EVENT_READ, n)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def close(self, expected: int) -> dict[int, list[float]]:
        """Conversation -> when each stream received it. Waits until all have, for a minute at most."""
        patience = time.monotonic() + _PATIENCE
        while time.monotonic() < patience and sum(map(len, list(self._heard.values()))) < expected * _STREAMS:
            time.sleep(0.2)
        self._ends.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]  # sockets, all of them
        return {id_: list(moments.values()) for id_, moments in self._heard.items()}

    def _listen(self) -> None:
        rest: dict[int, bytes] = defaultdict(bytes)
        while not self._ends.is_set():
            for key, _ in self._selector.select(0.2):
                stream: socket.socket = key.fileobj  # type: ignore[assignment]  # as registered
                at = time.perf_counter()
                data = stream.recv(65536)
                if not data:  # ended by the server: missing events are counted
                    self._selector.unregister(stream)
                    stream.close()
                    continue
                *lines, rest[key.data] = (rest[key.data] + data).split(b"\n")
                for line in lines:
                    if line.startswith(b"data:") and b'"revision"' in line:
                        self._heard[json.loads(line[5:])["id"]].setdefault(key.data, at)
