"""Decides which parts of a mail are its body, and which are files. One rule for mails of every size.

A named text part is a file if the mail has other text. Two named parts are shown as text and also listed as files. One
is a part that its sender placed inline (RFC 2183 section 2.1). The other is the first named part of a mail without
other text, because SAP, scanners and some phones send their only text like this. The footer of a list does not count as
text. Other types of text are shown if a mail has neither plain text nor HTML (RFC 2046 section 4.1.4).
"""

from __future__ import annotations

from app import reports
from app.mail.enclosed import UNKNOWN_TYPES
from app.mail.html import text_from_html
from app.mail.mime import Node
from app.mail.quotes.signatures import is_footer
from app.mail.transfer import content_of

#: HTML for other kinds of readers. The first has the most content.
_OTHER_HTML = ("text/x-amp-html", "text/watch-html")
HTML = frozenset({"text/html", *_OTHER_HTML})
ENRICHED = frozenset({"text/enriched", "text/richtext"})
#: Text that people can read without conversion, whatever its type.
_OTHER_TEXT = frozenset({"text/markdown", "text/x-markdown"}) | ENRICHED
#: Other forms of the same words, for other programs; they are not files.
_OTHER_FORMS = frozenset(_OTHER_HTML) | _OTHER_TEXT
#: Text for programs.
_DATA = frozenset({
    "text/calendar", "text/x-vcalendar", "text/vcard", "text/x-vcard", "text/directory", "text/rtf", "text/css",
    "text/javascript", "text/xml",
}) | reports.HEADERS  # fmt: skip
#: A longer part is neither an empty page nor a footer.
_LITTLE = 4096
#: A longer inline file is shown only if the mail has no other text.
_MOST_INLINE = 64 * 1024
#: Names of text files whose declared type is unknown.
_TEXT_ENDINGS = (".txt", ".htm", ".html")
_RANKS = {"inline": 0, "": 1}


def bodies(root: Node) -> list[Node]:
    """The parts that are shown as text, in reading order."""
    leaves = root.leaves()
    texts = [node for node in leaves if _is_text(node)]
    named = [node for node in texts if node.filename or node.disposition == "attachment"]
    shown = {node for node in texts if node not in named or _is_placed_inline(node)}
    only = [node for node in named or _other_texts(leaves) if node not in shown]
    if only and all(map(_says_nothing, shown)):
        first = min(only, key=lambda node: _RANKS.get(node.disposition, 2))
        shown |= {first, *(node for node in _alternatives(root, first) if node in only)}
    return [node for node in leaves if node in shown]


def is_file(node: Node, *, in_alternative: bool) -> bool:
    """Whether a part is listed as a file, shown or not."""
    return bool(node.filename) or not (in_alternative and node.type in _OTHER_FORMS)


def _is_text(node: Node) -> bool:
    """(A part that is nested too deep stays a multipart, and is shown raw.)"""
    return node.type in ("text/plain", "text/html") or node.type.startswith("multipart/")


def _is_placed_inline(node: Node) -> bool:
    return node.disposition == "inline" and node.encoded_size <= _MOST_INLINE


def _other_texts(leaves: list[Node]) -> list[Node]:
    """Parts with other types of text. Several kinds of HTML are forms of the same words, so only one is taken."""
    found = [node for node in leaves if node.type in _OTHER_TEXT or _is_unknown_text(node)]
    pages = [node for kind in _OTHER_HTML for node in leaves if node.type == kind and node.disposition != "attachment"]
    return pages[:1] + found


def _is_unknown_text(node: Node) -> bool:
    if node.type in UNKNOWN_TYPES and node.filename.lower().endswith(_TEXT_ENDINGS):
        return True
    is_unknown = node.type.startswith("text/") and node.type not in HTML and node.type not in _DATA
    return is_unknown and not node.filename and node.disposition != "attachment"


def _says_nothing(node: Node) -> bool:
    """Whether a part is an empty page, or only a footer. A part that is still on the server counts as text."""
    if not node.is_here:
        return node.encoded_size == 0
    content = content_of(node)
    if len(content) > _LITTLE:
        return False
    words = text_from_html(content.decode("latin-1")) if node.type == "text/html" else content.decode("latin-1")
    lines = [line for line in words.split("\n") if line.strip("\r\t \xa0")]
    return not lines or is_footer(lines)


def _alternatives(root: Node, leaf: Node) -> list[Node]:
    """The other forms of the same text."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "multipart/alternative" and leaf in node.leaves():
            return node.leaves()
        waiting += node.children
    return []
