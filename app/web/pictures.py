"""Adds the addresses of pictures to a mail's HTML. The HTML is safe and well-formed already (message.py:Body).

A picture on another server tells the sender that somebody reads the mail. Only a member's own choice shows them. Its
address carries a signature, because a link in a mail could lead to any address that can be guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import current_app
from itsdangerous import BadSignature, Signer
from markupsafe import escape

from app.web.access import me

_PLACE = re.compile(r'(<img(?: [a-z-]+="[^"]*")*?) data-(part|remote)="([^"]*)"')
_PICTURE = re.compile(r'<img(?: [a-z-]+="[^"]*")*>')
_ALTERNATIVE = re.compile(r' alt="([^"]*)"')


def with_pictures(html: str, parts: Mapping[str, str], *, remote: bool) -> str:
    """`parts`: part number -> address of its attachment. A picture without an address shows its alternative text. So
    does one on another server, unless the reader asked for it (`remote`)."""

    def place(match: re.Match[str]) -> str:
        before, kind, value = match.groups()
        address = parts.get(value) if kind == "part" else value if remote else None
        return f'{before} src="{escape(address) if kind == "part" else address}"' if address else before

    return _PLACE.sub(place, html)


def with_alternatives(html: str) -> str:
    """Pictures without an address become their alternative text in a box (message/body.html), or nothing."""

    def place(match: re.Match[str]) -> str:
        if ' src="' in match[0]:
            return match[0]
        words = _ALTERNATIVE.search(match[0])
        return f'<span class="sb-alt">{words[1].strip()}</span>' if words and words[1].strip() else ""

    return _PICTURE.sub(place, html)


def permission(message_id: int) -> str:
    """The value of `images` in an address that shows this member the remote pictures of this message."""
    return _signer().sign(f"{me().id}-{message_id}").decode()


def permitted(value: str | None) -> int | None:
    """The message whose remote pictures this member asked for."""
    try:
        member, _, message = _signer().unsign(value or "").decode().partition("-")
    except BadSignature:
        return None
    return int(message) if int(member) == me().id else None


def _signer() -> Signer:
    return Signer(current_app.config["SECRET_KEY"], salt="remote pictures")
