"""Gives the pictures of a mail's HTML their address. The HTML is safe and well-formed already (message.py:Body)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from markupsafe import escape

_PLACE = re.compile(r'(<img(?: [a-z-]+="[^"]*")*?) data-(part|remote)="([^"]*)"')


def with_pictures(html: str, parts: Mapping[str, str], *, remote: bool) -> str:
    """`parts`: the number of a part to the address of its attachment. A picture without an address shows its
    alternative text, and so does one on another server unless the reader asked for it (`remote`)."""

    def place(found: re.Match[str]) -> str:
        before, kind, value = found.groups()
        address = parts.get(value) if kind == "part" else value if remote else None
        return f'{before} src="{escape(address) if kind == "part" else address}"' if address else before

    return _PLACE.sub(place, html)
