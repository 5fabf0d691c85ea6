"""Shared by `make run` and `make demo`: database, web and worker.

The web process gets the key that seals mailbox passwords, never the one that opens them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

import psycopg

from config import LOCAL_DATABASE_URL, Config
from local.places import LocalPartError
from local.postgres import LocalPostgres
from local.supervisor import Program, Supervisor

#: The web's role in the local Postgres.
WEB_ROLE = "signalbox_web"
PROJECT = Path(__file__).resolve().parents[1]
Environment = dict[str, str]
P = ParamSpec("P")
T = TypeVar("T")


def base_environment(home: Path) -> Environment:
    """The environment of every part and command."""
    return {**os.environ, "SIGNALBOX_HOME": str(home), "PYTHONUNBUFFERED": "1"}


@contextlib.contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Refuse a second supervisor on the same home folder. The kernel releases the lock when this process ends."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "supervisor.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise LocalPartError(
                f"Signalbox runs already in {home} (process {lock.read().strip() or '?'}): stop that one first."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def start_postgres(supervisor: Supervisor, home: Path, *others: Program) -> str:
    """Start the local Postgres with our database in it, together with `others`. Returns its URL."""
    server = LocalPostgres(home)
    if not server.place.is_relative_to(home):
        supervisor.say(f"The database lies in {server.place}: its user cannot enter {home}.")
    server.stop_leftover()
    postgres = Program(
        "postgres",
        server.prepare(),
        server.environment,
        account=server.account,
        stop_signal=signal.SIGINT,
        foundation=True,
        ready=server.ready,
        shows=_is_trouble,
    )
    supervisor.start(postgres, *others)
    server.ensure_database()
    server.ensure_role(WEB_ROLE)
    (home / LOCAL_DATABASE_URL).write_text(server.url(), encoding="utf-8")
    return server.url()


def web_url(home: Path) -> str:
    """The local database as the web sees it, under a role of its own."""
    return LocalPostgres(home).url(role=WEB_ROLE)


def migrate(url: str, seal_key: bytes | None, web_role: str | None) -> None:
    """Run `flask migrate` here, because loading a separate process would take longer than the rest of the start."""
    _in_a_fork(_migrate, url, seal_key, web_role)


def first_key(url: str) -> str | None:
    """The key of a new link for the first administrator; None if there is an administrator."""
    with psycopg.connect(url.replace("+psycopg", "", 1)) as connection:
        if connection.execute("SELECT 1 FROM member WHERE is_admin AND disabled_at IS NULL").fetchone():
            return None
    return _in_a_fork(_invite_first, url)


def _in_a_fork(work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Run it in a separate process that ends afterwards. Its modules would occupy 50 MB in the supervisor."""
    with get_context("fork").Pool(1, initializer=_leave_signals_to_parent) as pool:
        return pool.apply(work, arguments, options)


def _leave_signals_to_parent() -> None:
    """Ctrl-C reaches both; the parent then ends us by SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _migrate(url: str, seal_key: bytes | None, web_role: str | None) -> None:
    from sqlalchemy.exc import DBAPIError

    from app import db, schema
    from app.privileges import grant_web

    engine = db.connect(url)
    try:
        schema.upgrade(engine, seal_key=seal_key)
        if web_role:
            grant_web(engine, web_role)
    except (schema.UnknownVersion, schema.StepRefused) as error:
        raise LocalPartError(str(error)) from error
    except DBAPIError as error:
        raise LocalPartError(f"The database cannot be updated: {str(error.orig).strip()}") from error
    finally:
        engine.dispose()


def _invite_first(url: str) -> str | None:
    from app import db
    from app.inbox.actor import COMMAND
    from app.inbox.admin.invitation import invite_first

    engine = db.connect(url)
    try:
        with db.transaction() as session:
            return invite_first(session, by=COMMAND)
    finally:
        engine.dispose()


def _is_trouble(line: str) -> bool:
    """The lines of Postgres's log that people want to see, without those about starting up."""
    return any(word in line for word in ("WARNING:", "ERROR:", "FATAL:", "PANIC:")) and "starting up" not in line


def start_web_and_worker(supervisor: Supervisor, environment: Environment, web_url: str | None = None) -> str:
    """Start both. Returns the address of the pages. `web_url`: the database under the web's own role."""
    environment = {**environment, "SIGNALBOX_BIND": _free_bind(environment)}
    config = Config.from_env(environment, opens_secrets=True)
    worker = Program("worker", [sys.executable, "-m", "flask", "worker"], environment, folder=str(PROJECT))
    web = Program(
        "web",
        [sys.executable, "-m", "gunicorn", "wsgi:app"],
        web_environment(environment, config) | ({"SIGNALBOX_DATABASE_URL": web_url} if web_url else {}),
        folder=str(PROJECT),
        ready=lambda: _answers(f"http://{config.bind}/healthz"),
    )
    supervisor.start(worker, web)
    return config.base_url


def web_environment(environment: Mapping[str, str], config: Config) -> Environment:
    """The same without any key that opens mailbox passwords."""
    without = {name: value for name, value in environment.items() if not name.startswith("SIGNALBOX_SEAL_KEY")}
    without.pop("SIGNALBOX_SEAL_PUBLIC_KEY_FILE", None)
    return {**without, "SIGNALBOX_SEAL_PUBLIC_KEY": b64encode(config.seal_public_key).decode()}


def wait_for_port(port: int, what: str) -> None:
    """Wait for a predecessor to release the port. Raises if it stays in use."""
    deadline = time.monotonic() + 10
    while not port_is_free(port):
        if time.monotonic() > deadline:
            raise LocalPartError(f"Another program uses 127.0.0.1:{port}, which {what} needs. Stop it first.")
        time.sleep(0.2)


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def _free_bind(environment: Mapping[str, str]) -> str:
    """The requested address (raises if another program uses it); otherwise port 8000, or the next free one."""
    if bind := environment.get("SIGNALBOX_BIND"):
        wait_for_port(int(bind.rsplit(":", 1)[1]), "Signalbox")
        return bind
    return f"127.0.0.1:{next(port for port in range(8000, 9000) if port_is_free(port))}"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310  (our own address)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
