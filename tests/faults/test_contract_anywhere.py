"""The contract suite of ImapSession again, over TLS and STARTTLS and on servers with fewer extensions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.dovecot import Account
from tests.faults.conftest import spread
from tests.faults.ways import HIDES, WAYS, Servers
from tests.mail import test_imap_contract as contract
from tests.mail.test_imap_contract import session
from tests.proxy import NEW_KEYWORDS

__all__ = ["session"]
pytestmark = pytest.mark.faults

# All tests are collected here again, with the account below.
globals().update({name: test for name, test in vars(contract).items() if name.startswith("test_")})

#: The subject of a test cannot be hidden from it.
_ABOUT: dict[str, tuple[str, ...]] = {
    "test_select_reports_everything_that_a_round_needs": ("CONDSTORE", NEW_KEYWORDS),
    "test_a_bookmark_brings_exactly_the_changes_since": ("QRESYNC", "CONDSTORE"),
    "test_a_bookmark_of_another_uidvalidity_says_so_instead_of_pretending": ("QRESYNC", "CONDSTORE"),
    "test_flags_are_added_and_removed_without_touching_others": (NEW_KEYWORDS,),
    "test_flags_of_more_messages_than_fit_into_one_command": (NEW_KEYWORDS,),
    "test_moving_tells_the_new_uids_and_takes_the_keywords_along": ("UIDPLUS", NEW_KEYWORDS),
    "test_appending_returns_the_uid_and_keeps_flags_and_time": ("UIDPLUS",),
    "test_without_move_messages_are_copied_and_only_they_are_expunged": ("UIDPLUS",),
    "test_single_messages_are_expunged": ("UIDPLUS",),
    "test_idle_hears_of_mail_flags_and_expunges": ("IDLE",),
    "test_a_quiet_folder_does_not_ring": ("IDLE",),
    "test_a_connection_that_dies_while_waiting_is_unreachable_at_once": ("IDLE",),
    "test_one_connection_hears_of_several_folders": ("NOTIFY",),
    "test_a_folder_with_any_name_is_made_filled_read_and_deleted": ("UIDPLUS",),
    "test_shared_folders_of_another_namespace_can_be_used": ("UIDPLUS", NEW_KEYWORDS),
}
_numbers = itertools.count()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "way" in metafunc.fixturenames:
        about = set(_ABOUT.get(metafunc.function.__name__, ()))
        spread(metafunc, "way", [way for way in WAYS if not about & {*HIDES.get(way, ())}], next(_numbers))


@pytest.fixture
def box(way: str, servers: Servers) -> Iterator[Account]:
    with servers.account(way) as account:
        yield account
