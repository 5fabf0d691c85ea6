from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from app.local.dovecot import LocalDovecot
from app.mail.child import MailParser
from tests.faults.ways import Servers

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


def spread(metafunc: pytest.Metafunc, argument: str, ways: list[str], number: int) -> None:
    """The test runs on all of these ways; in a sample on one of them, the next test on the next."""
    metafunc.parametrize(argument, ways if LONG else [ways[number % len(ways)]])
