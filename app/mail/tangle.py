"""Recognises HTML that would occupy a parser for long, before a parser sees it. Mails designed by people stay far below
each limit.

A parser for HTML5 (13.2.6) takes more than linear time for four things:

- Nesting: at each tag it searches the open elements.
- Formatting elements that stay open: it opens all of them again in each block, so the tree has formatting × blocks
  elements.
- Attributes of one tag: it compares each with the others.
- The number of tags and references.

We count tags wherever they are written, even in comments, so the numbers are upper bounds.
"""

from __future__ import annotations

import re
from collections import defaultdict

_MOST_TAGS = 20_000  # start tags and end tags
_MOST_NESTED = 1_000
_MOST_REOPENED = 50_000  # formatting elements × blocks
_MOST_REFERENCES = 50_000
_MOST_ATTRIBUTES = 2_000  # in one tag
#: With so few tags, no limit can be reached.
_FEW_TAGS = 400
_SHORT = 20_000
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]*)([^<>]*)")
_WORD_ENDS = re.compile(r"[\s/\"']+")
_VALUE = re.compile(r"=\s*(?:\"[^\"]*\"|'[^']*')")
_FORMATTING = {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
_VOID = {
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "link", "meta", "param",
    "source", "track", "wbr",
}  # fmt: skip
#: A parser closes these when the next one begins. They nest only with other elements between them.
_ENDED_BY_THE_NEXT = {
    "p", "li", "dd", "dt", "option", "optgroup", "tr", "td", "th", "tbody", "thead", "tfoot", "colgroup", "rp", "rt",
}  # fmt: skip
#: Of open formatting elements with identical attributes, only the last three are opened again.
_SAME = 3


def is_tangled(html: str) -> bool:
    """Whether parsing this HTML could take long."""
    tags = html.count("<")
    if tags > _MOST_TAGS or html.count("&") > _MOST_REFERENCES:
        return True
    return (tags > _FEW_TAGS or len(html) > _SHORT) and _Shape().is_beyond_limits(html)


class _Shape:
    """An approximation of the elements that a parser has open."""

    def __init__(self) -> None:
        self._nested = 0
        self._reopened = 0
        self._formatting: dict[str, list[str]] = defaultdict(list)  # by name, the open ones with their attributes
        self._entries: dict[str, int] = defaultdict(int)  # number of open ones with these attributes
        self._open_entries = 0

    def is_beyond_limits(self, html: str) -> bool:
        for closing, name, attributes in _TAG.findall(html):
            if len(attributes) > _MOST_ATTRIBUTES and _attributes(attributes) > _MOST_ATTRIBUTES:
                return True
            self._tag(closing, name.lower(), attributes)
            if self._nested > _MOST_NESTED or self._reopened > _MOST_REOPENED:
                return True
        return False

    def _tag(self, closing: str, name: str, attributes: str) -> None:
        if name in _VOID:
            return
        if name in _FORMATTING:
            self._end_formatting(name) if closing else self._begin_formatting(name, attributes)
        else:
            self._reopened += self._open_entries
        if name not in _ENDED_BY_THE_NEXT:
            self._nested = max(self._nested - 1, 0) if closing else self._nested + 1

    def _begin_formatting(self, name: str, attributes: str) -> None:
        entry = name + attributes
        self._formatting[name].append(entry)
        self._entries[entry] += 1
        self._open_entries += self._entries[entry] <= _SAME

    def _end_formatting(self, name: str) -> None:
        if self._formatting[name]:
            entry = self._formatting[name].pop()
            self._open_entries -= self._entries[entry] <= _SAME
            self._entries[entry] -= 1


def _attributes(written: str) -> int:
    return len(_WORD_ENDS.findall(_VALUE.sub("= ", written)))
