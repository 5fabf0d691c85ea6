"""The search field: it explains its operators while it is empty, and results are one key away."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.cast import Cast
from tests.web.conftest import new_conversation


def test_the_empty_field_explains_its_operators(open_page: Callable[..., Page], cast: Cast) -> None:
    new_conversation(subject="The lamp", sender=("Inés", "ines@norte.example"))
    new_conversation(subject="The scale")
    carla = open_page("carla", f"/m/{cast.support}/unassigned")
    help_ = carla.locator(".search-help")
    expect(help_).to_be_hidden()
    carla.keyboard.press("/")
    expect(help_).to_be_visible()
    carla.keyboard.type("from:ines")
    expect(help_).to_be_hidden()
    carla.keyboard.press("Enter")
    expect(carla.locator(".list .conv-subject")).to_have_text(["The lamp"])
