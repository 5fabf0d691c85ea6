from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from app.db import transaction
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server.health import Health, health
from app.mail.child import MailParser
from app.sync.compare.drift import DriftLine, drift
from tests.cast import Cast
from tests.dovecot import PASSWORD
from tests.faults.conftest import LONG
from tests.faults.ledger import come_to_rest
from tests.servers.client import ClientAccount
from tests.servers.courier import Courier
from tests.servers.cyrus import Cyrus
from tests.servers.process import OtherServer, running
from tests.sync.conftest import parser
from tests.sync.stage import KEY, Stage, connected

__all__ = ["parser"]

MAKES = ["cyrus", "courier"]
There = Stage[ClientAccount]
#: Too long for `make test`; its sample is in the other files.
collect_ignore = [] if LONG else ["test_both_ways_there.py", "test_session_there.py", "test_worker_there.py"]
_numbers = itertools.count(1)


def how(stage: There) -> Health:
    with transaction() as session:
        return health(session, session.get_one(Mailbox, stage.mailbox_id))


def differences(stage: There) -> list[DriftLine]:
    """The differences that a comparison shows an administrator."""
    return drift(stage.mailbox_id, private_key=bytes(KEY)).lines


@pytest.fixture(scope="session")
def cyrus() -> Iterator[Cyrus]:
    server = Cyrus()
    with running(server):
        yield server


@pytest.fixture(scope="session")
def courier() -> Iterator[Courier]:
    server = Courier()
    with running(server):
        yield server


def fresh(server: OtherServer) -> ClientAccount:
    """A new account there."""
    user = f"box{next(_numbers)}"
    server.add_user(user, PASSWORD)
    return ClientAccount(server, user)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test runs on all makes. In a sample it runs only on Cyrus, because Courier sleeps two seconds for each folder
    it deletes."""
    chosen = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "make" in metafunc.fixturenames and "make" not in chosen:
        metafunc.parametrize("make", MAKES if LONG else MAKES[:1])


@pytest.fixture
def other_account(request: pytest.FixtureRequest, make: str) -> ClientAccount:
    """A fresh account on a server of this make."""
    return fresh(request.getfixturevalue(make))


@pytest.fixture
def stage(other_account: ClientAccount, parser: MailParser, cast: Cast) -> Iterator[There]:
    """A connected mailbox there, whose import has ended."""
    with connected(other_account, parser) as stage:
        come_to_rest(stage)
        yield stage
