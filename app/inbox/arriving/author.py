"""The author of a mail whose From a mailing list or group rewrote to pass DMARC; pure.

Mailman and Google Groups put themselves into From and the author into its name: "Mia Kunze via Talk" <talk@lists>.
Other lists keep their own name. The author's address is in Reply-To (where the parser puts X-Original-From), in Cc, or
spelled into the list's address (`mia=customer.example@groups.io`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

Person = Sequence[str]  # (name, address)
#: How lists in several languages join the author's name and their own. In SQL: `VIA`.
_WORDS = r"via|vía|über|a través de|através de|tramite|przez|через|経由"
_VIA = re.compile(rf"\s(?:{_WORDS})\s", re.IGNORECASE)
VIA = rf"\s({_WORDS})\s"
_SPELLED = re.compile(r"([^@=]{1,64})(?:=40|=)([^@=]{1,200}\.[^@=.]{1,60})@")
_QUOTES = " \t\"'‘’“”"


def is_via(name: str) -> bool:
    """Whether this name in From is a list's name beside its author's."""
    return _VIA.search(name) is not None


def author(
    sender: Person, reply_to: Sequence[Person], to: Sequence[Person], cc: Sequence[Person], *, is_list: bool
) -> tuple[str, str] | None:
    """The author of a rewritten mail; None if the mail was not rewritten or its author is unknown.

    `is_list`: a mailing list sent it. Then it may be rewritten even if From only has the list's name."""
    via, address = _VIA.search(sender[0]), sender[1].lower()
    if via is None and not (is_list and address in {receiver.lower() for _, receiver in (*to, *cc)}):
        return None
    name = sender[0][: via.start()].strip(_QUOTES) if via else ""
    # A primary recipient is not the author: members write to a list that is in Reply-To, with a copy to themselves.
    no_authors = {address} if via else {address, *(receiver.lower() for _, receiver in to)}
    others = [person for person in reply_to if person[1] and person[1].lower() not in no_authors]
    named = [person for person in (*others, *cc) if person[1].lower() != address and _agrees(person, name)]
    for person in (*named, *others):
        return person[0] or name, person[1]
    spelled = _SPELLED.match(address)
    return (name, f"{spelled[1]}@{spelled[2]}") if spelled else None


def _agrees(person: Person, name: str) -> bool:
    """If an author has no name, lists use the address or its local part."""
    known = person[0].strip(_QUOTES).casefold(), person[1].casefold(), person[1].partition("@")[0].casefold()
    return bool(name) and name.casefold().replace(" at ", "@") in known
