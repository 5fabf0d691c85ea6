"""Credentials in a member's name end permanently: by disabling, by a new password, by time and by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.actor import COMMAND, Actor, web
from app.inbox.admin import team
from app.inbox.admin.credentials import end_credentials
from app.inbox.admin.invitation import find_invitation, invite
from app.inbox.errors import Invalid, NotAllowed, NotFound, TooMany
from app.inbox.history.event import Event
from app.inbox.people import session as sessions
from app.inbox.people.token import make_token, note_use, revoke_tokens, tokens_of
from tests.cast import PASSWORD, member, token_member
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("cast")

NEW = "quite another password"


def open_all(session: Session) -> tuple[str, str, str]:
    """A session, a token and a link of Carla's."""
    carla = member(session, "carla")
    key = sessions.open_session(session, carla, user_agent="Firefox")
    keys = key, make_token(session, carla, by=web(carla)), invite(session, carla, by=COMMAND)
    session.flush()
    return keys


def opens(session: Session, browser: str, token: str, link: str) -> list[bool]:
    try:
        invited = find_invitation(session, link) is not None
    except NotFound:
        invited = False
    return [sessions.member_signed_in(session, browser) is not None, token_member(session, token) is not None, invited]


def _disable_and_enable(session: Session, by: Actor) -> None:
    team.disable(session, member(session, "carla"), by=by)
    team.enable(session, member(session, "carla"), by=by)


ENDS: dict[str, Callable[[Session, Actor], object]] = {
    "disabled and enabled": _disable_and_enable,
    "a password of the administrator's": lambda s, by: team.set_password(s, member(s, "carla"), NEW, by=by),
    "a password of her own": lambda s, by: team.change_own_password(
        s, member(s, "carla"), PASSWORD, NEW, by=web(member(s, "carla"))
    ),
    "all ended by the administrator": lambda s, by: end_credentials(s, member(s, "carla"), by=by),
}


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("way", ENDS)
def test_ended_credentials_never_work_again(session: Session, way: str) -> None:
    keys = open_all(session)
    assert opens(session, *keys) == [True, True, True]
    ENDS[way](session, web(member(session, "ana")))
    session.flush()
    assert opens(session, *keys) == [False, False, False]
    kinds = set(session.scalars(select(Event.kind)))
    assert {"sessions ended", "tokens revoked"} <= kinds


def test_only_an_administrator_ends_anothers_credentials(session: Session) -> None:
    keys = open_all(session)
    carla, ben = member(session, "carla"), web(member(session, "ben"))
    for end in (end_credentials, sessions.end_sessions, revoke_tokens):
        with pytest.raises(NotAllowed):
            end(session, carla, by=ben)
    assert opens(session, *keys) == [True, True, True]


def test_one_session_or_all_others_end(session: Session) -> None:
    carla = member(session, "carla")
    here, there, phone = (sessions.open_session(session, carla, user_agent=a) for a in ("Here", "There", "Phone"))
    bens = sessions.open_session(session, member(session, "ben"), user_agent="Ben")
    session.flush()
    ids = {s.user_agent: s.id for s in sessions.sessions_of(session, carla)}
    assert sessions.end_sessions(session, carla, by=web(carla), only=ids["Phone"]) == 1
    assert sessions.member_signed_in(session, phone) is None
    assert sessions.end_sessions(session, carla, by=web(carla), but=here) == 1
    open_ = [sessions.member_signed_in(session, key) is not None for key in (here, there, bens)]
    assert open_ == [True, False, True]
    [bens_row] = sessions.sessions_of(session, member(session, "ben"))
    assert sessions.end_sessions(session, carla, by=web(carla), only=bens_row.id) == 0


@pytest.mark.usefixtures("database", "clock")
def test_an_own_password_needs_the_present_one_and_not_too_many_tries(session: Session) -> None:
    carla = member(session, "carla")
    for _ in range(10):
        with pytest.raises(Invalid, match="current password"):
            team.change_own_password(session, carla, "a guess of somebody", NEW, by=web(carla))
    with pytest.raises(TooMany):
        team.change_own_password(session, carla, PASSWORD, NEW, by=web(carla))


def test_a_token_ends_when_its_time_is_over_or_nobody_uses_it(session: Session, clock: Clock) -> None:
    carla = member(session, "carla")
    month, good = (make_token(session, carla, by=web(carla), days=days) for days in (30, 0))
    clock.pass_(days=29)
    assert [token_member(session, key) == carla for key in (month, good)] == [True, True]
    clock.pass_(days=2)
    assert [token_member(session, key) == carla for key in (month, good)] == [False, True]
    clock.pass_(days=300)
    [token] = tokens_of(session, carla)
    note_use(session, token)
    session.expire_all()
    clock.pass_(days=300)
    assert token_member(session, good) == carla
    clock.pass_(days=66)
    assert token_member(session, good) is None
    assert tokens_of(session, carla) == []


def test_a_token_lasts_as_long_as_is_offered(session: Session) -> None:
    carla = member(session, "carla")
    for days in (-1, 1, 10_000):
        with pytest.raises(Invalid):
            make_token(session, carla, by=web(carla), days=days)
    make_token(session, carla, by=web(carla), name=" Reports\n of the month " + "x" * 100)
    [token] = tokens_of(session, carla)
    assert token.name.startswith("Reports of the month")
    assert len(token.name) == 60
