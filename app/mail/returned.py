"""Finds the mail that a report is about. Bounces (RFC 3462), receipts (RFC 8098) and complaints (RFC 5965) return the
mail or its header, or only quote some fields in their text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app import reports
from app.mail.charset import decoded
from app.mail.enclosed import enclosed, is_mail
from app.mail.headers import Headers, decoded_words, one_line
from app.mail.ids import first_id
from app.mail.mime import Node, split_header
from app.mail.transfer import content_of

_LONGEST = 64 * 1024
_MOST_IDS = 5
_LONGEST_SUBJECT = 500
_ID = r"message[-_ ]?id[ \t*\"']{0,5}[:=]?[ \t*\"']{0,5}"
_ID_NAMED = re.compile(
    rf"\b{_ID}(<[^<>\s]{{3,900}}>)|^[ \t>|*]{{0,12}}(?:[a-z]{{1,9}}[- ])?{_ID}([^\s<>@]{{1,300}}@[^\s<>]{{1,300}})",
    re.IGNORECASE | re.MULTILINE,
)
_SUBJECT_LINE = re.compile(
    r"^[ \t>|*]{0,12}(?:original )?(?:subject|betreff|asunto|objet|oggetto|assunto|onderwerp)[ \t*]{0,5}:[ \t*]{0,5}"
    r"(\S[^\r\n]{0,499})",
    re.IGNORECASE | re.MULTILINE,
)
#: Fields of a report's own header that name the mail.
_FIELDS = ("original-message-id", "x-original-message-id", "x-failed-message-id")


@dataclass(frozen=True, slots=True)
class Returned:
    """`ids`: its Message-ID, or candidates for it. `subject`: empty if unknown."""

    ids: tuple[str, ...] = ()
    subject: str = ""


def returned(headers: Headers, root: Node, text: str) -> Returned:
    """The mail that a report is about, as far as the report says. `text`: the report's text for people."""
    heads = [_head(node) for node in enclosed(root) if _has_header(node) and node.is_here]
    parts = [
        decoded(content_of(node, _LONGEST), node.charset)
        for node in enclosed(root)
        if not _has_header(node) and node.is_here
    ]
    words = text[:_LONGEST]
    found = [first_id(head.all("message-id")) for head in heads]
    found += [first_id(headers.all(name)) for name in _FIELDS]
    found += [first_id([line[1] or line[2]]) for said in (*parts, words) for line in _ID_NAMED.finditer(said)]
    ids = [id_ for id_ in found if id_] or _content_ids(headers, root)
    subjects = [head.text("subject") for head in heads] + [
        one_line(decoded_words(line[1])) for line in _SUBJECT_LINE.finditer(words)
    ]
    subject = next((subject for subject in subjects if subject.strip()), "")
    return Returned(tuple(dict.fromkeys(ids))[:_MOST_IDS], subject[:_LONGEST_SUBJECT])


def _has_header(node: Node) -> bool:
    return is_mail(node) or node.type in reports.HEADERS


def _head(node: Node) -> Headers:
    raw = content_of(node, _LONGEST)
    return Headers(split_header(raw)[0] if is_mail(node) else raw)


def _content_ids(headers: Headers, root: Node) -> list[str]:
    """Some gateways write the mail's id into the Content-ID of a part."""
    told = [headers.get("content-id") or "", *(f"<{node.content_id}>" for node in enclosed(root) if node.content_id)]
    return [id_ for value in told if (id_ := first_id([value]))]
