"""Pages without the layout of their templates."""

from __future__ import annotations

import re

from werkzeug.test import TestResponse

_TAG = re.compile(r"<[a-zA-Z/][^<>]*>")


def flat(page: str) -> str:
    """The same page with one space between attributes, and none at the edges of elements and after an icon."""
    page = _TAG.sub(lambda tag: re.sub(r'(?<=")\s+|\s*\n\s*', " ", tag[0]).replace(" >", ">"), page)
    page = re.sub(r"\s*\n\s*(?=</|<br>)", "", page)
    page = re.sub(r"(</(?!i>)\w+>)\s*\n\s*(?=[^\s<])", r"\1 ", page)
    page = re.sub(r">\s*\n\s*", ">", page)
    return re.sub(r"\s*\n(?: +|(?=<))", " ", page)


class Flat(TestResponse):
    """A response whose `text` is flat, because tests assert on a page's words, not on the layout of its template."""

    @property
    def text(self) -> str:
        return flat(super().text) if self.mimetype == "text/html" else super().text
