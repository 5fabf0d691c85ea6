from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.mail.child import MailParser
from local.dovecot import LocalDovecot
from tests.cast import Cast
from tests.commands.conftest import Run, run_on
from tests.dovecot import fresh_account
from tests.faults.ways import Servers, through
from tests.proxy import Proxy, proxied
from tests.sync.stage import Stage, connected
from tests.web.conftest import Browser, app, app_on, browser, nobody

__all__ = ["app", "app_on", "browser", "nobody"]

#: All of it (`make faults`), or a sample (`make test`).
LONG = os.environ.get("SIGNALBOX_FAULTS") == "long"


@pytest.fixture(scope="session")
def parser() -> Iterator[MailParser]:
    with MailParser() as parser:
        yield parser


@pytest.fixture(scope="session")
def servers(sdbox_server: LocalDovecot) -> Iterator[Servers]:
    with Servers(sdbox_server) as servers:
        yield servers


@pytest.fixture
def mail_server(sdbox_server: LocalDovecot) -> LocalDovecot:
    """A module may override it with its own server."""
    return sdbox_server


@pytest.fixture
def proxy(mail_server: LocalDovecot) -> Iterator[Proxy]:
    with proxied(mail_server.port) as proxy:
        yield proxy


@pytest.fixture
def stage(proxy: Proxy, mail_server: LocalDovecot, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    """A connected mailbox, reached through the proxy."""
    with connected(through(fresh_account(mail_server), proxy.port), parser) as stage:
        yield stage


def spread(metafunc: pytest.Metafunc, argument: str, ways: list[str], number: int) -> None:
    """Run the test in all of these ways. In a sample it runs in one of them, and the next test in the next."""
    metafunc.parametrize(argument, ways if LONG else [ways[number % len(ways)]])


@dataclass(frozen=True)
class Admin:
    """Ana, who looks at the health of the mailbox on the stage."""

    browser: Browser
    run: Run

    def page(self, stage: Stage) -> str:
        """The words of the mailbox's page."""
        return re.sub(r"<[^>]+>", " ", self.browser.page(f"/admin/mailboxes/{stage.mailbox_id}"))

    def listed(self) -> str:
        """`flask mailbox list`: the lines about it."""
        said: str = self.run("mailbox", "list").stdout
        return re.search(r"^Shop.*(\n  .*)*", said, re.MULTILINE)[0]  # type: ignore[index]  # it is always listed


@pytest.fixture
def admin(browser: Callable[[str], Browser], database: str, tmp_path: Path) -> Admin:
    return Admin(browser("ana"), run_on(database, tmp_path))
