"""Announcements of transactions to other processes, in the form in which they are sent."""

from __future__ import annotations

import pytest

from app.announcements import (
    Announcement,
    AttemptWaits,
    ComparisonWaits,
    ConversationChanged,
    HealthChanged,
    PullWanted,
    PushWanted,
    decoded,
    encoded,
)


@pytest.mark.parametrize(
    "announcement",
    [
        ConversationChanged(1, 2, 3, push=True),
        HealthChanged(1, "ok"),
        PushWanted(1),
        PullWanted(1),
        AttemptWaits(),
        ComparisonWaits(),
    ],
    ids=lambda one: type(one).__name__,
)
def test_an_announcement_arrives(announcement: Announcement) -> None:
    assert decoded(encoded(announcement)) == announcement


@pytest.mark.parametrize(
    "payload", ["", "{}", "[]", "7", '{"kind": "Unheard"}', '{"kind": "PushWanted"}', '{"kind": []}']
)
def test_announcements_of_another_version_are_ignored(payload: str) -> None:
    assert decoded(payload) is None


def test_only_the_last_change_of_a_conversation_is_announced_with_any_push() -> None:
    first, last = ConversationChanged(1, 2, 3, push=True), ConversationChanged(1, 2, 4)
    assert first.about == last.about != ConversationChanged(1, 3, 1).about
    assert last.after(first) == ConversationChanged(1, 2, 4, push=True)
