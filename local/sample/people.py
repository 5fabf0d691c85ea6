"""The people who write to the sample mailbox: invented, at addresses that cannot exist (RFC 2606)."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CLIENTS = ("gmail", "gmail", "gmail", "outlook", "outlook", "apple", "apple", "thunderbird")


@dataclass(frozen=True)
class SamplePerson:
    """A person with an address. `client` is their mail program, `zone` their distance from UTC in hours."""

    name: str
    address: str
    language: str
    client: str = "thunderbird"
    zone: int = 0
    city: str = ""
    street: str = ""

    @property
    def first(self) -> str:
        return self.name.split()[0]

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


US = SamplePerson("Halden Help", "help@halden.example", "en", "apple", 1)
#: The names under our answers, by language.
AGENTS = {"ana": "Ana", "ben": "Ben", "carla": "Carla"}

_ROMAN = {"ja": "kenta.sato", "ru": "d.kuznetsov", "he": "yossi.cohen"}
_STREETS = {
    "en": ["14 Quay Street", "3 Orchard Lane", "27b Mill Road", "Kanaalweg 112", "8 Harbour View", "51 Foundry Hill"],
    "es": ["C/ Mayor, 14, 2.º B", "Avda. del Puerto, 201", "C/ Cervantes, 8", "Rúa Nova, 33", "Plaza Nueva, 5, 1.º"],
}
_ZONES = {"en": (0, 0, 1, 1, 2, -5, -8), "es": (1, 1, 1, 2, -3, -6), "ja": (9,), "ru": (3,), "he": (2,)}
_DOMAINS = [
    f"{name}.example"
    for name in ("mailbox", "post", "correo", "fjordmail", "webmail", "inbox", "bluepost", "vega", "kontor", "uni-nord")
]


def someone(rng: random.Random, language: str) -> SamplePerson:
    """A person who writes in this language."""
    known = _names()
    name = f"{rng.choice(known[f'{language} first'])} {rng.choice(known[f'{language} last'])}"
    local = _ROMAN.get(language) or _ascii(name.replace(" ", rng.choice([".", ".", "_", ""])))
    if rng.random() < 0.3:
        local += str(rng.randrange(1, 99))
    return SamplePerson(
        name,
        f"{local}@{rng.choice(_DOMAINS)}",
        language,
        rng.choice(CLIENTS),
        rng.choice(_ZONES.get(language, (1,))),
        rng.choice(known.get(f"{language} city", known["en city"])),
        rng.choice(_STREETS.get(language, _STREETS["en"])),
    )


@cache
def _names() -> dict[str, list[str]]:
    """First names, last names and cities by language; `_` is a space inside a name."""
    text = (Path(__file__).parent / "texts" / "names.txt").read_text(encoding="utf-8").replace("\n  ", " ")
    lines = (line.split(": ", 1) for line in text.splitlines())
    return {what: [name.replace("_", " ") for name in names.split()] for what, names in lines}


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("ø", "o"))
    return "".join(letter for letter in plain.lower() if letter.isascii() and (letter.isalnum() or letter in "._"))
