"""Conversations: the lists, a single one, and `act`, which every call uses to change one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from sqlalchemy.orm import Session

from app.db import read_only, retried, transaction
from app.inbox.actor import Actor, api
from app.inbox.conversations.conversation import Conversation as Found
from app.inbox.errors import NotFound
from app.inbox.lists import find, lists
from app.inbox.lists.lists import Filter
from app.inbox.lists.views import VIEWS
from app.web.api import show
from app.web.api.access import acting, caller
from app.web.api.blueprint import ID, bp, described
from app.web.api.shapes import Conversation, Id, Items, Page, Text

Act = Callable[[Session, Found, Actor], object]


class Wanted(Page):
    """`q` is never invalid. If it is given twice, both are searched."""

    mailbox: Id | None = None
    view: Annotated[Text, Field(json_schema_extra={"enum": list(VIEWS)})] = "all"
    assignee: Text | None = None
    tag: Text | None = None
    q: Annotated[str, BeforeValidator(lambda q: " ".join(q) if isinstance(q, list) else q)] = ""


@bp.get("/conversations")
@described("conversations", Items)
def conversations(query: Wanted) -> dict[str, Any]:
    """A list of conversations: a view, narrowed by mailbox, owner, tag and words."""
    with read_only() as session:
        member = caller()
        if query.mailbox is not None and query.mailbox not in find.seen_by(member):
            raise NotFound
        criteria = Filter(view=query.view, mailbox_id=query.mailbox, assignee=query.assignee, tag=query.tag, q=query.q)
        page = lists.conversations(session, member, criteria, cursor=query.cursor, limit=query.limit)
    return {"items": [show.item(line, line.assignee) for line in page.items], "next": page.next}


@bp.get(f"/conversations/{ID}")
@described("conversations", Conversation)
def conversation(id: int) -> dict[str, Any]:
    """One conversation with its messages, notes and history. If it was merged, the response is the other one."""
    return shape_of(id)


def act(id: int, do: Act) -> dict[str, Any]:
    """One act on a locked conversation. The response is the conversation after it."""
    return shape_of(_done(id, do))


def shape_of(id: int) -> dict[str, Any]:
    """A conversation as calls return it. Never called within a transaction, because its mails may be long, and others
    may wait for the locked conversation."""
    with read_only() as session:
        return show.conversation(session, caller(), id)


@retried
def _done(id: int, do: Act) -> int:
    with transaction() as session:
        member = acting(session)
        conversation = find.conversation(session, member, id, lock=True)
        do(session, conversation, api(member))
        return conversation.id
