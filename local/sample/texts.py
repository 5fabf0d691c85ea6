"""Reads the conversations of the sample mailbox from the plain text files beside this module.

A scenario begins with `== subject`, then `name: value` lines, then turns after `--` lines, alternately the customer's
and ours. `{a|b}` is a choice made anew each time. A `name: a | b` line is a choice made once for the whole
conversation, and `[name]` inserts it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_CHOICE = re.compile(r"\{([^{}]*)\}")
_SLOT = re.compile(r"\[(\w+)\]")


@dataclass(frozen=True)
class Scenario:
    """A conversation that many customers might have."""

    subject: str
    language: str
    tag: str | None
    choices: Mapping[str, tuple[str, ...]]
    turns: tuple[str, ...]


@cache
def scenarios(file: str) -> tuple[Scenario, ...]:
    """All scenarios of texts/`file`.txt."""
    parts = re.split(r"^== ", template(f"{file}.txt"), flags=re.MULTILINE)
    return tuple(_scenario(part, file) for part in parts[1:])


@cache
def template(file: str) -> str:
    """A page or a style of other programs, unchanged."""
    return (Path(__file__).parent / "texts" / file).read_text(encoding="utf-8")


@cache
def with_turns(file: str, turns: int) -> tuple[Scenario, ...]:
    """Scenarios with at least this many turns."""
    return tuple(scenario for scenario in scenarios(file) if len(scenario.turns) >= turns)


def fill(text: str, rng: random.Random, slots: Mapping[str, str]) -> str:
    """The text with its choices made and its slots filled."""
    text = _CHOICE.sub(lambda found: rng.choice(found[1].split("|")), text)
    return _SLOT.sub(lambda found: slots.get(found[1], found[0]), text)


def _scenario(part: str, file: str) -> Scenario:
    head, *turns = re.split(r"^--\n", part, flags=re.MULTILINE)
    subject, *settings = head.strip().splitlines()
    named = dict(line.split(": ", 1) for line in settings)
    language, tag = named.pop("language", file), named.pop("tag", None)
    choices = {name: tuple(value.split(" | ")) for name, value in named.items()}
    return Scenario(subject, language, tag, choices, tuple(turn.strip() for turn in turns))
