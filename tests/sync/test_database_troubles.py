"""What the database does to us: what it refuses again and again is told as a failure, not waited for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from app.db import transaction
from app.inbox.mailbox import Mailbox
from app.mail.child import MailParser
from tests.cast import Cast
from tests.dovecot import Account, mail
from tests.sync.stage import Stage, connected
from tests.waiting import eventually

#: What Postgres says of a statement that took longer than `statement_timeout`.
_TAKES_TOO_LONG = """
CREATE FUNCTION takes_too_long() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN RAISE query_canceled USING MESSAGE = 'canceling statement due to statement timeout'; END $$;
CREATE TRIGGER takes_too_long BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION takes_too_long();
"""


@pytest.fixture
def stage(account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    with connected(account, parser) as stage:
        yield stage


def test_a_statement_that_always_takes_too_long_is_told_as_a_failure(stage: Stage) -> None:
    stage.account.append(mail())
    with transaction() as session:
        session.execute(text(_TAKES_TOO_LONG))
    service = stage.service()
    service.start()
    try:
        eventually(lambda: _told(stage) == ("failing", "internal"))
    finally:
        service.stop()
        service.join()
    with transaction() as session:
        assert "statement timeout" in (session.get_one(Mailbox, stage.mailbox_id).error_text or "")


def _told(stage: Stage) -> tuple[str, str | None]:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, stage.mailbox_id)
        return mailbox.state, mailbox.error_code
