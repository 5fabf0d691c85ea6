"""Services fail and return: the mail server and Postgres are killed during a round, and of two workers the active one
is killed, or suspended and continued. The day ends like any other."""

from __future__ import annotations

import itertools
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.pool import NullPool

from app import db, schema
from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.note import Note
from app.inbox.mailboxes.mailbox import Mailbox
from local.dovecot import LocalDovecot
from local.postgres import LocalPostgres
from tests.dovecot import mail, running_dovecot
from tests.faults.conftest import LONG, Admin
from tests.faults.day import Days
from tests.faults.proxied import commands_of_a_day, told
from tests.proxy import Fault, How, Proxy
from tests.sync.stage import Stage
from tests.waiting import eventually
from tests.web.conftest import Browser
from tests.worker.process import Worker, worker
from tests.worker.test_workers import silent_for_a_minute

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

_TEMPLATE = "template_signalbox"
#: The first command of a round's writes; the long form uses every nth command of a day.
_SAMPLE, _STEP = 27, 9
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def postgres_to_kill() -> Iterator[LocalPostgres]:
    """A separate server for these tests, with our tables in a template."""
    home = Path(tempfile.mkdtemp(prefix="signalbox-killed-"))
    home.chmod(0o755)  # under root Postgres runs as another user, who has to enter the folder
    server = LocalPostgres(home, fast=True)
    server.start()
    server.ensure_database(_TEMPLATE)
    engine = create_engine(server.url(_TEMPLATE), poolclass=NullPool)
    schema.upgrade(engine)
    yield server
    server.stop()
    server.remove()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def database(postgres_to_kill: LocalPostgres) -> Iterator[str]:
    name = f"day_{next(_numbers)}"
    with psycopg.connect(postgres_to_kill.url("postgres").replace("+psycopg", ""), autocommit=True) as own:
        own.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}".encode())
    engine = db.connect(postgres_to_kill.url(name))
    yield postgres_to_kill.url(name)
    engine.dispose()


@pytest.fixture(scope="module")
def mail_server() -> Iterator[LocalDovecot]:
    with running_dovecot("sdbox") as server:
        yield server


def places(asked: list[str]) -> list[int]:
    return list(range(2, len(asked) + 1, _STEP)) if LONG else [_SAMPLE]


def test_the_mail_server_may_be_killed_at_any_command(
    stage: Stage, proxy: Proxy, mail_server: LocalDovecot, admin: Admin
) -> None:
    days = Days(stage)
    asked = commands_of_a_day(days, proxy)
    usual = days.evening()
    for place in places(asked):
        days.morning()
        days.noon()
        proxy.arm(Fault(place, How.DROP, act=mail_server.kill))
        assert stage.service().once(30), asked[place - 1]
        proxy.arm(None)
        assert stage.service().once(30), "it is still away"
        assert told(stage)[0] == "unreachable"
        assert "The mail server does not answer." in admin.page(stage)
        assert "failing: " in admin.listed()
        mail_server.start()
        assert days.evening() == usual, asked[place - 1]
        assert "In sync with the mail server." in admin.page(stage)


def test_postgres_may_be_killed_at_any_command(
    stage: Stage, proxy: Proxy, postgres_to_kill: LocalPostgres, admin: Admin, nobody: Browser
) -> None:
    days = Days(stage)
    asked = commands_of_a_day(days, proxy)
    usual = days.evening()
    for place in places(asked):
        days.morning()
        days.noon()
        proxy.arm(Fault(place, How.TRICKLE, act=postgres_to_kill.kill))
        assert stage.service().once(30), asked[place - 1]
        proxy.arm(None)
        assert nobody.get("/readyz").status_code == 503
        page = admin.browser.get(f"/admin/mailboxes/{stage.mailbox_id}")
        assert (page.status_code, "The database does not answer. Nothing is lost" in page.text) == (503, True)
        assert "does not answer" in admin.run("mailbox", "list").stderr
        postgres_to_kill.start()
        assert days.evening() == usual, asked[place - 1]


@dataclass
class Writers:
    """Members who write one note after another, whatever happens. `tried`, and those known to be stored, `kept`."""

    stage: Stage
    tried: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def write(self, handle: str) -> None:
        for number in itertools.count(1):
            if self.stopped.is_set():
                return
            words = f"{handle} {number}"
            self.tried.append(words)
            try:
                self.stage.act(1, Conversation.add_note, words, by=handle)
            except (OperationalError, InterfaceError):
                self.stopped.wait(0.1)
            else:
                self.kept.append(words)

    def wrote_more(self) -> Callable[[], bool]:
        before = len(self.kept)
        return lambda: len(self.kept) > before + 5


@contextmanager
def writing(stage: Stage) -> Iterator[Writers]:
    writers = Writers(stage)
    threads = [threading.Thread(target=writers.write, args=(handle,)) for handle in ("ben", "carla")]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        writers.stopped.set()
        for thread in threads:
            thread.join()


def at_rest(stage: Stage) -> Callable[[], bool]:
    """Whether another full pull has succeeded and nothing is left to write."""
    before = _pulls(stage)[0]

    def rests() -> bool:
        pulls, state, left = _pulls(stage)
        return pulls > before and state == "ok" and not left

    return rests


def _pulls(stage: Stage) -> tuple[int, str, bool]:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, stage.mailbox_id)
        left = session.scalars(select(Conversation.id).where(Conversation.push_needed)).all()
        return mailbox.pulls, mailbox.state, bool(left)


def test_postgres_may_be_killed_while_members_and_a_worker_work(
    stage: Stage, database: str, postgres_to_kill: LocalPostgres, tmp_path: Path
) -> None:
    days = Days(stage)
    stage.account.append(mail("What all write about"))
    stage.round()
    days.delivered += 1
    usual = days.whole()
    days.morning()
    days.noon()
    with worker(database, tmp_path), writing(stage) as writers:
        for _ in range(5 if LONG else 1):
            eventually(writers.wrote_more())
            postgres_to_kill.kill()
            postgres_to_kill.start()
        eventually(writers.wrote_more())
        eventually(at_rest(stage))
    assert days.evening() == usual
    with transaction() as session:
        notes = list(session.scalars(select(Note.text)))
    assert len(notes) == len(set(notes)), "none was written twice"
    assert set(writers.kept) <= set(notes) <= set(writers.tried)


def test_a_second_worker_completes_the_work_of_a_killed_one(
    stage: Stage, proxy: Proxy, database: str, tmp_path: Path
) -> None:
    def replaced(first: Worker) -> None:
        with worker(database, tmp_path, name="second"):
            eventually(at_rest(stage))

    days_of_two_workers(stage, proxy, database, tmp_path, How.DROP_AFTER, Worker.kill, replaced)


def test_a_second_worker_completes_the_work_of_a_suspended_one(
    stage: Stage, proxy: Proxy, database: str, tmp_path: Path
) -> None:
    def replaced(first: Worker) -> None:
        eventually(lambda: silent_for_a_minute(first))
        with worker(database, tmp_path, name="second"):
            eventually(at_rest(stage))
            first.signal(signal.SIGCONT)
            eventually(first.was_cut_off)
            eventually(at_rest(stage))

    def freeze(first: Worker) -> None:
        first.signal(signal.SIGSTOP)

    days_of_two_workers(stage, proxy, database, tmp_path, How.TRICKLE, freeze, replaced)


def days_of_two_workers(
    stage: Stage,
    proxy: Proxy,
    database: str,
    home: Path,
    how: How,
    stop: Callable[[Worker], None],
    replaced: Callable[[Worker], None],
) -> None:
    """Each day the first worker is stopped at another command of its round, and a second one replaces it."""
    days = Days(stage)
    asked = commands_of_a_day(days, proxy)
    usual = days.evening()
    for place in places(asked):
        days.morning()
        days.noon()
        started: list[Worker] = []
        stopped = threading.Event()

        def act(started: list[Worker] = started, stopped: threading.Event = stopped) -> None:
            eventually(lambda: started)  # it may reach that point before we have a handle on it
            stop(started[0])
            stopped.set()

        proxy.arm(Fault(place, how, act=act))
        with worker(database, home, name="first") as first:
            started.append(first)
            eventually(stopped.is_set)
            proxy.arm(None)
            replaced(first)
        assert days.evening() == usual, f"{stop.__name__} at {place}"
