"""Recleaning: clean the HTML of bodies that were stored before the import cleaned it, newest first, in batches.

Progress is in the rows. A worker that dies loses at most one batch, and any number of workers may run this.
"""

from __future__ import annotations

from time import monotonic

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.db import retried, transaction
from app.inbox.conversations.message import Attachment, Body, Message
from app.mail.child import MailParser, StoredBody
from app.mail.pictures import Picture, names_of_parts
from app.mail.shown import ShownBody

_BATCH = 50
_BATCH_BYTES = 8 * 1024 * 1024
#: Seconds that one call works, so that the timetable continues.
_SECONDS = 2.0


def clean_stored(parser: MailParser) -> None:
    """Clean stored bodies for about two seconds."""
    begin = monotonic()
    while monotonic() - begin < _SECONDS:
        bodies = _raw_bodies()
        if not bodies:
            return
        _keep(dict(zip(bodies, parser.show(list(bodies.values())), strict=True)))


def _raw_bodies() -> dict[int, StoredBody]:
    """The next bodies, by the id of their message."""
    with transaction() as session:
        ids = _next_ids(session)
        parts: dict[int, list[Picture]] = {id_: [] for id_ in ids}
        files = select(Attachment).where(Attachment.message_id.in_(ids)).order_by(Attachment.id)
        for file in session.scalars(files):
            parts[file.message_id].append(Picture(file.part, file.type, file.filename, file.content_id))
        texts = select(Body.message_id, Body.text, Body.html, Message.subject).join(Message)
        rows = session.execute(texts.where(Body.message_id.in_(ids)))
        return {id_: StoredBody(text, html, names_of_parts(parts[id_]), subject) for id_, text, html, subject in rows}


def _next_ids(session: Session) -> list[int]:
    """At least one, and no more than fit into memory."""
    size = func.octet_length(Body.text) + func.coalesce(func.octet_length(Body.html), 0)
    raw = select(Body.message_id, size).where(Body.html_form == "raw")
    ids: list[int] = []
    total = 0
    for id_, bytes_ in session.execute(raw.order_by(Body.message_id.desc()).limit(_BATCH)):
        total += bytes_
        if ids and total > _BATCH_BYTES:
            break
        ids.append(id_)
    return ids


@retried
def _keep(bodies: dict[int, ShownBody]) -> None:
    with transaction() as session:
        for id_, body in sorted(bodies.items()):
            session.execute(
                update(Body)
                .where(Body.message_id == id_, Body.html_form == "raw")
                .values(
                    html=body.html,
                    html_form=body.form,
                    has_remote_images=body.has_remote_images,
                    quote_at=body.quote_at,
                )
            )
