"""Costly hostile mails beside ordinary ones: how long an ordinary mail takes until it is listed, and how much the most
expensive mail costs the process that parses it."""

from __future__ import annotations

import imaplib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from sqlalchemy import select

from app.db import transaction
from app.inbox.conversations.message import Message
from app.mail.child import MailParser
from app.mail.parse import MailSource
from bench.live import processes
from bench.measures import Measurement, parsers, parsers_peak, spread
from bench.place import PASSWORD, USER, Setup, fill, place
from local.sample.hostile import hostile_mails

_HOSTILE = 40
_SHAPES = 80  # of hostile mails; each is parsed once
_PATIENCE = 120.0
_TICKS = os.sysconf("SC_CLK_TCK")


def hostile() -> list[Measurement]:
    """Hostile and ordinary mails arrive alternately in one mailbox, as fast as the server accepts them."""
    with place() as here:
        fill(here, 200)
        here.connect_mailbox()
        with processes(here):
            waits = _ordinary_among_hostile(here)
    what = f"{_HOSTILE} hostile mails and {_HOSTILE} ordinary ones at once: an ordinary one is listed after"
    return [*spread(what, waits), *_costs()]


def _ordinary_among_hostile(here: Setup) -> list[float]:
    arrived: dict[str, float] = {}
    with _sightings() as seen, imaplib.IMAP4("127.0.0.1", here.dovecot.port) as imap:
        imap.login(USER, PASSWORD)
        for number, raw in enumerate(_various(_HOSTILE)):
            own_id = f"<ordinary-{number}@customer.example>"
            head = f"From: Mia <mia@customer.example>\r\nSubject: A question\r\nMessage-ID: {own_id}\r\n\r\nHello\r\n"
            imap.append("INBOX", "", "", raw)
            imap.append("INBOX", "", "", head.encode())
            arrived[own_id] = time.monotonic()
        ends = time.monotonic() + _PATIENCE
        while not arrived.keys() <= seen.keys():
            if time.monotonic() > ends:
                raise RuntimeError(f"{len(arrived.keys() - seen.keys())} ordinary mails never came")
            time.sleep(0.05)
    return [seen[own_id] - at for own_id, at in arrived.items()]


def _various(count: int) -> Iterator[bytes]:
    """Some of all shapes, spread evenly."""
    shapes = list(islice(hostile_mails(), _SHAPES))
    return (shapes[number * _SHAPES // count] for number in range(count))


@contextmanager
def _sightings() -> Iterator[dict[str, float]]:
    """Message-ID -> the time when it was first seen in the database."""
    seen: dict[str, float] = {}
    stopping = threading.Event()

    def look() -> None:
        while not stopping.wait(0.02):
            with transaction() as session:
                ids = session.scalars(select(Message.message_id).where(Message.from_address == "mia@customer.example"))
                for id_ in ids:
                    seen.setdefault(id_ or "", time.monotonic())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stopping.set()
        thread.join()


def _costs() -> list[Measurement]:
    """Each shape separately, read by a parser with the worker's limits."""
    with MailParser() as parser:
        parser.parse([MailSource(b"Subject: x\r\n\r\nx", 15)])
        costs, peak = [], 0.0
        for number, raw in enumerate(islice(hostile_mails(), _SHAPES)):
            before = _processor_seconds()
            parser.submit([MailSource(raw, len(raw))], number).result()
            costs.append(_processor_seconds() - before)
            peak = max(peak, parsers_peak())
    return [
        Measurement("the costliest hostile mail: processor time", max(costs), "s", len(costs)),
        Measurement("hostile mails: memory of the parser, at most", peak, "MB", len(costs)),
    ]


def _processor_seconds() -> float:
    """Of the child process and its workers, including those that ended."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in parsers()]
    return sum(int(ticks) for field in fields for ticks in field[11:15]) / _TICKS
