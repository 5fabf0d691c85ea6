"""Which language and time zone a page speaks: the member's choice, else what the browser asks for."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, request
from flask_babel import Babel
from flask_login import current_user

LANGUAGES = {"en": "English", "es": "Español"}
TRANSLATIONS = Path(__file__).parent.parent.parent / "translations"


def init_app(app: Flask) -> None:
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    Babel(app, locale_selector=_language, timezone_selector=_time_zone)


def _language() -> str:
    if current_user.is_authenticated and current_user.member.language in LANGUAGES:
        return str(current_user.member.language)
    return request.accept_languages.best_match(LANGUAGES) or "en"


def _time_zone() -> str:
    return str(current_user.member.time_zone) if current_user.is_authenticated else "UTC"
