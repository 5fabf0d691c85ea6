"""A signed-in member cannot use up shared resources (requests, notes) or learn about people elsewhere."""

from __future__ import annotations

import pytest

from app.web import bucket
from tests.cast import Cast
from tests.conftest import Clock
from tests.web.conftest import Browser, stored


def test_a_browser_that_asks_faster_than_any_page_has_to_wait(
    carla: Browser, ben: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "PER_SECOND", 0.01)
    monkeypatch.setattr(bucket, "BURST", 3.0)
    answers = [carla.get("/preferences") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[3].headers["Retry-After"]) >= 1
    assert ben.get("/preferences").status_code == 200


def test_more_notes_than_anybody_types_have_to_wait(carla: Browser, ben: Browser, talk: int, clock: Clock) -> None:
    codes = [carla.submit(f"/conversations/{talk}/notes", text=f"Note {n}").status_code for n in range(31)]
    assert codes == [303] * 30 + [429]
    assert ben.submit(f"/conversations/{talk}/notes", text="Mine").status_code == 303
    clock.pass_(seconds=60)
    assert carla.submit(f"/conversations/{talk}/notes", text="Later").status_code == 303


def test_a_refused_owner_says_nothing_about_people_elsewhere(carla: Browser, cast: Cast, talk: int) -> None:
    """Ana is a member without a role here; nobody is called Zoe."""
    answers = [carla.submit(f"/conversations/{talk}/assignment", htmx=True, to=name) for name in ("ana", "zoe")]
    assert [answer.status_code for answer in answers] == [422, 422]
    said = [answer.text.replace(f"“{name}”", "“…”") for answer, name in zip(answers, ("ana", "zoe"), strict=True)]
    assert said[0] == said[1]
    assert stored(talk).assignee is None
