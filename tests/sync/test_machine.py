"""Whatever members, mail clients, arriving mail and a dying worker do in any order: after two quiet rounds both sides
agree. `python -m tests.sync.rates` runs thousands of such histories and prints the sync's error rates.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from app.inbox.conversations import goal
from tests.cast import Cast
from tests.sync import rates
from tests.sync.simulated import EXTENSIONS
from tests.sync.world import Disturbance, World, new_world

NUMBER = st.integers(0, 60)
DISTURBANCES = st.lists(
    st.builds(
        Disturbance,
        step=st.integers(1, 24),
        how=st.sampled_from(("client", "web", "die", "die after")),
        kind=NUMBER,
        which=NUMBER,
        value=NUMBER,
    ),
    max_size=2,
)
COUNTS: Counter[str] = Counter()
#: A few in every check; many in `make faults`.
_LONG = os.environ.get("SIGNALBOX_FAULTS") == "long"
_EXAMPLES = 300 if _LONG else 12

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600 if _LONG else 180)]


class Machine(RuleBasedStateMachine):
    world: World

    @initialize(extensions=st.sampled_from(EXTENSIONS), conversations=st.integers(1, 3))
    def begin(self, extensions: str, conversations: int) -> None:
        self.world = new_world(extensions)
        for conversation in range(conversations):
            self.world.mail_arrives(conversation)
        self.world.pull()

    @rule(kind=NUMBER, which=NUMBER, value=NUMBER)
    def somebody_acts_in_a_mail_client(self, kind: int, which: int, value: int) -> None:
        self.world.client(kind, which, value)

    @rule(kind=NUMBER, which=NUMBER, value=NUMBER)
    def somebody_tags_in_a_mail_client(self, kind: int, which: int, value: int) -> None:
        self.world.client(kind % 5, which, value)

    @rule(which=NUMBER)
    def an_offline_client_repeats_an_old_change(self, which: int) -> None:
        self.world.replay(which)

    @rule(kind=NUMBER, which=NUMBER, value=NUMBER)
    def a_member_acts(self, kind: int, which: int, value: int) -> None:
        self.world.web(kind, which, value)

    @rule(conversation=st.integers(0, 2))
    def mail_arrives(self, conversation: int) -> None:
        self.world.mail_arrives(conversation)

    @rule(disturbances=DISTURBANCES)
    def the_worker_pulls(self, disturbances: list[Disturbance]) -> None:
        self.world.pull(disturbances)

    @rule(disturbances=DISTURBANCES)
    def the_worker_pushes(self, disturbances: list[Disturbance]) -> None:
        self.world.push(disturbances)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        wrong = self.world.settled() + self.world.probed()
        COUNTS.update(rates.counts_of(self.world, wrong))
        assert not wrong, "\n".join([*self.world.log, *wrong])


@pytest.mark.usefixtures("cast")
def test_every_history_comes_to_rest_with_both_sides_the_same(monkeypatch: pytest.MonkeyPatch, cast: Cast) -> None:
    monkeypatch.setattr(goal, "NEWEST", 3)
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=_EXAMPLES,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    rates.report(COUNTS)
    assert COUNTS["lined"] > 0
