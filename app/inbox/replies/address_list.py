"""People as somebody types or pastes them: `Ana, Ben <ben@x>; "Ruiz, Carla" <carla@x>`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

#: A quoted name, an address in brackets, a separator, anything else.
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|<[^<>]*>|[,;\n]|[^",;<\n]+|.', re.DOTALL)
_LONGEST = 100_000


def people_of(typed: str) -> list[tuple[str, str]]:
    """Names, possibly empty, and what was typed as their addresses, good or not. A comma within a name that has an
    address in brackets after it does not part two people."""
    people: list[tuple[str, str]] = []
    pending = ""
    for piece in [*_PIECE.findall(typed[:_LONGEST].replace("\r", "\n")), "\n"]:
        if piece not in ",;\n":
            pending += piece
        elif "@" in pending or piece != ",":
            if typed_person := pending.strip(", "):
                people.append(person_of(typed_person))
            pending = ""
        else:
            pending += piece
    return people


def written(people: Iterable[Sequence[str]]) -> str:
    """The same as one line that `people_of` reads."""
    return ", ".join(_spelt(name, address) for name, address in people)


def person_of(typed: str) -> tuple[str, str]:
    """The name and the address of one person."""
    if not typed.endswith(">") or "<" not in typed:
        return "", typed
    name, _, address = typed[:-1].rpartition("<")
    name = name.strip()
    if len(name) > 1 and name.startswith('"') and name.endswith('"'):
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return name, address.strip()


def _spelt(name: str, address: str) -> str:
    if not name:
        return address
    if re.search(r'[",;<>@\n]', name):
        escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        name = f'"{escaped}"'
    return f"{name} <{address}>"
