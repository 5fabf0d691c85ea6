"""The pages of the administration: people and roles, mailboxes and their health, tags of a mailbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from app import db
from app.clock import now
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.tag import Mapping, Tag
from app.inbox.history.event import Event
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.people.member import Member
from app.inbox.permission import Role
from app.inbox.server import held
from tests import cast as stage
from tests.cast import PASSWORD, Cast
from tests.conftest import Clock
from tests.web.conftest import Browser, folder_id, new_conversation, stored


@pytest.fixture
def ana(browser: Callable[[str], Browser]) -> Browser:
    return browser("ana")


def test_a_new_member_gets_roles_and_a_link_that_is_shown_once(ana: Browser, nobody: Browser, cast: Cast) -> None:
    told: dict[str, Any] = {"name": "Emil Åberg", "email": "emil@halden.example", f"role-{cast.support}": "agent"}
    answer = ana.submit("/admin/people/new", **told)
    [link] = re.findall(r'value="http://localhost(/welcome/[^"]+)"', answer.text)
    assert nobody.submit(link, password=PASSWORD, again=PASSWORD).location == "/"
    assert f"/m/{cast.support}/" in str(nobody.get("/").location)
    with db.transaction() as session:
        emil = stage.member(session, "emil")
        assert (emil.role_on(cast.support), emil.is_admin) == (Role.AGENT, False)


def test_an_invalid_member_is_reported_at_the_field(ana: Browser) -> None:
    cases: list[tuple[Any, ...]] = [
        ({"email": "ana@halden.example"}, "A member with the address ana@halden.example already exists."),
        ({"handle": "carla"}, "The handle “carla” is taken"),
        ({"handle": "No Handle"}, "Use a-z, 0-9 and -"),
        ({"name": ""}, "Use a-z, 0-9 and -"),  # also without a handle
        ({"name": "\0", "handle": "emil"}, "A member needs a name of 1 to 100 characters."),
        ({"name": "\u200b", "handle": "emil"}, "A member needs a name of 1 to 100 characters."),
    ]
    for wrong, told in cases:
        form: dict[str, Any] = {"name": "Emil", "email": "emil@halden.example", **wrong}
        answer = ana.submit("/admin/people/new", **form)
        assert (answer.status_code, told in answer.text) == (422, True)
        assert "emil" not in ana.page("/admin/people")


def test_roles_and_names_change_and_the_history_records_it(ana: Browser, cast: Cast) -> None:
    form: dict[str, Any] = {"name": "Carla Mendes", "email": "carla@halden.example", f"role-{cast.support}": "manager"}
    assert ana.submit(f"/admin/people/{cast.carla}", **form).status_code == 302
    with db.transaction() as session:
        carla = stage.member(session, "carla")
        assert (carla.name, carla.role_on(cast.support)) == ("Carla Mendes", Role.MANAGER)
        kinds = session.scalars(select(Event).order_by(Event.id.desc()).limit(2)).all()
        assert [event.kind for event in kinds] == ["member changed", "granted"]
        assert kinds[0].after == {"member": "carla", "changed": ["name"], "admin": False}


def test_refused_values_stay_in_the_form(ana: Browser, cast: Cast) -> None:
    form: dict[str, Any] = {"name": "Carla M", "email": "ben@halden.example", f"role-{cast.support}": "manager"}
    answer = ana.submit(f"/admin/people/{cast.carla}", admin="on", **form)
    assert (answer.status_code, "A member with the address ben@halden.example already exists." in answer.text) == (
        422,
        True,
    )
    assert 'value="Carla M"' in answer.text
    assert 'value="ben@halden.example"' in answer.text
    assert '<option value="manager" selected>' in answer.text
    assert re.search(r'name="admin" checked', answer.text)
    page = ana.page(f"/admin/people/{cast.carla}")
    assert 'value="carla@halden.example"' in page
    assert '<option value="agent" selected>' in page
    assert not re.search(r'name="admin" checked', page)


def test_giving_up_administration_keeps_the_roles_of_the_same_form(ana: Browser, cast: Cast) -> None:
    with db.transaction() as session:
        stage.member(session, "ben").is_admin = True
    form: dict[str, Any] = {"name": "Ana", "email": "ana@halden.example", f"role-{cast.support}": "observer"}
    answer = ana.submit(f"/admin/people/{cast.ana}", **form)
    assert (answer.status_code, answer.location) == (302, "/")
    with db.transaction() as session:
        stored = stage.member(session, "ana")
        assert (stored.is_admin, stored.role_on(cast.support)) == (False, Role.OBSERVER)


def test_somebody_always_administers(ana: Browser, cast: Cast) -> None:
    no_form: dict[str, Any] = {}
    for path, form in ((f"/admin/people/{cast.ana}", {"name": "Ana", "email": "ana@halden.example"}), ("", no_form)):
        answer = ana.submit(path or f"/admin/people/{cast.ana}/disable", **form)
        assert (answer.status_code, "is the only administrator" in answer.text) == (422, True)
    with db.transaction() as session:
        assert stage.member(session, "ana").is_admin


def test_other_administrators_see_who_took_a_role_until_they_have_read_it(
    ana: Browser, ben: Browser, cast: Cast
) -> None:
    def grant(member_id: int, name: str, role: str) -> None:
        form: dict[str, Any] = {"name": name, "email": f"{name.lower()}@halden.example", f"role-{cast.billing}": role}
        form |= {"admin": "on"} if member_id == cast.ana else {}
        ana.submit(f"/admin/people/{member_id}", **form)

    with db.transaction() as session:
        stage.member(session, "ben").is_admin = True
    grant(cast.ana, "Ana", "observer")
    grant(cast.dora, "Dora", "agent")
    assert "has taken a role" not in ana.page("/admin/people")
    page = ben.page("/admin/mailboxes")
    assert page.count("has taken a role") == 1
    assert "Ana has taken a role on Billing" in page
    assert "Observer: reads" in page
    [up_to] = re.findall(r'name="up_to" value="(\d+)"', page)
    grant(cast.ana, "Ana", "manager")
    ben.submit("/notices", up_to=up_to)
    page = ben.page("/admin/mailboxes")
    assert (page.count("has taken a role"), "Manager: assigns and creates tags" in page) == (1, True)
    ben.submit("/notices", up_to="9" * 15)
    assert "has taken a role" not in ben.page("/admin/mailboxes")
    grant(cast.ana, "Ana", "")
    assert "has taken a role" not in ben.page("/admin/mailboxes")


def test_a_disabled_member_is_out_and_can_return(ana: Browser, carla: Browser, cast: Cast) -> None:
    talk = new_conversation()
    carla.submit(f"/conversations/{talk}/assignment", to="carla")
    assert ">Carla<" in ana.page(f"/admin/mailboxes/{cast.support}")
    ana.submit(f"/admin/people/{cast.carla}/disable")
    assert "/sign-in" in str(carla.get("/").location)
    assert (stored(talk).assignee_id, stored(talk).assigned_name) == (None, "carla")
    assert "Disabled" in ana.page("/admin/people")
    assert ">Carla<" not in ana.page(f"/admin/mailboxes/{cast.support}")
    ana.submit(f"/admin/people/{cast.carla}/enable")
    assert stored(talk).assignee_id == cast.carla


def test_a_mailbox_page_shows_health_and_what_to_do(ana: Browser, cast: Cast) -> None:
    assert "In sync with the mail server." in ana.page(f"/admin/mailboxes/{cast.support}")
    with db.transaction() as session:
        told = {"failing_since": now(), "error_code": "login_refused", "error_text": "[ALERT] <b>no</b>", "failures": 3}
        session.execute(update(Mailbox).where(Mailbox.id == cast.support).values(**told))
    page = ana.page(f"/admin/mailboxes/{cast.support}")
    assert "The mail server rejects the sign-in." in page
    assert "Enter the new password." in page
    assert "[ALERT] &lt;b&gt;no&lt;/b&gt;" in page
    assert "The mail server rejects the sign-in." in ana.page("/admin/mailboxes")
    ana.submit(f"/admin/mailboxes/{cast.support}/resume")
    with db.transaction() as session:
        assert stage.mailbox(session).state == "ok"


@pytest.mark.parametrize("failing", [False, True])
def test_a_full_account_is_reported_whether_or_not_rounds_succeed(ana: Browser, cast: Cast, failing: bool) -> None:
    told: dict[str, Any] = {"error_code": "over_quota", "error_text": "[OVERQUOTA] <full>"}
    with db.transaction() as session:
        more = {"failing_since": now()} if failing else {}
        session.execute(update(Mailbox).where(Mailbox.id == cast.support).values(told | more))
    page = ana.page(f"/admin/mailboxes/{cast.support}")
    assert page.count("The mail account is full (quota).") == 1
    assert ("[OVERQUOTA] &lt;full&gt;" in page, "In sync with" in page) == (True, not failing)
    assert ana.page("/admin/mailboxes").count("The mail account is full (quota).") == 1


def test_a_mailbox_that_is_behind_says_so(ana: Browser, cast: Cast) -> None:
    with db.transaction() as session:
        stage.fall_behind(session, session.get_one(Mailbox, cast.support))
    page = ana.page(f"/admin/mailboxes/{cast.support}")
    assert "Delayed: 4 messages are waiting, the first since " in page
    assert "1 message took long to read in the last hour: from mia@customer.example, UID 999 in “INBOX”." in page
    assert ana.page("/admin/mailboxes").count("Delayed: 4 messages") == 1


def test_a_mailbox_is_paused_and_goes_on(ana: Browser, cast: Cast) -> None:
    ana.submit(f"/admin/mailboxes/{cast.support}/pause")
    assert "Signalbox does not sync with the mail server." in ana.page(f"/admin/mailboxes/{cast.support}")
    ana.submit(f"/admin/mailboxes/{cast.support}/resume")
    assert "In sync with the mail server." in ana.page(f"/admin/mailboxes/{cast.support}")


def test_an_import_shows_how_far_it_is(ana: Browser, cast: Cast) -> None:
    with db.transaction() as session:
        box = stage.mailbox(session)
        box.imported_at, box.import_total, box.import_done = None, 4000, 1500
    page = ana.page(f"/admin/mailboxes/{cast.support}")
    assert "1,500 of 4,000 messages imported." in page
    assert 'http-equiv="refresh"' in page


def test_settings_of_a_mailbox_change_and_wrong_ones_are_refused(ana: Browser, cast: Cast) -> None:
    form: dict[str, Any] = {
        "name": "Helpdesk",
        "address": "help@halden.example",
        "time_zone": "Europe/Madrid",
        "marks_seen": "on",
    }
    path = f"/admin/mailboxes/{cast.support}/settings"
    assert ana.submit(path, **form).status_code == 302
    with db.transaction() as session:
        box = session.get_one(Mailbox, cast.support)
        assert (box.name, box.time_zone, box.agents_assign, box.marks_seen) == (
            "Helpdesk",
            "Europe/Madrid",
            False,
            True,
        )
        last = session.scalars(select(Event).order_by(Event.id.desc())).first()
        assert last is not None
        assert last.after == {"mailbox": "Helpdesk", "changed": ["agents_assign", "name", "time_zone"]}
    for wrong, told in (
        ({"name": "billing"}, "A mailbox named “billing” already exists."),
        ({"address": "x"}, "not an email"),
        ({"time_zone": "M"}, "“M” is not a time zone."),
        ({"name": "\0"}, "1 to 60 characters"),
        ({"name": "\u200b"}, "1 to 60 characters"),
        ({"address": "a\0@halden.example"}, "not an email"),
    ):
        answer = ana.submit(path, **{**form, **wrong})
        assert (answer.status_code, told in answer.text) == (422, True), wrong


def test_an_administrator_names_the_aliases_of_a_mailbox(ana: Browser, cast: Cast) -> None:
    path = f"/admin/mailboxes/{cast.support}/settings"
    form: dict[str, Any] = {"name": "Support", "address": "help@halden.example", "time_zone": "UTC"}
    assert ana.submit(path, **form, other_addresses="Sales@halden.example, info@halden.example\n").status_code == 302
    with db.transaction() as session:
        assert stage.mailbox(session).other_addresses == ["info@halden.example", "sales@halden.example"]
        last = session.scalars(select(Event).order_by(Event.id.desc())).first()
        assert last is not None
        assert last.after == {"mailbox": "Support", "changed": ["other_addresses"]}
    assert "info@halden.example\nsales@halden.example" in ana.page(path)
    answer = ana.submit(path, **form, other_addresses="info")
    assert (answer.status_code, "not an email" in answer.text) == (422, True)
    many = " ".join(f"a{n}@halden.example" for n in range(101))
    assert "at most 100 aliases" in ana.submit(path, **form, other_addresses=many).text
    assert ana.submit(path, **form, other_addresses="").status_code == 302
    with db.transaction() as session:
        assert stage.mailbox(session).other_addresses == []


def test_an_administrator_says_how_many_keywords_a_folder_keeps(ana: Browser, cast: Cast) -> None:
    with db.transaction() as session:
        stage.mailbox(session).folders[0].keywords = ["billing", "urgent"]
        stage.conversation(session).lacks_room = True
    path = f"/admin/mailboxes/{cast.support}"
    assert "2 of 24 keywords" in ana.page(path)
    assert "Some keywords do not fit" in ana.page(path)
    form: dict[str, Any] = {"name": "Support", "address": "help@halden.example", "time_zone": "UTC"}
    assert ana.submit(f"{path}/settings", **form).status_code == 302
    assert ana.submit(f"{path}/settings", **form, keyword_limit="30").status_code == 422
    with db.transaction() as session:
        assert stage.mailbox(session).keyword_limit == 24
        assert session.scalars(select(Conversation.push_needed)).all() == [False]
    assert ana.submit(f"{path}/settings", **form, keyword_limit="none").status_code == 302
    with db.transaction() as session:
        assert stage.mailbox(session).keyword_limit is None
        assert session.scalars(select(Conversation.push_needed)).all() == [True]
    assert "2 keywords" in ana.page(path)
    assert '<option value="none" selected>' in ana.page(f"{path}/settings")


def test_a_folder_with_more_keywords_than_assumed_says_that_the_limit_is_too_low(ana: Browser, cast: Cast) -> None:
    with db.transaction() as session:
        folders = {folder.name: folder for folder in stage.mailbox(session).folders}
        folders["INBOX"].keywords = [f"client-{number}" for number in range(24)]
    path = f"/admin/mailboxes/{cast.support}"
    assert "24 of 24 keywords" in ana.page(path)
    assert "keyword_limit" not in ana.page(path)
    with db.transaction() as session:
        folders = {folder.name: folder for folder in stage.mailbox(session).folders}
        folders["INBOX"].keywords = [f"client-{number}" for number in range(37)]
    page = ana.page(path)
    assert "37 keywords, above the assumed limit of 24" in page
    assert "A folder holds more keywords than the assumed limit of 24" in page
    assert f'href="{path}/settings#keyword_limit"' in page
    assert "0 of 24 keywords" in page  # the others
    form: dict[str, Any] = {"name": "Support", "address": "help@halden.example", "time_zone": "UTC"}
    ana.submit(f"{path}/settings", **form, keyword_limit="100")
    assert "37 of 100 keywords" in ana.page(path)
    assert "keyword_limit" not in ana.page(path)


def test_another_folder_is_watched(ana: Browser, cast: Cast) -> None:
    with db.transaction() as session:
        next(f for f in stage.mailbox(session).folders if f.name == "Archive").watched = False
    archive = folder_id("Archive")
    assert "Watch Archive" in ana.page(f"/admin/mailboxes/{cast.support}")
    assert ana.submit(f"/admin/mailboxes/{cast.support}/folders/{archive}").status_code == 302
    assert ana.submit(f"/admin/mailboxes/{cast.billing}/folders/{archive}").status_code == 404
    with db.transaction() as session:
        assert stage.mailbox(session).folder("archive") is not None
    assert "Stop watching Archive" in ana.page(f"/admin/mailboxes/{cast.support}")
    assert ana.submit(f"/admin/mailboxes/{cast.support}/folders/{archive}/unwatch").status_code == 302
    assert ana.submit(f"/admin/mailboxes/{cast.support}/folders/{folder_id('INBOX')}/unwatch").status_code == 422
    with db.transaction() as session:
        assert stage.mailbox(session).folder("archive") is None
        told = session.scalars(select(Event).where(Event.kind.startswith("folder")).order_by(Event.id)).all()
        assert [(event.kind, event.after) for event in told] == [
            ("folder watched", {"mailbox": "Support", "folder": "Archive"}),
            ("folder unwatched", {"mailbox": "Support", "folder": "Archive"}),
        ]


def test_folders_that_are_gone_or_refused_stand_on_the_page(ana: Browser, cast: Cast) -> None:
    with db.transaction() as session:
        folders = {folder.name: folder for folder in stage.mailbox(session).folders}
        folders["Sent"].lose()
        folders["Archive"].lose("Ask <the> postmaster")
    page = ana.page(f"/admin/mailboxes/{cast.support}")
    for told in ("no longer on the server", "refuses to show it", "Ask &lt;the&gt; postmaster"):
        assert told in page
    assert page.count("cannot be watched") == 0
    assert ana.page("/admin/mailboxes").count("cannot be watched") == 2


def test_a_mailbox_that_no_worker_serves_or_that_lost_mails_says_so(ana: Browser, cast: Cast, clock: Clock) -> None:
    page = f"/admin/mailboxes/{cast.support}"
    assert "In sync with the mail server." in ana.page(page)
    with db.transaction() as session:
        stage.mailbox(session).folders[0].unmatched = 1
    clock.pass_(minutes=16)
    assert "No worker serves this mailbox." in ana.page(page)
    assert "No worker serves this mailbox." in ana.page("/admin/mailboxes")
    assert "1 message has disappeared from its folder on the mail server." in ana.page(page)


@pytest.mark.parametrize("use", ["ours", "server"])
def test_names_that_many_lost_at_once_wait_for_a_decision(ana: Browser, carla: Browser, cast: Cast, use: str) -> None:
    talk = new_conversation()
    carla.submit(f"/conversations/{talk}/assignment", to="carla")
    with db.transaction() as session:
        session.execute(update(Copy).values(shown=["assigned-carla"], held=["assigned-carla"]))
    assert "1 conversation lost “assigned-carla” on the mail server" in ana.page(f"/admin/mailboxes/{cast.support}")
    assert "“assigned-carla” at once" in ana.page("/admin/mailboxes")
    ana.submit(f"/admin/mailboxes/{cast.support}/held", keyword="assigned-carla", use=use)
    assert stored(talk).assignee_id == (cast.carla if use == "ours" else None)
    page = ana.page(f"/admin/mailboxes/{cast.support}")
    assert ("at once" in page, "Decided." in page) == (False, True)


def test_a_decision_about_a_settled_keyword_gets_an_error(ana: Browser, cast: Cast) -> None:
    answer = ana.submit(f"/admin/mailboxes/{cast.support}/held", keyword="assigned-carla", use="ours")
    assert answer.status_code == 302
    page = ana.page(f"/admin/mailboxes/{cast.support}")
    assert ("There is nothing left to decide about this keyword" in page, "Decided." in page) == (True, False)


def test_a_former_administrator_decides_no_further(
    ana: Browser, carla: Browser, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        carla.submit(f"/conversations/{new_conversation()}/assignment", to="carla")
    with db.transaction() as session:
        session.execute(update(Copy).values(shown=["assigned-carla"], held=["assigned-carla"]))
    decide = held.decide

    def decide_and_lose_the_right(*told: Any, **how: Any) -> int | None:
        done = decide(*told, **how)
        with db.transaction() as session:
            session.execute(update(Member).where(Member.id == cast.ana).values(is_admin=False))
        return done

    monkeypatch.setattr(held, "_CONVERSATIONS", 1)
    monkeypatch.setattr(held, "decide", decide_and_lose_the_right)
    answer = ana.submit(f"/admin/mailboxes/{cast.support}/held", keyword="assigned-carla", use="ours")
    assert answer.status_code == 403
    with db.transaction() as session:
        assert [hold.conversations for hold in held.holds(session, stage.mailbox(session))] == [1]


def test_everyone_with_a_role_gets_names_and_colours_for_thunderbird(dora: Browser, ben: Browser, cast: Cast) -> None:
    address = f"/m/{cast.support}/tags/user.js"
    for page in (dora.page("/preferences"), ben.page(f"/m/{cast.support}/tags/manage")):
        assert f'href="{address}" download' in page
        assert "in your Thunderbird profile folder" in page
    file = dora.get(address)
    assert 'user_pref("mailnews.tags.assigned-carla.tag", "Assigned: Carla");' in file.text
    assert file.headers["Content-Disposition"] == 'attachment; filename="user.js"'
    assert file.mimetype == "text/plain"  # whatever a tag is called, no page runs it
    assert f"/m/{cast.billing}/tags/user.js" not in dora.page("/preferences")


def test_where_the_server_keeps_no_keywords_thunderbird_has_nothing_to_show(ben: Browser, cast: Cast) -> None:
    with db.transaction() as session:
        stage.mailbox(session).mode = Mode.DATABASE
    assert ben.get(f"/m/{cast.support}/tags/user.js").status_code == 404
    for page in (ben.page("/preferences"), ben.page(f"/m/{cast.support}/tags/manage")):
        assert f"/m/{cast.support}/tags/user.js" not in page


def test_a_manager_makes_labels_and_merges_tags(ben: Browser, cast: Cast) -> None:
    path = f"/m/{cast.support}/tags"
    for name in ("billing", "invoices"):
        assert ben.submit(path, tag=name).status_code == 302
    with db.transaction() as session:
        billing, invoices = (session.scalars(select(Tag).filter_by(name=n)).one().id for n in ("billing", "invoices"))
    ben.submit(f"{path}/{billing}", label="Money", hue=4)
    ben.submit(f"{path}/{invoices}/merge", into=billing)
    page = ben.page(f"{path}/manage")
    assert "Money" in page
    assert 'title="Another name for this tag">invoices' in page
    with db.transaction() as session:
        merged = session.get_one(Tag, invoices)
        assert (session.get_one(Tag, billing).hue, merged.alias_of_id) == (4, billing)


def test_a_tag_of_a_mail_client_is_adopted(ben: Browser, cast: Cast) -> None:
    new_conversation(keywords=("urgent",))
    with db.transaction() as session:
        tag = Tag(mailbox_id=cast.support, name="fromclient", label="fromclient", hue=8, adopted=False)
        session.add(tag)
    assert "From a mail client" in ben.page(f"/m/{cast.support}/tags/manage")
    ben.submit(f"/m/{cast.support}/tags/{tag.id}/adopt")
    with db.transaction() as session:
        assert session.get_one(Tag, tag.id).adopted


def test_impossible_values_are_refused(ben: Browser, cast: Cast) -> None:
    cases: list[tuple[Any, ...]] = [
        ("", {"tag": "No Tag"}, "“no tag” is not a valid tag."),
        ("", {"tag": "assigned-zoe"}, "“assigned-zoe” already means something else"),
        ("/mappings", {"keyword": "done", "means": "status:open"}, "Choose an owner, or one of"),
        ("/mappings", {"keyword": "a b", "means": "status:closed"}, "“a b” is not a valid keyword"),
        ("/mappings", {"keyword": "$Forwarded", "means": "status:closed"}, "“$Forwarded” already means something else"),
        ("/mappings", {"keyword": "todo", "means": "owner:nobody"}, "“nobody” cannot own conversations"),
    ]
    for path, form, told in cases:
        answer = ben.submit(f"/m/{cast.support}/tags{path}", **form)
        assert (answer.status_code, told in answer.text) == (422, True), told


def test_a_keyword_is_given_a_meaning(ben: Browser, cast: Cast) -> None:
    ben.submit(f"/m/{cast.support}/tags/mappings", keyword="todo-carla", means="owner:carla")
    assert "assigned to carla" in ben.page(f"/m/{cast.support}/tags/manage")
    with db.transaction() as session:
        mapping = session.scalars(select(Mapping)).one()
        assert (mapping.name, mapping.meaning, mapping.value) == ("todo-carla", "owner", "carla")


def test_the_meaning_of_a_keyword_is_taken_away(ben: Browser, cast: Cast) -> None:
    ben.submit(f"/m/{cast.support}/tags/mappings", keyword="todo-carla", means="owner:carla")
    assert "The keyword stays on the messages as a mail client’s tag" in ben.page(f"/m/{cast.support}/tags/manage")
    for _again in range(2):  # repeating it has the same result
        assert ben.submit(f"/m/{cast.support}/tags/mappings", "DELETE", keyword="todo-carla").status_code == 302
    assert "assigned to carla" not in ben.page(f"/m/{cast.support}/tags/manage")
    with db.transaction() as session:
        assert session.scalars(select(Mapping)).all() == []
        [event] = session.scalars(select(Event).where(Event.kind == "unmapped"))
        assert event.before == {"name": "todo-carla", "owner": "carla"}


def test_a_tag_of_another_mailbox_is_not_there(ben: Browser, cast: Cast) -> None:
    ben.submit(f"/m/{cast.billing}/tags", tag="vat")
    with db.transaction() as session:
        vat = session.scalars(select(Tag).filter_by(name="vat")).one().id
    assert ben.submit(f"/m/{cast.support}/tags/{vat}", label="Tax", hue=1).status_code == 404


def test_only_permitted_members_see_the_link(ana: Browser, ben: Browser, carla: Browser, cast: Cast) -> None:
    assert "/admin/mailboxes" in ana.page("/")
    pages = {name: who.page(f"/m/{cast.support}/open") for name, who in (("ben", ben), ("carla", carla))}
    assert ["/tags/manage" in pages[name] for name in ("ben", "carla")] == [True, False]
    assert not any("/admin/" in page for page in pages.values())
