"""Each page and each form for each role, on the member's own mailbox and on a foreign one: the whole table.

The roles' permissions are listed here again, independently of `app/inbox/permission.py`, as in the contract.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.inbox.lists.views import VIEWS
from tests.cast import FOREIGN, Cast
from tests.doors import Place, furnish, revision, routes
from tests.web.conftest import Browser, new_conversation, stored

ROLES = {"ben": "manager", "carla": "agent", "dora": "observer", "ana": "none", "eva": "agent"}  # on Support
ADMINS = {"ana", "eva"}


@dataclass(frozen=True)
class Door:
    """A method of a page, its form and its responses: for a role that may do it, for an observer, for an administrator
    without a role, and for an agent if that is less than a manager."""

    may: int
    observer: int
    none: int = 404
    form: dict[str, Any] = field(default_factory=dict)
    agent: int | None = None
    for_admins: bool = False

    def answer(self, handle: str) -> int:
        if self.for_admins and handle in ADMINS:
            return self.none
        told = {"observer": self.observer, "none": self.none, "agent": self.agent}
        return told.get(ROLES[handle]) or self.may


def _reading(code: int = 200, none: int = 404) -> Door:
    return Door(code, code, none)


def _acting(may: int = 303, **form: Any) -> Door:
    return Door(may, 403, form=form)


def _administering(code: int = 302, **form: Any) -> Door:
    """Only administrators learn anything there, whatever the roles of others."""
    return Door(403, 403, code, form, for_admins=True)


def _managing(may: int = 302, **form: Any) -> Door:
    return Door(may, 403, form=form, agent=403)


_TRIED: dict[str, Any] = {
    "imap_host": "127.0.0.1",
    "imap_port": "143",
    "imap_security": "none",
    "imap_user": "help",
    "imap_password": "a password",
}
_ALL: dict[str, Any] = {"import": "all"}  # a keyword of Python
DOORS = {
    ("lists.home", "GET"): Door(302, 302, 200),
    ("lists.show", "GET"): _reading(),
    ("lists.folder", "GET"): _reading(),
    ("lists.claim_next", "POST"): _acting(302),
    ("conversation.show", "GET"): _reading(),
    ("conversation.assign", "POST"): _acting(),
    ("conversation.release", "DELETE"): _acting(),
    ("conversation.set_status", "POST"): _acting(status="closed"),
    ("conversation.add_tag", "POST"): _acting(name="billing"),
    ("conversation.tag", "PUT"): _acting(),
    ("conversation.untag", "DELETE"): _acting(),
    ("conversation.star", "POST"): _acting(),
    ("conversation.unstar", "DELETE"): _acting(),
    ("conversation.add_note", "POST"): _acting(text="a word"),
    ("conversation.move", "POST"): _acting(folder="{archive}"),
    ("conversation.merge", "POST"): _acting(into="{other_number}"),
    ("conversation.settle", "POST"): _acting(keep="theirs"),
    ("conversation.seen", "POST"): _reading(204),  # an observer also has "read by me"
    ("reply.compose", "GET"): _reading(302),  # to the conversation
    ("reply.send_reply", "POST"): _acting(text="Hello", to="zoe@customer.example"),
    ("reply.save", "POST"): _acting(200, text="Hello"),
    ("reply.discard", "DELETE"): _acting(),
    ("reply.retry", "POST"): _acting(),
    ("reply.cancel", "POST"): _acting(),
    ("reply.add_file", "POST"): _reading(422, 422),  # without a file
    ("reply.file", "GET"): _reading(),
    ("message.body", "GET"): _reading(),
    ("message.original", "GET"): _reading(202),
    ("message.attachment", "GET"): _reading(202),
    ("message.split", "POST"): _acting(),
    ("message.read_again", "POST"): _managing(303),
    ("live.stream", "GET"): _reading(200, 200),
    ("connect.address", "GET"): _administering(200),
    ("connect.sign_in", "GET"): _administering(422),  # without an address
    ("connect.sign_in_submit", "POST"): _administering(422),
    ("connect.correct", "GET"): _administering(200),
    ("connect.correct_submit", "POST"): _administering(**_TRIED),
    ("connect.follow", "GET"): _administering(200),
    ("connect.folders", "GET"): _administering(200),
    ("connect.folders_submit", "POST"): _administering(folder="INBOX"),
    ("connect.importing", "GET"): _administering(200),
    ("connect.importing_submit", "POST"): _administering(**_ALL),
    ("connect.roles", "GET"): _administering(200),
    ("connect.begin", "POST"): _administering(time_zone="UTC"),
    ("connect.keep", "POST"): _administering(404),  # of an existing mailbox
    ("connect.give_up", "DELETE"): _administering(),
    ("mailboxes.index", "GET"): _administering(200),
    ("mailboxes.show", "GET"): _administering(200),
    ("mailboxes.settings", "GET"): _administering(200),
    ("mailboxes.change", "POST"): _administering(name="Support", address="help@halden.example", time_zone="UTC"),
    ("mailboxes.change_mode", "POST"): _administering(mode="keywords"),  # unchanged, for the doors that follow
    ("mailboxes.servers", "GET"): _administering(200),
    ("mailboxes.try_servers", "POST"): _administering(**_TRIED),
    ("mailboxes.pause", "POST"): _administering(),
    ("mailboxes.resume", "POST"): _administering(),
    ("mailboxes.watch", "POST"): _administering(),
    ("mailboxes.unwatch", "POST"): _administering(),
    ("mailboxes.decide", "POST"): _administering(keyword="billing", use="ours"),
    ("drift.show", "GET"): _administering(200),
    ("drift.ask", "POST"): _administering(),
    ("drift.choose", "POST"): _administering(use="server"),
    ("people.index", "GET"): _administering(200),
    ("people.new", "GET"): _administering(200),
    ("people.add", "POST"): _administering(200, name="Emil", email="emil@halden.example"),
    ("people.show", "GET"): _administering(200),
    ("people.change", "POST"): _administering(name="New", email="newer@halden.example"),
    ("people.invite_again", "POST"): _administering(200),
    ("people.end_access", "POST"): _administering(),
    ("people.disable", "POST"): _administering(),
    ("people.enable", "POST"): _administering(),
    ("tags.index", "GET"): _managing(200),
    ("tags.for_thunderbird", "GET"): _reading(),
    ("tags.make", "POST"): _managing(tag="urgent"),
    ("tags.change", "POST"): _managing(label="Invoices", hue=3),
    ("tags.adopt", "POST"): _managing(),
    ("tags.merge", "POST"): _managing(422, into="{tag}"),  # with itself
    ("tags.map_keyword", "POST"): _managing(keyword="done", means="status:closed"),
    ("tags.unmap_keyword", "DELETE"): _managing(keyword="done"),
    ("account.show", "GET"): _reading(200, 200),
    ("account.change_password", "POST"): _reading(422, 422),
    ("account.end_session", "POST"): _reading(404, 404),
    ("account.end_others", "POST"): _reading(302, 302),
    ("account.add_token", "POST"): Door(200, 200, 200, {"name": "Reports", "days": "30"}),
    ("account.end_token", "POST"): _reading(404, 404),
    ("notices.read", "POST"): Door(302, 302, 302, {"up_to": "1"}),
    ("preferences.show", "GET"): _reading(200, 200),
    ("preferences.change", "POST"): Door(
        302, 302, 302, {"language": "es", "time_zone": "UTC", "theme": "dark", "density": "cosy"}
    ),
}
#: Endpoints for anyone, without a sign-in.
OPEN = {
    ("session.sign_in", "GET"),
    ("session.sign_in_submit", "POST"),
    ("welcome.show", "GET"),
    ("welcome.enter", "POST"),
    ("probe.healthz", "GET"),
    ("probe.readyz", "GET"),
    ("probe.metrics", "GET"),  # with its own token: tested in test_probe.py
}
#: Ends the session for further tests: tested in test_session.py.
ENDS_THE_SESSION = ("session.sign_out", "POST")


def test_every_route_is_in_the_table(app: Flask) -> None:
    served = {(endpoint, method) for endpoint, method, _rule in routes(app) if not endpoint.startswith("api.")}
    assert served == DOORS.keys() | OPEN | {ENDS_THE_SESSION}


@pytest.mark.usefixtures("whole_cast")
@pytest.mark.parametrize("handle", ROLES)
def test_every_door_opens_for_whom_it_should(app: Flask, browser: Callable[[str], Browser], handle: str) -> None:
    someone, connecting = browser(handle), handle if handle in ADMINS else "ana"
    place = furnish("Support", connecting)
    for endpoint, method, rule in _doors(app):
        door = DOORS[endpoint, method]
        expected, before = door.answer(handle), revision(place)
        assert _knock(someone, method, rule, place, door).status_code == expected, (endpoint, method)
        if expected in (403, 404) or method == "GET":
            assert revision(place) == before, (endpoint, method)
        else:
            place = furnish("Support", connecting)


@pytest.mark.usefixtures("whole_cast")
@pytest.mark.parametrize("handle", ROLES)
def test_hidden_things_do_not_exist(app: Flask, browser: Callable[[str], Browser], handle: str) -> None:
    someone, place = browser(handle), furnish(FOREIGN[handle])
    before = revision(place)
    for endpoint, method, rule in _doors(app):
        if "_id>" not in rule or DOORS[endpoint, method].for_admins:
            continue  # it concerns no mailbox, or is open only to administrators
        assert _knock(someone, method, rule, place, DOORS[endpoint, method]).status_code == 404, (endpoint, method)
        assert revision(place) == before, (endpoint, method)


def test_a_form_cannot_name_things_of_a_foreign_mailbox(carla: Browser) -> None:
    here, there = furnish("Support"), furnish("Billing")
    before = revision(here), revision(there)
    into = carla.submit(f"/conversations/{here.conversation}/merge", into=10 * there.other_number)
    folder = carla.submit(f"/conversations/{here.conversation}/move", folder=there.archive)
    shown = carla.get(f"/conversations/{here.conversation}?folder={there.archive}")
    assert [into.status_code, folder.status_code, shown.status_code] == [422, 404, 404]
    assert (revision(here), revision(there)) == before


def test_without_a_sign_in_every_door_leads_to_it(app: Flask, nobody: Browser) -> None:
    place = furnish("Support")
    before = revision(place)
    for endpoint, method, rule in [*_doors(app), (*ENDS_THE_SESSION, "/sign-out")]:
        answer = _knock(nobody, method, rule, place, DOORS.get((endpoint, method), _reading()))
        assert (answer.status_code, (answer.location or "").split("?")[0]) == (302, "/sign-in"), (endpoint, method)
    assert revision(place) == before


def test_without_its_token_no_form_is_taken(app: Flask, ben: Browser) -> None:
    place = furnish("Support")
    before = revision(place)
    for endpoint, method, rule in _doors(app):
        if method != "GET":
            form = place.filled(DOORS[endpoint, method].form)
            answer = ben.client.open(place.address(rule), method=method, data=form)
            assert answer.status_code == 400, (endpoint, method)
            assert "Reload it" in answer.text
    assert revision(place) == before


def test_every_role_sees_every_view(browser: Callable[[str], Browser], cast: Cast, talk: int) -> None:
    for handle in ("ben", "carla", "dora"):
        someone = browser(handle)
        for view in VIEWS:
            assert "Support" in someone.page(f"/m/{cast.support}/{view}")


def test_an_observer_reads_and_is_offered_no_verb(dora: Browser, talk: int) -> None:
    page = dora.page(f"/conversations/{talk}")
    assert "The scale shows nothing" in page
    assert "<form" not in page.split('id="open"')[1].split("<dialog")[0]


def test_an_admin_without_a_role_sees_no_mailbox(browser: Callable[[str], Browser]) -> None:
    assert "No mailbox yet" in browser("ana").page("/")


def test_a_mailbox_without_a_role_is_not_named(carla: Browser, cast: Cast) -> None:
    new_conversation("Billing")
    assert "Billing" not in carla.page(f"/m/{cast.support}/open")


def test_a_get_never_changes_anything(carla: Browser, talk: int) -> None:
    before = stored(talk).revision
    carla.page(f"/conversations/{talk}")
    assert carla.get(f"/conversations/{talk}/star").status_code == 405
    assert carla.get(f"/conversations/{talk}/star?_method=DELETE").status_code == 405
    after = stored(talk)
    assert (after.revision, after.unseen) == (before, True)


def _doors(app: Flask) -> list[tuple[str, str, str]]:
    return [route for route in routes(app) if route[:2] in DOORS]


def _knock(someone: Browser, method: str, rule: str, place: Place, door: Door) -> TestResponse:
    """As a page would: a GET, or its form with the token. A stream is closed after its first event."""
    address = place.address(rule)
    if method != "GET":
        return someone.submit(address, method, **place.filled(door.form))
    answer = someone.get(address)
    answer.close()
    return answer
