"""Two languages, complete: every word for people is in the catalogue, and the catalogue has no others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from flask import Flask

from app import db, web
from app.inbox.errors import TooMany
from app.web.errors import sentence
from app.web.render import filesize
from app.web.templates import Templates
from tests import cast as stage
from tests.cast import Cast
from tests.web.conftest import Browser

ROOT = Path(__file__).parent.parent.parent
#: Names and signs that are the same in every language.
SAME = {"Signalbox", "flask", "mailbox", "add", "grant", "UID"}


def test_the_spanish_catalogue_knows_every_string_and_no_other() -> None:
    said, known = set(_said()), {_key(m) for m in _spanish() if m.id}
    assert said - known == set(), "missing in translations/es: run `scripts/translations`"
    assert known - said == set(), "no longer said: run `scripts/translations`"


def test_every_string_is_translated_and_none_is_fuzzy() -> None:
    for message in _spanish():
        forms = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
        assert all(forms) or not message.id, message.id
        assert not message.fuzzy or not message.id, message.id


def test_a_translation_has_the_same_placeholders_and_tags() -> None:
    for message in _spanish():
        ids = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
        forms = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
        for form in forms if message.id else ():
            assert _marks(form) == _marks(ids[-1]), message.id


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_no_words_stand_in_a_template_untranslated(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", path.read_text(), flags=re.DOTALL)
    text = re.sub(r"<style>.*?</style>", " ", text, flags=re.DOTALL)
    spoken = re.findall(r"(?:aria-label|title|placeholder|alt)=\"([^\"]*)\"", text)
    spoken.append(re.sub(r"<[^>]*>|&\w+;|#\d+", " ", text))
    words = {word for part in spoken for word in re.findall(r"[^\W\d_]{3,}", part)}
    assert words - SAME == set()


def test_a_page_speaks_the_members_language(browser: Callable[[str], Browser], cast: Cast) -> None:
    carla = browser("carla")
    assert "Unassigned" in carla.page(f"/m/{cast.support}/unassigned")
    with db.transaction() as session:
        stage.member(session, "carla").language = "es"
    page = carla.page(f"/m/{cast.support}/unassigned")
    assert '<html lang="es"' in page
    assert "Sin asignar" in page


def test_a_stranger_is_spoken_to_as_the_browser_asks(nobody: Browser) -> None:
    assert "Contraseña" in nobody.get("/sign-in", headers={"Accept-Language": "es-MX,en;q=0.5"}).text
    assert "Password" in nobody.get("/sign-in", headers={"Accept-Language": "fr"}).text


def test_without_a_chosen_language_the_browsers_is_used(carla: Browser) -> None:
    asked = {"headers": {"Accept-Language": "es"}}
    assert "Preferencias" in carla.get("/preferences", **asked).text
    chosen: dict[str, Any] = {"time_zone": "UTC", "theme": "auto", "density": "cosy"}
    carla.submit("/preferences", language="en", **chosen)
    assert "Preferences" in carla.get("/preferences", **asked).text
    carla.submit("/preferences", language="auto", **chosen)
    assert "Preferencias" in carla.get("/preferences", **asked).text


@pytest.mark.parametrize(
    ("language", "sizes"),
    [
        ("en", ["999 B", "1 kB", "12 kB", "1.5 MB", "25 MB"]),
        ("es", ["999 B", "1 kB", "12 kB", "1,5 MB", "25 MB"]),
    ],
)
def test_sizes_are_written_as_the_language_writes_numbers(app: Flask, language: str, sizes: list[str]) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        assert [filesize(size) for size in (999, 1000, 12_345, 1_500_000, 25_000_000)] == sizes


@pytest.mark.parametrize(
    ("seconds", "language", "words"),
    [
        (1, "en", "Wait 1 second, then"),
        (42, "en", "Wait 42 seconds, then"),
        (601, "en", "Wait 11 minutes, then"),
        (1, "es", "Espere 1 segundo e"),
        (42, "es", "Espere 42 segundos e"),
    ],
)
def test_how_long_to_wait_is_said_in_the_right_number(app: Flask, seconds: int, language: str, words: str) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        assert words in sentence(TooMany(seconds))


def _said() -> Iterator[tuple[str | None, str]]:
    with (ROOT / "babel.cfg").open() as file:
        method_map, options_map = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    for room in ("app", "templates"):
        found = extract_from_dir(
            ROOT / room, [(_below(room, pattern), method) for pattern, method in method_map],
            {_below(room, pattern): options for pattern, options in options_map.items()},
        )  # fmt: skip
        for _file, _line, message, _comments, context in found:
            yield context, message[0] if isinstance(message, tuple) else message


def _below(room: str, pattern: str) -> str:
    return pattern.removeprefix(f"{room}/")


def _spanish() -> Catalog:
    with (ROOT / "translations/es/LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file)


def _key(message: Message) -> tuple[str | None, str]:
    return message.context, message.id[0] if isinstance(message.id, (tuple, list)) else message.id


def _marks(text: str | None) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)\w|%%|<[^>]+>", text or ""))


def test_every_template_compiles_in_every_language_with_its_words_in_it(app: Flask) -> None:
    web.prepare(app)
    assert isinstance(app.jinja_env, Templates)
    source, _, _ = app.jinja_env.loader.get_source(app.jinja_env, "lists/_row.html")  # type: ignore[union-attr]  # there is one
    assert '_("Claim")' in source
    for language, word in (("en", "Claim"), ("es", "Tomar")):
        code = app.jinja_env.spoken(language).compile(source, raw=True)
        assert re.search(rf">(\\n| )*{word}(\\n| )*<", code)


def test_readers_of_both_languages_are_served_in_turn(carla: Browser, cast: Cast) -> None:
    for language, words in (("en", "Everything"), ("es", "Todo"), ("en", "Everything")):
        page = carla.get(f"/m/{cast.support}/all", headers={"Accept-Language": language}).text
        assert f'<h1 class="cut">{words}</h1>' in page
