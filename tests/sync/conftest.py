from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.inbox.conversations.conversation import Conversation
from app.mail.child import MailParser
from tests.cast import Cast
from tests.dovecot import Account, mail
from tests.sync.modes import number_of
from tests.sync.stage import Stage, connected


@pytest.fixture(scope="session")
def parser() -> Iterator[MailParser]:
    with MailParser() as parser:
        yield parser


@pytest.fixture
def stage(any_account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    """A connected mailbox, once on Maildir and once on sdbox, without mail."""
    with connected(any_account, parser) as stage:
        yield stage


@pytest.fixture
def shared(any_account: Account, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    """Three conversations on which both sides agree: Carla's, which is closed, Ben's with a tag, and a bare one."""
    for subject in ("Hers", "His", "Bare"):
        any_account.append(mail(subject, message_id=f"<{subject.lower()}@example.com>"))
    with connected(any_account, parser) as stage:
        stage.round()
        stage.act(number_of("Hers"), Conversation.claim)
        stage.act(number_of("Hers"), Conversation.close)
        stage.act(number_of("His"), Conversation.claim, by="ben")
        stage.act(number_of("His"), Conversation.tag, "billing", by="ben")
        stage.round()
        yield stage
