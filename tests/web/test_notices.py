"""A member and the other administrators see who got access to mail, or could have."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from sqlalchemy.orm import Session

from app import db
from app.inbox.actor import COMMAND, Actor
from app.inbox.admin import team
from app.inbox.admin.invitation import invite
from app.inbox.admin.joining import accept
from app.inbox.people.member import Member
from app.inbox.people.token import make_token
from app.inbox.permission import Role
from tests import cast as stage
from tests.cast import PASSWORD, Cast, acting
from tests.web.conftest import Browser

Act = Callable[[Session, Member, Actor], object]


def _add_puppet(session: Session, _: Member, by: Actor) -> None:
    puppet = team.add_member(session, "puppet", "Puppet", "puppet@halden.example", by=by)
    team.grant(session, puppet, stage.mailbox(session), Role.MANAGER, by=by)


def _change(email: str, *, admin: bool) -> Act:
    return lambda session, member, by: team.change_member(
        session, member, name=member.name, email=email, admin=admin, by=by
    )


def _enable(session: Session, member: Member, by: Actor) -> None:
    team.disable(session, member, by=by)
    team.enable(session, member, by=by)


def _use_a_link(session: Session, member: Member, by: Actor) -> None:
    accept(session, invite(session, member, by=by), "slow green harbour 17")


#: The act, its notice for Carla on her pages, and the notice for Eva, another administrator.
ACTS: dict[str, tuple[Act, list[str], list[str]]] = {
    "a link for a password": (
        lambda session, member, by: invite(session, member, by=by),
        ["{who} created a link to set your password"],
        ["{who} created a link to set the password of Carla"],
    ),
    "a link that is used": (
        _use_a_link,
        ["{who} created a link to set your password", "Your password was set with a link"],
        ["{who} created a link to set the password of Carla"],
    ),
    "a password": (
        lambda session, member, by: team.set_password(session, member, "slow green harbour 17", by=by),
        ["{who} set your password"],
        ["{who} set the password of Carla"],
    ),
    "a role": (
        lambda session, member, by: team.grant(session, member, stage.mailbox(session, "Billing"), Role.AGENT, by=by),
        ["{who} gave you a role on Billing"],
        ["{who} gave Carla a role on Billing"],
    ),
    "a role less": (
        lambda session, member, by: team.grant(session, member, stage.mailbox(session), None, by=by),
        [],
        [],
    ),
    "a new member": (_add_puppet, [], ["{who} added Puppet", "{who} gave Puppet a role on Support"]),
    "a new administrator": (
        _change("carla@halden.example", admin=True),
        ["{who} made you an administrator"],
        ["{who} made Carla an administrator"],
    ),
    "an address": (
        _change("c@halden.example", admin=False),
        ["{who} changed your email address"],
        ["{who} changed the email address of Carla"],
    ),
    "a token": (
        lambda session, member, by: make_token(session, member, by=by),
        ["{who} created an API token in your name"],
        ["{who} created an API token for Carla"],
    ),
    "an account enabled": (
        _enable,
        ["{who} enabled your account again"],
        ["{who} enabled Carla again"],
    ),
}


@pytest.mark.usefixtures("whole_cast")
@pytest.mark.parametrize("source", ["Ana", "Someone at the server’s command line"])
@pytest.mark.parametrize("act", ACTS)
def test_the_member_and_the_other_administrators_see_acts_that_give_access(
    browser: Callable[[str], Browser], act: str, source: str
) -> None:
    work, own, others = ACTS[act]
    for handle in ("ana", "carla", "eva"):
        browser(handle)  # has been here before
    with db.transaction() as session:
        by = acting(session, "ana") if source == "Ana" else COMMAND
        work(session, stage.member(session, "carla"), by)
    assert _notices(browser("carla").page("/preferences")) == [words.format(who=source) for words in own]
    assert _notices(browser("eva").page("/admin/people")) == [words.format(who=source) for words in others]
    own_acts = [] if source == "Ana" else [words.format(who=source) for words in others]
    assert _notices(browser("ana").page("/admin/people")) == own_acts


@pytest.mark.usefixtures("cast")
def test_members_own_acts_give_no_notice(browser: Callable[[str], Browser]) -> None:
    ana = browser("ana")
    for handle in ("ana", "carla"):
        browser(handle)
        with db.transaction() as session:
            member, by = stage.member(session, handle), acting(session, handle)
            team.set_password(session, member, PASSWORD, by=by)
            make_token(session, member, by=by)
    assert _notices(ana.client.get("/sign-in", follow_redirects=True).text) == []
    assert _notices(browser("ana").page("/admin/people")) == _notices(browser("carla").page("/preferences")) == []


def test_events_before_the_first_sign_in_give_no_notice(browser: Callable[[str], Browser], cast: Cast) -> None:
    with db.transaction() as session:
        invite(session, stage.member(session, "carla"), by=COMMAND)
    assert _notices(browser("carla").page(f"/m/{cast.support}/open")) == []


def test_a_notice_is_on_every_page_until_it_is_read(browser: Callable[[str], Browser], cast: Cast, talk: int) -> None:
    carla = browser("carla")
    with db.transaction() as session:
        invite(session, stage.member(session, "carla"), by=COMMAND)
    pages = [
        f"/m/{cast.support}/open",
        f"/conversations/{talk}",
        "/preferences",
        f"/admin/mailboxes/{cast.support}/tags",
    ]
    for path in pages[:3]:
        assert len(_notices(carla.page(path))) == 1, path
    answer = carla.client.post(
        "/notices",
        data={"csrf_token": carla.token, "up_to": _up_to(carla.page(pages[0]))},
        headers={"Referer": f"http://localhost{pages[1]}?view=open"},
    )
    assert answer.location == f"{pages[1]}?view=open"
    for path in pages[:3]:
        assert _notices(carla.page(path)) == [], path


@pytest.mark.parametrize(
    "referer", ["https://elsewhere.example/m/1", "http://localhost//elsewhere.example", "http://[", ""]
)
def test_reading_a_notice_leads_to_no_other_site(carla: Browser, referer: str) -> None:
    form = {"csrf_token": carla.token, "up_to": "1"}
    assert carla.client.post("/notices", data=form, headers={"Referer": referer}).location == "/"


def test_hundreds_of_notices_come_a_few_at_a_time_and_none_is_passed_over(ben: Browser, cast: Cast) -> None:
    with db.transaction() as session:
        stage.member(session, "ben").is_admin = True
        ben_, billing = stage.member(session, "dora"), stage.mailbox(session, "Billing")
        for number in range(150):
            team.grant(session, ben_, billing, (Role.AGENT, Role.OBSERVER)[number % 2], by=COMMAND)
    page = ben.page("/admin/people")
    assert (len(_notices(page)), "95 more follow" in page) == (5, True)
    seen = 0
    while lines := _notices(page):
        seen += len(lines)
        ben.submit("/notices", up_to="9" * 15)
        page = ben.page("/admin/people")
    assert seen == 150


def test_notices_exist_in_spanish(browser: Callable[[str], Browser], cast: Cast) -> None:
    carla = browser("carla")
    with db.transaction() as session:
        stage.member(session, "carla").language = "es"
        invite(session, stage.member(session, "carla"), by=acting(session, "ana"))
    assert "Ana ha creado un enlace para establecer la contraseña de usted" in carla.page("/preferences")


def _notices(page: str) -> list[str]:
    """The sentences without full stop, role and time."""
    banner = re.search(r'<section class="banner banner-plain notices.*?</section>', page, re.DOTALL)
    lines = re.findall(r"<li>(.*?) <small>.*?\d\d:\d\d</small></li>", banner.group(0)) if banner else []
    return [re.sub(r"\..*", "", unescape(line)) for line in lines]


def _up_to(page: str) -> str:
    found = re.search(r'name="up_to" value="(\d+)"', page)
    assert found
    return found.group(1)
