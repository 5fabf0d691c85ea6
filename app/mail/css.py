"""Reads style sheets in mail: the rules that apply on a desktop screen, and the declarations of a rule.

This is not a CSS parser. It finds blocks, strings and parentheses, which is enough to carry simple rules into `style`
attributes. nh3 parses every attribute again afterwards (safe_html.py). Every pattern is linear in the length of the
text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from app.mail.colours import colour, first_of_gradient

#: Wider than the breakpoints of mails, which are between 480 and 768 pixels.
_SCREEN_PIXELS = 800
#: Shorter styles are cached, because the styles of one mail repeat.
CACHED_STYLE = 400
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_STRING = r"\"[^\"\n]*+\"?|'[^'\n]*+'?"
_BLOCK_TOKEN = re.compile(rf"[{{}};]|{_STRING}")
_DECLARATION_TOKEN = re.compile(rf"[;()]|{_STRING}")
#: Text that could load something, that a browser could read differently than we do, or that cleaning breaks.
_FETCHES = ("url", "gradient(", "image-set", "cross-fade", "image(", "src(", "expression", "@import", "\\")
_FETCHED = re.compile(r"url\(\s*+(?:\"[^\"]*+\"|'[^']*+'|[^()\"']*+)\s*+\)?|\"[^\"]*+\"?|'[^']*+'?", re.IGNORECASE)
#: Replaces a removed background picture if there is no colour beside it. Cleaning removes this marker.
LOST_BACKGROUND = ("background-image", "none")
_MEDIA_FEATURE = re.compile(r"\(\s*+([\w-]++)\s*+(?::([^()]*+))?\)")
_LENGTH = re.compile(r"([-+]?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}))\s*(px|pt|pc|in|cm|mm|r?em|ex|%|)")
_PIXELS = {"": 1, "px": 1, "pt": 4 / 3, "pc": 16, "in": 96, "cm": 37.8, "mm": 3.78, "em": 16, "rem": 16, "ex": 8}
_MEDIA_VALUES = {
    "prefers-color-scheme": "light",
    "prefers-reduced-motion": "no-preference",
    "orientation": "landscape",
    "hover": "hover",
}


def rules(sheet: str) -> Iterator[tuple[str, str]]:
    """(selectors, declarations) of each rule that applies on a desktop screen, in the order of the sheet.

    Rules inside `@media` blocks are included if the block applies; all other at-rules are ignored."""
    sheet = _COMMENT.sub(" ", sheet)
    blocks: list[str | bool] = []  # the selectors of a rule, or for an at-rule whether its block applies
    start = 0
    for token in _BLOCK_TOKEN.finditer(sheet):
        mark, before = token[0], sheet[start : token.start()].strip()
        if mark == "{":
            blocks.append(_at_rule_applies(before) if before.startswith("@") else before)
        elif mark == "}":
            selectors = blocks.pop() if blocks else False
            if isinstance(selectors, str) and all(block is True for block in blocks):
                yield selectors, before
        elif mark != ";" or (blocks and isinstance(blocks[-1], str)):
            continue  # a string, or the end of a declaration
        start = token.end()


def media_applies(media: str) -> bool:
    """Whether a media query list (Media Queries 4) matches a light desktop screen. Unknown features never match."""
    return not media.strip() or any(_query_applies(query) for query in media.lower()[:1_000].split(","))


def declarations(style: str) -> Iterator[tuple[str, str]]:
    """(property in lower case, value) of each declaration in a `style` attribute or a rule."""
    depth = start = 0
    for token in _DECLARATION_TOKEN.finditer(f"{style};"):
        if token[0] == "(":
            depth += 1
        elif token[0] == ")":
            depth = max(depth - 1, 0)
        elif token[0] == ";" and not depth:
            name, _, value = style[start : token.start()].partition(":")
            start = token.end()
            if (name := name.strip().lower()) and (value := value.strip()):
                yield name, value


def fetches(low: str) -> bool:
    """Whether a style, or a text with styles in it, could load something (`low`: in lower case). In doubt, the answer
    is yes."""
    return any(map(low.__contains__, _FETCHES))


def without_fetches(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The declarations that load nothing. A `background` with a picture keeps its colour; most gradients become their
    first colour."""
    for name, value in pairs:
        if not fetches(value.lower()) or _is_plain_gradient(name, value):
            yield name, value
        elif name.startswith("background"):
            value, mark, _ = value.partition("!")
            words = re.sub(r",\s+", ",", _FETCHED.sub(" ", value)).split()
            own = next((word for word in words if colour(word)), None) or first_of_gradient(value)
            yield ("background-color", f"{own} !important" if mark else own) if own else LOST_BACKGROUND


def _is_plain_gradient(name: str, value: str) -> bool:
    """A gradient that cleaning keeps; it breaks those with functions in them."""
    rest = value.lower().replace("gradient(", "", 1)
    return name == "background" and "(" not in rest and not fetches(rest)


def computed(style: str) -> Mapping[str, str]:
    """The effective value of each property: the last one, or the last that is `!important`."""
    return _seen_before(style) if len(style) <= CACHED_STYLE else _computed(style)


def _computed(style: str) -> Mapping[str, str]:
    values: dict[str, str] = {}
    fixed: set[str] = set()
    for name, value in declarations(style):
        plain, mark, _ = value.partition("!")
        if name not in fixed or mark:
            values[name] = plain.strip()
            fixed |= {name} if mark else set()
    return values


_seen_before = lru_cache(maxsize=2048)(_computed)


def written(pairs: Iterable[tuple[str, str]]) -> str:
    """The `style` attribute with these declarations."""
    return ";".join(f"{name}:{value}" for name, value in pairs)


def pixels(value: str) -> float | None:
    """A length in pixels, where 1em is 16 pixels and 100% is 1em. None for everything else."""
    match = _LENGTH.match(value.strip().lower())
    if match is None:
        return None
    number, unit = float(match[1]), match[2]
    return number * 0.16 if unit == "%" else number * _PIXELS[unit]


def _at_rule_applies(prelude: str) -> bool:
    return prelude[:6].lower() == "@media" and media_applies(prelude[6:])


def _query_applies(query: str) -> bool:
    words = [word for word in _MEDIA_FEATURE.sub(" ", query).split() if word not in ("only", "and")]
    negated = words[:1] == ["not"]
    known = [_feature_applies(name, value.strip()) for name, value in _MEDIA_FEATURE.findall(query)]
    if None in known:
        return False
    return (all(word in ("all", "screen") for word in words[negated:]) and all(known)) != negated


def _feature_applies(name: str, value: str) -> bool | None:
    """None if the feature is unknown."""
    if name in _MEDIA_VALUES:
        return value in ("", _MEDIA_VALUES[name])
    limit = pixels(value)
    if limit is None or name not in ("min-width", "max-width", "min-device-width", "max-device-width"):
        return None
    return limit <= _SCREEN_PIXELS if name.startswith("min") else limit >= _SCREEN_PIXELS
