"""Which email addresses are accepted for members and mailboxes. Reserved and internal domains are accepted."""

from __future__ import annotations

import re

from app.inbox.errors import N_, Invalid

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_LONGEST = 254  # RFC 5321 4.5.3.1.3, without the angle brackets


def check_address(address: str, field: str = "address") -> str:
    """The address as it will be stored. Raises Invalid."""
    address = address.strip()
    if not _ADDRESS.fullmatch(address) or not address.isprintable() or len(address) > _LONGEST:
        raise Invalid(field, N_("“%(address)s” is not an email address."), address=address)
    return address
