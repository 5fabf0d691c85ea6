"""The sample mailbox: help@halden.example of a shop for bicycle parts, in English and Spanish.

Any number of mails: the demo has some hundreds, benchmarks a million. The same arguments give the same bytes. Mails
come in order of delivery, so that a server's UIDs rise with time, and only the plan is in memory.
"""

from __future__ import annotations

import datetime as dt
import heapq
import random
from collections.abc import Iterator

from local.sample import bulk, nasty
from local.sample.conversation import conversation
from local.sample.people import US
from local.sample.plan import plans
from local.sample.state import with_state
from local.sample.values import ConversationPlan, SampleMail

__all__ = ["ADDRESS", "SampleMail", "sample_mails", "with_state"]

ADDRESS = US.address
_ORDINARY_DAY = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


def sample_mails(count: int, seed: int = 1, *, start: dt.datetime | None = None) -> Iterator[SampleMail]:
    """`count` mails, oldest first. `start` is the present time of the sample: the newest mail is some minutes older."""
    waiting: list[tuple[dt.datetime, int, int, SampleMail]] = []
    for plan in plans(count, seed, start or _ORDINARY_DAY):
        # Conversations overlap: mails older than the start of the next one can be yielded.
        while waiting and waiting[0][0] < plan.moments[0]:
            yield heapq.heappop(waiting)[-1]
        for place, mail in enumerate(_mails(plan, random.Random(f"{seed}.{plan.number}"))):
            heapq.heappush(waiting, (mail.internaldate, plan.number, place, mail))
    while waiting:
        yield heapq.heappop(waiting)[-1]


def _mails(plan: ConversationPlan, rng: random.Random) -> Iterator[SampleMail]:
    if plan.kind == "conversation":
        yield from conversation(plan, rng)
        return
    moment, serial = plan.moments[0], plan.number
    match plan.kind:
        case "newsletter":
            raws = [bulk.newsletter(rng, moment, serial)]
        case "notice":
            raws = [bulk.notice(rng, moment, serial)]
        case "spam":
            raws = [bulk.spam(rng, moment, serial)]
        case _:
            raws = nasty.nasty(int(plan.kind.removeprefix("nasty ")), rng, moment)
    folder = "Junk" if plan.kind == "spam" else "INBOX"
    flags = (*(("\\Seen",) if plan.settled else ()), *(("$Junk",) if plan.kind == "spam" else ()))
    for raw, at in zip(raws, plan.moments, strict=True):
        yield SampleMail(raw, folder, flags, at, plan.number, plan.kind.split()[0])
