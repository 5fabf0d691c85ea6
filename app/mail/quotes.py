"""Quoted text folded for display, never cut: head + tail is always the whole text.

The attribution lines are those of Gmail, Outlook and Apple Mail as they are written (samples in
tests/mail/test_quotes.py). Mail is hostile, so every pattern takes time in step with the text. Where an answer stands
between the quoted lines nothing is folded: hiding an answer is worse than showing a quote.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

_ATTRIBUTION = re.compile(
    r"""^[ \t>]*(?:
        (?:On|El|Am|Le|Em|Il)\b[^\n]{4,200}(?:\n[^\n]{0,120}){0,2}?
            \b(?:wrote|escribi[óo]|schrieb\b[^\n]{0,100}|a[ ]écrit|escreveu|ha[ ]scritto)\s?:
      | -{2,}\s*(?:Original[ ]Message|Mensaje[ ]original|Forwarded[ ]message|Mensaje[ ]reenviado)\s*-{2,}
      | _{10,}[ \t]*\n\s*(?:From|De):
      | (?:From|De):[ ][^\n]+\n(?:(?:Sent|Date|Enviado(?:[ ]el)?|Fecha):[ ])
    )""",
    re.MULTILINE | re.VERBOSE,
)
_OUTLOOK = re.compile(r"^[ \t]*(?:-{2,}|_{10,}|From:|De:)")
_VOID = {"br", "hr", "img", "col", "wbr", "area"}
_QUOTE_CLASSES = {"gmail_quote", "gmail_quote_container", "yahoo_quoted", "moz-cite-prefix", "protonmail_quote"}
#: Most mails quote nothing, and need not be taken apart to know.
_MARKS = (*_QUOTE_CLASSES, 'type="cite"')


def fold_text(text: str) -> tuple[str, str]:
    """(what was written, what it quotes); the second is empty where nothing can be folded."""
    cut = min(_attribution(text), _trailing_quote(text))
    head, tail = text[:cut], text[cut:]
    if not head.strip() or not tail.strip() or _answers_inside(tail):
        return text, ""
    return head, tail


def fold_html(html: str) -> str:
    """Wrap the quote at the end of a cleaned message in <details>, which needs no script to open."""
    if not any(mark in html for mark in _MARKS):
        return html
    finder = _QuoteFinder(html)
    finder.feed(html)
    finder.close()
    if finder.begin is None or finder.end is None or not finder.text_before:
        return html
    begin, end = finder.begin, finder.end
    if re.sub(r"<[^>]*>|&nbsp;|\s", "", html[end:]):
        return html
    summary = '<summary title="···">···</summary>'
    return f'{html[:begin]}<details class="sb-quote">{summary}{html[begin:end]}</details>{html[end:]}'


def _attribution(text: str) -> int:
    found = _ATTRIBUTION.search(text)
    return found.start() if found else len(text)


def _trailing_quote(text: str) -> int:
    """Where a last block of lines beginning with > starts."""
    cut = len(text.rstrip())
    for line in reversed(text[:cut].splitlines(keepends=True)):
        if not line.startswith(">"):
            break
        cut -= len(line)
    return cut if text[cut : cut + 1] == ">" else len(text)


def _answers_inside(tail: str) -> bool:
    """Whether the quoted part holds lines that are not quoted, after quoted ones."""
    if _OUTLOOK.match(tail):
        return False
    lines = [line for line in tail.splitlines() if line.strip()]
    quoted = [number for number, line in enumerate(lines) if line.lstrip().startswith(">")]
    return bool(quoted) and any(not line.lstrip().startswith(">") for line in lines[quoted[0] :])


class _QuoteFinder(HTMLParser):
    """Where the first quote of a message begins and ends, as offsets into the HTML (nh3 leaves it well-formed)."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.begin: int | None = None
        self.end: int | None = None
        self.text_before = False
        self._depth = 0
        self._lines = [0]
        for line in html.split("\n")[:-1]:
            self._lines.append(self._lines[-1] + len(line) + 1)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        if self.begin is None and self._is_quote(tag, dict(attrs)):
            self.begin, self._depth = self._offset(), 1
        elif self.begin is not None and self.end is None:
            self._depth += 1

    def handle_endtag(self, tag: str) -> None:
        if self.begin is None or self.end is not None or tag in _VOID:
            return
        self._depth -= 1
        if self._depth == 0:
            self.end = self._offset() + len(tag) + 3

    def handle_data(self, data: str) -> None:
        if self.begin is None and data.strip():
            self.text_before = True

    def _offset(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    @staticmethod
    def _is_quote(tag: str, attributes: dict[str, str | None]) -> bool:
        cited = tag == "blockquote" and attributes.get("type") == "cite"
        return cited or not _QUOTE_CLASSES.isdisjoint((attributes.get("class") or "").split())
