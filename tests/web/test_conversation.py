"""The verbs of one conversation as forms of a page: with htmx the changed fragment, without it a redirect."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from flask import Flask

from app import db
from app.clock import now
from app.inbox.actor import mail_client, web
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.tag import make_tag
from app.inbox.history.event import EventKind, EventRow
from app.inbox.lists import find, history
from app.inbox.mailboxes.vocabulary import State
from app.web.conversation.history import lines
from tests import cast as stage
from tests.cast import Cast
from tests.web.conftest import Browser, folder_id, new_conversation, stored


def test_a_claim_shows_the_owner_and_tells_the_list(carla: Browser, talk: int) -> None:
    answer = carla.submit(f"/conversations/{talk}/assignment", htmx=True)
    assert answer.status_code == 200
    assert answer.headers["HX-Trigger"] == "signalbox:changed"
    assert answer.text.lstrip().startswith('<div id="open"')
    assert "Carla claimed this".replace("Carla", "<b>Carla</b>") in answer.text
    owner = stored(talk).assignee
    assert owner is not None
    assert owner.handle == "carla"


def test_without_a_script_a_verb_leads_back_to_the_page_it_came_from(carla: Browser, talk: int) -> None:
    answer = carla.submit(f"/conversations/{talk}/assignment?view=open&tag=billing")
    assert answer.status_code == 303
    assert answer.location == f"/conversations/{talk}?view=open&tag=billing"


def test_the_second_claim_shows_the_owner(ben: Browser, carla: Browser, talk: int) -> None:
    ben.submit(f"/conversations/{talk}/assignment")
    answer = carla.submit(f"/conversations/{talk}/assignment", htmx=True)
    assert answer.status_code == 409
    assert "Ben has it." in answer.text
    assert answer.headers["HX-Retarget"] == "#snacks"
    assert "signalbox:stale" in answer.headers["HX-Trigger"]


def test_a_manager_takes_over_and_an_agent_cannot(ben: Browser, carla: Browser, talk: int) -> None:
    carla.submit(f"/conversations/{talk}/assignment")
    assert ben.submit(f"/conversations/{talk}/assignment").status_code == 409
    assert ben.submit(f"/conversations/{talk}/assignment", take_over="1").status_code == 303
    assert carla.submit(f"/conversations/{talk}/assignment", take_over="1").status_code == 409
    page = carla.page(f"/conversations/{talk}")
    assert "A manager can take it over." in page
    assert "from <b>Carla</b>" in page


def test_assigning_goes_to_a_member_of_the_mailbox_only(carla: Browser, talk: int) -> None:
    assert carla.submit(f"/conversations/{talk}/assignment", to="ben").status_code == 303
    assert carla.submit(f"/conversations/{talk}/assignment", to="zoe").status_code == 422
    assert new_conversation() != talk


@pytest.mark.parametrize(
    ("status", "words"),
    [("closed", "closed this"), ("pending", "set this to pending"), ("spam", "marked this as spam")],
)
def test_a_status_is_set_shown_and_recorded(carla: Browser, talk: int, status: str, words: str) -> None:
    answer = carla.submit(f"/conversations/{talk}/status", htmx=True, status=status)
    assert f"st-{status}" in answer.text
    assert words in answer.text
    assert stored(talk).status == status
    carla.submit(f"/conversations/{talk}/status", status="open")
    assert "reopened this" in carla.page(f"/conversations/{talk}")


def test_a_snooze_takes_the_members_clock(carla: Browser, talk: int) -> None:
    with db.transaction() as session:
        stage.member(session, "carla").time_zone = "Asia/Tokyo"
    morning = (now() + dt.timedelta(days=3)).strftime("%Y-%m-%dT09:00")
    carla.submit(f"/conversations/{talk}/status", status="snoozed", until=morning)
    until = stored(talk).snoozed_until
    assert until is not None
    assert until.astimezone(dt.UTC).strftime("%H:%M") == "00:00"
    assert "09:00" in carla.page(f"/conversations/{talk}")


@pytest.mark.parametrize("until", ["yesterday", "2001-01-01T09:00"])
def test_a_snooze_until_no_time_or_the_past_gets_a_clear_line(carla: Browser, talk: int, until: str) -> None:
    answer = carla.submit(f"/conversations/{talk}/status", status="snoozed", until=until)
    assert answer.status_code == 422
    assert stored(talk).status == "open"


def test_an_invalid_status_gets_a_clear_line(carla: Browser, talk: int) -> None:
    assert "“lost” is not one of the choices." in carla.submit(f"/conversations/{talk}/status", status="lost").text


def test_tags_are_added_by_name_and_removed_again(ben: Browser, carla: Browser, talk: int) -> None:
    assert carla.submit(f"/conversations/{talk}/tags", name="billing").status_code == 404
    ben.submit(f"/conversations/{talk}/tags", name="Billing")
    assert "hue-" in carla.page(f"/m/{stored(talk).mailbox_id}/open?tag=billing")
    carla.submit(f"/conversations/{talk}/tags/billing", "DELETE")
    assert "<b>Carla</b> removed the tag <b>billing</b>" in carla.page(f"/conversations/{talk}")
    assert carla.submit(f"/conversations/{talk}/tags/billing", "PUT").status_code == 303


def test_a_tag_that_cannot_be_a_keyword_gets_a_clear_line(ben: Browser, talk: int) -> None:
    answer = ben.submit(f"/conversations/{talk}/tags", htmx=True, name="two words")
    assert answer.status_code == 422
    assert "a-z, 0-9 and -" in answer.text


def test_a_note_is_shown_as_it_was_written(carla: Browser, talk: int) -> None:
    answer = carla.submit(f"/conversations/{talk}/notes", htmx=True, text="<b>@ben</b> look:\nhere")
    assert "&lt;b&gt;@ben&lt;/b&gt; look:\nhere" in answer.text
    assert carla.submit(f"/conversations/{talk}/notes", text="   ").status_code == 422


def test_a_star_is_put_on_and_taken_off(carla: Browser, talk: int) -> None:
    assert "bi-star-fill" in carla.submit(f"/conversations/{talk}/star", htmx=True).text
    assert "bi-star-fill" not in carla.submit(f"/conversations/{talk}/star", "DELETE", htmx=True).text


def test_a_move_is_shown_on_its_way(carla: Browser, talk: int) -> None:
    answer = carla.submit(f"/conversations/{talk}/move", htmx=True, folder=folder_id("Archive"))
    assert "on its way to" in answer.text
    carla.submit(f"/conversations/{talk}/move", folder=folder_id("Trash"))
    assert "is in the trash" in carla.page(f"/conversations/{talk}?view=trash")
    assert carla.submit(f"/conversations/{talk}/move", folder=folder_id("INBOX", "Billing")).status_code == 404


def test_a_merge_takes_the_number_and_the_old_address_leads_on(carla: Browser, talk: int) -> None:
    other = new_conversation(subject="The same again")
    number = stored(talk).number
    answer = carla.submit(f"/conversations/{other}/merge", into=f"#{number}")
    assert answer.status_code == 303
    assert carla.get(f"/conversations/{other}").location == f"/conversations/{talk}"
    assert carla.submit(f"/conversations/{talk}/merge", into="9999").status_code == 422
    assert carla.submit(f"/conversations/{talk}/merge", into="x").status_code == 422
    assert carla.submit(f"/conversations/{talk}/merge", into=str(number)).status_code == 422


def test_a_message_is_split_off_and_opened(carla: Browser, talk: int) -> None:
    with db.transaction() as session:
        first = session.get_one(Conversation, talk).messages[0].message_id
        box = stage.mailbox(session)
        [received] = stage.arrive(session, stage.arrival(box, references=(first,), subject="Something else"))
        assert received.conversation_id == talk
    answer = carla.submit(f"/messages/{received.message_id}/split")
    assert answer.status_code == 303
    assert "Something else" in carla.page(answer.location or "")
    assert carla.submit(f"/messages/{received.message_id}/split").status_code == 422


def test_two_seconds_of_looking_mark_it_read_for_me_and_for_the_team(carla: Browser, dora: Browser, talk: int) -> None:
    assert dora.submit(f"/conversations/{talk}/seen").status_code == 204
    assert stored(talk).unseen  # an observer's reading does not count for the team
    assert "is-unread" not in dora.page(f"/m/{stored(talk).mailbox_id}/open")
    assert "is-unread" in carla.page(f"/m/{stored(talk).mailbox_id}/open")
    assert carla.submit(f"/conversations/{talk}/seen").status_code == 204
    assert not stored(talk).unseen


def test_a_change_in_a_mail_client_says_between_when(carla: Browser, talk: int) -> None:
    with db.transaction() as session:
        conversation = find.conversation(session, stage.member(session, "carla"), talk, lock=True)
        conversation.assign_name("ben", by=mail_client(now() - dt.timedelta(minutes=5)))
    assert "Assigned to <b>Ben</b> in a mail client, between " in carla.page(f"/conversations/{talk}")


def test_an_unknown_owner_is_shown_as_such_and_can_be_claimed(carla: Browser, talk: int) -> None:
    with db.transaction() as session:
        conversation = find.conversation(session, stage.member(session, "carla"), talk, lock=True)
        conversation.assign_name("zoe", by=mail_client(None))
    page = carla.page(f"/conversations/{talk}")
    assert "Assigned to zoe (not a member)" in page
    carla.submit(f"/conversations/{talk}/assignment")
    assert "Assigned to zoe (not a member)" not in carla.page(f"/conversations/{talk}")


@pytest.mark.parametrize(("keep", "owner"), [("ours", "carla"), ("theirs", "ben")])
def test_a_conflict_shows_both_sides_and_either_is_chosen(ben: Browser, talk: int, keep: str, owner: str) -> None:
    with db.transaction() as session:
        carla = stage.member(session, "carla")
        conversation = find.conversation(session, carla, talk, lock=True)
        conversation.claim(by=web(carla))
        conversation.note_conflict("owner", "ben", by=mail_client(now()))
    page = ben.page(f"/conversations/{talk}")
    assert "Assigned to two people." in page
    assert "bi-signpost-split" in ben.page(f"/m/{stored(talk).mailbox_id}/open")
    assert "Assigned to two people" not in ben.submit(f"/conversations/{talk}/conflict", htmx=True, keep=keep).text
    assignee = stored(talk).assignee
    assert assignee is not None
    assert assignee.handle == owner


def test_claim_next_takes_the_longest_waiting_or_says_there_is_none(carla: Browser, cast: Cast) -> None:
    older = new_conversation(uid=1, message_id="<old@x>")
    new_conversation(uid=2, message_id="<new@x>")
    answer = carla.submit(f"/m/{cast.support}/claims")
    assert answer.location == f"/conversations/{older}?view=mine"
    carla.submit(f"/m/{cast.support}/claims")
    assert carla.submit(f"/m/{cast.support}/claims").location == f"/m/{cast.support}/unassigned"
    assert "Every open conversation has an owner." in carla.page(f"/m/{cast.support}/unassigned")


def test_a_gone_conversation_can_only_be_read(carla: Browser, talk: int) -> None:
    with db.transaction() as session:
        session.get_one(Conversation, talk).place = "gone"
    page = carla.page(f"/conversations/{talk}?view=gone")
    assert "You can read it but not change it" in page
    assert f"/conversations/{talk}/assignment" not in page.split('id="open"')[1]
    assert carla.submit(f"/conversations/{talk}/assignment").status_code == 409


def test_the_servers_side_shows_names_on_their_way(ben: Browser, talk: int) -> None:
    with db.transaction() as session:
        by = web(stage.member(session, "ben"))
        make_tag(session, stage.mailbox(session), "billing", by=by)
        conversation = find.conversation(session, stage.member(session, "ben"), talk, lock=True)
        conversation.messages[0].copies[0].keywords = ["assigned-carla", "todo", "\\Seen"]
        conversation.messages[0].copies[0].shown = ["assigned-carla"]
        conversation.claim(by=by)
    page = ben.page(f"/conversations/{talk}")
    assert 'is-leaving" title="being removed from the server">assigned-carla' in page
    assert 'is-adding" title="on its way to the server">assigned-ben' in page
    assert '<code class="keyword">todo</code>' in page
    assert "1 waiting" in page


def test_the_history_of_merged_conversations_is_kept(carla: Browser, talk: int) -> None:
    other = new_conversation(subject="The same again")
    carla.submit(f"/conversations/{other}/assignment")
    carla.submit(f"/conversations/{other}/merge", into=str(stored(talk).number))
    with db.transaction() as session:
        conversation = find.conversation(session, stage.member(session, "carla"), talk)
        kinds = [event.kind for event in history.of_conversation(session, conversation.id)]
    assert "claimed" in kinds
    assert "<b>Carla</b> merged two conversations" in carla.page(f"/conversations/{talk}")


def test_the_address_of_a_merged_conversation_leads_to_where_its_mails_are(carla: Browser, talk: int) -> None:
    """However often the target was merged again; an act there applies to the last one."""
    between, last = new_conversation(), new_conversation()
    carla.submit(f"/conversations/{talk}/merge", into=str(stored(between).number))
    carla.submit(f"/conversations/{between}/merge", into=str(stored(last).number))
    for merged in (talk, between):
        answer = carla.get(f"/conversations/{merged}?view=open&q=scale")
        assert (answer.status_code, answer.location) == (302, f"/conversations/{last}?view=open&q=scale")
        fragment = carla.get(f"/conversations/{merged}", headers={"HX-Request": "true"}, follow_redirects=True)
        assert (fragment.status_code, f"/conversations/{last}/notes" in fragment.text) == (200, True)
    assert carla.submit(f"/conversations/{talk}/assignment", to="carla").status_code == 303
    assert carla.submit(f"/conversations/{between}/star", htmx=True).status_code == 200
    assert (stored(last).assignee_id is not None, stored(last).starred, stored(talk).assignee_id) == (True, True, None)
    assert carla.get(f"/m/{stored(last).mailbox_id}/all?selected={talk}").status_code == 200


def test_history_and_list_call_a_tag_by_its_label(ben: Browser, cast: Cast, talk: int) -> None:
    with db.transaction() as session:
        make_tag(session, stage.mailbox(session), "spare-parts", by=stage.acting(session, "ben"), label="Spare parts")
        find.conversation(session, stage.member(session, "ben"), talk).tag(
            "spare-parts", by=stage.acting(session, "ben")
        )
    page = ben.page(f"/conversations/{talk}?view=all&tag=spare-parts")
    assert "<b>Ben</b> added the tag <b>Spare parts</b>" in page
    assert '<h1 class="cut">Spare parts</h1>' in page


def test_an_import_that_took_an_owner_is_one_line(carla: Browser, cast: Cast) -> None:
    with db.transaction() as session:
        box = stage.mailbox(session)
        [received] = stage.arrive(session, stage.arrival(box), importing=True)
        session.get_one(Conversation, received.conversation_id).take(State(owner="carla"))
    page = carla.page(f"/conversations/{received.conversation_id}")
    assert page.count("Imported from the mail server") == 1
    assert "Imported from the mail server, assigned to <b>Carla</b>" in page


def test_a_keyword_without_room_is_shown_with_advice(ben: Browser, talk: int) -> None:
    ben.submit(f"/conversations/{talk}/tags", name="billing")
    assert "No room" not in ben.page(f"/conversations/{talk}")
    with db.transaction() as session:
        inbox = next(f for f in stage.mailbox(session).folders if f.role == "inbox")
        inbox.keywords = [f"name-{n}" for n in range(18)]
    page = ben.page(f"/conversations/{talk}")
    assert "No room for billing" in page
    assert "incomplete" in page
    assert page.count('aria-label="No room for new tags"') == 1  # beside the folder


def test_a_rejected_keyword_is_shown_with_advice(ben: Browser, carla: Browser, talk: int) -> None:
    carla.submit(f"/conversations/{talk}/assignment")
    with db.transaction() as session:
        session.get_one(Conversation, talk).messages[0].copies[0].refuses = ["assigned-carla"]
    assert "The mail server refuses to change assigned-carla." in carla.page(f"/conversations/{talk}")
    banner = "The mail server rejected our keywords on 1 message."
    assert banner in ben.page(f"/conversations/{talk}")
    assert banner not in carla.page(f"/conversations/{talk}")  # she could do nothing about it


def test_managers_see_that_many_conversations_lost_a_keyword_at_once(ben: Browser, carla: Browser, talk: int) -> None:
    with db.transaction() as session:
        copy = session.get_one(Conversation, talk).messages[0].copies[0]
        copy.shown = copy.held = ["assigned-carla"]
    banner = "1 conversation lost “assigned-carla” on the mail server, along with others."
    page = ben.page(f"/conversations/{talk}")
    assert banner in page
    assert "until an administrator decides" in page
    assert "disappeared in the same way" not in page
    assert banner not in carla.page(f"/conversations/{talk}")
    with db.transaction() as session:
        copy = session.get_one(Conversation, talk).messages[0].copies[0]
        copy.shown = copy.held = ["assigned-carla", "billing", "state-closed"]
    page = ben.page(f"/conversations/{talk}")
    assert banner in page
    assert "2 other keywords disappeared in the same way." in page


def test_a_keyword_lost_with_many_others_is_shown_as_waiting_for_a_decision(carla: Browser, talk: int) -> None:
    with db.transaction() as session:
        conversation = session.get_one(Conversation, talk)
        conversation.messages[0].copies[0].held = ["assigned-carla"]
        conversation.record(EventKind.HELD, mail_client(None), before={"keyword": "assigned-carla"})
    page = carla.page(f"/conversations/{talk}")
    assert "<b>assigned-carla</b> disappeared from many messages at once; an administrator decides" in page
    assert "Nothing changes here or on the server until an administrator decides." in page


def test_a_conflict_with_several_owners_names_all_and_offers_none(ben: Browser, talk: int) -> None:
    with db.transaction() as session:
        session.get_one(Conversation, talk).note_conflict("owner", "carla, zoe", by=mail_client(None))
    page = ben.page(f"/conversations/{talk}")
    assert "<b>Carla, zoe</b> was also set in a mail client" in page
    assert "Carla, zoe</span>" in page  # on the mail server's side
    assert 'value="ours"' in page
    assert 'value="theirs"' not in page


def test_whatever_happens_to_a_conversation_has_words(app: Flask, cast: Cast, talk: int) -> None:
    """Kinds that are missing here concern mailboxes, people and tags."""
    elsewhere = {
        kind
        for kind in EventKind
        if kind.startswith(("mailbox", "folder", "member", "tag ", "tags", "token", "sign", "sessions"))
    }
    elsewhere |= {EventKind.PASSWORD_SET, EventKind.GRANTED, EventKind.MAPPED, EventKind.UNMAPPED, EventKind.DECIDED}
    with app.test_request_context():
        for kind in set(EventKind) - elsewhere:
            itself = EventRow(1, now(), cast.support, talk, kind, "web", None, None, None, None, None)
            events = [
                itself,
                replace(itself, actor="carla", actor_name="Carla"),
                replace(itself, after={"status": "closed"}),
            ]
            words = {str(line.words) for line in lines(events, {}, {})}
            assert words - {"Something changed", "<b>Carla</b> changed something"}, kind
