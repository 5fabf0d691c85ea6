"""Naming: normalizes names that people enter for a member, a mailbox or a tag."""

from __future__ import annotations


def one_line(name: str) -> str:
    """The name on one line, without characters that cannot be stored; empty if nothing visible is left."""
    name = " ".join(name.replace("\0", "").split())
    return name if any(letter.isprintable() and letter != " " for letter in name) else ""
