"""Promise 8: the history is complete, only grows, and holds only ids and values.

Every verb writes exactly one line, with the values before and after. No line holds a word of a mail or a note, a
customer's name or address, or a server's words.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import db
from app.clock import now
from app.inbox.actor import COMMAND, SYSTEM, Actor, api, mail_client
from app.inbox.admin import team
from app.inbox.arriving import thread
from app.inbox.conversations import tag
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.snooze import wake_due
from app.inbox.history.event import Event
from app.inbox.people.token import make_token, revoke_tokens
from app.inbox.permission import Role
from app.inbox.server.retrying import resume
from tests.cast import Cast, acting, arrival, arrive, conversation, mailbox, member

#: Words that are in the mails, notes and customers of this test and nowhere else.
SECRET = ("zebra", "quokka", "okapi", "numbat", "wombat", "tapir", "axolotl", "pangolin")
_TIME = now() + dt.timedelta(days=30)

Verb = Callable[[Session, Conversation, Actor], object]

#: name -> (first act, the verb, the kinds it writes, before, after); `…`: an id of a row
VERBS: dict[str, tuple[Verb | None, Verb, str, object, object]] = {
    "claim": (None, lambda s, c, by: c.claim(by=by), "claimed", {"assignee": None}, {"assignee": "ben"}),
    "assign": (
        lambda s, c, by: c.claim(by=by),
        lambda s, c, by: c.assign(member(s, "carla"), by=by),
        "assigned",
        {"assignee": "ben"},
        {"assignee": "carla"},
    ),
    "take over": (
        lambda s, c, by: c.claim(by=acting(s, "carla")),
        lambda s, c, by: c.assign(member(s, "ben"), by=by, take_over=True),
        "taken over",
        {"assignee": "carla"},
        {"assignee": "ben"},
    ),
    "release": (
        lambda s, c, by: c.claim(by=by),
        lambda s, c, by: c.release(by=by),
        "released",
        {"assignee": "ben"},
        {"assignee": None},
    ),
    "name": (
        None,
        lambda s, c, by: c.assign_name("zoe", by=mail_client(_TIME)),
        "assigned",
        {"assignee": None},
        {"assignee": "zoe"},
    ),
    "pending": (None, lambda s, c, by: c.set_pending(by=by), "status", {"status": "open"}, {"status": "pending"}),
    "close": (None, lambda s, c, by: c.close(by=by), "status", {"status": "open"}, {"status": "closed"}),
    "spam": (None, lambda s, c, by: c.mark_spam(by=by), "status", {"status": "open"}, {"status": "spam"}),
    "open": (
        lambda s, c, by: c.close(by=by),
        lambda s, c, by: c.reopen(by=by),
        "status",
        {"status": "closed"},
        {"status": "open"},
    ),
    "snooze": (
        None,
        lambda s, c, by: c.snooze(_TIME, by=by),
        "status",
        {"status": "open"},
        {"status": "snoozed", "until": _TIME.isoformat()},
    ),
    "wake": (
        lambda s, c, by: c.snooze(_TIME, by=by),
        lambda s, c, by: c.wake(by=by),
        "woken",
        {"status": "snoozed", "until": _TIME.isoformat()},
        {"status": "open"},
    ),
    "tag": (
        lambda s, c, by: tag.make_tag(s, c.mailbox, "urgent", by=by),
        lambda s, c, by: c.tag("urgent", by=by),
        "tagged",
        None,
        {"tag": "urgent"},
    ),
    "untag": (
        lambda s, c, by: c.tag("urgent", by=by),
        lambda s, c, by: c.untag("urgent", by=by),
        "untagged",
        {"tag": "urgent"},
        None,
    ),
    "star": (None, lambda s, c, by: c.star(by=by), "starred", {"starred": False}, {"starred": True}),
    "unstar": (
        lambda s, c, by: c.star(by=by),
        lambda s, c, by: c.unstar(by=by),
        "unstarred",
        {"starred": True},
        {"starred": False},
    ),
    "note": (None, lambda s, c, by: c.add_note("wombat", by=by), "noted", None, {"note": ...}),
    "edit a note": (
        lambda s, c, by: c.add_note("wombat", by=by),
        lambda s, c, by: c.notes[0].edit("tapir", by=by),
        "note edited",
        None,
        {"note": ...},
    ),
    "move": (
        None,
        lambda s, c, by: c.move(c.mailbox.folder("archive"), by=by),  # type: ignore[arg-type]
        "moved",
        {"folders": ["INBOX"]},
        {"folder": "Archive"},
    ),
    "conflict": (
        None,
        lambda s, c, by: c.note_conflict("owner", "zoe", by=mail_client(_TIME)),
        "conflict",
        {"owner": "zoe"},
        {"owner": None},
    ),
    "settle": (
        lambda s, c, by: c.note_conflict("status", "closed", by=SYSTEM),
        lambda s, c, by: c.decide_conflict(take_theirs=False, by=by),
        "settled",
        {"status": "closed"},
        {"status": "open"},
    ),
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_writes_one_line_and_raises_the_revision_once(cast: Cast, session: Session, verb: str) -> None:
    first, act, kind, before, after = VERBS[verb]
    c, by = conversation(session), api(member(session, "ben"))
    if first is not None:
        first(session, c, by)
    session.flush()
    known, revision = _newest(session), c.revision
    act(session, c, by)
    session.flush()
    [event] = session.scalars(select(Event).where(Event.id > known))
    assert (event.kind, event.mailbox_id, event.conversation_id) == (kind, c.mailbox_id, c.id)
    assert (_without_ids(event.before), _without_ids(event.after)) == (before, after)
    assert event.source == ("mail client" if verb in ("name", "conflict") else "api")
    assert event.member_id == (None if event.source == "mail client" else cast.ben)
    assert event.not_before == (_TIME if event.source == "mail client" else None)
    assert c.revision == revision + 1


def test_merge_and_split_write_a_line_for_each_of_the_two(cast: Cast, session: Session) -> None:
    by = acting(session, "ben")
    source, target = conversation(session), conversation(session)
    source.claim(by=by)
    session.flush()
    known = _newest(session)
    thread.merge(source, target, by=by)
    session.flush()
    lines = session.scalars(select(Event).where(Event.id > known).order_by(Event.id)).all()
    free, taken = {"assignee": None, "status": "open"}, {"assignee": "ben", "status": "open"}
    assert [(e.kind, e.conversation_id, e.before, e.after) for e in lines] == [
        ("merged", source.id, taken, {"conversation": target.id, **free}),
        ("merged", target.id, free, {"conversation": source.id, **free}),
    ]
    known = _newest(session)
    message = target.messages[0]
    new = thread.split(message, by=by)
    session.flush()
    lines = session.scalars(select(Event).where(Event.id > known).order_by(Event.id)).all()
    assert [(e.kind, e.conversation_id, e.after) for e in lines] == [
        ("split", target.id, {"message": message.id, "conversation": new.id}),
        ("split", new.id, {"message": message.id, "conversation": target.id}),
    ]


def test_people_and_mailboxes_have_a_history_too(cast: Cast, session: Session) -> None:
    ana, box = acting(session, "ana"), mailbox(session)
    acts: list[tuple[str, Callable[[], object]]] = [
        ("member added", lambda: team.add_member(session, "zoe", "Zoe", "zoe@halden.example", by=ana)),
        ("granted", lambda: team.grant(session, member(session, "zoe"), box, Role.AGENT, by=ana)),
        ("password set", lambda: team.set_password(session, member(session, "zoe"), "wombat wombat", by=ana)),
        ("token made", lambda: make_token(session, member(session, "zoe"), by=ana)),
        ("tokens revoked", lambda: revoke_tokens(session, member(session, "zoe"), by=ana)),
        ("member disabled", lambda: team.disable(session, member(session, "zoe"), by=ana)),
        ("mailbox paused", lambda: box.pause(by=ana)),
        ("mailbox resumed", lambda: resume(box, by=ana)),
    ]
    for kind, act in acts:
        known = _newest(session)
        act()
        session.flush()
        [event] = session.scalars(select(Event).where(Event.id > known))
        assert (event.kind, event.member_id) == (kind, cast.ana)
    _holds_no_secret(session)


def test_no_line_holds_a_word_of_a_mail_or_a_customers_name(cast: Cast, session: Session) -> None:
    box, ben = mailbox(session), acting(session, "ben")
    told: dict[str, Any] = {
        "subject": "zebra",
        "text": "quokka",
        "html": "<p>quokka</p>",
        "preview": "okapi",
        "sender": ("Numbat", "numbat@axolotl.example"),
        "to": (("Pangolin", "pangolin@axolotl.example"),),
    }
    root, late = "<axolotl-1@x.example>", "<axolotl-2@x.example>"
    arrive(session, arrival(box, message_id="<axolotl-3@x.example>", references=(root,), **told), importing=True)
    c = conversation(session, message_id=late, **told)
    for first, act, *_ in VERBS.values():
        with session.begin_nested() as attempt:
            if first is not None:
                first(session, c, ben)
            act(session, c, ben)
            session.flush()
            _holds_no_secret(session)
            attempt.rollback()
        session.refresh(c)
    c.close(by=ben)
    arrive(session, arrival(box, message_id="<axolotl-4@x.example>", references=(root, late), **told))
    session.refresh(c)
    c = session.get_one(Conversation, c.merged_into_id)
    c.snooze(_TIME, by=ben)
    c.snoozed_until = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    wake_due(session)
    box.failing_since, box.error_text = _TIME, "wombat: NO [AUTHENTICATIONFAILED]"
    box.pause(by=COMMAND)
    session.flush()
    assert {"imported", "arrived", "merged", "woken"} <= set(session.scalars(select(Event.kind)))
    _holds_no_secret(session)


def test_the_history_cannot_be_changed_by_the_program_itself(cast: Cast) -> None:
    with db.transaction() as session:
        conversation(session).star(by=acting(session, "carla"))
    for command in ("UPDATE event SET at = now()", "DELETE FROM event", "TRUNCATE event"):
        with pytest.raises(DBAPIError, match="The history only grows"), db.transaction() as session:
            session.execute(text(command))


def _newest(session: Session) -> int:
    return session.scalar(select(func.max(Event.id))) or 0


def _without_ids(value: dict[str, object] | None) -> object:
    return value and {key: ... if key == "note" else held for key, held in value.items()}


def _holds_no_secret(session: Session) -> None:
    lines = session.execute(text("SELECT row_to_json(event) FROM event")).scalars()
    everything = json.dumps(list(lines)).lower()
    assert everything != "[]"
    assert [word for word in SECRET if word in everything] == []
