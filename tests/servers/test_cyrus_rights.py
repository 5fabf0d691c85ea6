"""Only Cyrus can show these: rights of single folders (RFC 4314), and a folder that accepts no further keywords."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError
from sqlalchemy import select

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.mail.child import MailParser
from tests.cast import Cast
from tests.dovecot import mail
from tests.faults.conftest import LONG
from tests.faults.ledger import come_to_rest
from tests.servers.conftest import There, differences, fresh, how
from tests.servers.cyrus import Cyrus
from tests.sync.modes import number_of
from tests.sync.stage import connected

pytestmark = pytest.mark.faults

READ = "lr"
READ_AND_SEEN = "lrs"
ALL = "lrswipkxtecda"


@pytest.fixture
def stage(cyrus: Cyrus, parser: MailParser, cast: Cast) -> Iterator[There]:
    """A mailbox with one mail in its Archive."""
    account = fresh(cyrus)
    account.append(mail("Kept", message_id="<kept@x>"), "Archive")
    with connected(account, parser) as stage:
        come_to_rest(stage)
        yield stage


def give(stage: There, cyrus: Cyrus, rights: str) -> None:
    cyrus.give_rights(stage.account.user, "Archive", rights)


@pytest.mark.parametrize("rights", [READ, READ_AND_SEEN] if LONG else [READ_AND_SEEN])
def test_a_folder_where_no_keyword_may_be_written_is_named_and_written_when_the_right_is_given(
    stage: There, cyrus: Cyrus, rights: str
) -> None:
    """Cyrus answers READ-WRITE there; PERMANENTFLAGS is right."""
    give(stage, cyrus, rights)
    stage.account.append(mail("Question"))
    come_to_rest(stage)
    for subject in ("Kept", "Question"):
        stage.act(number_of(subject), Conversation.claim)
    come_to_rest(stage)
    assert stage.account.flags(stage.uid(number_of("Kept"), "Archive"), "Archive") == set()
    assert stage.shown(number_of("Question")) == {"assigned-carla"}
    assert (how(stage).unwritable_folders, how(stage).refused, how(stage).waiting_push) == (["Archive"], 0, 0)
    give(stage, cyrus, ALL)
    come_to_rest(stage)
    assert stage.shown(number_of("Kept"), "Archive") == {"assigned-carla"}
    assert (how(stage).unwritable_folders, how(stage).state) == ([], "ok")
    assert differences(stage) == []


def test_a_folder_that_may_no_longer_be_read_is_named_keeps_its_conversations_and_comes_back(
    stage: There, cyrus: Cyrus
) -> None:
    give(stage, cyrus, "l")
    assert stage.service().once(30) is None
    assert how(stage).refused_folders == ["Archive"]
    with transaction() as session:
        assert session.scalars(select(Copy).where(Copy.gone_at.is_(None), Copy.unmatched_since.is_(None))).all()
    give(stage, cyrus, ALL)
    come_to_rest(stage)
    assert (how(stage).refused_folders, how(stage).unmatched) == ([], 0)
    assert differences(stage) == []


def test_a_client_that_uses_up_the_keywords_of_a_folder_stops_nothing(stage: There) -> None:
    uid = stage.account.append(mail("Full of names"))
    fill_with_keywords(stage, uid)
    stage.account.append(mail("Next"))
    come_to_rest(stage)
    stage.act(number_of("Next"), Conversation.claim)
    come_to_rest(stage)
    assert stage.shown(number_of("Next")) == set()
    assert (how(stage).state, how(stage).no_room, how(stage).waiting_push) == ("ok", 1, 0)
    with transaction() as session:
        assert (
            len(session.scalars(select(Copy).where(Copy.uid == uid, Copy.folder.has(name="INBOX"))).one().keywords) > 50
        )
    assert differences(stage) == []


def fill_with_keywords(stage: There, uid: int) -> None:
    """As many as this server accepts."""
    with stage.account.client("INBOX") as client, pytest.raises(IMAPClientError, match="Too many user flags"):
        add_keywords_without_end(client, uid)


def add_keywords_without_end(client: IMAPClient, uid: int) -> None:
    for number in itertools.count():
        client.add_flags([uid], [f"client-{number}"])
