"""Identity: passwords, sessions in browsers, tokens of programs, and limits of tries."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.actor import COMMAND, web
from app.inbox.admin import team
from app.inbox.errors import Invalid, SignInRefused, TooMany
from app.inbox.history.event import Event
from app.inbox.people import password as passwords
from app.inbox.people import session as sessions
from app.inbox.people import throttle
from app.inbox.people.session import SignedIn
from app.inbox.people.throttle import Throttle
from app.inbox.people.token import Token, make_token, valid_token
from tests.cast import PASSWORD, Cast, mailbox, member, token_member
from tests.conftest import Clock


def _sign_in(session: Session, name: str = "carla", password: str = PASSWORD, address: str = "192.0.2.1") -> str:
    return sessions.sign_in(session, name, password, address=address, user_agent="Firefox")


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("name", ["carla", "carla@halden.example", " Carla@Halden.example ", "CARLA"])
def test_one_signs_in_by_handle_or_address(cast: Cast, session: Session, name: str) -> None:
    key = _sign_in(session, name)
    assert sessions.member_signed_in(session, key) is member(session, "carla")
    assert sessions.member_signed_in(session, key + "x") is None
    assert key not in str(session.scalars(select(SignedIn.key_hash)).all())


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("name", "password"), [("carla", "wrong"), ("nobody", PASSWORD), ("", ""), ("carla\0", "")])
def test_a_wrong_name_and_a_wrong_password_are_refused_alike(
    cast: Cast, session: Session, name: str, password: str
) -> None:
    with pytest.raises(SignInRefused):
        _sign_in(session, name, password)


@pytest.mark.usefixtures("slow_passwords")
def test_an_unknown_name_is_refused_by_the_same_work_as_a_wrong_password() -> None:
    assert not passwords._hasher.check_needs_rehash(passwords._NOBODYS_HASH)


@pytest.mark.usefixtures("database")
def test_without_a_password_or_when_disabled_nobody_signs_in(cast: Cast, session: Session) -> None:
    team.add_member(session, "zoe", "Zoe", "zoe@halden.example", by=COMMAND)
    team.disable(session, member(session, "carla"), by=COMMAND)
    for name, password in (("zoe", ""), ("zoe", "nobody's password"), ("carla", PASSWORD)):
        with pytest.raises(SignInRefused):
            _sign_in(session, name, password)


@pytest.mark.usefixtures("database")
def test_signing_out_and_disabling_end_sessions_at_once(cast: Cast, session: Session) -> None:
    first, second, bens = _sign_in(session), _sign_in(session), _sign_in(session, "ben")
    sessions.sign_out(session, first)
    assert sessions.member_signed_in(session, first) is None
    assert sessions.member_signed_in(session, second) is not None
    team.set_password(session, member(session, "carla"), "another long password", by=COMMAND)
    assert sessions.member_signed_in(session, second) is None
    team.disable(session, member(session, "ben"), by=COMMAND)
    assert sessions.member_signed_in(session, bens) is None


@pytest.mark.usefixtures("database")
def test_a_session_ends_when_idle_and_at_the_latest_after_thirty_days(
    cast: Cast, session: Session, clock: Clock
) -> None:
    idle, used = _sign_in(session), _sign_in(session)
    for signed_in in session.scalars(select(SignedIn)):
        signed_in.created_at = signed_in.seen_at = clock.at
    for _ in range(5):
        clock.pass_(days=6)
        assert sessions.member_signed_in(session, used) is not None
    assert sessions.member_signed_in(session, idle) is None
    clock.pass_(seconds=1)
    assert sessions.member_signed_in(session, used) is None
    sessions.forget_ended(session)
    assert session.scalars(select(SignedIn)).all() == []


@pytest.mark.usefixtures("database")
def test_ten_wrong_tries_for_a_name_from_one_address_then_one_waits_there(
    cast: Cast, session: Session, clock: Clock
) -> None:
    clock.set("2026-11-02T09:00+00:00")
    for _ in range(12):
        assert _sign_in(session, "carla")  # successful ones do not count
    for _ in range(10):
        with pytest.raises(SignInRefused):
            _sign_in(session, "Carla", "wrong")
    assert _sign_in(session, "carla", address="198.51.100.7")  # tries elsewhere do not lock her out
    clock.pass_(minutes=3)
    with pytest.raises(TooMany, match="7 minutes") as refused:
        _sign_in(session, "carla")
    assert refused.value.retry_after == 420
    assert _sign_in(session, "ben")
    clock.pass_(minutes=7)
    assert _sign_in(session, "carla")


@pytest.mark.usefixtures("database")
def test_a_refused_try_counts_though_everything_else_is_rolled_back(cast: Cast, session: Session, clock: Clock) -> None:
    for _ in range(3):
        throttle.hit("knock", "me", limit=3, seconds=60)
        session.rollback()
    with pytest.raises(TooMany):
        throttle.hit("knock", "ME", limit=3, seconds=60)
    throttle.hit("knock", "you", limit=3, seconds=60)
    throttle.hit("ring", "me", limit=3, seconds=60)
    clock.pass_(days=2)
    throttle.forget_old(session)
    assert session.scalars(select(Throttle)).all() == []


def test_a_token_is_known_by_its_hash_only(cast: Cast, session: Session) -> None:
    carla = member(session, "carla")
    key = make_token(session, carla, by=web(carla))
    [token] = session.scalars(select(Token))
    assert key not in (token.key_hash, "")
    assert token_member(session, key) == carla
    assert valid_token(session, key[:-1]) is None
    token.revoked_at = dt.datetime.now(dt.UTC)
    session.flush()
    assert valid_token(session, key) is None


def test_a_disabled_members_token_opens_nothing(cast: Cast, session: Session) -> None:
    key = make_token(session, member(session, "carla"), by=COMMAND)
    team.disable(session, member(session, "carla"), by=COMMAND)
    assert valid_token(session, key) is None


@pytest.mark.parametrize(
    ("handle", "name", "email", "why"),
    [
        ("Zoe", "Zoe", "zoe@halden.example", "is not a valid handle"),
        ("-zoe", "Zoe", "zoe@halden.example", "is not a valid handle"),
        ("z" * 25, "Zoe", "zoe@halden.example", "is not a valid handle"),
        ("zoe\n", "Zoe", "zoe@halden.example", "is not a valid handle"),
        ("zoe", "  ", "zoe@halden.example", "needs a name"),
        ("zoe", "Z" * 101, "zoe@halden.example", "needs a name"),
        ("zoe", "Zoe", "zoe", "not an email address"),
        ("zoe", "Zoe", "z" * 250 + "@x.example", "not an email address"),
        ("carla", "Zoe", "zoe@halden.example", "never reused"),
        ("zoe", "Zoe", "CARLA@halden.example", "exists"),
    ],
)
def test_a_member_needs_a_handle_a_name_and_an_address_of_their_own(
    cast: Cast, session: Session, handle: str, name: str, email: str, why: str
) -> None:
    with pytest.raises(Invalid, match=why):
        team.add_member(session, handle, name, email, by=COMMAND)


def test_a_handle_is_never_reused(cast: Cast, session: Session) -> None:
    team.disable(session, member(session, "carla"), by=COMMAND)
    team.disable(session, member(session, "carla"), by=COMMAND)
    with pytest.raises(Invalid, match="never reused"):
        team.add_member(session, "carla", "Carla", "carla2@halden.example", by=COMMAND)
    session.flush()
    assert len(session.scalars(select(Event).where(Event.kind == "member disabled")).all()) == 1


def test_preferences_accept_only_offered_values(cast: Cast, session: Session) -> None:
    carla = member(session, "carla")
    carla.set_preferences(language="es", time_zone="Europe/Madrid", theme="dark", density="compact")
    assert (carla.language, carla.time_zone, carla.theme, carla.density) == ("es", "Europe/Madrid", "dark", "compact")
    with pytest.raises(Invalid, match="Mars/Base"):
        carla.set_preferences(language="es", time_zone="Mars/Base", theme="dark", density="compact")


def test_a_role_given_twice_is_one_line(cast: Cast, session: Session) -> None:
    carla, box = member(session, "carla"), mailbox(session)
    before = len(session.scalars(select(Event)).all())
    team.grant(session, carla, box, carla.role_on(box.id), by=COMMAND)
    assert len(session.scalars(select(Event)).all()) == before
    team.grant(session, carla, box, None, by=COMMAND)
    session.flush()
    assert carla.role_on(box.id) is None
    assert len(session.scalars(select(Event)).all()) == before + 1
