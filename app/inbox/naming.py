"""Naming: how names that people give (of a member, a mailbox, a tag) are kept."""

from __future__ import annotations


def one_line(name: str) -> str:
    """On one line, without what cannot be stored; empty where nothing of it could be seen."""
    name = " ".join(name.replace("\0", "").split())
    return name if any(letter.isprintable() and letter != " " for letter in name) else ""
