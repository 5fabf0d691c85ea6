"""Stylesheets, templates and scripts name the same classes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
STYLESHEETS = sorted((PROJECT / "app/static/css").glob("*.css"))
TEMPLATES = sorted(path for path in (PROJECT / "templates").rglob("*") if path.suffix in {".html", ".svg"})
SCRIPTS = sorted(path for folder in ("js", "editor") for path in (PROJECT / "app/static" / folder).glob("*.js"))
MODULES = sorted((PROJECT / "app/web").rglob("*.py"))

_NO_SELECTOR = re.compile(r"/\*.*?\*/|\"[^\"]*\"|\{[^{}]*\}", re.DOTALL)
_CLASS = re.compile(r"\.(-?[a-z][\w-]*)")
_ATTRIBUTE = re.compile(r"(?<![\w-])class=\"((?:\{\{.*?\}\}|\{%.*?%\}|[^\"])*)\"", re.DOTALL)
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_QUOTED = re.compile(r"([\"'`])([\w. :>%+${}-]+)\1")


@pytest.mark.parametrize("stylesheet", STYLESHEETS, ids=lambda path: path.stem)
def test_each_class_of_a_stylesheet_is_used(stylesheet: Path) -> None:
    words = set(_words())
    beginnings = tuple(word for word in words if word.endswith("-"))
    assert {name for name in _classes(stylesheet.read_text()) - words if not name.startswith(beginnings)} == set()


def test_each_class_of_a_template_has_a_style_or_a_script() -> None:
    known = _classes(_built()) | {name for path in SCRIPTS for name in _CLASS.findall(path.read_text())}
    unknown = {
        (path.relative_to(PROJECT).as_posix(), name)
        for path in TEMPLATES
        for name in _of_attributes(path.read_text())
        if name not in known and not name.endswith("-")
    }
    assert unknown == set()


def test_each_token_is_defined_and_used() -> None:
    css = "".join(path.read_text() for path in STYLESHEETS)
    assert set(re.findall(r"(--sb-[\w-]+):", css)) == set(re.findall(r"var\((--sb-[\w-]+)", css))


def test_each_icon_exists() -> None:
    icons = _classes(_built())
    assert {
        name
        for path in (*TEMPLATES, *SCRIPTS, *MODULES)
        for name in re.findall(r"\bbi-[a-z\d-]+[a-z\d]\b", path.read_text())
        if name not in icons
    } == set()


def test_every_stylesheet_is_part_of_what_a_browser_loads() -> None:
    build = (PROJECT / "app/static/build.mjs").read_text()
    assert [path.name for path in STYLESHEETS if f'"{path.stem}"' not in build] == []


def _words() -> Iterator[str]:
    """Classes in attributes and words of short quoted texts. A word that ends in a dash continues with a value."""
    for path in TEMPLATES:
        yield from _of_attributes(path.read_text())
    for path in (*TEMPLATES, *SCRIPTS, *MODULES):
        for _, text in _QUOTED.findall(path.read_text()):
            yield from re.findall(r"[a-z][\w-]*", text)


def _of_attributes(template: str) -> Iterator[str]:
    for value in _ATTRIBUTE.findall(template):
        yield from re.findall(r"(?<![\w-])[a-z][\w-]*", _CODE.sub(_gap, value))


def _gap(code: re.Match[str]) -> str:
    """A value is part of the word before it, a statement is not."""
    return "" if code[0].startswith("{{") else " "


def _classes(css: str) -> set[str]:
    """The classes in selectors. Declarations, comments and strings have dots that mean something else."""
    return set(_CLASS.findall(_NO_SELECTOR.sub("{}", css)))


def _built() -> str:
    dist = PROJECT / "app/static/dist"
    folder: str = json.loads((dist / "manifest.json").read_text())["folder"]
    return (dist / folder / "css/signalbox.css").read_text()
