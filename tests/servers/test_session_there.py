"""The promises of ImapSession, again on Cyrus and on Courier, except those that depend on a server's configuration."""

from __future__ import annotations

import pytest

from tests.mail import test_imap_contract as contract
from tests.mail.test_imap_contract import session
from tests.servers.client import ClientAccount

__all__ = ["session"]
pytestmark = pytest.mark.faults

_PROMISES = (
    "test_a_missing_folder_is_distinguished_from_a_refusal",
    "test_flags_are_added_and_removed_without_touching_others",
    "test_an_invalid_name_never_reaches_the_server",
    "test_a_line_end_cannot_be_smuggled_into_any_command",
    "test_a_copied_mail_can_be_deleted_separately_and_again",
    "test_single_messages_are_expunged",
    "test_idle_hears_of_mail_flags_and_expunges",
    "test_a_quiet_folder_does_not_ring",
    "test_a_connection_that_dies_while_waiting_is_unreachable_at_once",
    "test_a_dead_connection_is_unreachable_for_every_command",
    "test_a_guard_that_forbids_stops_before_anything_is_sent",
    "test_every_trouble_is_a_sentence",
)

globals().update({name: getattr(contract, name) for name in _PROMISES})


@pytest.fixture
def box(other_account: ClientAccount) -> ClientAccount:
    return other_account
