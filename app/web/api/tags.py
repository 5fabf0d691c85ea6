"""Tags and the star of a conversation. These calls take no body."""

from __future__ import annotations

from typing import Any

from app.inbox.errors import UnknownTag
from app.web.api.blueprint import ID, bp, described
from app.web.api.conversations import act
from app.web.api.shapes import Conversation


@bp.put(f"/conversations/{ID}/tags/<tag>")
@described("tags", Conversation, also=(403,))
def tag(id: int, tag: str) -> dict[str, Any]:
    """Add the tag. A manager creates an unknown tag; for an agent it is 404 `unknown_tag`."""
    return act(id, lambda session, conversation, by: conversation.tag(_name(tag), by=by))


@bp.delete(f"/conversations/{ID}/tags/<tag>")
@described("tags", Conversation, also=(403,))
def untag(id: int, tag: str) -> dict[str, Any]:
    """Remove the tag; also 200 if the conversation does not have it."""
    return act(id, lambda session, conversation, by: conversation.untag(_name(tag), by=by))


@bp.put(f"/conversations/{ID}/star")
@described("tags", Conversation, also=(403,))
def star(id: int) -> dict[str, Any]:
    """Star it."""
    return act(id, lambda session, conversation, by: conversation.star(by=by))


@bp.delete(f"/conversations/{ID}/star")
@described("tags", Conversation, also=(403,))
def unstar(id: int) -> dict[str, Any]:
    """Remove the star."""
    return act(id, lambda session, conversation, by: conversation.unstar(by=by))


def _name(tag: str) -> str:
    """Text that Postgres cannot store is not the name of a tag."""
    if "\0" in tag:
        raise UnknownTag(tag.replace("\0", ""))
    return tag
