"""Lists the messages of the open folder: by SEARCH, and by FETCH if SEARCH is not reliable."""

from __future__ import annotations

from datetime import date

from app.mail import answers
from app.mail.errors import Broken
from app.mail.names import MAX_UID
from app.mail.rows import rows
from app.mail.wire import Wire

_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


def uids(wire: Wire, low: int, high: int, *, exists: int, esearch: bool) -> list[int]:
    """The UIDs from `low` to `high`, ascending. `exists`: the number of messages from SELECT, 0 if unknown. Raises
    Broken if the server counts messages but lists none."""
    # Not `n:*`: it always includes the last message, and some servers find nothing with it.
    found = _search(wire, b"UID %d:%d" % (low, high), esearch=esearch)
    if not found and exists and (low, high) == (1, MAX_UID):
        found = _by_fetch(wire, exists)
    return sorted({uid for uid in found if low <= uid <= high})


def count_since(wire: Wire, day: date, *, esearch: bool) -> int:
    """The number of messages that arrived on that day or later, by the server's clock."""
    return len(_search(wire, b"SINCE %d-%b-%d" % (day.day, _MONTHS[day.month - 1], day.year), esearch=esearch))


def by_message_id(wire: Wire, message_id: str, *, esearch: bool) -> list[int]:
    """The messages with this Message-ID, which is made of letters, digits and a few signs."""
    return _search(wire, b'HEADER Message-ID "%s"' % message_id.encode("ascii"), esearch=esearch)


def _search(wire: Wire, wanted: bytes, *, esearch: bool) -> list[int]:
    words = [b"UID SEARCH"] + ([b"RETURN (ALL)"] if esearch else [])
    return list(answers.searched(wire.command("search", *words, wanted).untagged))


def _by_fetch(wire: Wire, exists: int) -> list[int]:
    answer = wire.command("list its messages", b"UID FETCH", b"1:%d" % MAX_UID, b"(UID)")
    found = [row.uid for row in rows(answer.untagged) if row.uid]
    if not found:
        raise Broken(f"The mail server counts {exists} messages in a folder but lists none of them.")
    return found
