"""Limits of sign-in tries by source, and their records."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import db
from app.inbox.errors import SignInRefused, TooMany
from app.inbox.history.event import Event
from app.inbox.people import known_browser, throttle
from app.inbox.people import session as sessions
from app.inbox.people.known_browser import KnownBrowser, is_known, remember_browser
from app.inbox.people.network import UNKNOWN, address_of, network_of
from app.inbox.people.sign_in_history import SignInOutcome, note_failed, recent_sign_ins, sign_in_counts
from tests.cast import PASSWORD, Cast, member
from tests.conftest import Clock


def _sign_in(
    session: Session, name: str = "carla", password: str = PASSWORD, address: str = "192.0.2.1", browser_key: str = ""
) -> str:
    return sessions.sign_in(session, name, password, address=address, browser_key=browser_key)


@pytest.mark.usefixtures("database")
def test_a_limit_cannot_be_used_twice_around_the_end_of_a_window(session: Session, clock: Clock) -> None:
    clock.set("2026-11-02T09:09:50+00:00")
    for _ in range(10):
        throttle.hit("knock", "me", limit=10, seconds=600)
    clock.pass_(seconds=20)
    with pytest.raises(TooMany) as refused:
        throttle.hit("knock", "me", limit=10, seconds=600)
    clock.pass_(seconds=refused.value.retry_after - 1)
    with pytest.raises(TooMany, match="Wait 1 second"):
        throttle.hit("knock", "me", limit=10, seconds=600)
    clock.pass_(seconds=1)
    throttle.hit("knock", "me", limit=10, seconds=600)


@pytest.mark.usefixtures("database")
def test_simultaneous_tries_do_not_exceed_the_limit() -> None:
    def knock(_: int) -> bool:
        try:
            throttle.hit("knock", "all of us", limit=10, seconds=600)
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(knock, range(40))) == 10


@pytest.mark.parametrize(
    ("text", "address", "network"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:50123", "192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::7", "2001:db8:1:2:3::7", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::ffff", "2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::7]:443", "2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("", UNKNOWN, UNKNOWN),
        ("carla\nforged", UNKNOWN, UNKNOWN),
        ("1" * 100_000, UNKNOWN, UNKNOWN),
    ],
)
def test_an_address_has_one_form_and_a_network_is_one_source(text: str, address: str, network: str) -> None:
    assert (address_of(text), network_of(text)) == (address, network)


@pytest.mark.usefixtures("database")
def test_a_network_of_ipv6_is_one_source(cast: Cast, session: Session) -> None:
    for n in range(10):
        with pytest.raises(SignInRefused):
            _sign_in(session, "carla", "wrong", address=f"2001:db8::{n:x}:1")
    with pytest.raises(TooMany):
        _sign_in(session, "carla", address="2001:db8::77")
    assert _sign_in(session, "carla", address="2001:db8:0:1::77")


@pytest.mark.usefixtures("database")
def test_handle_and_address_are_counted_as_one_member(cast: Cast, session: Session) -> None:
    for n in range(10):
        with pytest.raises(SignInRefused):
            _sign_in(session, ("carla", "carla@halden.example")[n % 2], "wrong")
    for name in ("carla", "carla@halden.example"):
        with pytest.raises(TooMany):
            _sign_in(session, name)


def _attack(session: Session, handle: str) -> None:
    """Somebody elsewhere uses up every try for the member."""
    for _ in range(200):
        throttle.hit("sign in as", f"member {member(session, handle).id}", limit=200, seconds=600)


@pytest.mark.usefixtures("database")
def test_a_browser_of_a_member_is_not_locked_out_by_others(cast: Cast, session: Session) -> None:
    with db.transaction() as other:
        key = remember_browser(other, "", member(other, "carla"))
        bens = remember_browser(other, "", member(other, "ben"))
    _attack(session, "carla")
    for browser_key in ("", bens, key + "x"):
        with pytest.raises(TooMany):
            _sign_in(session, "carla", address="203.0.113.5", browser_key=browser_key)
    assert _sign_in(session, "carla", address="203.0.113.5", browser_key=key)
    with pytest.raises(TooMany):
        _sign_in(session, "carla@halden.example", address="203.0.113.5")


@pytest.mark.usefixtures("database")
def test_a_known_browser_has_ten_tries_wherever_it_is(cast: Cast, session: Session) -> None:
    with db.transaction() as other:
        key = remember_browser(other, "", member(other, "carla"))
    for n in range(10):
        with pytest.raises(SignInRefused):
            _sign_in(session, "carla", "wrong", address=f"198.51.100.{n}", browser_key=key)
    with pytest.raises(TooMany):
        _sign_in(session, "carla", address="203.0.113.5", browser_key=key)


@pytest.mark.usefixtures("database")
def test_a_browser_is_known_for_all_its_members_by_its_newest_key(cast: Cast, session: Session, clock: Clock) -> None:
    carla, ben = member(session, "carla"), member(session, "ben")
    first = remember_browser(session, "", carla)
    second = remember_browser(session, first, ben)
    assert is_known(session, second, carla)
    assert is_known(session, second, ben)
    session.expire_all()
    assert not is_known(session, first, carla)
    assert not is_known(session, "", carla)
    assert second not in str(session.scalars(select(KnownBrowser.key_hash)).all())
    clock.pass_(days=401)
    assert not is_known(session, second, carla)
    known_browser.forget_old(session)
    assert session.scalars(select(KnownBrowser)).all() == []


@pytest.mark.usefixtures("database")
def test_sign_ins_are_in_history_log_and_counters_without_the_typed_text(
    cast: Cast, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "signalbox.sign_in")
    before = dict(sign_in_counts(session))
    assert _sign_in(session, "carla")
    for name in ("carla", "my secret passphrase"):
        with pytest.raises(SignInRefused):
            _sign_in(session, name, "wrong horse", address="2001:db8::9")
    session.commit()
    events = [
        (e.kind, e.member and e.member.handle, e.after) for e in session.scalars(select(Event).order_by(Event.id))
    ]
    tried = {"address": "2001:db8::9", "tries": 1, "seconds": 600}
    assert sorted(events[-3:], key=str) == [
        ("sign-in refused", None, {"member": "carla", **tried}),
        ("sign-in refused", None, {"member": None, **tried}),
        ("signed in", "carla", {"member": "carla", "address": "192.0.2.1"}),
    ]
    assert "Sign-in refused: carla from 2001:db8::9" in caplog.text
    assert "Sign-in refused: unknown name from 2001:db8::9" in caplog.text
    assert "secret" not in caplog.text
    after = dict(sign_in_counts(session))
    assert {name: after[name] - before[name] for name in after} == {"good": 1, "refused": 2, "throttled": 0, "busy": 0}
    kinds = [event.kind for event in recent_sign_ins(session, member(session, "carla"))]
    assert sorted(kinds) == ["sign-in refused", "signed in"]
    assert recent_sign_ins(session, member(session, "ben")) == []


@pytest.mark.usefixtures("database")
def test_many_refused_sign_ins_are_few_lines_of_history(cast: Cast, session: Session) -> None:
    carla = member(session, "carla")
    for _ in range(120):
        note_failed(SignInOutcome.REFUSED, carla, "192.0.2.1")
    lines = session.scalars(select(Event).where(Event.kind == "sign-in refused").order_by(Event.id)).all()
    assert [line.after and line.after["tries"] for line in lines] == [1, 10, 100]
    for n in range(120):
        note_failed(SignInOutcome.REFUSED, None, f"2001:db8:0:{n:x}::1")
    lines = session.scalars(select(Event).where(Event.kind == "sign-in refused")).all()
    assert len(lines) == 100
