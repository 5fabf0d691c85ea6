"""Names of attached files: made safe, and found elsewhere if a part has none."""

from __future__ import annotations

import mimetypes
import re

from app.mail import calendar
from app.mail.enclosed import MAILS
from app.mail.headers import Headers
from app.mail.mime import Node, split_header
from app.mail.transfer import content_of

_LONGEST = 150
#: Slashes and drive letters, characters that Windows forbids, control characters, and characters that change the
#: direction of text.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+')
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")
#: Machines' reports have no file name. All of them are text.
_REPORTS = {"text/rfc822-headers": "headers.txt"}
_HEADER_BYTES = 64 * 1024


def filename_of(node: Node) -> str:
    """The name of a file, or one made from its content. An attached mail is named after its subject, an invitation
    after its summary."""
    if node.filename.strip():
        return safe_filename(node.filename, node.type)
    if node.type in MAILS:
        return _named(_subject(node), ".eml", node.type)
    if node.type in calendar.TYPES:
        return _named(calendar.summary(node), ".ics", node.type)
    if node.description.strip():
        return _named(node.description, _ending(node.type), node.type)
    if node.type.startswith("message/"):
        return safe_filename(f"{node.type.removeprefix('message/')}.txt", node.type)
    return _REPORTS.get(node.type) or safe_filename("", node.type)


def safe_filename(name: str, media_type: str) -> str:
    """A plain name: no path, no control or direction characters, not hidden, not too long."""
    name = _UNSAFE.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1]).strip(" ._")
    stem, dot, ending = name.rpartition(".")
    if len(name) > _LONGEST:
        name = f"{stem[: _LONGEST - 20]}.{ending[:15]}" if dot and stem else name[:_LONGEST]
    return name or f"attachment{_ending(media_type)}"


def _ending(media_type: str) -> str:
    if media_type in MAILS:
        return ".eml"
    return mimetypes.guess_extension(media_type) or ""


def _named(words: str, ending: str, media_type: str) -> str:
    """A name from words that are not a path: a slash in a subject does not separate folders."""
    words = " ".join(words.replace("/", "-").replace("\\", "-").split())[: _LONGEST - 20]
    if words and ending and not (_ENDING.search(words) and media_type not in MAILS):
        words += ending
    return safe_filename(words, media_type)


def _subject(node: Node) -> str:
    head, _ = split_header(content_of(node, _HEADER_BYTES))
    return node.subject or Headers(head).text("subject")
