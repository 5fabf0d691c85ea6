"""Every address of the application, and a place to try them on: the tests of roles are generated from these.

The routes are the application's own. So a new one cannot be forgotten, because it is missing in its room's table.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import db
from app.inbox.actor import COMMAND, mail_client, web
from app.inbox.admin import team
from app.inbox.admin.attempt import Attempt, FoundFolder
from app.inbox.arriving.arrival import File
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Message
from app.inbox.conversations.tag import find_tag
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.mailboxes.servers import ServersForm
from app.inbox.permission import Action, may
from app.inbox.replies import upload
from app.inbox.replies.reply import Reply, ReplyState
from app.inbox.replies.writing import ReplyContent, begin_draft
from app.inbox.server import comparison
from app.inbox.server.comparison import Comparison
from tests import cast as stage

_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """The ids of a conversation with two mails and everything that can be acted on, and of related objects."""

    mailbox: int
    archive: int
    conversation: int
    message: int
    attachment: int
    other: int
    other_number: int
    tag: int
    member: int
    attempt: int
    difference: int
    reply: int
    draft: int
    upload: int
    session: int = 999
    token: int = 999

    def address(self, rule: str) -> str:
        """The address of a route for this place. The API calls every number `id`; the word before it tells which one is
        meant."""
        told = {"<int:folder_id>": self.archive, "<view>": "open", "<name>": "billing", "<tag>": "billing"}
        for noun in (
            "mailbox",
            "conversation",
            "message",
            "attachment",
            "tag",
            "member",
            "attempt",
            "difference",
            "reply",
            "draft",
            "upload",
            "session",
            "token",
        ):
            number = getattr(self, noun)
            nouns = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
            told |= {f"<int:{noun}_id>": number, f"{nouns}/<int:id>": f"{nouns}/{number}"}
        for part, value in told.items():
            rule = rule.replace(part, str(value))
        assert "<" not in rule, f"Place.address does not know {rule}"
        return rule

    def filled(self, form: dict[str, Any]) -> dict[str, Any]:
        """A form or a body; `"{archive}"` in it is the id of that folder."""
        ids = {f"{{{name}}}": value for name, value in asdict(self).items()}
        return {name: ids.get(value, value) for name, value in form.items()}


def routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Endpoint, method and rule of everything that is served, except files in `static`."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & _METHODS):
            if rule.endpoint != "static":
                yield rule.endpoint, method, rule.rule


def furnish(name: str, connecting: str = "ana") -> Place:
    """A new place in the mailbox with this name: tagged, starred, with a conflict to decide. Nobody owns it. It also
    has a member without a role, and an attempt of an administrator."""
    file = File("2", "plan.pdf", "application/pdf", 12345, "base64", None, False)
    with db.transaction() as session:
        box = stage.mailbox(session, name)
        mail = stage.arrival(box, files=(file,))
        [received, _] = stage.arrive(session, mail, stage.arrival(box, references=(mail.message_id,)), name=name)
        talk = session.get_one(Conversation, received.conversation_id)
        talk.tag("billing", by=COMMAND)
        talk.star(by=COMMAND)
        talk.note_conflict("status", "closed", by=mail_client(None))
        other = stage.conversation(session, name=name)
        first = session.scalars(select(Message).filter_by(conversation_id=talk.id).order_by(Message.id)).first()
        assert first is not None
        archive = next(folder.id for folder in box.folders if folder.role == "archive")
        tag = find_tag(session, box, "billing")
        assert tag is not None
        ids = (box.id, archive, talk.id, first.id, first.attachments[0].id, other.id, other.number, tag.id)
        failed, draft = _reply(session, talk, ReplyState.FAILED), _reply(session, talk, ReplyState.DRAFT)
        kept = upload.store(session, stage.member(session, "ben"), "plan.pdf", "application/pdf", BytesIO(b"%PDF"))
        kept.reply_id = draft.id
        written = {"reply": failed.id, "draft": draft.id, "upload": kept.id}
        return Place(*ids, *_to_administer(session, box, connecting), **written)


def _reply(session: Session, talk: Conversation, state: ReplyState) -> Reply:
    """A reply in this conversation, whose mailbox can send."""
    box = talk.mailbox
    box.smtp_host, box.smtp_port, box.smtp_security = "127.0.0.1", 9, "none"
    agents = (stage.member(session, handle) for handle in ("ben", "carla"))
    author = next(agent for agent in agents if may(web(agent), Action.REPLY, box))
    draft = begin_draft(talk, ReplyContent(text="Hello"), by=web(author))
    draft.state = state
    return draft


def _to_administer(session: Session, box: Mailbox, connecting: str) -> tuple[int, int, int]:
    """The ids of a new member, of an attempt that a worker has tested, and of a difference that it found."""
    number = next(_numbers)
    new = team.add_member(session, f"new-{number}", "New", f"new-{number}@halden.example", by=COMMAND)
    by = stage.member(session, connecting)
    attempt = Attempt(member_id=by.id, name=f"Returns {number}", address="returns@halden.example")
    asked = ServersForm("127.0.0.1", "143", "none", "sales", "a password")
    attempt.set_servers(asked, seal=str.encode, kept=None)
    inbox = FoundFolder("INBOX", "inbox", exists=0, uidvalidity=1, uidnext=1)
    attempt.note_found({"mode": "keywords", "capabilities": {}, "warnings": [], "smtp": None}, [inbox], 24)
    session.add(attempt)
    compared = comparison.find(session, box) or Comparison(mailbox_id=box.id)
    session.add(compared)
    line = {"conversation": None, "number": None, "folder": "INBOX", "uid": 9, "what": "missing", "waiting": False}
    compared.note_found([{**line, "server": "there", "ours": None, "sides": ["server"]}])
    session.flush()
    [*_earlier, difference] = comparison.differences(session, box)
    return new.id, attempt.id, difference.id


def revision(place: Place) -> int:
    """The revision of this place's conversation."""
    with db.transaction() as session:
        return session.get_one(Conversation, place.conversation).revision
