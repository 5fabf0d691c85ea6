"""Gives the sample mailbox a history: owners, closed and pending conversations, tags.

They are keywords on the mails, where a team's state is stored (docs/keywords.md).
"""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from local.sample.values import SampleMail

_DONE = dt.timedelta(days=4)
_DEALT_WITH = dt.timedelta(days=2)
_TEAM = ("ana", "ben", "carla", "carla")


def with_state(mails: Iterable[SampleMail], seed: int = 1) -> list[SampleMail]:
    """The same mails, with the keywords of a team that has worked on them."""
    mails = list(mails)
    conversations: dict[int, list[SampleMail]] = defaultdict(list)
    for mail in mails:
        if mail.kind != "spam":
            conversations[mail.conversation].append(mail)
    now = max((mail.internaldate for mail in mails), default=dt.datetime.now(dt.UTC))
    names = {
        number: _names(random.Random(f"{seed}.{number}.state"), those, now - those[-1].internaldate)
        for number, those in conversations.items()
    }
    return [replace(mail, flags=(*mail.flags, *names.get(mail.conversation, ()))) for mail in mails]


def _names(rng: random.Random, mails: list[SampleMail], quiet: dt.timedelta) -> tuple[str, ...]:
    """The keywords of one conversation."""
    agents = [mail.agent for mail in mails if mail.agent]
    names = []
    if agents:
        names.append(f"assigned-{agents[-1]}")
        if quiet > _DONE and rng.random() < 0.9:
            names.append("state-closed")
        elif mails[-1].ours:
            names.append(rng.choice(("state-pending", "state-pending", "state-closed")))
        elif rng.random() < 0.35:
            names.append("state-closed")  # a "thank you" needs no answer
    elif quiet > _DEALT_WITH:
        names += [f"assigned-{rng.choice(_TEAM)}", "state-closed"]  # answered by phone, or nothing to answer
    elif rng.random() < 0.2:
        names.append(f"assigned-{rng.choice(_TEAM)}")
    if mails[0].tag and rng.random() < (0.75 if agents else 0.25):
        names.append(mails[0].tag)
    if rng.random() < 0.04:
        names.append("\\Flagged")
    return tuple(names)
