"""Times of pages and API calls, by the size of the mailbox: lists, a conversation, claims, counts, searches.

Requests run through the whole web application in this process, as gunicorn calls it: sign-in, queries, words, template
or JSON."""

from __future__ import annotations

import gc
import itertools
import re
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from sqlalchemy import Text, cast, event, func, select, text
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from app import create_app, web
from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.derived import UNASSIGNED, sql
from app.inbox.conversations.message import Message
from app.inbox.lists.counts import counts
from app.inbox.lists.views import VIEWS
from app.inbox.people.member import Member
from app.inbox.people.session import open_session
from app.inbox.people.token import make_token
from bench.crowd import TAGS
from bench.measures import Measurement, spread, timed
from bench.place import Setup

_TIMES = 100
_EACH_SEARCH = 12
_HTMX = {"HX-Request": "true"}
_FORM_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
#: Shares of mails that contain the searched words.
_SHARES = (0.5, 0.1, 0.05, 0.01, 0.003, 0.001)


@dataclass
class BenchReader:
    """A member at a page and at the API."""

    page: Callable[[str], TestResponse]
    click: Callable[[str], TestResponse]  # a part of a page, as htmx fetches it
    submit: Callable[[str], TestResponse]  # a form without fields, by htmx
    call: Callable[..., TestResponse]
    member_id: int
    mailbox_id: int


def reads(place: Setup, mailbox_id: int) -> list[Measurement]:
    with transaction() as session:
        count = session.scalar(select(func.count()).select_from(Message)) or 0
    at, reader = f"among {count:,}", _reader(place, mailbox_id)
    return [
        *_lists(reader, at),
        *_conversations(reader, at),
        *_counts(reader, at),
        *_pages(reader, at),
        *_open_claims(reader, at),
        *_searches(reader, at),
    ]


def _lists(reader: BenchReader, at: str) -> list[Measurement]:
    """Every view and tag through the API, ten pages deep."""
    took = []
    for narrowed in (*(f"view={view}" for view in VIEWS), *(f"tag={tag}" for tag in TAGS)):
        address: str | None = f"/conversations?mailbox={reader.mailbox_id}&limit=50&{narrowed}"
        for _ in range(10):
            if address is None:
                break
            seconds, answer = timed(lambda address=address: reader.call("GET", address))  # type: ignore[misc]
            took.append(seconds)
            cursor = answer.json and answer.json["next"]
            address = (
                f"/conversations?mailbox={reader.mailbox_id}&limit=50&{narrowed}&cursor={cursor}" if cursor else None
            )
    return spread(f"a list of 50 {at}", took)


def _conversations(reader: BenchReader, at: str) -> list[Measurement]:
    with transaction() as session:
        chosen = (
            select(Conversation.id).where(Conversation.place == "here").order_by(func.md5(cast(Conversation.id, Text)))
        )
        some = list(session.scalars(chosen.limit(_TIMES)))
        free = list(session.scalars(chosen.where(Conversation.assignee_id.is_(None)).limit(_TIMES)))
    read = [timed(lambda id_=id_: reader.call("GET", f"/conversations/{id_}"))[0] for id_ in some]  # type: ignore[misc]
    claimed = [
        timed(lambda id_=id_: reader.call("PUT", f"/conversations/{id_}/assignment", {"assignee": "carla"}))[0]  # type: ignore[misc]
        for id_ in free
    ]
    return [*spread(f"a conversation {at}", read), *spread(f"a claim {at}", claimed)]


def _counts(reader: BenchReader, at: str) -> list[Measurement]:
    def count() -> None:
        with transaction() as session:
            counts(session, session.get_one(Member, reader.member_id), reader.mailbox_id)

    return spread(f"the counts of all views {at}", [timed(count)[0] for _ in range(_TIMES)])


def _pages(reader: BenchReader, at: str) -> list[Measurement]:
    rows = []
    with transaction() as session:
        newest = session.scalar(select(Conversation.id).order_by(Conversation.last_at.desc()).limit(1))
    for what, get, path in (
        ("the page of a list", reader.page, f"/m/{reader.mailbox_id}/unassigned"),
        ("the page of a conversation beside its list", reader.page, f"/conversations/{newest}?view=open"),
        ("a click on a conversation", reader.click, f"/conversations/{newest}?view=open"),
    ):
        with _statements() as sent:
            get(path)
        rows.append(Measurement(f"{what} {at}: statements to Postgres", len(sent), ""))
        rows += spread(f"{what} {at}", [timed(lambda get=get, path=path: get(path))[0] for _ in range(_TIMES)])  # type: ignore[misc]
    return rows


def _open_claims(reader: BenchReader, at: str) -> list[Measurement]:
    """By the form of the open conversation, with the response that a click would fetch."""
    with transaction() as session:
        unassigned = select(Conversation.id).where(sql(UNASSIGNED)).order_by(func.md5(cast(Conversation.id, Text)))
        paths = [f"/conversations/{id_}/assignment?view=open" for id_ in session.scalars(unassigned.limit(_TIMES))]
    return spread(f"a claim in the open conversation {at}", [timed(lambda p=p: reader.submit(p))[0] for p in paths])  # type: ignore[misc]


def _searches(reader: BenchReader, at: str) -> list[Measurement]:
    took = {q: [_search(reader, q) for _ in range(_EACH_SEARCH)] for q in queries()}
    slowest = max(took, key=lambda q: statistics.median(took[q]))
    rows = spread(f"a search {at}, {len(took)} kinds", list(itertools.chain(*took.values())))
    return [*rows, *spread(f"the slowest of them: {slowest}", took[slowest])]


def _search(reader: BenchReader, q: str) -> float:
    return timed(lambda: reader.call("GET", f"/conversations?mailbox={reader.mailbox_id}&q={quote(q)}"))[0]


def queries() -> list[str]:
    """Words in certain shares of the mails, alone and together with everything that a search supports."""
    often, tenth, twentieth, hundredth, rarer, rare = _words()
    narrowed = [
        f"{hundredth} status:open",
        f"{often} status:pending assignee:me",
        f"{tenth} tag:seldom status:open",
        f"{rare} tag:rare",
        f"{often} status:spam",
        f"{often} -{tenth}",
        f"-{often}",
        f"{often} in:sent",
        f"{twentieth} has:attachment",
        f"{tenth} before:2025",
        f"{rarer} is:unread",
        "is:starred is:unread",
        "assignee:m7 status:closed",
        "from:halden",
        f"subject:{hundredth}",
        f'"{tenth} {often}"',
    ]
    return [
        often,
        tenth,
        twentieth,
        hundredth,
        rarer,
        rare,
        "mail77",
        "zzzz",
        f"{tenth} {twentieth}",
        often[:3],
        *narrowed,
    ]


def _words() -> list[str]:
    """For each share the closest word among the newest mails."""
    newest = "SELECT search FROM message ORDER BY received_at DESC LIMIT 5000"
    with transaction() as session:
        words = session.execute(text(f"SELECT word, ndoc FROM ts_stat('{newest}') WHERE word ~ '^[a-z]{{4,20}}$'"))
        known = {word: ndoc / 5000 for word, ndoc in words}
    return [min(known, key=lambda word: (abs(known[word] - share), word)) for share in _SHARES]


def _reader(place: Setup, mailbox_id: int) -> BenchReader:
    app = create_app(replace(place.config(), seal_key=None))
    web.prepare(app)  # as wsgi.py does
    gc.freeze()
    browser, program = app.test_client(), app.test_client(use_cookies=False)
    with transaction() as session, browser.session_transaction() as cookie:
        carla = place.member(session, mailbox_id)
        cookie["_user_id"] = open_session(session, carla)
        # A token has a limited number of calls per second; this needs more.
        tokens = itertools.cycle([make_token(session, carla, by=COMMAND) for _ in range(50)])

    def page(path: str) -> TestResponse:
        return _good(browser.get(path))

    def click(path: str) -> TestResponse:
        return _good(browser.get(path, headers=_HTMX))

    def submit(path: str) -> TestResponse:
        return _good(browser.post(path, data={"csrf_token": form_token}, headers=_HTMX))

    def call(method: str, path: str, body: dict[str, str] | None = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {next(tokens)}"}
        return _good(program.open(f"/api/v1{path}", method=method, json=body, headers=headers))

    form_token = _FORM_TOKEN.findall(page("/account").text)[0]
    return BenchReader(page, click, submit, call, carla.id, mailbox_id)


def _good(answer: TestResponse) -> TestResponse:
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.request.path}: {answer.status}")
    return answer


@contextmanager
def _statements() -> Iterator[list[str]]:
    """All statements that are sent in the meantime."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)
