"""Carries the rules of a mail's style sheets into `style` attributes, before nh3 removes the sheets (safe_html.py).

css-inline does the matching, because matching selectors in Python takes far longer. It gets only simple rules, and only
as many as can add a limited number of characters. Otherwise its output would grow with rules times elements.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from css_inline import CSSInliner, InlineError
from selectolax.lexbor import LexborHTMLParser

from app.mail.css import declarations, media_applies, rules, without_fetches, written

_MAX_SHEET = 200_000
_CACHED_SHEET = 20_000
_MAX_RULES = 2_000
_MAX_VALUE = 200
#: Characters that all rules together may add.
_MAX_ADDED = 1_000_000
_COMPOUND = (
    r"(?=[\w.#*\[:])(?:\*|[a-z][\w-]*+)?"
    r"(?:[.#][\w-]++|\[[\w-]++(?:[~|^$*]?=(?:\"[^\"\]]*+\"|'[^'\]]*+'|[\w-]++))?\]|:first-child|:last-child)*+"
)
#: Tags, classes, ids and attributes, combined as descendants and children in at most six levels.
_SELECTOR = re.compile(rf"(?i){_COMPOUND}(?:(?:\s*+>\s*+|\s++){_COMPOUND}){{0,5}}")
_CLASS = re.compile(r' class="([^"]*)"')
_ID = re.compile(r' id="([^"]*)"')
_TAG = re.compile(r"<([a-z][^\s/>]*)")
_NAME = re.compile(r"[.#]?[a-z_-][\w-]*+", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\[[^\]]*\]|:[\w-]+")
_UNFIT = re.compile(r"[{}<>\\@]")


class _Rule(NamedTuple):
    """`subject`: the tag, classes and id that an element needs for the selector to match."""

    selector: str
    subject: Sequence[str]
    style: str


def with_rules_inline(tree: LexborHTMLParser, properties: frozenset[str]) -> str:
    """The HTML of the tree with the rules of its style sheets in `style` attributes, limited to these properties.

    External style sheets are never loaded. The caller must limit the nesting first, because css-inline recurses."""
    sheets = []
    for node in tree.css("style"):
        if media_applies(node.attrs.get("media") or ""):
            sheets.append(node.text())
        node.decompose()
    html = tree.html or ""
    sheet = "".join(_fitting(_simple_rules("\n".join(sheets), properties), html))
    if not sheet:
        return html
    inliner = CSSInliner(inline_style_tags=False, load_remote_stylesheets=False, extra_css=sheet)
    try:
        return inliner.inline(html)
    except InlineError:
        return html


def _simple_rules(sheet: str, properties: frozenset[str]) -> Sequence[_Rule]:
    """One rule for each selector. Cached, because many mails carry the sheet of the same program."""
    if len(sheet) <= _CACHED_SHEET:
        return _cached_rules(sheet, properties)
    return tuple(_parsed_rules(sheet[:_MAX_SHEET], properties))


@lru_cache(maxsize=64)
def _cached_rules(sheet: str, properties: frozenset[str]) -> Sequence[_Rule]:
    return tuple(_parsed_rules(sheet, properties))


def _parsed_rules(sheet: str, properties: frozenset[str]) -> Iterator[_Rule]:
    for number, (selectors, block) in enumerate(rules(sheet)):
        if number == _MAX_RULES:
            return
        pairs = [
            (name, value)
            for name, value in without_fetches(declarations(block))
            if name in properties and len(value) <= _MAX_VALUE and not _UNFIT.search(value)
        ]
        if not pairs:
            continue
        style = written(pairs)
        for selector in selectors[:10_000].split(","):
            plain = selector.replace(":link", "").strip()
            if len(plain) <= _MAX_VALUE and _SELECTOR.fullmatch(plain):
                yield _Rule(plain, _subject(plain), style)


def _subject(selector: str) -> Sequence[str]:
    """The tag, classes and id of the element that a selector matches: `p`, `.note`, `#top`."""
    compounds = _ATTRIBUTE.sub("", selector).replace(">", " ").split()
    names = _NAME.findall(compounds[-1]) if compounds else []
    return tuple(name if name[0] in ".#" else name.lower() for name in names)


def _fitting(simple: Iterable[_Rule], html: str) -> Iterator[str]:
    """The rules that match something and together stay within the limit."""
    counts = Counter(_TAG.findall(html))
    counts.update(f"#{name}" for name in _ID.findall(html))
    for classes, times in Counter(_CLASS.findall(html)).items():
        for name in classes.split():
            counts[f".{name}"] += times
    elements = html.count("<")
    room = _MAX_ADDED
    for rule in simple:
        matches = min((counts[name] for name in rule.subject), default=elements)
        if 0 < matches * len(rule.style) <= room:
            room -= matches * len(rule.style)
            yield f"{rule.selector}{{{rule.style}}}"
