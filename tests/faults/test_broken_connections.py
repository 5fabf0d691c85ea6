"""The connection to the mail server breaks at any command: the day ends like any other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.mail.child import MailParser
from app.mail.imap import ImapSession
from local.dovecot import LocalDovecot
from tests.cast import Cast
from tests.dovecot import fresh_account
from tests.faults.conftest import LONG
from tests.faults.day import Days
from tests.faults.proxied import commands_of_a_day, told
from tests.faults.ways import through
from tests.proxy import Fault, How, Proxy, proxied
from tests.sync.stage import Stage, connected

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

#: A sample tries one place for each of these.
_SAMPLE = (How.DROP, How.THROTTLE, How.DROP_AFTER, How.HALF)
#: The codes that health may show; any other is our bug.
_CODES = {"unreachable", "unavailable", "refused", "login_refused", "broken"}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for a minute of silence."""
    defaults = vars(ImapSession)["open"].__func__.__kwdefaults__
    assert defaults["read_timeout"] == 60.0
    monkeypatch.setitem(defaults, "read_timeout", 2.0)


@pytest.mark.parametrize("hows", [[how] for how in How] if LONG else [_SAMPLE], ids=lambda hows: hows[0].name)
def test_a_connection_may_break_at_any_command(
    stage: Stage, proxy: Proxy, impatient: None, hows: Sequence[How]
) -> None:
    days = Days(stage)
    asked = commands_of_a_day(days, proxy)
    usual = days.evening()
    everywhere = [(place, how) for how in hows for place in range(1, len(asked) + 1)]
    for place, how in everywhere if LONG else everywhere[7 :: len(asked) + 7]:
        days.morning()
        days.noon()
        proxy.arm(Fault(place, how))
        error = stage.service().once(30)
        assert proxy.struck, f"{how} at {place}: there was no such command"
        code, sentence = told(stage)
        if error is not None and "could not be written" not in error:
            assert code in _CODES, f"{how} at {asked[place - 1]}: {error}"
            assert sentence
        proxy.arm(None)
        assert days.evening() == usual, f"{how} at {place}, {asked[place - 1]}"


def test_a_server_without_move_may_refuse_to_copy_in_passing(
    sdbox_server: LocalDovecot, parser: MailParser, cast: Cast
) -> None:
    with (
        proxied(sdbox_server.port, hides=("MOVE",)) as proxy,
        connected(through(fresh_account(sdbox_server), proxy.port), parser) as stage,
    ):
        days = Days(stage)
        copies = commands_of_a_day(days, proxy).index("UID COPY") + 1
        usual = days.evening()
        days.morning()
        days.noon()
        proxy.arm(Fault(copies, How.NO))
        assert stage.service().once(30) == "1 conversations could not be written to the server"
        assert proxy.heard[copies - 1] == "UID COPY"
        proxy.arm(None)
        assert days.evening() == usual
