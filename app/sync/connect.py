"""Connect: tests a new mailbox, probes its server and stores the mailbox; or tests a connected one again (`check`).

No transaction is open while we talk to the server. The result is the report, in the shape of `mailbox check --json`. It
is stored with the mailbox for the pages. A request from a page is an attempt: a job of the worker
(`worker/jobs/attempts.py`) that examines the account in the same way.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.clock import now
from app.db import transaction
from app.inbox.actor import Actor
from app.inbox.admin.attempt import (
    AGES,
    WATCHED_ROLES,
    Attempt,
    FoundFolder,
    no_folder,
    report_of,
    start,
)
from app.inbox.mailboxes.mailbox import Mailbox, Mode, keyword_limit_of
from app.inbox.people.address import check_address
from app.inbox.permission import require_admin
from app.mail import smtp
from app.mail.authentication import likely_ids
from app.mail.errors import (
    FolderGone,
    Refused,
    Unavailable,
)
from app.mail.imap import ImapSession
from app.mail.probe import ProbeReport, probe
from app.mail.server import Server
from app.mail.values import FolderInfo
from app.secrets import seal
from app.sync.account import outgoing_of, server_of
from app.sync.pull.listing import take_in


@dataclass(frozen=True)
class MailboxChoices:
    """The settings for a new mailbox. `smtp` without a user: no sign-in is tested there."""

    name: str
    address: str
    imap: Server
    smtp: Server | None = None
    folders: Sequence[str] = ()  # folders to watch in addition to the usual ones
    import_choice: str = "all"  # all, new, since
    import_since: dt.datetime | None = None
    close_older_than_days: int | None = None
    time_zone: str = "UTC"
    keyword_limit: str | None = None  # 24, 100, none; None: the known limit of this server


def connect(account: MailboxChoices, *, public_key: bytes, by: Actor) -> dict[str, Any]:
    """Test the account and store it as a mailbox. Returns the report.

    Raises MailError if a server or a sign-in fails, Invalid for a name in use, a wrong address or a folder that does
    not exist. Nothing is stored then."""
    require_admin(by)
    check_address(account.address)
    seen = examine(account.imap, account.folders)
    tried = try_outgoing(account.smtp)
    attempt = _attempt(account, public_key)
    limit = keyword_limit_of(account.keyword_limit) if account.keyword_limit else seen.keyword_limit
    attempt.note_found({**seen.report, "smtp": tried}, seen.folders, limit)
    attempt.watched += [name for name in account.folders if name not in attempt.watched]
    with transaction() as session:
        return start(session, attempt, time_zone=account.time_zone, roles={}, by=by).report


def check(mailbox_id: int, *, private_key: bytes | None) -> dict[str, Any]:
    """Test a connected mailbox, store the report, and update its list of folders. A watched folder that does not exist
    or cannot be opened is a warning. Raises MailError, SecretError."""
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        watched = [folder.name for folder in mailbox.folders if folder.watched]
    seen = examine(server_of(mailbox, private_key), watched, required=())
    tried = try_outgoing(outgoing_of(mailbox, private_key))
    with transaction() as session:
        take_in(session, mailbox_id, seen.listed)
        report = report_of({**seen.report, "smtp": tried}, seen.folders, watched)
        report["warnings"] = [*dict.fromkeys([*report["warnings"], *_out_of_sight(watched, seen)])]
        mailbox = session.get_one(Mailbox, mailbox_id)
        mailbox.report = report
    return {**report, "warnings": [*report["warnings"], *_other_mode(mailbox, report["mode"])]}


def list_again(mailbox_id: int, *, private_key: bytes | None) -> None:
    """Update the list of a mailbox's folders. Raises MailError, SecretError."""
    with transaction() as session:
        server = server_of(session.get_one(Mailbox, mailbox_id), private_key)
    with ImapSession.open(server) as imap:
        listed = imap.folders()
    with transaction() as session:
        take_in(session, mailbox_id, listed)


def keyword_limit(program: str) -> int:
    """The number of keywords that a folder of this server can hold. Dovecot's Maildir holds 26 over the lifetime of a
    folder, its other formats any number. IMAP does not tell the format, so an unknown server gets the lower limit."""
    return 100 if "cyrus" in program.lower() else 24


def failed(error: str) -> dict[str, Any]:
    """The report of a mailbox that could not be reached."""
    return {"ok": False, "mode": None, "capabilities": {}, "folders": [], "smtp": None, "warnings": [], "error": error}


def _attempt(account: MailboxChoices, public_key: bytes) -> Attempt:
    """The attempt that a page would have created; it is never stored."""
    imap, outgoing = account.imap, account.smtp
    attempt = Attempt(
        name=account.name,
        address=account.address,
        imap_host=imap.host,
        imap_port=imap.port,
        imap_security=imap.security,
        imap_ca=imap.ca_pem,
        imap_user=imap.user,
        import_choice=account.import_choice,
        import_since=account.import_since,
        close_older_than_days=account.close_older_than_days,
    )
    attempt.set_password("imap", imap.password, lambda document: seal(document, public_key))
    if outgoing is not None:
        attempt.smtp_host, attempt.smtp_port = outgoing.host, outgoing.port
        attempt.smtp_security, attempt.smtp_user = outgoing.security, outgoing.user or None
        if outgoing.user:
            attempt.set_password("smtp", outgoing.password, lambda document: seal(document, public_key))
    return attempt


#: The number of mails whose Authentication-Results are read, out of this many UIDs.
_NEWEST_MAILS, _NEWEST_UIDS = 20, 200


@dataclass(frozen=True)
class Findings:
    """The result of examining a server. `report` has no folders. `folders` are those that can hold mail, without names
    that only contain other folders (\\Noselect, RFC 3501 7.2.2)."""

    listed: Sequence[FolderInfo]
    folders: list[FoundFolder]
    report: dict[str, Any]
    keyword_limit: int


def examine(server: Server, extra: Sequence[str] | None, *, required: Sequence[str] | None = None) -> Findings:
    """Find out what the server can keep. Then open the usual folders and `extra`; None: open all, and count the
    messages of the usual ones by age. `required` folders must exist and open, besides the inbox; the default is
    `extra`."""
    required = (extra or ()) if required is None else required
    probed = probe(server)
    _require_there(required, probed.folders)
    with ImapSession.open(server) as session:
        folders = [
            _opened(session, info, count=extra is None, required=info.role == "inbox" or info.name in required)
            if extra is None or info.role in WATCHED_ROLES or info.name in extra
            else FoundFolder(info.name, info.role)
            for info in probed.folders
            if info.selectable
        ]
        report = _report(probed) | {"authserv_ids": _authserv_ids(session)}
        return Findings(probed.folders, folders, report, keyword_limit(session.program))


def _authserv_ids(session: ImapSession) -> list[str]:
    """The name under which this server probably writes its checks of senders, for an administrator to confirm."""
    next_uid = session.next_uid(session.select("INBOX", read_only=True))
    newest = session.uids(next_uid - _NEWEST_UIDS)[-_NEWEST_MAILS:]
    return likely_ids(session.fields(newest, "authentication-results")) if newest else []


def _opened(session: ImapSession, info: FolderInfo, *, count: bool, required: bool) -> FoundFolder:
    """A folder that cannot be opened cannot be watched. The inbox and required folders must open."""
    try:
        opened = session.select(info.name)
    except (Refused, Unavailable, FolderGone) as error:
        if not required:
            return FoundFolder(info.name, info.role)
        if isinstance(error, Refused | Unavailable):
            raise type(error)(f"open the folder “{info.name}”", answer=error.answer, code=error.code) from error
        raise
    today = now().date()
    ages = AGES if count and info.role in WATCHED_ROLES else ()
    return FoundFolder(
        name=info.name,
        role=info.role,
        exists=opened.exists,
        uidvalidity=opened.uidvalidity,
        uidnext=session.next_uid(opened),
        highestmodseq=opened.highestmodseq,
        read_only=opened.read_only,
        keywords=sorted(opened.keywords),
        younger={str(days): session.count_since(today - dt.timedelta(days=days)) for days in ages},
    )


def _out_of_sight(watched: Sequence[str], seen: Findings) -> list[str]:
    listed = {info.name for info in seen.listed}
    opened = {folder.name for folder in seen.folders if folder.exists is not None}
    return [f"{'unreadable' if name in listed else 'gone'}:{name}" for name in watched if name not in opened]


def try_outgoing(outgoing: Server | None) -> dict[str, Any] | None:
    if outgoing is None:
        return None
    smtp.try_out(outgoing)
    return {"host": outgoing.host, "port": outgoing.port, "user": outgoing.user or None}


def _other_mode(mailbox: Mailbox, able: str) -> list[str]:
    """Advice about the storage mode for an administrator; nothing changes automatically. It is shown but not stored
    with the report."""
    if mailbox.wanted_mode == able:
        return []
    return ["keywords_possible" if able == Mode.KEYWORDS else "keywords_gone"]


def _report(probed: ProbeReport) -> dict[str, Any]:
    return {"ok": True, "mode": probed.mode, "capabilities": probed.capabilities, "warnings": list(probed.warnings)}


def _require_there(extra: Sequence[str], listed: Sequence[FolderInfo]) -> None:
    there = [FoundFolder(info.name, info.role) for info in listed if info.selectable]
    for name in extra:
        if name not in {folder.name for folder in there}:
            raise no_folder(name, there)
