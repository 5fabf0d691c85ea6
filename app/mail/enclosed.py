"""Mails and machines' reports inside a mail (RFC 2046 section 5.2, RFC 3464, RFC 8098, RFC 5965)."""

from __future__ import annotations

from app import reports
from app.mail.mime import Node

MAILS = frozenset({"message/rfc822", "message/global"})
_MOST_PARTS = 20


def enclosed(root: Node) -> list[Node]:
    """The parts that hold a mail or a report."""
    return [node for node in root.leaves() if node.type in MAILS or node.type in reports.PARTS][:_MOST_PARTS]
