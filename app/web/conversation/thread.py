"""An open conversation in chronological order: mails, history lines and notes. Older mails fold to a line."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from markupsafe import Markup, escape

from app import reports
from app.inbox.conversations.rows import AttachmentRow, MessageRow, NoteRow, ReplyRow, WholeConversation
from app.web.conversation import appointment
from app.web.conversation.appointment import ShownAppointment
from app.web.conversation.history import IN_THREAD, HistoryLine
from app.web.conversation.risky import risk
from app.web.conversation.sealed import seal
from app.web.language import isolated
from app.web.machines import Mark, mark
from app.web.pictures import permission

#: Replies that are no messages yet, and not drafts.
_ON_ITS_WAY = {"scheduled", "queued", "connecting", "handed", "failed", "unknown"}
_LINK = re.compile(r"(?:https?://|mailto:)[^\s<>\"]+[^\s<>\".,;:!?)\]]")
_ELSEWHERE = 'target="_blank" rel="noopener noreferrer nofollow"'
_MOST_LINKS = 5_000
_ENDING = re.compile(r"(?<=.)\.\w{1,8}$")
_EMPTY_LINES = re.compile(r"\n[ \t]*\n+")
#: If there are hundreds of unread mails, the oldest are folded too, because readers want the newest first.
_MOST_UNFOLDED = 10
#: Reports of machines are text that people may want to read.
PREVIEWED = {"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain", *reports.PARTS}
_ICONS = (
    ("image/", "bi-file-earmark-image"),
    ("video/", "bi-film"),
    ("audio/", "bi-file-earmark-music"),
    ("application/pdf", "bi-file-earmark-pdf"),
    ("message/", "bi-envelope"),
    ("text/calendar", "bi-calendar-event"),
    ("text/", "bi-file-earmark-text"),
    ("application/zip", "bi-file-earmark-zip"),
)


@dataclass(frozen=True)
class ShownFile:
    id: int
    filename: str
    type: str
    size: int

    @property
    def icon(self) -> str:
        return next((icon for start, icon in _ICONS if self.type.startswith(start)), "bi-file-earmark")

    @property
    def stem(self) -> str:
        """The name before its ending; it may be cut if there is no room."""
        return self.filename.removesuffix(self.ending)

    @property
    def ending(self) -> str:
        """The part from the last dot, if it looks like a file ending. It is never cut."""
        match = _ENDING.search(self.filename)
        return match[0] if match else ""

    @property
    def risk(self) -> str | None:
        return risk(self.filename)

    @property
    def previewed(self) -> bool:
        return self.type in PREVIEWED


@dataclass(frozen=True)
class ShownMessage:
    """A mail and its display: as text in the page, or as HTML in its own frame. `seal`: the explanation for an
    encrypted, signed or packed mail. `mark`: the mark of a machine's mail."""

    mail: MessageRow
    images: bool
    seal: tuple[str, str] | None
    mark: Mark | None
    text: Markup
    quoted: Markup
    files: list[ShownFile]
    appointments: list[ShownAppointment]
    reply: ReplyRow | None = None  # written here

    @property
    def permission(self) -> str:
        """Used in addresses that show its remote pictures."""
        return permission(self.mail.id)

    @property
    def recipients(self) -> str:
        return ", ".join(isolated(name or address) for name, address in self.mail.to[:3]) + (
            " …" if len(self.mail.to) > 3 else ""
        )

    @property
    def sender_full(self) -> str:
        return _addresses([(self.mail.from_name, self.mail.from_address)])

    @property
    def replies_to(self) -> str:
        """The recipient of an answer, if that is not the sender."""
        others = [(name, address) for name, address in self.mail.reply_to if address or name]
        same = {address.lower() for _, address in others} <= {self.mail.from_address.lower()}
        return "" if same else _addresses(others)

    @property
    def recipients_full(self) -> str:
        return _addresses(self.mail.to)

    @property
    def cc_full(self) -> str:
        return _addresses(self.mail.cc)


@dataclass(frozen=True)
class ShownReply:
    """A reply that is no message yet, with its text as it is shown."""

    row: ReplyRow
    text: Markup


@dataclass
class ThreadItem:
    """One thing in the thread; `kind` says which field is filled."""

    kind: str  # message, older, note, events, reply
    message: ShownMessage | None = None
    messages: list[ShownMessage] = field(default_factory=list)
    note: NoteRow | None = None
    lines: list[HistoryLine] = field(default_factory=list)
    reply: ShownReply | None = None


def thread(conversation: WholeConversation, history: Sequence[HistoryLine], *, images: int | None) -> list[ThreadItem]:
    """The loaded messages and the events since the first of them, in order. The newest and the last unread ones are
    open; older ones fold together."""
    mails = conversation.messages
    unread = [m.id for m in mails if not m.seen and m.direction == "in"]
    open_ids = {*unread[-_MOST_UNFOLDED:], *(m.id for m in mails[-1:]), images}
    moments: list[tuple[dt.datetime, int, Any]] = [
        *((m.received_at, 0, m) for m in mails),
        *((line.at, 1, line) for line in history if line.kind in IN_THREAD),
        *((n.created_at, 2, n) for n in conversation.notes),
    ]
    if len(mails) < conversation.message_count and mails:
        moments = [moment for moment in moments if moment[0] >= mails[0].received_at]
    moments.sort(key=lambda moment: moment[:2])
    items: list[ThreadItem] = []
    sent: dict[int | None, ReplyRow] = {
        reply.sent_message_id: reply for reply in conversation.replies if reply.sent_message_id
    }
    for _at, _rank, thing in moments:
        _add(items, thing, open_ids, images, sent)
    on_their_way = (reply for reply in conversation.replies if reply.state in _ON_ITS_WAY)
    return [*items, *(ThreadItem("reply", reply=ShownReply(one, paragraphs(one.text))) for one in on_their_way)]


def shown(mail: MessageRow, *, images: bool = False, reply: ReplyRow | None = None) -> ShownMessage:
    text = "" if mail.has_html else mail.text
    end = len(text) if mail.quote_at is None else mail.quote_at
    return ShownMessage(
        mail=mail,
        images=images,
        seal=seal(mail),
        mark=mark(mail),
        text=paragraphs(text[:end]),
        quoted=paragraphs(text[end:]),
        files=[_file(a) for a in mail.attachments if not _is_shown_elsewhere(mail, a)],
        appointments=[_appointment(event) for event in mail.appointments],
        reply=reply,
    )


def _appointment(event: dict[str, Any]) -> ShownAppointment:
    return ShownAppointment(
        appointment.kind(event), event["title"], appointment.lines(event), paragraphs(event["words"])
    )


def _is_shown_elsewhere(mail: MessageRow, attachment: AttachmentRow) -> bool:
    """A picture inside the text, or a report that the mark describes."""
    if mail.machine is not None and attachment.type.lower() in reports.PARTS:
        return True
    return attachment.inline and mail.has_html


def paragraphs(text: str) -> Markup:
    """Plain text as HTML: blank lines separate paragraphs, line ends stay, the first 5,000 addresses become links."""
    parts = (part.strip("\n") for part in _EMPTY_LINES.split(text.replace("\r\n", "\n")) if part.strip())
    html = "".join(f'<p dir="auto">{part}</p>' for part in _linked("\n\n".join(parts)).split("\n\n") if part)
    return Markup(html.replace("\n", "<br>"))  # noqa: S704  every piece is escaped


def _linked(text: str) -> str:
    pieces: list[str] = []
    at = 0
    for match in islice(_LINK.finditer(text), _MOST_LINKS):
        url = escape(match[0])
        pieces += (escape(text[at : match.start()]), f'<a class="link" href="{url}" {_ELSEWHERE}>{url}</a>')
        at = match.end()
    return "".join([*pieces, escape(text[at:])])


def _add(
    items: list[ThreadItem],
    thing: MessageRow | HistoryLine | NoteRow,
    open_ids: set[int | None],
    images: int | None,
    sent: Mapping[int | None, ReplyRow],
) -> None:
    last = items[-1] if items else None
    if isinstance(thing, NoteRow):
        items.append(ThreadItem("note", note=thing))
    elif isinstance(thing, HistoryLine):
        if last is None or last.kind != "events":
            last = ThreadItem("events")
            items.append(last)
        last.lines.append(thing)
    elif thing.id in open_ids:
        items.append(ThreadItem("message", message=shown(thing, images=thing.id == images, reply=sent.get(thing.id))))
    else:
        if last is None or last.kind != "older":
            last = ThreadItem("older")
            items.append(last)
        last.messages.append(shown(thing, reply=sent.get(thing.id)))


def _file(attachment: AttachmentRow) -> ShownFile:
    return ShownFile(attachment.id, attachment.filename, attachment.type.lower(), attachment.size)


def _addresses(pairs: Sequence[Any]) -> str:
    apart = ((isolated(name), isolated(address)) for name, address in pairs)
    return ", ".join(f"{name} <{address}>" if name and address else name or address for name, address in apart)
