"""A reply as a mail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from app.clock import now
from app.db import session_of
from app.inbox.replies import upload
from app.inbox.replies.reply import Reply
from app.inbox.replies.rich_text import text_of_html
from app.inbox.replies.upload import Upload
from app.mail.addresses import Address
from app.mail.compose.message import OutgoingFile, OutgoingMail, written

_HTML = '<!doctype html><html><head><meta charset="utf-8"></head><body>{}</body></html>'


def mail_of(reply: Reply) -> bytes:
    """The bytes that are sent, dated now. Raises ValueError for an address that cannot be written."""
    assert reply.message_id is not None
    session, answered = session_of(reply), reply.answered
    before = [*answered.references, answered.message_id] if answered and answered.message_id else []
    return written(
        OutgoingMail(
            message_id=reply.message_id,
            date=now().astimezone(reply.mailbox.zone).replace(microsecond=0),
            sender=Address(reply.mailbox.name, reply.sender),
            to=_people(reply.to),
            cc=_people(reply.cc),
            subject=reply.subject,
            text=reply.text + (f"\n{text_of_html(reply.quote)}" if reply.quote else ""),
            html=_HTML.format(reply.html + reply.quote),
            references=before,
            files=[_file(session, one) for one in upload.files_of(session, reply.id)],
        )
    )


def _file(session: Session, one: Upload) -> OutgoingFile:
    return OutgoingFile(one.filename, one.type, upload.content(session, one.id), one.content_id)


def _people(pairs: Iterable[Sequence[str]]) -> list[Address]:
    return [Address(name, address) for name, address in pairs]
