from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.mail.child import MailParser


@pytest.fixture(scope="session")
def parser() -> Iterator[MailParser]:
    with MailParser() as parser:
        yield parser
