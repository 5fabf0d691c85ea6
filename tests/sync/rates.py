"""`python -m tests.sync.rates N [SEED]`: N random histories of conversations, and how often the sync errs in them.

A history is one conversation of 1 to 6 mails in a world where members, mail clients, arriving mail and a dying worker
come between any two commands; far more races than real life has. See truth.py for what is counted.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app import db, schema
from app.inbox import goal
from app.local.postgres import LocalPostgres
from tests.cast import bring_on_stage
from tests.sync.simulated import EXTENSIONS
from tests.sync.world import Disturbance, World, new_world

CONVERSATIONS = 8
ACTS = 110


def random_world(seed: int) -> tuple[World, list[str]]:
    """A world that lived through random acts and then came to rest; what is wrong with it."""
    chance = random.Random(seed)
    world = new_world(chance.choices(EXTENSIONS, (6, 2, 2))[0])
    for conversation in range(CONVERSATIONS):
        world.mail_arrives(conversation)
    world.pull()
    for _ in range(ACTS):
        _act(world, chance)
    wrong = world.settled()
    return world, wrong + world.probed()


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
        world.replay(
            numbers[0],
        )
    else:
        disturbances = [
            Disturbance(chance.randrange(1, 25), chance.choice(("die", "die after", "client", "client", "web")),
                        *(chance.randrange(1000) for _ in range(3)))
            for _ in range(chance.choice((0, 0, 1, 1, 2)))
        ]  # fmt: skip
        (world.pull if what == "pull" else world.push)(disturbances)


@contextmanager
def stage() -> Iterator[None]:
    """A Postgres of our own with the cast on it, and a cap so low that it binds."""
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


def main(histories: int, first_seed: int) -> None:
    counts: Counter[str] = Counter()
    began = time.monotonic()
    with stage():
        for number in range(-(-histories // CONVERSATIONS)):
            world, wrong = random_world(first_seed + number)
            counts.update(world.truth.counts)
            counts["histories"] += CONVERSATIONS
            counts["made up"] += len(world.truth.made_up)
            counts["not settled"] += bool(wrong)
            if wrong or world.truth.lost or world.truth.made_up:
                print(
                    f"seed {first_seed + number}: {wrong} lost {world.truth.lost} made up {world.truth.made_up}",
                    flush=True,
                )
    _report(counts, time.monotonic() - began)


def _report(counts: Counter[str], seconds: float) -> None:
    net = sum(counts[fate] for fate in ("lined", "same", "own", "beyond", "lost"))
    print(f"{counts['histories']} histories in {seconds:.0f} s; {net} net edits: {dict(counts)}")
    print(f"(a) edits without a line though we hold another value: {counts['lost'] / max(net, 1):.2%}")
    print(f"    (and {counts['own'] / max(net, 1):.2%} that equal a value of our own: nobody can tell them apart)")
    print(f"(b) histories with an adoption nobody made: {counts['made up'] / counts['histories']:.2%}")
    print(f"(c) histories not settled: {counts['not settled']}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
