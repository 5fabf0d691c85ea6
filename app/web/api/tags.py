"""Words and the star on a conversation. Neither call takes a body."""

from __future__ import annotations

from typing import Any

from app.inbox.errors import UnknownTag
from app.web.api.blueprint import ID, bp, described
from app.web.api.conversations import act
from app.web.api.shapes import Conversation


@bp.put(f"/conversations/{ID}/tags/<tag>")
@described("tags", Conversation, also=(403,))
def tag(id: int, tag: str) -> dict[str, Any]:
    """Tag it. An unknown tag is made by a manager; for an agent it is 404 `unknown_tag`."""
    return act(id, lambda session, conversation, by: conversation.tag(_name(tag), by=by))


@bp.delete(f"/conversations/{ID}/tags/<tag>")
@described("tags", Conversation, also=(403,))
def untag(id: int, tag: str) -> dict[str, Any]:
    """Take the tag off; 200 also where it was not on."""
    return act(id, lambda session, conversation, by: conversation.untag(_name(tag), by=by))


@bp.put(f"/conversations/{ID}/star")
@described("tags", Conversation, also=(403,))
def star(id: int) -> dict[str, Any]:
    """Star it."""
    return act(id, lambda session, conversation, by: conversation.star(by=by))


@bp.delete(f"/conversations/{ID}/star")
@described("tags", Conversation, also=(403,))
def unstar(id: int) -> dict[str, Any]:
    """Take the star off."""
    return act(id, lambda session, conversation, by: conversation.unstar(by=by))


def _name(tag: str) -> str:
    """Nothing that Postgres cannot store is the name of a tag."""
    if "\0" in tag:
        raise UnknownTag(tag.replace("\0", ""))
    return tag
