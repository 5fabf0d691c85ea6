"""The text that people read in a mail, and its attachments, from the tree of its parts.

Text and HTML are built section by section. An alternative gives the plain and the HTML form of the same words. Other
sections have one form, which is converted to the other if that is missing. So both forms say the same.
"""

from __future__ import annotations

import html as entities
import re
from dataclasses import dataclass

from app.mail import calendar
from app.mail.charset import decoded
from app.mail.enclosed import enclosed, is_mail
from app.mail.enriched import plain_text
from app.mail.filenames import filename_of
from app.mail.flowed import unwrapped
from app.mail.headers import Headers
from app.mail.html import PASTED, declared_charset, text_from_html
from app.mail.mime import Node, split_header, tree
from app.mail.selection import ENRICHED, HTML, bodies, is_file
from app.mail.textstream import without_large_pictures
from app.mail.transfer import content_of, end_of_base64

#: Characters of a mail's text, and of its HTML without pasted pictures. The source has the rest.
MAX_TEXT = 4_000_000
MAX_HTML = 8_000_000
#: An attached mail may itself contain one attached mail.
_MAX_DEPTH = 2
#: Bytes of an attached mail that are read, and characters of all attached mails that are searched.
MAX_ENCLOSED = 256 * 1024
_MAX_ENCLOSED_TEXT = 200_000
_HEAD = ("from", "to", "date", "subject")
#: Plain text that contains HTML: some programs write it into both forms.
_MARKUP = re.compile(r"</(?:p|div|td|span|b|a|html|body)>|<(?:br|p)(?:\s[^<>]{0,200})?/?>", re.IGNORECASE)
_WHOLE_HTML = re.compile(rb"\s*<(?:!doctype html|html)\b", re.IGNORECASE)

#: The plain and the HTML form of the same words.
_Section = tuple[str | None, str | None]


@dataclass(frozen=True)
class Part:
    """An attachment. `number` is its number in IMAP (`2.1`); `size` is its decoded size in bytes.

    `inline`: the HTML shows it by its content id.
    """

    number: str
    filename: str
    type: str
    size: int
    content_id: str | None
    location: str | None
    inline: bool
    encoding: str
    charset: str | None


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a mail. `text` is None if it must be derived from the HTML; `html` is as received, not safe.

    `attachments` has all files, including a named text that is shown. `enclosed`: the words of attached mails and
    reports, for search. `truncated`: the mail server has more than is here."""

    text: str | None
    html: str | None
    attachments: list[Part]
    enclosed: str = ""
    truncated: bool = False
    appointments: tuple[calendar.Appointment, ...] = ()


def content(root: Node, *, most_text: int = MAX_TEXT, most_html: int = MAX_HTML, depth: int = 0) -> Content:
    """Text, HTML and attachments of a mail. `depth`: the number of mails around this one."""
    shown = bodies(root)
    sections: list[_Section] = []
    files: list[Node] = []
    _collect(root, frozenset(shown), sections, files)
    appointments = _appointments(root)
    inner = _enclosed(root, depth) if depth < _MAX_DEPTH else ""
    if inner and not appointments and not any(map(_has_words, sections)):
        sections.append((inner, None))
    text, html = _joined(sections)
    if html and len(html) > most_html:
        html = PASTED.sub("", html)
    cut = any(node.cut for node in shown) or len(text or "") > most_text or len(html or "") > most_html
    return Content(
        text and text[:most_text], html and html[:most_html], [_part(node) for node in files], inner, cut, appointments
    )


def text_parts(root: Node) -> list[Node]:
    """The parts of a large mail that we fetch: text, appointments, attached mails and reports."""
    shown = bodies(root)
    others = [node for node in root.leaves() if calendar.is_calendar(node)]
    return list(dict.fromkeys([*shown, *others, *enclosed(root)]))


def _collect(
    node: Node, shown: frozenset[Node], sections: list[_Section], files: list[Node], *, in_alternative: bool = False
) -> None:
    """Walk in reading order. Parsing has already limited the depth of the tree."""
    if node.type == "multipart/alternative" and node.children:
        inner: list[_Section] = []
        for child in node.children:
            _collect(child, shown, inner, files, in_alternative=True)
        sections += _alternative(inner)
    elif node.children:
        for child in node.children:
            _collect(child, shown, sections, files, in_alternative=in_alternative)
    else:
        if node in shown and node.is_here:
            sections.append(_section(node))
        if (node not in shown or node.filename) and is_file(node, in_alternative=in_alternative):
            files.append(node)


def _alternative(inner: list[_Section]) -> list[_Section]:
    """Combine several forms of the same words into one section."""
    plain = [text for text, _ in inner if text is not None]
    html = [html for _, html in inner if html is not None]
    if not plain and not html:
        return []
    if html and any(map(_MARKUP.search, plain)):
        plain = []
    return [("\n".join(plain) if plain else None, "\n".join(html) if html else None)]


def _section(node: Node) -> _Section:
    raw = content_of(node)
    # Servers fill in ASCII as the default, and programs write it by habit. If there are other letters, it is wrong.
    charset = None if (node.charset or "").lower() in ("us-ascii", "ascii") else node.charset
    if node.type in HTML or _WHOLE_HTML.match(raw):
        raw = without_large_pictures(raw)
        return None, decoded(raw, charset or declared_charset(raw)).replace("\r\n", "\n")
    text = decoded(raw, charset).replace("\r\n", "\n").replace("\r", "\n")
    if node.params.get("format", "").lower() == "flowed":
        text = unwrapped(text, delsp=node.params.get("delsp", "").lower() == "yes")
    return plain_text(text, node.type) if node.type in ENRICHED else text, None


def _appointments(root: Node) -> tuple[calendar.Appointment, ...]:
    """Each appointment once: some come both as a form of the text and as a file."""
    found = (event for node in root.leaves() if calendar.is_calendar(node) for event in calendar.appointments(node))
    return tuple(dict.fromkeys(found))[: calendar.MOST_EVENTS]


def _enclosed(root: Node, depth: int) -> str:
    """The words of attached mails and reports."""
    words = (_enclosed_words(node, depth) for node in enclosed(root) if node.is_here)
    return "\n\n".join(filter(None, words))[:_MAX_ENCLOSED_TEXT]


def _enclosed_words(node: Node, depth: int) -> str:
    raw = content_of(node, MAX_ENCLOSED)
    if not is_mail(node):
        return decoded(raw, node.charset).replace("\r\n", "\n").strip()
    head, body = split_header(raw)
    headers = Headers(head)
    inner = content(tree(headers, body), depth=depth + 1)
    lines = [f"{name.capitalize()}: {headers.text(name)}" for name in _HEAD if name in headers]
    names = [part.filename for part in inner.attachments]
    text = text_from_html(inner.html or "") if inner.text is None else inner.text
    text = "\n\n".join(filter(None, [text.strip(), *(appointment.text for appointment in inner.appointments)]))
    return "\n".join([*lines, *names]) + f"\n\n{text.strip()}"


def _joined(sections: list[_Section]) -> _Section:
    """The text and the HTML of all sections. The text is None if a section has its words only in HTML."""
    if all(html is None for _, html in sections):
        return "\n\n".join((text or "").strip("\n") for text, _ in filter(_is_written, sections)), None
    sections = list(filter(_is_written, sections))
    html = "\n".join(_as_html(*section) for section in sections)
    if any(html is not None and not (text or "").strip() for text, html in sections):
        return None, html
    return "\n\n".join((text or "").strip("\n") for text, _ in sections), html


def _is_written(section: _Section) -> bool:
    text, html = section
    return html is not None or bool((text or "").strip())


def _has_words(section: _Section) -> bool:
    text, html = section
    return bool((text or "").strip() or (html and text_from_html(html)))


def _as_html(text: str | None, html: str | None) -> str:
    if html is not None:
        return html
    lines = entities.escape((text or "").strip("\n")).replace("\n", "<br>")
    return f'<p style="white-space:pre-wrap">{lines}</p>'


def _part(node: Node) -> Part:
    return Part(
        number=node.number,
        filename=filename_of(node),
        type=node.type,
        size=_decoded_size(node),
        content_id=node.content_id,
        location=node.location,
        inline=False,
        encoding=node.encoding,
        charset=node.charset,
    )


def _decoded_size(node: Node) -> int:
    """Exact if the part is here; otherwise the server's figure without the overhead of base64."""
    if node.raw is None:
        return node.encoded_size * 57 // 78 if node.encoding == "base64" else node.encoded_size
    if node.encoding == "base64" and end_of_base64(node.raw) == len(node.raw):
        letters = len(node.raw) - node.raw.count(b"\n") - node.raw.count(b"\r")
        return max(letters * 3 // 4 - node.raw[-6:].count(b"="), 0)
    return len(content_of(node))
