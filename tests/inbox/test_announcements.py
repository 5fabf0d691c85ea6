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
def test_what_is_told_arrives(announcement: Announcement) -> None:
    assert decoded(encoded(announcement)) == announcement


@pytest.mark.parametrize(
    "payload", ["", "{}", "[]", "7", '{"kind": "Unheard"}', '{"kind": "PushWanted"}', '{"kind": []}']
)
def test_what_another_version_tells_is_ignored(payload: str) -> None:
    assert decoded(payload) is None


def test_of_a_conversation_the_last_is_told_and_a_push_that_was_asked_for() -> None:
    first, last = ConversationChanged(1, 2, 3, push=True), ConversationChanged(1, 2, 4)
    assert first.about == last.about != ConversationChanged(1, 3, 1).about
    assert last.after(first) == ConversationChanged(1, 2, 4, push=True)
