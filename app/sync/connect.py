"""Connect: a new mailbox is tried, probed and stored; and one that is there is tried again (`check`).

The server is asked outside of any transaction. What is found is the report, in the shape of `mailbox check --json`;
it is kept on the mailbox, for the pages.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy.orm import Session

from app.clock import now
from app.db import transaction
from app.inbox.actor import Actor
from app.inbox.errors import Invalid
from app.inbox.event import EventKind, record
from app.inbox.folder import Folder
from app.inbox.mailbox import Mailbox, check_new_name
from app.inbox.permission import require_admin
from app.mail import smtp
from app.mail.imap import ImapSession
from app.mail.probe import ProbeReport, probe
from app.mail.server import Security, Server
from app.mail.values import FolderInfo, Selected
from app.secrets import seal, unseal

#: Watched without being asked for, where the server has them.
WATCHED_ROLES = ("inbox", "sent", "junk", "trash", "archive")


@dataclass(frozen=True)
class Account:
    """What someone asks to connect. `smtp` without a user: no sign-in is tried there."""

    name: str
    address: str
    imap: Server
    smtp: Server | None = None
    folders: Sequence[str] = ()  # watched beside the usual ones
    import_choice: str = "all"  # all, new, since
    import_since: dt.datetime | None = None
    close_older_than_days: int | None = None
    time_zone: str = "UTC"


def connect(account: Account, *, public_key: bytes, by: Actor) -> dict[str, Any]:
    """Try the account and store it as a mailbox; returns the report.

    Raises MailError where a server or a sign-in fails, Invalid for a name that is taken, an address that is none
    or a folder that is not there. Then nothing is stored."""
    require_admin(by)
    if "@" not in account.address.strip("@") or any(c.isspace() for c in account.address):
        raise Invalid("address", "email", f"“{account.address}” is not an email address.")
    seen = _look(account.imap, account.folders, account.smtp)
    with transaction() as session:
        mailbox = _mailbox(session, account, public_key, seen)
        session.add(mailbox)
        session.flush()
        record(session, EventKind.MAILBOX_ADDED, by=by, mailbox_id=mailbox.id, after={"mailbox": mailbox.name})
        mailbox.tell_health()
    return seen.report


def check(mailbox_id: int, *, private_key: bytes | None) -> dict[str, Any]:
    """Try a mailbox that is connected and keep the report. Raises MailError, SecretError."""
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        watched = [folder.name for folder in mailbox.folders if folder.watched]
    seen = _look(server_of(mailbox, private_key), watched, _outgoing(mailbox, private_key))
    with transaction() as session:
        session.get_one(Mailbox, mailbox_id).report = seen.report
    return seen.report


def server_of(mailbox: Mailbox, private_key: bytes | None) -> Server:
    """How to sign in to a mailbox's IMAP server. Raises SecretError."""
    return Server(
        host=mailbox.imap_host,
        port=mailbox.imap_port,
        security=cast(Security, mailbox.imap_security),
        user=mailbox.imap_user,
        password=unseal(mailbox.imap_secret, private_key),
        ca_pem=mailbox.imap_ca,
    )


def _outgoing(mailbox: Mailbox, private_key: bytes | None) -> Server | None:
    if mailbox.smtp_host is None:
        return None
    return Server(
        host=mailbox.smtp_host,
        port=mailbox.smtp_port or 0,
        security=cast(Security, mailbox.smtp_security),
        user=mailbox.smtp_user or "",
        password=unseal(mailbox.smtp_secret, private_key) if mailbox.smtp_secret else "",
        ca_pem=mailbox.imap_ca,
    )


def keyword_limit(program: str) -> int:
    """How many keywords a folder of this server can hold. Dovecot's Maildir keeps 26 in its life, its other formats any
    number, and IMAP does not tell which it is; so what is not known to be better is taken for the worst."""
    return 100 if "cyrus" in program.lower() else 24


def failed(error: str) -> dict[str, Any]:
    """The report of a mailbox that could not be reached at all."""
    return {"ok": False, "mode": None, "capabilities": {}, "folders": [], "smtp": None, "warnings": [], "error": error}


@dataclass(frozen=True)
class _Seen:
    """What the server has, and the folders to be watched as they were when opened."""

    folders: Sequence[FolderInfo]
    opened: dict[str, Selected]
    program: str
    report: dict[str, Any]


def _look(server: Server, extra: Sequence[str], outgoing: Server | None) -> _Seen:
    """Find out what the server can keep, then open every folder that is to be watched; and try the outgoing server."""
    found = probe(server)
    _require_there(extra, found.folders)
    watched = [f.name for f in found.folders if f.selectable and (f.role in WATCHED_ROLES or f.name in extra)]
    with ImapSession.open(server) as session:
        opened = {name: session.select(name) for name in watched}
        program = session.program
    if outgoing is not None:
        smtp.try_out(outgoing)
    return _Seen(found.folders, opened, program, _report(found, opened, outgoing))


def _report(found: ProbeReport, opened: dict[str, Selected], outgoing: Server | None) -> dict[str, Any]:
    return {
        "ok": True,
        "mode": found.mode,
        "capabilities": found.capabilities,
        "folders": [
            {
                "name": folder.name,
                "role": folder.role,
                "watched": folder.name in opened,
                "keywords": sorted(opened[folder.name].keywords) if folder.name in opened else [],
            }
            for folder in found.folders
        ],
        "smtp": outgoing and {"host": outgoing.host, "port": outgoing.port, "user": outgoing.user or None},
        "warnings": list(found.warnings),
    }


def _require_there(extra: Sequence[str], found: Sequence[FolderInfo]) -> None:
    there = {info.name for info in found if info.selectable}
    for name in extra:
        if name not in there:
            known = ", ".join(sorted(there))
            raise Invalid("folder", "folder", f"There is no folder “{name}” on the server. It has: {known}.")


def _mailbox(session: Session, account: Account, public_key: bytes, seen: _Seen) -> Mailbox:
    imap, outgoing = account.imap, account.smtp
    mailbox = Mailbox(
        name=check_new_name(session, account.name),
        address=account.address,
        imap_host=imap.host,
        imap_port=imap.port,
        imap_security=imap.security,
        imap_ca=imap.ca_pem,
        imap_user=imap.user,
        imap_secret=seal(imap.password, public_key),
        mode=seen.report["mode"],
        keyword_limit=keyword_limit(seen.program),
        time_zone=account.time_zone,
        import_choice=account.import_choice,
        import_since=now() if account.import_choice == "new" else account.import_since,
        close_older_than_days=account.close_older_than_days,
        report=seen.report,
        folders=[_folder(info, seen.opened.get(info.name), account.import_choice) for info in seen.folders],
    )
    if outgoing is not None:
        mailbox.smtp_host, mailbox.smtp_port = outgoing.host, outgoing.port
        mailbox.smtp_security, mailbox.smtp_user = outgoing.security, outgoing.user or None
        mailbox.smtp_secret = seal(outgoing.password, public_key) if outgoing.user else None
    return mailbox


def _folder(info: FolderInfo, opened: Selected | None, import_choice: str) -> Folder:
    folder = Folder(name=info.name, role=info.role, watched=opened is not None)
    if opened is not None:
        folder.read_only = opened.read_only
        folder.keywords = sorted({keyword.casefold() for keyword in opened.keywords})
    if opened is not None and import_choice == "new":
        # The start line is drawn now, not at the first round: what arrives in between is new.
        folder.uidvalidity, folder.uidnext, folder.highestmodseq = (
            opened.uidvalidity,
            opened.uidnext,
            opened.highestmodseq,
        )
        folder.start_uid = folder.import_uid = opened.uidnext
        folder.server_count = folder.left_out = opened.exists
    return folder
