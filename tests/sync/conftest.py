from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.mail.child import MailParser
from tests.cast import Cast
from tests.dovecot import Account
from tests.sync.stage import Stage, connected


@pytest.fixture(scope="session")
def parser() -> Iterator[MailParser]:
    with MailParser() as parser:
        yield parser


@pytest.fixture
def stage(any_account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    """A connected mailbox, once on Maildir and once on sdbox, still without mail."""
    with connected(any_account, parser) as stage:
        yield stage
