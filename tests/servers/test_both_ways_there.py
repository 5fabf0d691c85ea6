"""The journeys of both sides again, on Cyrus and on Courier."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.mail.child import MailParser
from tests.cast import Cast
from tests.servers.client import ClientAccount
from tests.servers.conftest import There
from tests.sync import test_both_ways as journeys
from tests.sync.stage import connected

pytestmark = pytest.mark.faults

# All tests are collected here again, with the stage below.
globals().update({name: test for name, test in vars(journeys).items() if name.startswith("test_")})


@pytest.fixture
def stage(other_account: ClientAccount, parser: MailParser, cast: Cast) -> Iterator[There]:
    with connected(other_account, parser) as stage:
        yield stage
