"""The local Postgres: a database server that needs no installation and no administrator.

Data and socket are in 0700 folders, so trusting every connection is safe: only its owner (and root) can reach the
socket. It listens on no network address.

The server is a child of the process (more exactly: the thread) that starts it, and ends with it. However it ends,
committed rows stay, and the next start recovers. We recognise a running server because it works inside our data, not by
a number in a lock file.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from local.places import LocalPartError, account, dies_with_parent, reachable_folder, socket_folder
from local.postgres_programs import ENVIRONMENT, Programs, programs_for

#: Tests roll back most of what they write. Statistics of tables full of dead rows would make the planner expect a
#: single row where there are a thousand.
_FAST = {"fsync": "off", "full_page_writes": "off", "autovacuum_analyze_threshold": "2000000000"}


class LocalPostgres:
    """One server below `home`/postgres. `fast` gives up safety against power cuts, for tests."""

    def __init__(self, home: Path, *, fast: bool = False) -> None:
        self.account = account("postgres")
        self.place = reachable_folder(home / "postgres", self.account)
        self.data = self.place / "data"
        self.log = self.place / "postgres.log"
        self._sockets = socket_folder(self.place / "run", self.account, len(".s.PGSQL.5432.lock"))
        self._fast = fast
        self.environment = ENVIRONMENT
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "signalbox", role: str = "postgres") -> str:
        return f"postgresql+psycopg://{role}@/{database}?host={self._sockets}"

    def prepare(self) -> list[str]:
        """Create the data if there is none. Returns the command that runs the server in the foreground."""
        self._refuse_foreign_data()
        programs = programs_for(self.data, self.account)
        if not (self.data / "PG_VERSION").exists():
            self._initialise(programs)
        self._clear_stale_lock()
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._sockets),
            "shared_buffers": "64MB",
            "max_connections": "120",
            "log_checkpoints": "off",
            **(_FAST if self._fast else {}),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(programs.folder / "postgres"), "-D", str(self.data), *options]

    def start(self) -> bool:
        """Start the server if necessary. False if ours was already running (its starter will stop it)."""
        with self._locked():
            if self.running():
                return False
            self._launch(self.prepare())
        return True

    def stop(self) -> None:
        """Stop the server if we started it: sessions end, and nothing is lost."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)  # Postgres calls this a fast shutdown
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End it like a power cut. The next start clears the remains."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop_leftover(self) -> None:
        """Stop a server on our data that another process left running."""
        pid = self._server_pid()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        _eventually(lambda: self._server_pid() is None, 30)

    def running(self) -> bool:
        """Whether our server answers. Raises if a foreign one uses our data."""
        pid = self._server_pid()
        if pid is None:
            return False
        if _eventually(self.ready, 20, unless=lambda: self._server_pid() != pid or self._is_foreign()):
            return True
        if self._server_pid() != pid:
            return False
        raise LocalPartError(f"Another Postgres (process {pid}) uses {self.data}. Stop it first.")

    def ready(self) -> bool:
        """Whether a server answers at our socket and serves our data."""
        try:
            with psycopg.connect(self._dsn(), connect_timeout=3) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and Path(row[0]).resolve() == self.data.resolve()

    def ensure_database(self, name: str = "signalbox") -> None:
        """Create an empty database if none has this name."""
        with psycopg.connect(self._dsn(), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def ensure_role(self, name: str) -> None:
        """Create a role without any rights if none has this name."""
        with psycopg.connect(self._dsn(), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))

    def remove(self) -> None:
        """Delete the server with everything in it."""
        self.stop_leftover()
        for folder in (self._sockets, self.place):
            shutil.rmtree(folder, ignore_errors=True)

    def _dsn(self) -> str:
        return f"host={self._sockets} user=postgres dbname=postgres"

    def _refuse_foreign_data(self) -> None:
        if not self.data.exists():
            return
        owner = self.data.stat().st_uid
        if owner != self.account.uid:
            raise LocalPartError(
                f"{self.data} belongs to the user with number {owner}, and the local Postgres runs as "
                f"{self.account.name}: start as the user who made it, or move {self.place} away."
            )
        if not (self.data / "PG_VERSION").exists() and any(self.data.iterdir()):
            raise LocalPartError(f"{self.data} is not a Postgres database. Move it away.")

    def _initialise(self, programs: Programs) -> None:
        """Run initdb in a separate folder, renamed at the end, so that an incomplete one is never taken for
        complete."""
        half = self.place / "data.new"
        shutil.rmtree(half, ignore_errors=True)
        command = [str(programs.folder / "initdb"), "-D", str(half), "-U", "postgres", "-A", "trust"]
        command += [
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--data-checksums",
            *(["-N"] if self._fast else []),
        ]
        done = subprocess.run(
            command, cwd="/", env=ENVIRONMENT, capture_output=True, check=False, **self.account.switch()
        )
        if done.returncode:
            raise LocalPartError(f"initdb failed: {done.stderr.decode(errors='replace').strip()}")
        half.rename(self.data)

    def _launch(self, command: list[str]) -> None:
        with self.log.open("ab") as log:
            self._process = process = subprocess.Popen(
                command,
                cwd="/",
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGINT),
                **self.account.switch(),
            )
        if not _eventually(self.ready, 60, unless=lambda: process.poll() is not None):
            self.stop()
            raise LocalPartError(f"Postgres did not start: {self.last_words()} (all of it in {self.log})")

    def _server_pid(self) -> int | None:
        """The process that serves our data, whoever started it. Its number alone may belong to another process by
        now."""
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            return pid if self._works_here(pid) else None
        return None

    def _is_foreign(self) -> bool:
        """Whether the server uses another socket than ours, according to line 5 of its lock file."""
        with contextlib.suppress(FileNotFoundError, IndexError):
            return (self.data / "postmaster.pid").read_text().splitlines()[4] != str(self._sockets)
        return False

    def _clear_stale_lock(self) -> None:
        """Wait for the remains of a killed server to end, and remove its lock file.

        Children of a killed server continue to write for a moment, and a new server beside them would damage the data.
        Also, Postgres refuses to start while any process has the number in the lock file.
        """
        if self._process is not None:
            self._process.poll()
        if not _eventually(lambda: not self._workers(), 30):
            raise LocalPartError(f"Processes {self._workers()} still use {self.data}. Stop them first.")
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            lock = self.data / "postmaster.pid"
            if Path(f"/proc/{int(lock.read_text().splitlines()[0])}").exists():
                lock.unlink()

    def _workers(self) -> list[int]:
        """Every process that works inside our data: the server and its children."""
        numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [pid for pid in numbers if self._works_here(pid)]

    def _works_here(self, pid: int) -> bool:
        with contextlib.suppress(OSError):  # it has ended, or belongs to somebody else
            return Path(f"/proc/{pid}/cwd").readlink() == self.data
        return False

    def last_words(self) -> str:
        """The server's last lines, for a message to people."""
        lines = self.log.read_text(errors="replace").splitlines()[-12:] if self.log.exists() else []
        telling = [line for line in lines if re.search(r"FATAL|PANIC|HINT|could not|error", line)]
        return " / ".join(telling[-3:] or lines[-1:]) or "it said nothing"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """If two processes start the same server at once, only one does it."""
        with (self.place / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _eventually(true: Callable[[], bool], seconds: float, unless: Callable[[], bool] = lambda: False) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if unless() or time.monotonic() > deadline:
            return False
        time.sleep(0.03)
    return True
