from __future__ import annotations

from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.conversations.tag import make_tag
from app.inbox.mailboxes.mailbox import Mode
from tests.cast import Cast, mailbox
from tests.commands.conftest import Run


def test_thunderbird_gets_names_and_colours_for_owners_statuses_and_tags(run: Run, cast: Cast) -> None:
    with transaction() as session:
        make_tag(session, mailbox(session), "billing", by=COMMAND, label='He said "pay"\\now', hue=1)
    script = run("mailbox", "tags", "Support", "--format", "thunderbird").stdout
    assert 'user_pref("mailnews.tags.assigned-carla.tag", "Assigned: Carla");' in script
    assert 'user_pref("mailnews.tags.state-pending.tag", "Pending");' in script
    assert 'user_pref("mailnews.tags.$junk.' not in script
    assert r'user_pref("mailnews.tags.billing.tag", "He said \"pay\"\\now");' in script
    assert 'user_pref("mailnews.tags.billing.color", "#1e7470");' in script
    assert "assigned-dora" not in script  # an observer owns nothing


def test_a_server_without_keywords_has_no_tags_to_show(run: Run, cast: Cast) -> None:
    with transaction() as session:
        mailbox(session).mode = Mode.DATABASE
    done = run("mailbox", "tags", "Support", "--format", "thunderbird")
    assert done.exit_code == 1
    assert "keeps no keywords" in done.stderr
