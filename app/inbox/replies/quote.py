"""What a reply quotes: the message that it answers, and nothing else. Notes are never quoted."""

from __future__ import annotations

from html import escape

from app.inbox.conversations.message import Message
from app.inbox.replies.rich_text import cleaned, html_of_text

_LONGEST = 200_000


def quote_of(message: Message) -> str:
    """Its words as HTML, below a line that says whose they are. Pictures are left out: they would need their files."""
    body = message.body
    if body is None or message.unreadable:
        return ""
    shown = body.shown_html
    words = cleaned(shown, pictures=False) if shown and len(shown) <= _LONGEST else html_of_text(body.text[:_LONGEST])
    if not words.strip():
        return ""
    who = f"{message.from_name} <{message.from_address}>" if message.from_name else message.from_address
    at = (message.date or message.received_at).strftime("%Y-%m-%d %H:%M")
    return f"<p>{escape(who)}, {at}:</p><blockquote>{words}</blockquote>"
