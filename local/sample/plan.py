"""Plans the sample: its conversations, their lengths, and the times of their mails.

The list looks alive: conversations get denser towards now, the newest are single mails some minutes old, and old ones
were answered.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from itertools import accumulate

from local.sample.nasty import mails_in
from local.sample.values import ConversationPlan

_MEAN_LENGTH = 2.4
_LENGTHS = (1, 2, 3, 4, 5, 6, 7, 8)
_WEIGHTS = (22, 24, 20, 14, 9, 5, 4, 2)
#: The number in every hundred conversations; the rest are between people.
_KINDS = {"newsletter": 9, "notice": 9, "spam": 4, "nasty": 5}
_FIRST_ANSWER = dt.timedelta(hours=3)
_SETTLED = dt.timedelta(days=5)


def plans(count: int, seed: int, now: dt.datetime) -> Iterator[ConversationPlan]:
    """Plans for exactly `count` mails, in the order in which the conversations begin."""
    rng = random.Random(f"{seed}.plan")
    amount = max(1, round(count / _MEAN_LENGTH))
    span = dt.timedelta(days=min(1_800, max(21, count / 60)))
    ages = [span * ((1 - (number + 0.5) / amount) ** 2.1) for number in range(amount)]
    kinds = [_kind(rng, number) for number in range(amount)]
    lengths = [_length(rng, kind, age) for kind, age in zip(kinds, ages, strict=True)]
    _fit(rng, count, kinds, lengths, ages)
    number = 0
    for kind, length, age in zip(kinds, lengths, ages, strict=True):
        if length:
            yield ConversationPlan(number, kind, tuple(_moments(rng, now, age, length)), age > _SETTLED)
            number += 1


def _kind(rng: random.Random, number: int) -> str:
    dice = rng.random() * 100
    for kind, share in _KINDS.items():
        dice -= share
        if dice < 0:
            return f"nasty {number // 7}" if kind == "nasty" else kind
    return "conversation"


def _length(rng: random.Random, kind: str, age: dt.timedelta) -> int:
    if kind.startswith("nasty"):
        return mails_in(int(kind.removeprefix("nasty ")))
    if kind != "conversation" or age < _FIRST_ANSWER:
        return 1
    if age < dt.timedelta(days=1):
        return rng.choice((1, 2))
    longest = 4 if age < dt.timedelta(days=3) else 8
    return max(_shortest(age), min(longest, rng.choices(_LENGTHS, _WEIGHTS)[0]))


def _shortest(age: dt.timedelta) -> int:
    """A good shop answers within two days."""
    return 1 if age < dt.timedelta(days=2) else 2


def _fit(rng: random.Random, count: int, kinds: list[str], lengths: list[int], ages: list[dt.timedelta]) -> None:
    """Lengthen or shorten conversations until the sum is right."""
    short_by = count - sum(lengths)
    tries = 0
    while short_by:
        place = rng.randrange(len(lengths))
        tries += 1
        longest = 8 if ages[place] > dt.timedelta(days=3) or tries > 20 * len(lengths) else 1
        if short_by > 0 and kinds[place] == "conversation" and lengths[place] < longest:
            lengths[place] += 1
            short_by -= 1
        elif short_by < 0 and lengths[place] > (_shortest(ages[place]) if kinds[place] == "conversation" else 0):
            less = lengths[place] if kinds[place] != "conversation" else 1
            if less <= -short_by:
                lengths[place] -= less
                short_by += less
        elif tries > 40 * len(lengths):
            kinds[place] = "conversation"  # the sample is too small for random choices


def _moments(rng: random.Random, now: dt.datetime, age: dt.timedelta, length: int) -> Iterator[dt.datetime]:
    """Answers take from minutes to days. A conversation that would reach into the future runs faster."""
    gaps = [min(rng.lognormvariate(9.3, 1.3), 260_000.0) + 240 for _ in range(length - 1)]
    room = age.total_seconds() * 0.9
    pace = min(1.0, room / sum(gaps)) if gaps else 1.0
    begin = (now - age).replace(microsecond=0)
    for seconds in accumulate([0.0, *gaps]):
        yield begin + dt.timedelta(seconds=int(seconds * pace))
