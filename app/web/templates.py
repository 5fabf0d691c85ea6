"""Templates, compiled once for each language: words without values become part of the compiled text.

A list has some three hundred such words. Looking up each one for every page took a seventh of its time. Indentation
shrinks to one space first, because it would make each page a fifth longer.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import flask.templating
from babel.support import NullTranslations, Translations
from flask import Flask
from flask.sansio.app import App
from jinja2 import Template, nodes
from jinja2.visitor import NodeTransformer

from app.web.language import LANGUAGES, TRANSLATIONS, language

_INDENTATION = re.compile(r"^ +", re.MULTILINE)


def init_app(app: Flask) -> None:
    """Call this before anything else uses the app's templates."""
    app.jinja_environment = Templates


def compile_all(app: Flask) -> None:
    """Compile before the process forks, so that all its children share the result."""
    assert isinstance(app.jinja_env, Templates)
    for spoken in LANGUAGES:
        templates = app.jinja_env.spoken(spoken)
        for name in templates.list_templates(extensions=("html", "svg")):
            templates.get_template(name)


class Templates(flask.templating.Environment):
    """The environment that the app renders from. It chooses by the language of the request; templates of one language
    include each other."""

    language: str | None = None

    def __init__(self, app: App, **options: Any) -> None:
        super().__init__(app, **options)
        self._spoken: dict[str, Templates] = {}

    def spoken(self, language: str) -> Templates:
        """The templates in one language, with the same filters and globals."""
        if language not in self._spoken:
            templates = self.overlay()
            assert isinstance(templates, Templates)
            templates.language = language
            self._spoken[language] = templates
        return self._spoken[language]

    def get_template(self, name: str | Template, *args: Any, **options: Any) -> Template:
        if self.language is None:
            return self.spoken(language()).get_template(name, *args, **options)
        return super().get_template(name, *args, **options)

    def preprocess(self, source: str, name: str | None = None, filename: str | None = None) -> str:
        return _INDENTATION.sub(" ", super().preprocess(source, name, filename))

    def compile(self, source: str | nodes.Template, name: str | None = None, *args: Any, **options: Any) -> Any:
        if self.language is not None and isinstance(source, str):
            source = _Translated(_translations(self.language)).visit(self.parse(source, name))
        return super().compile(source, name, *args, **options)


class _Translated(NodeTransformer):
    """Replaces the call with the translation."""

    def __init__(self, translations: NullTranslations) -> None:
        self._translations = translations

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802  Jinja's name
        self.generic_visit(node)
        match node:
            case nodes.Call(node=nodes.Name(name="_"), args=[nodes.Const(value=str(words))], kwargs=[]):
                said = self._translations.ugettext(words) % {}  # "%%" is a percent sign, as in words with values
                return nodes.TemplateData(said, lineno=node.lineno)
        return node


@cache
def _translations(language: str) -> NullTranslations:
    return Translations.load(TRANSLATIONS, [language])
