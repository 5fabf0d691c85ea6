"""The lists on screen: each view, page by page, over several mailboxes, and only what the member may see."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from app.db import insert_rows
from app.inbox.actor import COMMAND, SYSTEM, mail_client
from app.inbox.admin import team
from app.inbox.arriving import thread
from app.inbox.conversations import tag
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.reading import mark_read
from app.inbox.errors import Invalid, NotFound
from app.inbox.lists import counts, find, history, lists
from app.inbox.lists.lists import Filter
from app.inbox.lists.views import VIEWS
from app.inbox.people.member import possible_owners
from app.inbox.permission import Role
from app.inbox.status import Status
from tests.cast import Cast, acting, arrival, arrive, conversation, mailbox, member


def _ids(session: Session, handle: str = "carla", **query: object) -> list[int]:
    page = lists.conversations(session, member(session, handle), Filter(**query))  # type: ignore[arg-type]
    return [item.id for item in page.items]


@pytest.fixture
def views(cast: Cast, session: Session) -> dict[str, Conversation]:
    """One conversation for each place it can be in, named after it."""
    carla = acting(session, "carla")
    named = {name: conversation(session, subject=name) for name in ("free", "carla's", "ben's", "named")}
    named["carla's"].claim(by=carla)
    named["ben's"].claim(by=acting(session, "ben"))
    named["named"].assign_name("zoe", by=mail_client(None))
    for status in ("pending", "snoozed", "closed", "spam"):
        named[status] = conversation(session, subject=status)
        named[status].change_status(Status(status), by=carla)
    named["starred"] = conversation(session, subject="starred")
    named["starred"].star(by=carla)
    named["starred"].close(by=carla)
    named["trash"] = conversation(session, subject="trash")
    trash = named["trash"].mailbox.folder("trash")
    assert trash is not None
    named["trash"].move(trash, by=carla)
    named["gone"] = conversation(session, subject="gone")
    gone = [copy.id for m in named["gone"].messages for copy in m.copies]
    session.execute(
        update(Copy).where(Copy.id.in_(gone)).values(gone_at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=1))
    )
    thread.refresh(session, [named["gone"].id])
    named["merged"] = conversation(session, subject="merged")
    thread.merge(named["merged"], named["closed"], by=carla)
    conversation(session, name="Billing", subject="billing")
    session.flush()
    return named


EXPECTED = {
    "unassigned": ["free", "named"],
    "mine": ["carla's"],
    "open": ["named", "ben's", "carla's", "free"],
    "pending": ["pending"],
    "snoozed": ["snoozed"],
    "starred": ["starred"],
    "closed": ["merged", "starred"],
    "spam": ["spam"],
    "trash": ["trash"],
    "gone": ["gone"],
    "all": ["merged", "starred", "snoozed", "pending", "named", "ben's", "carla's", "free"],
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_its_conversations_in_order(views: dict[str, Conversation], session: Session, view: str) -> None:
    wanted = [views["closed" if name == "merged" else name].id for name in EXPECTED[view]]
    assert _ids(session, view=view) == wanted
    assert _ids(session, view=view, mailbox_id=views["free"].mailbox_id) == wanted
    assert set(_ids(session, "ben", view=view)) >= set(wanted) - {views["carla's"].id}


def test_hidden_conversations_are_in_no_list(views: dict[str, Conversation], session: Session, cast: Cast) -> None:
    for view in VIEWS:
        assert _ids(session, "ana", view=view) == []
        assert _ids(session, "carla", view=view, mailbox_id=cast.billing) == []
    carla, foreign = member(session, "carla"), conversation(session, name="Billing")
    assert _ids(session, q="billing") == []
    assert counts.tags(session, carla, cast.billing) == []
    assert set(counts.counts(session, carla, cast.billing).values()) == {0}
    assert history.events(session, carla, mailbox_id=cast.billing)[0] == []
    for what, id_ in (
        (find.conversation, foreign.id),
        (find.mailbox, foreign.mailbox_id),
        (find.message, foreign.messages[0].id),
        (find.attachment, 1),
    ):
        with pytest.raises(NotFound):
            what(session, carla, id_)
    with pytest.raises(NotFound):
        find.two_conversations(session, carla, views["free"].id, foreign.id)


def test_counts_say_how_many_and_stop_at_a_thousand(
    views: dict[str, Conversation], session: Session, cast: Cast
) -> None:
    carla = member(session, "carla")
    found = counts.counts(session, carla, cast.support)
    assert found == {view: len(_ids(session, view=view)) for view in counts.COUNTED}
    many = range(1001, 1001 + counts.COUNT_CAP)
    insert_rows(session, Conversation, [{"mailbox_id": cast.support, "number": number} for number in many])
    assert counts.counts(session, carla, cast.support)["open"] == counts.COUNT_CAP


@pytest.mark.parametrize("view", ["unassigned", "all"])
@pytest.mark.parametrize("several", [False, True])
def test_pages_follow_each_other_without_loss_or_doubles(
    cast: Cast, session: Session, view: str, several: bool
) -> None:
    """Times are often equal, some wait for nothing, and rows appear and change between pages."""
    dice = random.Random(7)
    start = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
    made = []
    for n in range(37):
        at = start + dt.timedelta(minutes=dice.randrange(6))
        name = "Billing" if several and n % 3 == 0 else "Support"
        made.append(
            conversation(session, name=name, received_at=at, machine="auto_reply" if dice.random() < 0.3 else None)
        )
    ben = member(session, "ben")
    whole = [item.id for item in lists.conversations(session, ben, Filter(view=view), limit=200).items]
    assert sorted(whole) == sorted(c.id for c in made)
    seen: list[int] = []
    cursor = None
    while True:
        page = lists.conversations(session, ben, Filter(view=view), cursor=cursor, limit=5)
        seen += [item.id for item in page.items]
        if len(seen) == 10:  # a row already seen leaves the list, and a newer one arrives
            session.get_one(Conversation, seen[0]).close(by=SYSTEM)
            conversation(session, received_at=start + dt.timedelta(hours=1) * (1 if view == "all" else -1))
        if page.next is None:
            break
        assert len(page.items) == 5
        cursor = page.next
    assert seen == whole


def test_a_tag_is_listed_newest_first_in_pages(cast: Cast, session: Session) -> None:
    tag.make_tag(session, mailbox(session), "billing", by=COMMAND)
    tagged = [conversation(session) for _ in range(7)]
    conversation(session)
    for c in tagged:
        c.tag("billing", by=SYSTEM)
    session.flush()
    carla = member(session, "carla")
    for view, order in (("all", reversed(tagged)), ("unassigned", iter(tagged))):
        wanted, seen, cursor = [c.id for c in order], [], None
        while True:
            page = lists.conversations(session, carla, Filter(view=view, tag="BILLING"), cursor=cursor, limit=3)
            seen += [item.id for item in page.items]
            cursor = page.next
            if cursor is None:
                break
        assert seen == wanted
    assert _ids(session, tag="nothing") == []
    assert [(t.name, t.count) for t in counts.tags(session, carla, cast.support)] == [("billing", 7)]
    assert [shown.name for shown in lists.conversations(session, carla, Filter()).items[1].tags] == ["billing"]


def test_a_new_mail_brings_its_conversation_up_in_the_tags_list_too(cast: Cast, session: Session) -> None:
    tag.make_tag(session, mailbox(session), "billing", by=COMMAND)
    older, newer = conversation(session, message_id="<older@x.example>"), conversation(session)
    for c in (older, newer):
        c.tag("billing", by=SYSTEM)
    session.flush()
    assert _ids(session, tag="billing") == [newer.id, older.id]
    arrive(session, arrival(mailbox(session), references=("<older@x.example>",)))
    assert _ids(session, tag="billing") == [older.id, newer.id]


def test_a_folder_lists_its_conversations(cast: Cast, session: Session) -> None:
    archived = conversation(session, folder="Archive")
    conversation(session)
    folder = next(f for f in mailbox(session).folders if f.name == "Archive")
    assert _ids(session, folder_id=folder.id) == [archived.id]
    session.execute(update(Copy).where(Copy.folder_id == folder.id).values(gone_at=text("now()")))
    assert _ids(session, folder_id=folder.id) == []


def test_an_owner_can_be_asked_for(views: dict[str, Conversation], session: Session) -> None:
    assert _ids(session, view="open", assignee="ben") == [views["ben's"].id]
    assert _ids(session, assignee="nobody") == []


def test_mail_after_the_last_look_is_unread(cast: Cast, session: Session) -> None:
    c = conversation(session, message_id="<first@x.example>")
    carla, ben = member(session, "carla"), member(session, "ben")

    def unread() -> tuple[bool, bool]:
        [mine], [theirs] = (lists.conversations(session, who, lists.Filter()).items for who in (carla, ben))
        return mine.unread, theirs.unread

    assert unread() == (True, True)
    mark_read(session, carla.id, c.id)
    assert unread() == (False, True)
    arrive(session, arrival(c.mailbox, references=("<first@x.example>",)))
    assert unread() == (True, True)
    mark_read(session, carla.id, c.id)
    c.mark_seen(by=acting(session, "ben"))
    assert unread() == (False, False)


@pytest.mark.parametrize("cursor", ["", "x", "bm90aGluZw==", "W10=", "WzEsMl0=", "\ud800", "W251bGwsICJ4Il0="])
def test_a_cursor_that_is_not_ours_is_refused(cast: Cast, session: Session, cursor: str) -> None:
    with pytest.raises(Invalid, match="cursor"):
        lists.conversations(session, member(session, "carla"), Filter(), cursor=cursor)
    with pytest.raises(Invalid, match="cursor"):
        history.events(session, member(session, "carla"), cursor=cursor)


def test_an_unknown_view_is_refused(cast: Cast, session: Session) -> None:
    with pytest.raises(Invalid, match="There is no view"):
        _ids(session, view="everything")


def test_the_history_is_listed_newest_first_and_filtered(views: dict[str, Conversation], session: Session) -> None:
    carla = member(session, "carla")
    everything, _ = history.events(session, carla, limit=200)
    assert [e.id for e in everything] == sorted((e.id for e in everything), reverse=True)
    first, cursor = history.events(session, carla, limit=3)
    second, _ = history.events(session, carla, limit=3, cursor=cursor)
    assert [*first, *second] == everything[:6]
    assert {e.kind for e in history.events(session, carla, kind="claimed")[0]} == {"claimed"}
    assert {e.member_id for e in history.events(session, carla, actor="ben")[0]} == {member(session, "ben").id}
    one = views["starred"].id
    assert {e.conversation_id for e in history.events(session, carla, conversation_id=one)[0]} == {one}
    middle = everything[5].at
    assert history.events(session, carla, since=middle)[0] == [e for e in everything if e.at >= middle]
    assert history.events(session, carla, until=middle)[0] == [e for e in everything if e.at < middle]


def test_admins_see_the_whole_history(cast: Cast, session: Session) -> None:
    conversation(session, name="Billing")
    session.flush()
    kinds = {e.kind for e in history.events(session, member(session, "ana"), limit=200)[0]}
    assert {"arrived", "member added", "granted"} <= kinds
    assert {e.mailbox_id for e in history.events(session, member(session, "carla"))[0]} == {cast.support}


def test_members_who_can_own_conversations(cast: Cast, session: Session) -> None:
    assert [m.handle for m in possible_owners(session, cast.support)] == ["ben", "carla"]
    team.disable(session, member(session, "ben"), by=COMMAND)
    team.grant(session, member(session, "dora"), mailbox(session), Role.AGENT, by=COMMAND)
    assert [m.handle for m in possible_owners(session, cast.support)] == ["carla", "dora"]


def test_the_history_of_a_conversation_includes_those_merged_into_it(cast: Cast, session: Session) -> None:
    carla = acting(session, "carla")
    first, second, third = (conversation(session) for _ in range(3))
    first.add_note("Hello", by=carla)
    thread.merge(first, second, by=carla)
    thread.merge(second, third, by=carla)
    session.flush()
    kinds = [e.kind for e in history.of_conversation(session, third.id)]
    assert kinds == ["arrived", "arrived", "arrived", "noted", "merged", "merged", "merged", "merged"]
    assert find.conversation(session, member(session, "carla"), first.id) is third
    assert _ids(session) == [third.id]


def test_nothing_is_listed_without_a_mailbox(cast: Cast, session: Session) -> None:
    conversation(session)
    session.execute(delete(member(session, "carla").grants[0].__class__))
    session.expire_all()
    assert _ids(session) == []
