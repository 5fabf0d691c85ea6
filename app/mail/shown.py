"""The body of a mail in the form that pages and programs show: worked out once, when the mail is parsed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.mail.quotes import fold_html, fold_text
from app.mail.safe_html import Tangled, clean

#: Characters of HTML that a page is sent at most.
_MOST_SHOWN = 3_000_000
_PLACE = re.compile(r'<img(?: [\w-]+="[^"]*")*? data-(part|remote)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class ShownBody:
    """`form` says how the mail is shown: `shown` by its HTML, `none` by its text because it has no HTML, `tangled` by
    its text because its HTML would take too long to clean.

    `html`: a safe fragment with placeholders for pictures (safe_html.py). `parts`: the parts whose pictures are in it.
    `quote_at`: where the quoted end of the text begins, an offset in characters; only for mails shown by their text."""

    form: str = "none"
    html: str | None = None
    has_remote_images: bool = False
    parts: frozenset[str] = frozenset()
    quote_at: int | None = None


def shown_body(
    text: str, html: str | None, pictures: Mapping[str, str], subject: str = "", *, design: bool = True
) -> ShownBody:
    """How this body is shown. `pictures`: names to numbers of parts (pictures.py).
    `subject` tells whether it is a forward, which does not fold.

    Without `design` the HTML is not even looked at, because it reached a limit of time or memory before."""
    if not html:
        return ShownBody(quote_at=_quote_at(text, subject))
    if not design:
        return _shown_by_text(text, subject)
    try:
        safe = fold_html(clean(html, pictures), subject)
    except Tangled:
        return _shown_by_text(text, subject)
    except MemoryError:
        raise
    except Exception:  # parsers of HTML are large, and some say out of memory in words of their own
        return _shown_by_text(text, subject)
    if len(safe) > _MOST_SHOWN:
        return _shown_by_text(text, subject)
    places = _PLACE.findall(safe)
    parts = frozenset(number for kind, number in places if kind == "part")
    return ShownBody("shown", safe, any(kind == "remote" for kind, _ in places), parts)


def _shown_by_text(text: str, subject: str) -> ShownBody:
    return ShownBody("tangled", quote_at=_quote_at(text, subject))


def _quote_at(text: str, subject: str) -> int | None:
    head, tail = fold_text(text, subject)
    return len(head) if tail else None
