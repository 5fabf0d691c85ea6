"""The language and time zone of a page: the member's choice, or the browser's.

The only module that uses Flask-Babel, which has no types. It also looks up language and zone for every word, and a list
has hundreds. So we cache both for the request.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import flask_babel
from babel.dates import format_date
from flask import Flask, g, request
from flask_login import current_user
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

T = TypeVar("T")
#: Letters that are written from right to left. One of them would reorder the words around it.
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]")
LANGUAGES = {"en": "English", "es": "Español"}
TRANSLATIONS = Path(__file__).parent.parent.parent / "translations"


def init_app(app: Flask) -> None:
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    flask_babel.Babel(app, locale_selector=_language, timezone_selector=_time_zone)
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=True, pgettext=pgettext)  # type: ignore[attr-defined]  # of Jinja's i18n extension
    app.jinja_env.globals["gettext"] = _in_template
    app.jinja_env.filters["isolated"] = isolated


def gettext(words: str, /, **values: object) -> str:
    translated = str(_translations().ugettext(words))
    return translated % {name: isolated(value) for name, value in values.items()} if values else translated


def isolated(value: Any) -> Any:
    """Isolate a name or a subject, so that it does not reorder the words around it (Unicode's isolates)."""
    if not isinstance(value, str) or not _RIGHT_TO_LEFT.search(value):
        return value
    return (Markup if isinstance(value, Markup) else str)(f"\u2068{value}\u2069")


@pass_eval_context
def _in_template(context: EvalContext, words: str, /, **values: object) -> str:
    """The same in a template, where the words are HTML and values are escaped."""
    translated = str(_translations().ugettext(words))
    translated = Markup(translated) if context.autoescape else translated  # noqa: S704  our own words
    return translated % {name: isolated(value) for name, value in values.items()}


def ngettext(one: str, many: str, number: int) -> str:
    return str(_translations().ungettext(one, many, number))


def pgettext(context: str, words: str) -> str:
    return str(_translations().upgettext(context, words))


def language() -> str:
    chosen: str | None = g.get("language")
    if chosen is None:
        chosen = g.language = str(flask_babel.get_locale() or "en")
    return chosen


def per_language(words: Callable[[], T]) -> Callable[[], T]:
    """A function without arguments that returns words, called once per language. Nobody may change what it returns."""

    @cache
    def in_language(_language: str) -> T:
        return words()

    return lambda: in_language(language())


def zone() -> ZoneInfo:
    chosen: ZoneInfo | None = g.get("zone")
    if chosen is None:
        chosen = g.zone = ZoneInfo(str(flask_babel.get_timezone()))
    return chosen


def day_words(day: dt.date, pattern: str) -> str:
    """A day in the reader's language, by a CLDR pattern."""
    return _day_words(day, pattern, language())


@lru_cache(maxsize=2_000)
def _day_words(day: dt.date, pattern: str, language: str) -> str:
    """A list names the same few days in most of its rows."""
    return str(format_date(day, pattern, locale=language))


def number(value: float) -> str:
    """In the reader's language: 1,234.5 or 1.234,5."""
    return str(flask_babel.format_decimal(value))


def forget() -> None:
    """The member has just chosen another language or zone."""
    flask_babel.refresh()
    g.pop("language", None)
    g.pop("zone", None)
    g.pop("translations", None)


def _translations() -> Any:
    translations = g.get("translations")
    if translations is None:
        translations = g.translations = flask_babel.get_translations()
    return translations


def _language() -> str:
    if current_user.is_authenticated and current_user.member.language in LANGUAGES:
        return str(current_user.member.language)  # otherwise "auto": as for a visitor
    wished = (tag.split("-")[0].lower() for tag in request.accept_languages.values())  # for us es-MX is Spanish
    return next((language for language in wished if language in LANGUAGES), "en")


def _time_zone() -> str:
    return str(current_user.member.time_zone) if current_user.is_authenticated else "UTC"
