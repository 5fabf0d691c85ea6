"""Promise 4: any server. Signalbox tests what a server keeps, says so and never pretends more. Real servers, configured
to lack something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server.health import health
from app.mail.child import MailParser
from app.sync import connect
from app.sync.compare.drift import drift
from local.dovecot import Format
from tests.cast import Cast
from tests.dovecot import Account, fresh_account, mail, running_dovecot
from tests.mail.test_probe import READ_AND_SEEN_ONLY, account_with_rights
from tests.sync.stage import KEY, Stage, connected, conversation
from tests.web.conftest import Browser, app, app_on, browser, carla

__all__ = ["app", "app_on", "browser", "carla"]

BARE = "imap_capability = IMAP4rev1\n"


@pytest.fixture(scope="module")
def parser() -> Iterator[MailParser]:
    with MailParser() as parser:
        yield parser


@pytest.fixture(params=["maildir", "sdbox"])
def bare_account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """On a server that only offers IMAP4rev1 of 2003."""
    format: Format = request.param  # noqa: A001  (Dovecot's own word)
    with running_dovecot(format, extra_config=BARE) as dovecot:
        yield fresh_account(dovecot)


def report(stage: Stage) -> dict[str, Any]:
    return connect.check(stage.mailbox_id, private_key=bytes(KEY))


def differences(stage: Stage) -> list[object]:
    return list(drift(stage.mailbox_id, private_key=bytes(KEY)).lines)


def test_a_server_that_can_next_to_nothing_keeps_the_state_both_ways(
    bare_account: Account, parser: MailParser, cast: Cast, carla: Browser
) -> None:
    bare_account.append(mail("One"))
    bare_account.append(mail("Two"))
    with connected(bare_account, parser) as stage:
        told = report(stage)
        assert told["mode"] == "keywords"
        assert {"no_condstore", "no_move", "no_uidplus", "no_idle"} <= set(told["warnings"])
        stage.round()
        stage.act(1, Conversation.claim)
        stage.act(2, Conversation.mark_spam)
        stage.account.add_flags(stage.uid(2), "billing")
        stage.round()
        stage.round()
        assert stage.shown(1) == {"assigned-carla"}
        assert {"$Junk", "billing"} <= stage.shown(2, "Junk")
        stage.account.remove_flags(stage.uid(1), "assigned-carla")
        stage.account.add_flags(stage.uid(1), "assigned-ben", "state-closed")
        stage.round()
        with transaction() as session:
            one = conversation(session, 1)
            assert (one.owner, one.status) == ("ben", "closed")
            id_ = one.id
        assert differences(stage) == []
        assert "Any mail client on this mailbox can show and change these" in carla.page(f"/conversations/{id_}")


def test_a_server_that_keeps_no_keywords_is_said_to_keep_none_and_gets_none(
    parser: MailParser, cast: Cast, carla: Browser
) -> None:
    with account_with_rights(READ_AND_SEEN_ONLY) as account:
        uid = account.append(mail("One"))
        with connected(account, parser) as stage:
            told = report(stage)
            assert told["mode"] == "database"
            assert "no_keywords" in told["warnings"]
            stage.round()
            stage.act(1, Conversation.claim)
            stage.act(1, Conversation.tag, "billing", by="ben")
            stage.act(1, Conversation.close)
            stage.round()
            assert account.flags(uid) == set()
            with transaction() as session:
                one = conversation(session, 1)
                assert (one.owner, one.status, [tag.name for tag in one.tags]) == ("carla", "closed", ["billing"])
                well = health(session, session.get_one(Mailbox, stage.mailbox_id))
                assert (well.state, well.waiting_push, well.refused) == ("ok", 0, 0)
                id_ = one.id
            assert differences(stage) == []
            assert "does not keep keywords, so owner, status and tags are kept here only" in carla.page(
                f"/conversations/{id_}"
            )
