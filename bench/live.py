"""Times that people wait, with worker and web as separate processes: claim to keyword, keyword to open page."""

from __future__ import annotations

import http.client
import imaplib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.mailboxes.folder import Folder
from bench.measures import Measurement, spread
from bench.place import KEY, PASSWORD, USER, Setup
from local.places import free_port

_PATIENCE = 60.0
#: The first claims meet processes that have just started.
_WARM = 5


def live(place: Setup, mailbox_id: int, times: int = 100) -> list[Measurement]:
    """Each conversation is claimed once through the API, and starred once by "a mail client" on another connection."""
    token = place.token(mailbox_id)
    with processes(place) as port:
        web = _Web(port, token)
        warm, conversations = _newest_in_inbox(_WARM), _newest_in_inbox(times + _WARM)[_WARM:]
        for id_, uid in warm:
            _claim_to_keyword(place, web, id_, uid)
        claims = [_claim_to_keyword(place, web, id_, uid) for id_, uid in conversations]
        events = list(_keyword_to_event(place, web, conversations))
    return [
        *spread("claim through the API -> keyword on the server", claims),
        *spread("keyword by a mail client -> event on /api/v1/stream", events),
    ]


class _Web:
    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def put(self, path: str, body: dict[str, Any]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        connection.request("PUT", f"/api/v1{path}", json.dumps(body), self._headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {answer.read()[:300]!r}")
        connection.close()

    def events(self) -> queue.Queue[tuple[float, int]]:
        """(moment, conversation) of every `conversation` event, from now on."""
        heard: queue.Queue[tuple[float, int]] = queue.Queue()
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        connection.request("GET", "/api/v1/stream", headers=self._headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"stream: {answer.status}")

        def listen() -> None:
            kind = ""
            while line := answer.readline():
                if line.startswith(b"event:"):
                    kind = line[6:].strip().decode()
                elif line.startswith(b"data:") and kind == "conversation":
                    heard.put((time.perf_counter(), json.loads(line[5:])["id"]))

        threading.Thread(target=listen, daemon=True).start()
        return heard


def _claim_to_keyword(place: Setup, web: _Web, id_: int, uid: int) -> float:
    with _client(place) as imap:
        began = time.perf_counter()
        web.put(f"/conversations/{id_}/assignment", {"assignee": "carla"})
        while b"assigned-carla" not in _flags(imap, uid):
            if time.perf_counter() - began > _PATIENCE:
                raise RuntimeError("the keyword never came")
            time.sleep(0.001)
        return time.perf_counter() - began


def _keyword_to_event(place: Setup, web: _Web, conversations: list[tuple[int, int]]) -> Iterator[float]:
    heard = web.events()
    time.sleep(1)
    with _client(place) as imap:
        for id_, uid in conversations:
            while not heard.empty():
                heard.get()
            imap.uid("STORE", str(uid), "+FLAGS", "(\\Flagged)")
            began = time.perf_counter()
            while True:
                at, which = heard.get(timeout=_PATIENCE)
                if which == id_:
                    break
            yield at - began
            time.sleep(0.2)


def _flags(imap: imaplib.IMAP4, uid: int) -> bytes:
    imap.noop()
    _, rows = imap.uid("FETCH", str(uid), "(FLAGS)")
    return bytes(rows[0] or b"") if rows else b""


@contextmanager
def _client(place: Setup) -> Iterator[imaplib.IMAP4]:
    with imaplib.IMAP4("127.0.0.1", place.dovecot.port) as imap:
        imap.login(USER, PASSWORD)
        imap.select("INBOX")
        yield imap


def _newest_in_inbox(count: int) -> list[tuple[int, int]]:
    """(conversation, UID of one of its copies in the inbox), each conversation once."""
    with transaction() as session:
        rows = session.execute(
            select(Message.conversation_id, Copy.uid)
            .join(Copy, Copy.message_id == Message.id)
            .join(Folder, Folder.id == Copy.folder_id)
            .join(Conversation, Conversation.id == Message.conversation_id)
            .where(Folder.role == "inbox", Conversation.assignee_id.is_(None), Conversation.starred.is_(False))
            .order_by(Message.received_at.desc())
        )
        return list(dict(rows.tuples().all()).items())[:count]


@contextmanager
def processes(place: Setup, web: int = 2) -> Iterator[int]:
    """A worker and `web` web processes. Yields the port of the web."""
    port = free_port()
    common = {
        **os.environ,
        "SIGNALBOX_DATABASE_URL": place.postgres.url("bench").replace("+psycopg", ""),
        "SIGNALBOX_HOME": str(place.home),
        "SIGNALBOX_BIND": f"127.0.0.1:{port}",
        "WEB_CONCURRENCY": str(web),
        "SIGNALBOX_SEAL_PUBLIC_KEY": b64encode(bytes(KEY.public_key)).decode(),
    }
    worker_only = {"SIGNALBOX_SEAL_KEY": b64encode(bytes(KEY)).decode()}
    commands = [
        ([sys.executable, "-m", "flask", "worker"], {**common, **worker_only}),
        ([sys.executable, "-m", "gunicorn", "wsgi:app"], common),
    ]
    with (place.home / "processes.log").open("wb") as log:
        running = [subprocess.Popen(c, env=env, stdout=log, stderr=log) for c, env in commands]
        try:
            _wait_for_web(port)
            time.sleep(5)  # the worker's first round and its listener
            yield port
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(20)


def _wait_for_web(port: int) -> None:
    ends = time.monotonic() + _PATIENCE
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            if time.monotonic() > ends:
                raise
        time.sleep(0.1)
