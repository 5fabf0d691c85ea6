"""The body of a mail in the form that pages and programs show, prepared once, during parsing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.mail.html import text_from_html, text_from_shown
from app.mail.quotes import fold_html, fold_text
from app.mail.safe_html import Tangled, clean

#: Characters of HTML that a page contains at most.
_MOST_SHOWN = 3_000_000
_PLACE = re.compile(r'<img(?: [\w-]+="[^"]*")*? data-(part|remote)="([^"]*)"')

_IMAGE = re.compile(r"<img[^>]*>")
_COUNTER = re.compile(r' (?:width|height)="[01](?:px)?"')
_FOLD = '<details class="sb-quote'


@dataclass(frozen=True, slots=True)
class ShownBody:
    """`form`: `shown`, the mail is shown by its HTML; `none`, it is shown as text because it has no visible HTML;
    `tangled`, it is shown as text because its HTML would take too long to clean.

    `html`: a safe fragment with placeholders for pictures (safe_html.py). `parts`: the parts whose pictures are in it.
    `quote_at`: where the quoted end of the text begins, an offset in characters; only for mails shown as text.

    `text`: the mail as plain text. `read`: the words of the displayed form; `own`: the same without a folded quote."""

    form: str = "none"
    html: str | None = None
    has_remote_images: bool = False
    parts: frozenset[str] = frozenset()
    quote_at: int | None = None
    text: str = ""
    read: str = ""
    own: str = ""


def shown_body(
    text: str | None, html: str | None, pictures: Mapping[str, str], subject: str = "", *, design: bool = True
) -> ShownBody:
    """Prepare this body for display. `text`: its plain form, None if it has only HTML. `pictures`: names to part
    numbers (pictures.py). `subject` shows whether it is a forward, which is not folded.

    Without `design` the HTML is not read at all, because it reached a limit of time or memory before."""
    if not html:
        return _shown_by_text("none", text or "", subject)
    if not design or len(html) > _MOST_SHOWN:
        return _tangled(text, html, subject)
    try:
        safe = clean(html, pictures)
        folded = fold_html(safe, subject)
    except Tangled:
        return _tangled(text, html, subject)
    except MemoryError:
        raise
    except Exception:  # HTML parsers are large, and some raise their own errors when out of memory
        return _tangled(text, html, subject)
    if len(folded) > _MOST_SHOWN:
        return _tangled(text, html, subject)
    return _shown(text, safe, folded, subject)


def _shown(text: str | None, safe: str, folded: str, subject: str) -> ShownBody:
    read = text_from_shown(safe)
    if text and text.strip() and not read and not _has_pictures(safe):
        return _shown_by_text("none", text, subject)
    places = _PLACE.findall(folded) if "<img" in folded else []
    parts = frozenset(number for kind, number in places if kind == "part")
    own = text_from_shown(folded.partition(_FOLD)[0]) if folded != safe else read
    has_remote = any(kind == "remote" for kind, _ in places)
    return ShownBody(
        "shown", folded, has_remote, parts, text=read if text is None else text, read=read, own=own or read
    )


def _has_pictures(safe: str) -> bool:
    """Whether HTML has a visible picture, not only a tracking pixel."""
    return not all(_COUNTER.search(tag) for tag in _IMAGE.findall(safe))


def _tangled(text: str | None, html: str, subject: str) -> ShownBody:
    """Use the plain form, unless it is only a stub compared with the HTML."""
    words = text_from_html(html)
    return _shown_by_text("tangled", words if text is None or 2 * len(text) < len(words) else text, subject)


def _shown_by_text(form: str, text: str, subject: str) -> ShownBody:
    head, tail = fold_text(text, subject)
    return ShownBody(form, quote_at=len(head) if tail else None, text=text, read=text, own=text)
