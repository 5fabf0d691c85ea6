"""The cast of every test, their mailboxes, and small builders for mail that arrives.

Ana administers the installation and has no role on a mailbox. On Support (help@halden.example) Ben is a manager, Carla
an agent and Dora an observer. Only Ben has a role on Billing; for Carla and Dora it does not exist.

If a test needs her, Eva joins: she administers and is an agent of Support. Only Carla has a role on Sales then. So each
of the five has a mailbox that does not exist for them: `FOREIGN`.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import itertools
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import now
from app.inbox.actor import COMMAND, Actor, web
from app.inbox.admin import team
from app.inbox.arriving.arrival import Arrival, Received
from app.inbox.arriving.deferral import Deferral
from app.inbox.arriving.receive import receive
from app.inbox.arriving.slow_mail import SlowMail
from app.inbox.conversations.conversation import Conversation
from app.inbox.lists import find
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people.member import Member
from app.inbox.people.token import valid_token
from app.inbox.permission import Role
from app.mail.shown import shown_body
from app.searchable import searched

PASSWORD = "a long enough password"
FOLDERS = {"INBOX": "inbox", "Sent": "sent", "Junk": "junk", "Trash": "trash", "Archive": "archive"}
FOREIGN = {"ana": "Billing", "ben": "Sales", "carla": "Billing", "dora": "Sales", "eva": "Billing"}
_uids = itertools.count(1)


@dataclass(frozen=True)
class Cast:
    """Ids. A test loads the objects in its own session (`member`, `mailbox`)."""

    ana: int
    ben: int
    carla: int
    dora: int
    support: int
    billing: int


def bring_on_stage(session: Session) -> Cast:
    """Store the cast and their mailboxes."""
    ana = _person(session, "ana", admin=True)
    ben, carla, dora = (_person(session, handle) for handle in ("ben", "carla", "dora"))
    support = add_mailbox(session, "Support", "help@halden.example")
    billing = add_mailbox(session, "Billing", "billing@halden.example")
    for who, where, role in (
        (ben, support, Role.MANAGER),
        (carla, support, Role.AGENT),
        (dora, support, Role.OBSERVER),
        (ben, billing, Role.MANAGER),
    ):
        team.grant(session, who, where, role, by=COMMAND)
    return Cast(ana.id, ben.id, carla.id, dora.id, support.id, billing.id)


def bring_eva_and_sales(session: Session) -> None:
    """An administrator with a role, and a mailbox whose manager is not Ben."""
    eva = _person(session, "eva", admin=True)
    team.grant(session, eva, mailbox(session), Role.AGENT, by=COMMAND)
    sales = add_mailbox(session, "Sales", "sales@halden.example")
    team.grant(session, member(session, "carla"), sales, Role.MANAGER, by=COMMAND)


def add_mailbox(session: Session, name: str, address: str, **fields: Any) -> Mailbox:
    """A connected mailbox with the usual folders, all watched. Nothing listens at its server's address."""
    box = Mailbox(
        name=name,
        address=address,
        imap_host="127.0.0.1",
        imap_port=9,
        imap_security="none",
        imap_user=address,
        imap_secret=b"",
        imported_at=now(),
        **fields,
    )
    box.folders = [
        Folder(name=folder, role=role, watched=True, uidvalidity=1, uidnext=1) for folder, role in FOLDERS.items()
    ]
    session.add(box)
    session.flush()
    return box


def member(session: Session, handle: str) -> Member:
    found = find.member_by_handle(session, handle)
    assert found is not None
    return found


def token_member(session: Session, key: str) -> Member | None:
    """The member of this token, while it is valid."""
    token = valid_token(session, key)
    return token.member if token is not None else None


def acting(session: Session, handle: str) -> Actor:
    """The member, acting on a page."""
    return web(member(session, handle))


def mailbox(session: Session, name: str = "Support") -> Mailbox:
    return session.scalars(select(Mailbox).where(Mailbox.name == name)).one()


def arrival(box: Mailbox, **told: Any) -> Arrival:
    """A mail as a folder showed it. The default is an ordinary mail from Mia, a customer, in INBOX."""
    uid = told.pop("uid", None) or next(_uids)
    folder = told.pop("folder", "INBOX")
    message_id = told.pop("message_id", f"<{uid}@customer.example>")
    fields: dict[str, Any] = {
        "folder_id": next(f.id for f in box.folders if f.name == folder),
        "uidvalidity": 1,
        "uid": uid,
        "keywords": (),
        "received_at": dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC) + dt.timedelta(minutes=uid),
        "size": 1000,
        "identity": hashlib.sha256(repr(message_id or uid).encode()).digest(),
        "message_id": message_id,
        "references": (),
        "direction": "out" if folder == "Sent" else "in",
        "sender": ("Help", box.address) if folder == "Sent" else ("Mia Kunze", "mia@customer.example"),
        "reply_to": (),
        "to": (("Mia Kunze", "mia@customer.example"),) if folder == "Sent" else (("", box.address),),
        "cc": (),
        "subject": "The scale shows nothing",
        "preview": "Good morning, since Monday",
        "text": "Good morning, since Monday the display of our scale stays dark.",
        "html": None,
        "date": None,
        "machine": None,
        "machine_sign": "",
        "undelivered": None,
        "unreadable": False,
        "source": None,
        "files": (),
    }
    fields |= told
    people = {"senders": [fields["sender"], *fields["reply_to"]], "receivers": [*fields["to"], *fields["cc"]]}
    files = [file.filename for file in fields["files"]]
    pictures = {file.content_id: file.part for file in fields["files"] if file.content_id}
    body = shown_body(fields["text"], fields.pop("html"), pictures, fields["subject"])
    fields |= {"html": body.html, "html_form": body.form, "quote_at": body.quote_at}
    fields.setdefault("truncated", False)
    fields |= {"has_remote_images": body.has_remote_images}
    return Arrival(**fields, searched=searched(subject=fields["subject"], **people, files=files, text=fields["text"]))


def arrive(session: Session, *arrivals: Arrival, name: str = "Support", importing: bool = False) -> list[Received]:
    """The mails arrive in one batch."""
    return receive(session, mailbox(session, name), arrivals, importing=importing)


def conversation(session: Session, *, name: str = "Support", **told: Any) -> Conversation:
    """A new conversation of one mail; arguments as for `arrival`."""
    [received] = arrive(session, arrival(mailbox(session, name), **told), name=name)
    return session.get_one(Conversation, received.conversation_id)


def _person(session: Session, handle: str, *, admin: bool = False) -> Member:
    person = team.add_member(session, handle, handle.title(), f"{handle}@halden.example", by=COMMAND, admin=admin)
    person.password_hash = _password_hash()
    return person


@functools.cache
def _password_hash() -> str:
    """Computed once, because argon2 is slow on purpose."""
    nobody = Member()
    nobody.set_password(PASSWORD)
    assert nobody.password_hash is not None
    return nobody.password_hash


def fall_behind(session: Session, box: Mailbox) -> None:
    """Four new mails have waited for two minutes to be read, and one mail took long to parse."""
    inbox = next(folder for folder in box.folders if folder.role == "inbox")
    inbox.waiting, inbox.waiting_since = 3, now() - dt.timedelta(minutes=1)
    waiting = Deferral(mailbox_id=box.id, folder_id=inbox.id, uidvalidity=1, uid=1000, slow=True, next_at=now())
    waiting.first_at = now() - dt.timedelta(minutes=2)
    session.add(waiting)
    message = conversation(session, name=box.name).messages[0]
    session.add(SlowMail(message_id=message.id, mailbox_id=box.id, folder_id=inbox.id, uid=999))
