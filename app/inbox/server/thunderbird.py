"""Names and colours for Thunderbird, as a `user.js` for everyone's profile.

Thunderbird shows a keyword only if the profile has a tag with that key. The key is the keyword in lower case.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.conversations.tag import HUES, Tag, vocabulary_of
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people.member import possible_owners
from app.inbox.status import Status

#: The light hues 1 to 8 of static/css/tokens.css, in which pages show tags.
_HUES = ("#1e7470", "#8b3d79", "#8a5a12", "#a3452d", "#4a6080", "#4d6d2e", "#6a4fa3", "#6b6459")
_STATUSES = {Status.PENDING: "#8a5a12", Status.SNOOZED: "#6a4fa3", Status.CLOSED: "#6b6459"}


def user_js(session: Session, mailbox: Mailbox) -> str:
    """The preferences for all possible owners, the statuses, and the tags of the mailbox."""
    lines = [
        f"// Signalbox: the tags of {_in_comment(mailbox.name)}. Put this into user.js in the Thunderbird profile."
    ]
    for keyword, label, colour in _names(session, mailbox):
        key = keyword.casefold()
        lines.append(f"user_pref({_js(f'mailnews.tags.{key}.tag')}, {_js(label)});")
        lines.append(f"user_pref({_js(f'mailnews.tags.{key}.color')}, {_js(colour)});")
    return "\n".join(lines) + "\n"


def _names(session: Session, mailbox: Mailbox) -> Iterator[tuple[str, str, str]]:
    """(keyword, label, colour)"""
    vocabulary = vocabulary_of(session, mailbox)
    for position, member in enumerate(possible_owners(session, mailbox.id)):
        yield vocabulary.owner_name(member.handle), f"Assigned: {member.name}", _HUES[position % HUES]
    for status, colour in _STATUSES.items():
        yield vocabulary.status_name(status) or "", status.capitalize(), colour
    tags = select(Tag).where(Tag.mailbox_id == mailbox.id, Tag.adopted, Tag.alias_of_id.is_(None)).order_by(Tag.name)
    for tag in session.scalars(tags):
        yield tag.name.casefold(), tag.label, _HUES[(tag.hue - 1) % HUES]


def _js(value: str) -> str:
    """A string literal. JSON in ASCII is JavaScript, including U+2028 and quotes."""
    return json.dumps(value)


def _in_comment(name: str) -> str:
    return " ".join(name.split())
