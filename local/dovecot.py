"""Runs a real Dovecot on 127.0.0.1, the mail server of the demo and the tests.

It needs only the `dovecot` program (Debian's package dovecot-imapd, version 2.3). It writes into a single folder. It is
a child of the process that starts it and ends with it, even after a kill -9.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from local.places import LocalPartError, account, dies_with_parent, reachable_folder, socket_folder

Format = Literal["maildir", "sdbox"]
SPECIAL_USE = ("Sent", "Drafts", "Trash", "Junk", "Archive")


@dataclass(frozen=True)
class Tls:
    """Certificate and key in PEM. `port` speaks TLS from the start; the plain port then offers STARTTLS."""

    certificate: Path
    key: Path
    port: int


class LocalDovecot:
    """One server in one folder. `public_folders` are made in a namespace `Public/` that all users share."""

    def __init__(
        self,
        base: Path,
        port: int,
        *,
        users: Mapping[str, str],
        format: Format = "sdbox",  # noqa: A002  (Dovecot's own word)
        tls: Tls | None = None,
        public_folders: Sequence[str] = (),
        extra_config: str = "",
    ) -> None:
        self.port = port
        self._account = account("dovecot")
        self.base = reachable_folder(base, self._account)
        self._format, self._tls, self._public, self._extra = format, tls, tuple(public_folders), extra_config
        self._users = dict(users)
        self._process: subprocess.Popen[bytes] | None = None
        self._run: Path | None = None

    @property
    def log(self) -> Path:
        return self.base / "dovecot.log"

    @property
    def _config(self) -> Path:
        return self.base / "dovecot.conf"

    def prepare(self) -> list[str]:
        """Write folders, users and configuration. Returns the command that runs the server in the foreground."""
        program = _program()
        for folder in (self.base, self.base / "mail", self.base / "users"):
            self._account.owns(folder)
        run = socket_folder(self.base / "run", self._account, len("dovecot/srv.imap-hibernate-12345678")) / "dovecot"
        run.mkdir(mode=0o755, exist_ok=True)
        self._run = run
        self._config.write_text(self._configuration(run), encoding="utf-8")
        self._write_users()
        return [program, "-F", "-c", str(self._config)]

    def start(self) -> None:
        command = self.prepare()
        with (self.base / "console.log").open("wb") as console:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, cwd="/",
                start_new_session=True, preexec_fn=dies_with_parent(signal.SIGTERM),
            )  # fmt: skip
        try:
            self._wait_until_ready(self._process)
        except LocalPartError:
            self.stop()
            raise
        for name in self._public:
            self.doveadm("mailbox", "create", "-u", next(iter(self._users)), f"Public/{name}", check=False)

    def stop(self) -> None:
        """End the server and every session with it."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it like a power cut."""
        self._end(signal.SIGKILL)

    def ready(self) -> bool:
        """Whether it greets clients."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                return connection.recv(4) == b"* OK"
        except OSError:
            return False

    def last_words(self) -> str:
        """The last lines of the server's log, for a message to people."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return " / ".join(lines[-3:])

    def add_user(self, name: str, password: str) -> None:
        """Create an account at once, or change its password; no restart is needed."""
        self._users[name] = password
        self._write_users()

    def doveadm(self, *args: str, check: bool = True, stdin: bytes | None = None) -> str:
        """Act on the server directly, as an administrator or a mail client would. Returns the output."""
        program = shutil.which("doveadm") or "/usr/bin/doveadm"
        done = subprocess.run(
            [program, "-c", str(self._settings()), *args],
            input=stdin or b"",
            capture_output=True,
            check=False,
            cwd="/",
        )
        if check and done.returncode:
            raise LocalPartError(f"doveadm {' '.join(args)}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode(errors="replace")

    def _settings(self) -> Path:
        """The configuration for programs. A running server has read it already, and reading it again takes half the
        time of each program."""
        running = self._process is not None and self._process.poll() is None
        socket_ = self._run / "config" if self._run and running else None
        return socket_ if socket_ and os.access(socket_, os.W_OK) else self._config

    def _write_users(self) -> None:
        for name, password in self._users.items():
            if not re.fullmatch(r"[a-z0-9@._+-]+", name) or re.search(r"[:\s]", password):
                raise LocalPartError(
                    f"Dovecot account {name!r}: only a-z 0-9 @ . _ + - ; no colon or space in passwords."
                )
            # One file per user: Dovecot checks for changed files only once a second, but reads a new one at once.
            file = self.base / "users" / name
            file.touch(mode=0o600)
            file.write_text(f"{name}:{{PLAIN}}{password}\n")
            os.chown(file, self._account.uid, self._account.gid)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            if self.ready():
                return
            time.sleep(0.02)
        log = (self.base / "console.log").read_text(errors="replace").strip() or self.last_words()
        raise LocalPartError(f"Dovecot did not start on 127.0.0.1:{self.port}: {log or 'see ' + str(self.log)}")

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, how)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None

    def _configuration(self, run: Path) -> str:
        user, group = self._account.name, self._account.group
        mail = {"maildir": "maildir:~/Maildir", "sdbox": "sdbox:~/sdbox"}[self._format]
        return _TEMPLATE.format(
            base=self.base, run=run, port=self.port, user=user, group=group, mail=mail,
            special="".join(_special_use(name) for name in SPECIAL_USE),
            public=_PUBLIC.format(format=self._format, base=self.base) if self._public else "",
            tls=_TLS.format(tls=self._tls) if self._tls else "ssl = no",
            tls_listener=_TLS_LISTENER.format(tls=self._tls) if self._tls else "port = 0",
            extra=self._extra,
        )  # fmt: skip


def _program() -> str:
    program = shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        raise LocalPartError("Dovecot is missing: apt-get install dovecot-imapd")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if not version.startswith("2.3."):
        raise LocalPartError(
            f"The local mail server needs Dovecot 2.3 (as in Debian 12). This machine has {version or '?'}, "
            "which is configured in another language."
        )
    return program


def _special_use(name: str) -> str:
    return f"\n  mailbox {name} {{\n    auto = subscribe\n    special_use = \\{name}\n  }}"


_TEMPLATE = """\
base_dir = {run}
state_dir = {run}
instance_name = signalbox-{port}
log_path = {base}/dovecot.log
protocols = imap
listen = 127.0.0.1
{tls}
disable_plaintext_auth = no
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
first_valid_uid = 1
last_valid_uid = 0
mail_uid = {user}
mail_gid = {group}
mail_home = {base}/mail/%u
mail_location = {mail}
mailbox_list_index = yes
mail_max_userip_connections = 300
mail_fsync = never
auth_mechanisms = plain login
auth_username_format = %Lu
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {base}/users/%Lu
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={base}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /{special}
}}
{public}
default_process_limit = 300
default_client_limit = 1000
# To start a process costs more than most sessions do, so each serves many, one after the other.
service imap-login {{
  service_count = 0
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    {tls_listener}
  }}
}}
service imap {{
  service_count = 1000
}}
# A wrong password costs no growing delay here: only this machine can try one.
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
  unix_listener stats-reader {{
    mode = 0666
  }}
}}
{extra}
"""

_PUBLIC = """\
namespace public {{
  type = public
  separator = /
  prefix = Public/
  location = {format}:{base}/mail/public:INDEXPVT=~/public
  subscriptions = no
  list = yes
}}
"""

_TLS = """\
ssl = yes
ssl_cert = <{tls.certificate}
ssl_key = <{tls.key}
"""

_TLS_LISTENER = """\
address = 127.0.0.1
    port = {tls.port}
    ssl = yes"""
