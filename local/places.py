"""The folders in which local servers run, and the user.

Postgres and Dovecot refuse to run as root, so under root they run as an unprivileged account of the machine. That
account must be able to enter their folder. A clone below a 0700 home is out of its reach, so the folder is then in
/var/lib/signalbox/<hash> instead. For an ordinary user none of this applies.
"""

from __future__ import annotations

import ctypes
import grp
import hashlib
import os
import pwd
import signal
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

SYSTEM_HOME = Path("/var/lib/signalbox")
_PR_SET_PDEATHSIG = 1
#: Loaded here and not in the child, because nothing may take a lock between fork and exec.
_libc = ctypes.CDLL(None)


class LocalPartError(Exception):
    """A local part cannot be started; the text says what to do."""


class SwitchUser(TypedDict, total=False):
    """Arguments of `subprocess` that run a program as another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class SystemUser:
    """The operating-system user that a local server runs as."""

    name: str
    group: str
    uid: int
    gid: int

    def switch(self) -> SwitchUser:
        """The arguments of `subprocess` that run a program as this account; empty if we are that account."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def owns(self, folder: Path) -> None:
        """Create `folder` with mode 0700 and give it to this account."""
        folder.mkdir(parents=True, exist_ok=True)
        try:
            if self.uid != os.geteuid():
                os.chown(folder, self.uid, self.gid)
            folder.chmod(0o700)
        except PermissionError as error:
            raise LocalPartError(f"{folder} belongs to another user. Start as that user, or move it away.") from error


def account(*preferred: str) -> SystemUser:
    """Our own account, or under root the first of these users that the machine has (`nobody` always exists)."""
    if os.geteuid() != 0:
        return _account(pwd.getpwuid(os.geteuid()))
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in (*preferred, "nobody"):
        if name in known:
            return _account(known[name])
    raise LocalPartError(
        "Local servers do not run as root, and there is no user `nobody`: run this as an ordinary user."
    )


def reachable_folder(folder: Path, who: SystemUser) -> Path:
    """`folder` (created), or its replacement below /var/lib/signalbox if `who` cannot enter it."""
    folder = folder.resolve()
    stand_in = SYSTEM_HOME / _digest(folder)
    if not stand_in.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        if _can_enter(folder.parent, who):
            who.owns(folder)
            return folder
    stand_in.mkdir(parents=True, exist_ok=True)
    SYSTEM_HOME.chmod(0o755)
    who.owns(stand_in)
    return stand_in


def socket_folder(folder: Path, who: SystemUser, longest_name: int) -> Path:
    """`folder`, or a short one in /tmp if a socket's path would exceed the kernel's 108 bytes."""
    if len(os.fsencode(folder)) + 1 + longest_name < 107:
        who.owns(folder)
        return folder
    short = Path("/tmp") / f"signalbox-{_digest(folder)}"  # noqa: S108  (checked below: nobody else's is taken)
    short.mkdir(mode=0o700, exist_ok=True)
    if short.is_symlink() or short.stat().st_uid not in (os.geteuid(), who.uid):
        raise LocalPartError(f"{short} belongs to another user. Remove it and start again.")
    who.owns(short)
    return short


def dies_with_parent(with_signal: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends this signal when the thread that started the process ends."""

    def ask_kernel() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(with_signal))

    return ask_kernel


def free_port() -> int:
    """A TCP port of 127.0.0.1 that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _account(entry: pwd.struct_passwd) -> SystemUser:
    try:
        group = grp.getgrgid(entry.pw_gid).gr_name
    except KeyError:
        group = str(entry.pw_gid)
    return SystemUser(entry.pw_name, group, entry.pw_uid, entry.pw_gid)


def _can_enter(folder: Path, who: SystemUser) -> bool:
    command = ["/usr/bin/test", "-x", str(folder)]
    return subprocess.run(command, check=False, cwd="/", **who.switch()).returncode == 0


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
