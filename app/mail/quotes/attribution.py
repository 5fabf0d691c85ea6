"""Recognize the line that introduces a quote: "On Mon, 3 Nov 2026 at 10:00, Ana <ana@x.example> wrote:".

The line is divided into address, date, time, known words and a rest. The rest can only be a name. Prose leaves other
words ("the courier wrote:"), so this works in any language without a pattern per client.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.mail.quotes.languages import entries, lowered, words
from app.mail.quotes.signatures import is_sign_off

_MOST_LETTERS = 400
_MOST_LINES = 4
_WRAPPED = 50
_MOST_NAME_WORDS = 7
#: Words of scripts without upper case: Hebrew, Arabic, Thai.
_MOST_CASELESS_WORDS = 24
_ADDRESS = re.compile(
    r"\[?<{1,2}[^<>\n]{0,200}>{1,2}\]?(?:\([^()\n]{0,200}\))?"
    r"|[\[(]?(?:mailto:)?[\w.+=-]{1,100}@[\w.-]{1,100}[\])]?"
)
_CLOCK = r"\d{1,2}\s?[:.h時시]\s?\d{2}(?:[:.]\d{2})?"
_TIME = re.compile(
    rf"(?<![\d.])(?:{_CLOCK}(?:\s?(?:[ap]\.?\s?m\b\.?))?|\d{{1,2}}\s?[ap]m\b)(?!\.?\d)"
    r"(?:\s?\(?(?:GMT|UTC)?\s?[+-]\d{1,2}:?(?:\d{2})?\)?)?",
    re.IGNORECASE,
)
_NUMERIC_DATE = re.compile(
    r"(?<!\d)(?:\d{4}\s?[-/.年년]\s?\d{1,2}\s?[-/.月월]\s?\d{1,2}(?:[日일.](?!\d))?"
    r"|\d{1,2}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?(?:\d{4}|\d{2}))(?!\d)"
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_WORD = re.compile(r"[^\W\d_][^\W\d_'’./&-]*(?:['’./&-]{1,2}[^\W\d_'’./&-]+)*|\d+")
_CODES = re.compile(r"\((?:a|-a|ла|-ла|s)\)|\(e\)an\b|/a\b|\b(?:GMT|UTC|CET|CEST|EST|EDT|PST|PDT|MEZ|MSK|BST)\b")
_ENDS = (":", "：")
_DIRECTIONS = " \t\r\n\xa0\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
#: Characters around an attribution.
_FRAME = f"{_DIRECTIONS}*_-‐–—>=~•"
_WROTE = words("wrote")
_MONTHS = words("months")
_KNOWN = words("small") | words("weekdays") | _MONTHS | _WROTE
#: Verbs of scripts without spaces between words. They are found inside a run of letters.
_UNSPACED = re.compile("|".join(sorted((w for w in _WROTE if ord(w[0]) > 0x2E80), key=len, reverse=True)))
_PARTICLES = entries("de|la|las|los|del|della|di|da|do|dos|das|du|le|les|el|van|von|der|den|ter|zu|bin|y|e|i|und|via")
#: Words with a capital at the beginning of a noun phrase, but never in a name.
_DETERMINERS = entries(
    "The|A|An|My|Your|Our|His|Her|Their|This|That|One|Der|Die|Das|Ein|Eine|Ihr|Ihre|Mein|Meine|Unser|Unsere"
    "|El|La|Los|Las|Un|Una|Mi|Su|Nuestro|Nuestra|Il|Lo|Gli|Uno|Mio|Suo|Le|Les|Une|Mon|Ma|Votre|Notre|O|Os|As"
    "|Um|Uma|Meu|Minha|Seu|De|Het|Een|Mijn|Uw|You|Sie|Usted|Vous|Lei|He|She|They|I|We|Er|Wir|Ich|Yo"
)


@dataclass(frozen=True, slots=True)
class _Facts:
    address: bool
    date: bool
    year: bool
    time: bool
    verb: bool
    name: tuple[str, ...]
    lower: int


def attribution_lines(lines: Sequence[str], end: int) -> int:
    """The number of lines, ending with `lines[end]`, that introduce a quote with marked lines; 0 if they do not."""
    return _lines(lines, end, _introduces)


def certain_attribution_lines(lines: Sequence[str], end: int) -> int:
    """The same for a quote without marks: it takes a date, a time, and an address or a name in a paragraph of its
    own."""
    count = _lines(lines, end, _is_certain)
    first = end - count + 1
    if not count or lines[first].lstrip()[:1] == "[":  # a line of a log
        return 0
    above = lines[first - 1].strip() if first else ""
    return count if not above or is_sign_off(above) else 0


def ends_like_attribution(line: str) -> bool:
    """A cheap test that most lines fail."""
    line = line.rstrip(_DIRECTIONS)
    return line.endswith(_ENDS) or (line.endswith("--") and len(line) > 12)


def has_address(text: str) -> bool:
    return _ADDRESS.search(text[:_MOST_LETTERS]) is not None


def has_date(text: str) -> bool:
    """A day and a month, with or without a year."""
    return _facts(text[:_MOST_LETTERS], "").date


def has_time(text: str) -> bool:
    return _TIME.search(text[:_MOST_LETTERS]) is not None


def _lines(lines: Sequence[str], end: int, qualifies: Callable[[_Facts], bool]) -> int:
    """The smallest number of lines that qualify and contain a date. Without a date, the smallest number that
    qualify."""
    if not ends_like_attribution(lines[end]):
        return 0
    joined, best = "", 0
    for count in range(1, min(_MOST_LINES, end + 1) + 1):
        line = lines[end - count + 1].strip()
        joined = f"{line} {joined}" if joined else line
        if not line or len(joined) > _MOST_LETTERS:
            break
        facts = _facts_of(joined)
        if facts is None or not qualifies(facts) or (count > 1 and not _is_wrapped(joined, facts)):
            continue
        if facts.date:
            return count
        best = best or count
    return best


def _is_wrapped(joined: str, facts: _Facts) -> bool:
    """Clients wrap only long lines. A short line above belongs to the author's text."""
    return len(joined) > _WRAPPED and not facts.lower


def _introduces(facts: _Facts) -> bool:
    when = facts.date or facts.time
    if facts.address and when:
        return facts.lower <= (3 if facts.verb else 2)
    if facts.lower or not (facts.verb or (facts.date and facts.time)):
        return False
    return facts.address or (when and (facts.verb or bool(facts.name))) or _is_name(facts.name)


def _is_name(words: Sequence[str]) -> bool:
    """Whether the words can be a name without other evidence: "My citation" is not one."""
    return any(word[0].isupper() for word in words) and not _DETERMINERS.intersection(words)


def _is_certain(facts: _Facts) -> bool:
    if not facts.date:
        return False
    if facts.address:
        return facts.lower <= 1 and (facts.time or facts.verb)
    named = bool(facts.name) and not _DETERMINERS.intersection(facts.name)
    return named and facts.verb and facts.year and facts.time and not facts.lower


@lru_cache(maxsize=512)  # both forms of a mail contain the line, and the preview needs it again
def _facts_of(joined: str) -> _Facts | None:
    """None if the rest is too long for a name."""
    stripped = joined.strip(_FRAME)
    ending = next((end for end in _ENDS if stripped.endswith(end)), "")
    if not ending and stripped == joined:
        return None
    facts = _facts(stripped, ending)
    if not ending and not facts.verb:
        return None
    cased = sum(word[0].isupper() for word in facts.name) + facts.lower
    return facts if cased <= _MOST_NAME_WORDS and len(facts.name) <= _MOST_CASELESS_WORDS else None


def _facts(text: str, ending: str) -> _Facts:
    text = text.removesuffix(ending)
    rest, addresses = _ADDRESS.subn(" ", text)
    rest = _CODES.sub(" ", rest)
    rest, dates = _NUMERIC_DATE.subn(" ", rest)
    rest, times = _TIME.subn(" ", rest)
    rest, verbs = _UNSPACED.subn(" ", rest)
    found = _WORD.findall(rest)
    low = [lowered(word) for word in found]
    numbers = sum(word.isdigit() for word in found)
    month = any(word in _MONTHS for word in low)
    left = [w for w, plain in zip(found, low, strict=True) if plain not in _KNOWN and not w.isdigit()]
    return _Facts(
        address=addresses > 0,
        date=dates > 0 or (month and numbers > 0),
        year=dates > 0 or _YEAR.search(text) is not None,
        time=times > 0,
        verb=verbs > 0 or not _WROTE.isdisjoint(low),
        name=tuple(w for w in left if not w[0].islower()),
        lower=sum(w[0].islower() and w not in _PARTICLES for w in left),
    )
