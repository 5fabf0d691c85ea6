"""The lists: views with counts, tags, folders, search, and further pages."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from sqlalchemy import update

from app import db
from app.clock import now
from app.inbox.actor import web
from app.inbox.lists import find
from app.inbox.mailboxes.mailbox import Mailbox
from app.web.where import LONGEST_SEARCH
from tests import cast as stage
from tests.cast import Cast
from tests.web.conftest import Browser, folder_id, new_conversation


def test_a_view_shows_its_conversations_and_its_live_count(carla: Browser, cast: Cast, talk: int) -> None:
    page = carla.page(f"/m/{cast.support}/unassigned")
    assert "The scale shows nothing" in page
    assert re.search(r'data-count="unassigned">1<', page)
    carla.submit(f"/conversations/{talk}/assignment")
    page = carla.page(f"/m/{cast.support}/unassigned")
    assert "All caught up" in page
    assert re.search(r'data-count="mine">1<', page)


def test_an_unknown_view_is_not_there(carla: Browser, cast: Cast) -> None:
    assert carla.get(f"/m/{cast.support}/lost").status_code == 404


def test_a_cursor_that_is_not_ours_gets_a_clear_line(carla: Browser, cast: Cast) -> None:
    assert carla.get(f"/m/{cast.support}/open?cursor=x").status_code == 422


def test_a_long_list_goes_on_from_where_it_stopped(carla: Browser, cast: Cast) -> None:
    with db.transaction() as session:
        box = stage.mailbox(session)
        stage.arrive(session, *(stage.arrival(box, subject=f"Mail {n}") for n in range(120)), importing=True)
    seen: list[str] = []
    address = f"/m/{cast.support}/open"
    while address:
        page = carla.page(address)
        seen += re.findall(r'class="conv-subject cut"[^>]*>(Mail \d+)<', page)
        more = re.search(r'class="btn btn-quiet" href="([^"]+cursor[^"]+)"', page)
        address = more.group(1).replace("&amp;", "&") if more else ""
    assert len(seen) == len(set(seen)) == 120


def test_a_live_refresh_gives_as_many_rows_as_are_shown(carla: Browser, cast: Cast) -> None:
    with db.transaction() as session:
        box = stage.mailbox(session)
        stage.arrive(session, *(stage.arrival(box) for _ in range(320)), importing=True)
    for shown in (75, 310):
        part = carla.page(f"/m/{cast.support}/open?part=list&rows={shown}")
        assert part.count('<li class="conv ') == shown
        assert len(set(re.findall(r'id="row-(\d+)"', part))) == shown
    assert "<!doctype" not in part


def test_a_folder_shows_its_conversations(carla: Browser, cast: Cast, talk: int) -> None:
    assert "The scale shows nothing" in carla.page(f"/m/{cast.support}/folder/{folder_id('INBOX')}")
    assert "The scale shows nothing" not in carla.page(f"/m/{cast.support}/folder/{folder_id('Archive')}")
    assert carla.get(f"/m/{cast.support}/folder/{folder_id('INBOX', 'Billing')}").status_code == 404


def test_search_finds_words_from_their_beginning(carla: Browser, cast: Cast, talk: int) -> None:
    assert "The scale shows nothing" in carla.page(f"/m/{cast.support}/all?q=disp+sca")
    assert "Nothing found" in carla.page(f"/m/{cast.support}/all?q=nowhere")
    assert "The scale shows nothing" in carla.page(f"/m/{cast.support}/all?q=%27%22%28%3A*")  # no word, no condition
    page = carla.page(f"/m/{cast.support}/all?q=<script>alert(1)</script>")
    assert "<script>alert" not in page


def test_the_search_field_accepts_at_most_what_an_address_holds(carla: Browser, cast: Cast) -> None:
    [field] = re.findall(r'<input[^>]* name="q"[^>]*>', carla.page(f"/m/{cast.support}/all"))
    assert f'maxlength="{LONGEST_SEARCH}"' in field


def test_a_conversation_keeps_the_list_it_was_opened_from(carla: Browser, cast: Cast, talk: int) -> None:
    page = carla.page(f"/conversations/{talk}?view=open")
    assert f'data-refresh="/m/{cast.support}/open"' in page
    assert 'aria-current="page"' in page.split("All open")[0].rsplit("<a", 1)[1]
    assert f"/conversations/{talk}/assignment?view=open" in page


def test_the_foot_says_whether_the_mail_server_is_in_step(carla: Browser, cast: Cast) -> None:
    address = f"/m/{cast.support}/open"
    assert "Not yet synchronised" in carla.page(address)
    importing = {"paused_at": None, "failing_since": None, "imported_at": None, "import_total": 400, "import_done": 100}
    for fields, words in (
        ({"last_round_at": now()}, "In sync"),
        ({"error_code": "over_quota", "error_text": "It is full."}, "Changes that need space on the mail server"),
        ({"failing_since": now(), "error_code": "broken"}, "The mail server is not available."),
        ({"error_code": "unreachable"}, "The mail server does not answer."),
        ({"error_code": "over_quota"}, "The mail account is full (quota). An administrator"),
        ({"paused_at": now()}, "This mailbox is paused."),
        (importing, "100 of 400"),
    ):
        with db.transaction() as session:
            session.execute(update(Mailbox).where(Mailbox.id == cast.support).values(fields))
        assert words in carla.page(address)


def test_the_sentences_of_the_banner_stand_apart(carla: Browser, cast: Cast) -> None:
    failing = {"failing_since": now(), "error_code": "unreachable", "last_round_at": now()}
    with db.transaction() as session:
        session.execute(update(Mailbox).where(Mailbox.id == cast.support).values(failing))
    page = carla.page(f"/m/{cast.support}/open")
    banner = re.search(r'<div class="banner banner-bar".*?</div>', page, re.DOTALL)
    assert banner
    words = " ".join(re.sub(r"<[^>]*>", "", banner.group(0)).split())
    assert re.fullmatch(
        r"The mail server does not answer\. Last successful sync \d\d:\d\d\. You can keep working. .*", words
    )


def test_everything_a_stranger_writes_is_text_in_a_list(carla: Browser, cast: Cast) -> None:
    bad = '"><script>alert(1)</script>'
    talk = new_conversation(subject=bad, sender=(bad, "x@y.example"), preview=bad, text=bad)
    for path in (f"/m/{cast.support}/open", f"/conversations/{talk}"):
        assert "<script>alert" not in carla.page(path)


def test_a_row_shows_a_clients_tag_as_such(carla: Browser, cast: Cast, talk: int) -> None:
    with db.transaction() as session:
        ben = stage.member(session, "ben")
        conversation = find.conversation(session, ben, talk, lock=True)
        conversation.tag("billing", by=web(ben))
        conversation.tags[0].adopted = False
    assert "Tag from a mail client, not adopted yet" in carla.page(f"/m/{cast.support}/open")


@pytest.mark.parametrize(("hours", "mark"), [(1, 'class="wait"'), (3, 'class="wait wait-late"'), (7, "wait-over")])
def test_a_row_says_how_long_the_customer_waits(carla: Browser, cast: Cast, hours: int, mark: str) -> None:
    since = now() - dt.timedelta(hours=hours)
    with db.transaction() as session:
        stage.conversation(session, received_at=since)
    page = carla.page(f"/m/{cast.support}/unassigned")
    assert mark in page
    assert f'<time class="js-wait" datetime="{since.isoformat()}">{hours} h 00 m</time>' in page


def test_a_row_tells_the_end_of_a_snooze_instead(carla: Browser, cast: Cast, talk: int) -> None:
    assert "js-wait" in carla.page(f"/m/{cast.support}/open")
    until = (now() + dt.timedelta(days=30)).replace(hour=9, minute=0)
    carla.submit(f"/conversations/{talk}/status", status="snoozed", until=until.isoformat())
    [row] = re.findall(r'<li class="conv .*?</li>', carla.page(f"/m/{cast.support}/snoozed"), re.DOTALL)
    assert f"{until.day} {until:%b} 09:00" in row
    assert "js-wait" not in row


@pytest.mark.parametrize(("machine", "shown", "more"), [(None, 2, "+1"), ("newsletter", 1, "+2")])
def test_a_row_has_room_for_two_marks(
    carla: Browser, ben: Browser, cast: Cast, machine: str | None, shown: int, more: str
) -> None:
    with db.transaction() as session:
        id_ = stage.conversation(session, machine=machine).id
    for tag in ("billing", "returns", "shipping"):
        ben.submit(f"/conversations/{id_}/tags", name=tag)
    [row] = re.findall(r'<li class="conv .*?</li>', carla.page(f"/m/{cast.support}/open"), re.DOTALL)
    assert len(re.findall(r'class="tag hue-\d', row)) == shown
    assert more in row
    assert ("Newsletter" in row) == (machine is not None)
