"""All settings, read once from the environment. If a value is wrong, the start stops with its name and the expected
form."""

from __future__ import annotations

import os
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from nacl.public import PrivateKey

T = TypeVar("T")
#: A file in the home folder.
LOCAL_DATABASE_URL = "local_database_url"


class ConfigError(Exception):
    """A setting is missing or wrong; the text names it and the expected form."""


@dataclass(frozen=True)
class Config:
    """The settings of one process; README.md lists them for people."""

    database_url: str | None  #: None: the local Postgres of `make run` and `make demo`
    home: Path
    secret_key: bytes
    seal_public_key: bytes  #: seals mailbox passwords; every process may have it
    seal_key: bytes | None  #: opens them; only worker and commands get it
    base_url: str
    bind: str = "127.0.0.1:8000"
    trusted_proxies: int = 0
    metrics_token: str | None = None
    log: str = "text"
    sync_seconds: int = 60
    undo_seconds: int = 10
    web_database_role: str | None = None  #: `flask migrate` gives it the rights that pages need

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ, *, opens_secrets: bool = False) -> Config:
        """Read the settings. `opens_secrets` is for the worker and the commands: it loads the sealing key."""
        read = _Reader(env)
        home = Path(read.text("HOME") or "var").resolve()
        seal_key, seal_public_key = _seal_keys(read, home, opens_secrets=opens_secrets)
        bind = read.parsed("BIND", _bind, "host:port", "127.0.0.1:8000")
        return cls(
            database_url=read.parsed("DATABASE_URL", database_url, "postgresql://…", None),
            home=home,
            secret_key=read.parsed("SECRET_KEY", _secret_key, "at least 32 characters", None)
            or _kept(home / "secret_key", lambda: secrets.token_hex(32).encode()),
            seal_public_key=seal_public_key,
            seal_key=seal_key,
            base_url=read.parsed("BASE_URL", _base_url, "http(s)://host", f"http://{bind}"),
            bind=bind,
            trusted_proxies=read.parsed("TRUSTED_PROXIES", _natural, "a number of proxies, 0 or more", 0),
            metrics_token=read.text("METRICS_TOKEN"),
            log=read.parsed("LOG", _log, "text or json", "text"),
            sync_seconds=read.parsed("SYNC_SECONDS", _positive, "a number of seconds, 1 or more", 60),
            undo_seconds=read.parsed("UNDO_SECONDS", _natural, "a number of seconds, 0 or more", 10),
            web_database_role=read.parsed("WEB_DATABASE_ROLE", _role, "the name of a role: a-z, 0-9 and _", None),
        )

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")

    def cookie(self, name: str) -> str:
        """The name of a cookie. Under https, browsers accept `__Host-` only from this host and encrypted (RFC
        6265bis)."""
        return f"__Host-{name}" if self.is_https else name


def local_database_url(home: Path) -> str:
    """The address of the local Postgres in `home`, as `make run` recorded it at its last start.

    If it never ran, no server answers at this address."""
    try:
        return (home / LOCAL_DATABASE_URL).read_text(encoding="utf-8").strip()
    except OSError:
        return f"postgresql+psycopg://postgres@/signalbox?host={home / 'postgres' / 'run'}"


class _Reader:
    """Reads `SIGNALBOX_<NAME>`, or the file that `SIGNALBOX_<NAME>_FILE` names."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    def text(self, name: str) -> str | None:
        value = self._env.get(f"SIGNALBOX_{name}")
        file = self._env.get(f"SIGNALBOX_{name}_FILE")
        if value and file:
            raise ConfigError(f"SIGNALBOX_{name} and SIGNALBOX_{name}_FILE are both set. Keep one.")
        if file:
            try:
                return Path(file).read_text(encoding="utf-8").strip() or None
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"SIGNALBOX_{name}_FILE: cannot read {file} ({error}).") from error
        return (value or "").strip() or None

    def parsed(self, name: str, parse: Callable[[str], T], expected: str, default: T) -> T:
        value = self.text(name)
        if value is None:
            return default
        try:
            return parse(value)
        except ValueError as error:
            shown = "its value" if name.endswith(("KEY", "URL", "TOKEN")) else repr(value)
            raise ConfigError(f"SIGNALBOX_{name}: {shown} is not valid; expected {expected}.") from error


def database_url(value: str) -> str:
    """The URL in SQLAlchemy's form, with psycopg. Raises ValueError for anything but Postgres."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError  # not every process has a URL to parse

    scheme, rest = value.split("://", 1)
    if scheme not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise ValueError(scheme)
    url = f"postgresql+psycopg://{rest}"
    try:
        make_url(url)
    except ArgumentError as error:
        raise ValueError(url) from error
    return url


def _bind(value: str) -> str:
    host, port = value.rsplit(":", 1)
    if not host or not 0 < int(port) < 65536:
        raise ValueError(value)
    return value


def _base_url(value: str) -> str:
    if not value.startswith(("http://", "https://")) or len(value) < 10:
        raise ValueError(value)
    return value.rstrip("/")


def _natural(value: str) -> int:
    if int(value) < 0:
        raise ValueError(value)
    return int(value)


def _positive(value: str) -> int:
    if int(value) < 1:
        raise ValueError(value)
    return int(value)


def _log(value: str) -> str:
    if value not in ("text", "json"):
        raise ValueError(value)
    return value


def _role(value: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", value):
        raise ValueError(value)
    return value


def _secret_key(value: str) -> bytes:
    if len(value) < 32:
        raise ValueError("too short")
    return value.encode()


def _key(value: str) -> bytes:
    key = b64decode(value, validate=True)
    if len(key) != 32:
        raise ValueError("not 32 bytes")
    return key


def _seal_keys(read: _Reader, home: Path, *, opens_secrets: bool) -> tuple[bytes | None, bytes]:
    """(private or None, public). Missing keys are created once in the home folder, by a command; the web only reads the
    public one."""
    public = read.parsed("SEAL_PUBLIC_KEY", _key, "32 bytes in base64", None)
    if not opens_secrets:
        return None, public or _public_of_home(home)
    private = read.parsed("SEAL_KEY", _key, "32 bytes in base64", None)
    if private is None and public is not None:
        raise ConfigError("SIGNALBOX_SEAL_KEY is missing. The worker and the commands need it to open passwords.")
    if private is None:
        private = _key_in(home / "seal_key", _kept(home / "seal_key", lambda: b64encode(bytes(PrivateKey.generate()))))
        _kept(home / "seal_public_key", lambda: b64encode(_public(private)))
    if public is not None and public != _public(private):
        raise ConfigError(
            "SIGNALBOX_SEAL_PUBLIC_KEY does not belong to SIGNALBOX_SEAL_KEY: set the pair made together."
        )
    return private, _public(private)


def _public(private: bytes) -> bytes:
    return bytes(PrivateKey(private).public_key)


def _public_of_home(home: Path) -> bytes:
    """The web process never creates keys, because the private key would pass through its memory."""
    path = home / "seal_public_key"
    try:
        return _key_in(path, path.read_bytes().strip())
    except OSError as error:
        raise ConfigError(f"{path} does not exist yet. Run `flask migrate` first; it creates the keys.") from error


def _key_in(path: Path, content: bytes) -> bytes:
    try:
        return _key(content.decode())
    except ValueError as error:
        raise ConfigError(f"{path} has no valid key. Restore it from a backup.") from error


def _kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """The content of `path`, created once with mode 0600. Two processes that start together use the same content: it is
    complete before the name exists, and the name is given only once."""
    try:
        if not path.exists():
            _make_once(path, make())
        return path.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"SIGNALBOX_HOME: {path} cannot be created or read ({error.strerror}).") from error


def _make_once(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    half.touch(mode=0o600)
    try:
        half.write_bytes(content)
        os.link(half, path)
    except FileExistsError:
        pass
    finally:
        half.unlink()
