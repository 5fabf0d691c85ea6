"""An invitation is shown in the reader's language, with its sender's text unchanged."""

from __future__ import annotations

from typing import Any

import pytest

from app.db import transaction
from tests.cast import member
from tests.web.conftest import Browser, new_conversation

EVENT: dict[str, Any] = {
    "kind": "invitation",
    "title": "Service of the <scale>",
    "begins": "2026-12-02T14:00",
    "ends": "2026-12-02T15:00",
    "zone": "Europe/Berlin",
    "repeats": {"unit": "week", "interval": 2, "days": [0, 2], "until": "2026-12-31", "count": 10},
    "place": "Hall 3",
    "organiser": "Otto <otto@x.example>",
    "people": ["help@halden.example", "ana@halden.example"],
    "words": "Bring the code.",
}
ENGLISH = (
    "Invitation: Service of the &lt;scale&gt;", "When", "Wed 2 Dec 2026, 14:00–15:00 (Europe/Berlin)", "Repeats",
    "every 2 weeks, on Mon, Wed, until Thu 31 Dec 2026, 10 times", "Where", "Hall 3", "Organiser",
    "Otto &lt;otto@x.example&gt;", "Invited", "help@halden.example; ana@halden.example", "Bring the code.",
)  # fmt: skip
SPANISH = (
    "Invitación: Service of the &lt;scale&gt;", "Cuándo", "mié 2 dic 2026, 14:00–15:00 (Europe/Berlin)", "Se repite",
    "cada 2 semanas, los lun, mié, hasta el jue 31 dic 2026, 10 veces", "Lugar", "Organiza", "Invitados",
)  # fmt: skip


@pytest.mark.parametrize(("language", "words"), [("en", ENGLISH), ("es", SPANISH)])
def test_an_invitation_is_said_in_the_readers_language(carla: Browser, language: str, words: tuple[str, ...]) -> None:
    with transaction() as session:
        member(session, "carla").language = language
    page = carla.page(f"/conversations/{new_conversation(text='', appointments=(EVENT,))}")
    assert [word for word in words if word not in page] == []


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"kind": "accepted", "people": ["Mia <mia@x.example>"]}, ("Accepted: ", "From", "Mia &lt;mia@x.example&gt;")),
        ({"kind": "cancelled"}, ("Cancelled: ",)),
        ({"kind": "counter"}, ("Another time proposed: ",)),
        ({"kind": "something new"}, ("Event: ",)),
        ({"begins": "2026-12-24", "ends": ""}, (">Thu 24 Dec 2026<",)),
        ({"begins": "2026-12-24", "ends": "2026-12-26"}, (">Thu 24 Dec 2026 – Sat 26 Dec 2026<",)),
        ({"ends": "2026-12-03T01:00", "zone": ""}, (">Wed 2 Dec 2026, 14:00–Thu 3 Dec 2026, 01:00<",)),
        ({"ends": ""}, (">Wed 2 Dec 2026, 14:00 (Europe/Berlin)<",)),
        (
            {"repeats": {"unit": "year", "interval": 1, "days": [], "until": "", "count": 1}},
            (">every year, 1 time<",),
        ),
    ],
)
def test_the_senders_intention_and_the_time_are_shown(
    carla: Browser, told: dict[str, Any], shown: tuple[str, ...]
) -> None:
    page = carla.page(f"/conversations/{new_conversation(appointments=(EVENT | told,))}")
    assert [words for words in shown if words not in page] == []


def test_unknown_fields_have_no_line(carla: Browser) -> None:
    nothing: dict[str, Any] = {
        "begins": "",
        "ends": "",
        "zone": "",
        "repeats": None,
        "place": "",
        "organiser": "",
        "people": [],
    }
    page = carla.page(f"/conversations/{new_conversation(appointments=(EVENT | nothing,))}")
    assert "Invitation: Service" in page
    assert [label for label in ("When", "Repeats", "Where", "Organiser", "Invited") if f">{label}<" in page] == []
