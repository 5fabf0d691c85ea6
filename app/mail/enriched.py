"""Plain text from text/enriched (RFC 1896) and text/richtext (RFC 1341 section 7.1.3), which old mail programs send."""

from __future__ import annotations

import re

_COMMAND = re.compile(r"<(/?)([a-zA-Z0-9-]{1,60})>")
_LINE_ENDS = re.compile(r"\n+")
#: Arguments of a command are not text: <param>red</param>.
_HIDDEN = re.compile(r"<(param|comment)>[^<]*</\1>", re.IGNORECASE)
_LITERALS = {"nl": "\n", "lt": "<", "np": "\n\n"}
_BLOCKS = frozenset({"paragraph", "heading", "footing", "center", "indent", "excerpt"})


def plain_text(text: str, kind: str) -> str:
    """The text without formatting commands. `kind`: text/enriched or text/richtext; their line ends differ."""
    text = _HIDDEN.sub("", text)
    if kind == "text/richtext":
        return _COMMAND.sub(_meaning, text.replace("\n", " ")).strip(" ")
    # A single line end is a space; each further one is a line break. "<<" is a literal "<".
    pieces = (_COMMAND.sub("", piece) for piece in text.split("<<"))
    return _LINE_ENDS.sub(lambda ends: "\n" * (len(ends[0]) - 1) or " ", "<".join(pieces)).strip(" ")


def _meaning(command: re.Match[str]) -> str:
    name = command[2].lower()
    return "\n" if name in _BLOCKS and command[1] else _LITERALS.get(name, "")
