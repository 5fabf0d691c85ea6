"""`python -m tests.sync.rates N [SEED]`: N random histories of conversations, and the sync's error rates.

A history is one conversation of 1 to 6 mails. Members, mail clients, arriving mail and a dying worker act between any
two commands, which gives far more races than real life. truth.py describes what is counted. Seeds with errors are
named; `python -m tests.sync.rates --trace SEED` shows what happened in one. Ctrl-C ends it early, with the figures so
far.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app import db, schema
from app.inbox.conversations import goal
from local.postgres import LocalPostgres
from tests.cast import bring_on_stage
from tests.sync.simulated import EXTENSIONS
from tests.sync.world import Disturbance, World, new_world

CONVERSATIONS = 8
ACTS = 110
_NET = ("lined", "quiet", "same", "own", "beyond", "lost")


def random_world(seed: int) -> tuple[World, list[str]]:
    """A world after random acts and quiet rounds, and its faults."""
    chance = random.Random(seed)
    world = new_world(chance.choices(EXTENSIONS, (6, 2, 2))[0])
    for conversation in range(CONVERSATIONS):
        world.mail_arrives(conversation)
    world.pull()
    for _ in range(ACTS):
        _act(world, chance)
    wrong = world.settled()
    return world, wrong + world.probed()


def counts_of(world: World, wrong: list[str]) -> Counter[str]:
    counts = Counter(world.truth.counts)
    counts["histories"] = world.conversations
    counts["made up"] = len(world.truth.made_up)
    counts["not settled"] = bool(wrong)
    return counts


def report(counts: Counter[str], seconds: float | None = None) -> None:
    net = max(sum(counts[fate] for fate in _NET), 1)
    took = "" if seconds is None else f" in {seconds:.0f} s"
    say(f"{counts['histories']} histories{took}, {net} net edits of mail clients: {dict(counts)}")
    say(f"(a) edits without a line though we hold another value: {counts['lost']}, {counts['lost'] / net:.2%}")
    say(f"    with nothing but a quiet line (it turned up with this name, taken as older): {counts['quiet'] / net:.2%}")
    say(f"    that equal a value of our own, so that nobody can tell them apart: {counts['own'] / net:.2%}")
    say(f"(b) histories with an adoption nobody made: {counts['made up'] / max(counts['histories'], 1):.2%}")
    say(f"(c) histories not settled: {counts['not settled']}")


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  the command's answer


def _act(world: World, chance: random.Random) -> None:
    what = chance.choices(("client", "web", "pull", "push", "mail", "replay"), (55, 18, 9, 9, 6, 4))[0]
    numbers = [chance.randrange(1000) for _ in range(3)]
    if what == "client":
        world.client(*numbers)
    elif what == "web":
        world.web(*numbers)
    elif what == "mail":
        world.mail_arrives(chance.randrange(CONVERSATIONS))
    elif what == "replay":
        world.replay(numbers[0])
    else:
        disturbances = [_disturbance(chance) for _ in range(chance.choice((0, 0, 1, 1, 2)))]
        (world.pull if what == "pull" else world.push)(disturbances)


def _disturbance(chance: random.Random) -> Disturbance:
    step, how = chance.randrange(1, 25), chance.choice(("die", "die after", "client", "client", "web"))
    return Disturbance(step, how, *(chance.randrange(1000) for _ in range(3)))


@contextmanager
def _stage() -> Iterator[None]:
    """Our own Postgres with the cast, and a low limit so that it is reached."""
    home = Path(tempfile.mkdtemp(prefix="signalbox-rates-"))
    home.chmod(0o755)
    server = LocalPostgres(home, fast=True)
    server.start()
    goal.NEWEST = 3
    try:
        server.ensure_database("rates")
        engine = create_engine(server.url("rates"), poolclass=NullPool)
        schema.upgrade(engine)
        engine.dispose()
        bound = db.connect(server.url("rates"))
        with db.transaction() as session:
            bring_on_stage(session)
        yield
        bound.dispose()
    finally:
        server.stop()
        server.remove()
        shutil.rmtree(home, ignore_errors=True)


def _run(histories: int, first_seed: int) -> None:
    counts: Counter[str] = Counter()
    began = time.monotonic()
    with suppress(KeyboardInterrupt):
        for seed in range(first_seed, first_seed + -(-histories // CONVERSATIONS)):
            world, wrong = random_world(seed)
            counts += counts_of(world, wrong)
            for what, found in (("not settled", wrong), ("lost", world.truth.lost), ("made up", world.truth.made_up)):
                if found:
                    say(f"seed {seed}: {what}: {found}")
    report(counts, time.monotonic() - began)


def main(words: list[str]) -> None:
    with _stage():
        if words[0] == "--trace":
            world, wrong = random_world(int(words[1]))
            say("\n".join([*world.log, *wrong, *world.truth.lost, str(world.truth.made_up)]))
        else:
            _run(int(words[0]), int(words[1]) if len(words) > 1 else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
