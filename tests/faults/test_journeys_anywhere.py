"""The journeys of both sides again: over TLS and STARTTLS, and on servers with fewer extensions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from app.mail.child import MailParser
from tests.cast import Cast
from tests.faults.conftest import spread
from tests.faults.ways import HIDES, WAYS, Servers
from tests.proxy import NEW_KEYWORDS
from tests.sync import test_both_ways as journeys
from tests.sync.stage import Stage, connected

pytestmark = pytest.mark.faults

# All tests are collected here again, with the stage below.
globals().update({name: test for name, test in vars(journeys).items() if name.startswith("test_")})

#: Without UIDPLUS we cannot remove the moved original alone, so it stays, marked as deleted.
_ABOUT: dict[str, tuple[str, ...]] = {
    "test_spam_goes_to_junk_and_comes_back": ("UIDPLUS",),
}
_numbers = itertools.count()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "way" in metafunc.fixturenames:
        about = {NEW_KEYWORDS, *_ABOUT.get(metafunc.function.__name__, ())}
        spread(metafunc, "way", [way for way in WAYS if not about & {*HIDES.get(way, ())}], next(_numbers))


@pytest.fixture
def stage(way: str, servers: Servers, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    with servers.account(way) as account, connected(account, parser) as stage:
        yield stage
