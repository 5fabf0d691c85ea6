"""One-time links: for the first administrator, and for members who set a password."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app import db
from app.inbox.actor import COMMAND, web
from app.inbox.admin import invitation, team
from app.inbox.admin.invitation import Invitation
from app.inbox.history.event import Event
from app.inbox.people.member import Member
from tests import cast as stage
from tests.cast import PASSWORD
from tests.conftest import Clock
from tests.web.conftest import Browser

ZOE: dict[str, Any] = {"name": "Zoë Prieto", "email": "zoe@halden.example", "password": PASSWORD, "again": PASSWORD}


@pytest.fixture
def first(app: Flask) -> str:
    """A link for the first administrator, after the only one is gone."""
    with db.transaction() as session:
        session.execute(update(Member).values(is_admin=False))
        key = invitation.invite_first(session, by=COMMAND)
    assert key is not None
    return f"/welcome/{key}"


def test_the_first_link_creates_a_signed_in_administrator(nobody: Browser, first: str) -> None:
    assert "You are the first person here" in nobody.page(first)
    answer = nobody.submit(first, **ZOE)
    assert (answer.status_code, answer.location) == (302, "/admin/connect")
    assert "Zoë Prieto" in nobody.page("/admin/people")
    with db.transaction() as session:
        zoe = stage.member(session, "zoe")  # the handle comes from the name
        assert (zoe.is_admin, zoe.email) == (True, "zoe@halden.example")
        kinds = session.scalars(select(Event.kind).where(Event.mailbox_id.is_(None)).order_by(Event.id.desc()).limit(2))
        assert list(kinds) == ["password set", "member added"]


def test_the_first_link_works_once(nobody: Browser, app: Flask, first: str) -> None:
    nobody.submit(first, **ZOE)
    second = Browser(app)
    assert second.get(first).status_code == 404
    assert second.submit(first, **(ZOE | {"email": "other@halden.example", "handle": "other"})).status_code == 404


def test_the_first_link_stops_working_once_there_is_an_administrator(nobody: Browser, first: str) -> None:
    with db.transaction() as session:
        team.add_member(session, "eva", "Eva", "eva@halden.example", by=COMMAND, admin=True)
    assert nobody.get(first).status_code == 404


def test_a_newer_first_link_ends_the_older(nobody: Browser, first: str) -> None:
    with db.transaction() as session:
        key = invitation.invite_first(session, by=COMMAND)
    assert nobody.get(first).status_code == 404
    assert nobody.get(f"/welcome/{key}").status_code == 200


def test_a_link_ends_after_a_day(nobody: Browser, first: str, clock: Clock) -> None:
    clock.pass_(hours=23)
    assert nobody.get(first).status_code == 200
    clock.pass_(hours=2)
    assert nobody.get(first).status_code == 404


def test_no_first_link_is_made_while_somebody_administers(app: Flask) -> None:
    with db.transaction() as session:
        assert invitation.invite_first(session, by=COMMAND) is None


def test_only_a_hash_of_the_key_is_kept(first: str, app: Flask) -> None:
    with db.transaction() as session:
        [kept] = session.scalars(select(Invitation.key_hash))
    assert kept not in first
    assert len(kept) == 64


def test_the_key_of_a_link_is_in_no_log(nobody: Browser, first: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "signalbox.web"):
        nobody.page(first)
        nobody.submit(first, **ZOE)
    assert "POST /welcome/… 302" in caplog.text
    assert first.rpartition("/")[2] not in caplog.text


def test_errors_are_shown_at_their_field(nobody: Browser, first: str) -> None:
    cases: list[tuple[Any, ...]] = [
        ({"again": "something else"}, "The two passwords differ."),
        ({"password": "short", "again": "short"}, "at least 12 characters"),
        ({"email": "zoe"}, "“zoe” is not an email address."),
        ({"email": "ana@halden.example"}, "A member with the address ana@halden.example already exists."),
        ({"handle": "zoë p"}, "Use a-z, 0-9 and -"),
        ({"handle": "ana"}, "The handle “ana” is taken"),
        ({"name": " ", "handle": "zoe"}, "A member needs a name of 1 to 100 characters."),
    ]
    for wrong, told in cases:
        answer = nobody.submit(first, **(ZOE | wrong))
        assert answer.status_code == 422
        assert told in answer.text
        assert answer.text.count('aria-invalid="true"') == 1
        assert nobody.get(first).status_code == 200  # and the link is still valid


def test_an_invited_member_sets_a_password_and_is_in(nobody: Browser, app: Flask) -> None:
    with db.transaction() as session:
        eva = team.add_member(session, "eva", "Eva Ruiz", "eva@halden.example", by=COMMAND)
        link = "/welcome/" + invitation.invite(session, eva, by=COMMAND)
    assert "Welcome, Eva" in nobody.page(link)
    assert nobody.submit(link, password=PASSWORD, again=PASSWORD).location == "/"
    assert nobody.get(link).status_code == 404
    assert Browser(app).sign_in("eva").location == "/"
    with db.transaction() as session:
        last = session.scalars(select(Event).filter_by(kind="password set").order_by(Event.id.desc())).first()
        assert last is not None
        assert last.member_id == eva.id


def test_a_link_of_a_disabled_member_does_not_work(nobody: Browser) -> None:
    with db.transaction() as session:
        dora = stage.member(session, "dora")
        link = "/welcome/" + invitation.invite(session, dora, by=COMMAND)
        team.disable(session, dora, by=web(stage.member(session, "ana")))
    assert nobody.get(link).status_code == 404
