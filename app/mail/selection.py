"""Which parts of a mail are read as its body, and which are files. The one rule for mails of every size.

A text part with a name is a file where a text part without one is there. Where none is, the first named one is the
body, and is listed as a file as well: SAP, scanners and some phones send their only text so.
"""

from __future__ import annotations

from app.mail.html import text_from_html
from app.mail.mime import Node
from app.mail.transfer import content_of

#: Text that is readable as it stands, where a mail has nothing better.
_OTHER_TEXT = frozenset({"text/markdown", "text/x-markdown", "text/enriched", "text/richtext"})
#: Other forms of the same words, for programs that are none of ours: neither shown nor files.
_OTHER_FORMS = frozenset({"text/x-amp-html", "text/watch-html", "text/enriched", "text/richtext"})
#: More than this is no empty page.
_EMPTY_BYTES = 4096
_RANKS = {"inline": 0, "": 1}


def bodies(root: Node) -> list[Node]:
    """The parts that are shown as text, in reading order."""
    leaves = root.leaves()
    texts = [node for node in leaves if _is_text(node)]
    unnamed = [node for node in texts if not node.filename and node.disposition != "attachment"]
    named = [node for node in texts if node.filename or node.disposition == "attachment"]
    named = named or [node for node in leaves if node.type in _OTHER_TEXT]
    if not named or not all(_is_empty(node) for node in unnamed):
        return unnamed
    first = min(named, key=lambda node: _RANKS.get(node.disposition, 2))
    chosen = {first, *unnamed, *(node for node in _alternatives(root, first) if node in named)}
    return [node for node in leaves if node in chosen]


def is_file(node: Node, *, in_alternative: bool) -> bool:
    """Whether a part is listed as a file, be it shown or not."""
    return bool(node.filename) or not (in_alternative and node.type in _OTHER_FORMS)


def _is_text(node: Node) -> bool:
    """(What is nested too deep stays a multipart, and is shown as it is.)"""
    return node.type in ("text/plain", "text/html") or node.type.startswith("multipart/")


def _is_empty(node: Node) -> bool:
    """Whether a part would be an empty page. One that is still on the server counts as written."""
    if not node.is_here:
        return node.encoded_size == 0
    content = content_of(node)
    if len(content) > _EMPTY_BYTES:
        return False
    words = text_from_html(content.decode("latin-1")) if node.type == "text/html" else content.decode("latin-1")
    return not words.strip("\r\n\t \xa0")


def _alternatives(root: Node, leaf: Node) -> list[Node]:
    """The other forms of the same text."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "multipart/alternative" and leaf in node.leaves():
            return node.leaves()
        waiting += node.children
    return []
