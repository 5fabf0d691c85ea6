"""format=flowed (RFC 3676): joins lines that were wrapped for transport."""

from __future__ import annotations


def unwrapped(text: str, *, delsp: bool = False) -> str:
    """The text with soft line breaks removed and its quote marks kept."""
    lines: list[str] = []
    paragraph: list[str] = []
    depth = -1
    for line in text.split("\n"):
        level = len(line) - len(line.lstrip(">"))
        rest = line[level:].removeprefix(" ")
        if depth >= 0 and level != depth:
            lines.append(_quoted(depth, paragraph))
            paragraph = []
        goes_on = rest.endswith(" ") and rest != "-- "
        paragraph.append(rest[:-1] if goes_on and delsp else rest)
        depth = level
        if not goes_on:
            lines.append(_quoted(depth, paragraph))
            paragraph, depth = [], -1
    return "\n".join(lines if depth < 0 else [*lines, _quoted(depth, paragraph)])


def _quoted(depth: int, paragraph: list[str]) -> str:
    return ">" * depth + " " * bool(depth) + "".join(paragraph)
