"""Mails and machines' reports inside a mail (RFC 2046 section 5.2, RFC 3464, RFC 8098, RFC 5965)."""

from __future__ import annotations

from app import reports
from app.mail.mime import Node

#: Whole mails (RFC 2046 section 5.2.1, RFC 6532), Usenet articles (RFC 5537), and pieces of mails (RFC 2046 section
#: 5.2.2): the first piece begins with the header.
MAILS = frozenset({"message/rfc822", "message/global", "message/news", "message/partial"})
#: Types that programs give to files of which they know only the name.
UNKNOWN_TYPES = frozenset(
    {"application/octet-stream", "application/binary", "application/x-unknown", "application/unknown"}
)
_MOST_PARTS = 20


def enclosed(root: Node) -> list[Node]:
    """The parts that contain a mail or a report."""
    return [node for node in root.leaves() if is_mail(node) or node.type in reports.PARTS][:_MOST_PARTS]


def is_mail(node: Node) -> bool:
    """Whether the part is a mail by its type, or by its name if the type is unknown."""
    return node.type in MAILS or (node.type in UNKNOWN_TYPES and node.filename.lower().endswith(".eml"))
