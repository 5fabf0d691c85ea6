"""Tests what a mail server can keep. The test uses its own folders and deletes them afterwards, with their content.

PERMANENTFLAGS and CAPABILITY are promises; a keyword that a second connection sees is proof. If we cannot create
folders, we test in INBOX, if the test message can be removed again (UIDPLUS). Otherwise we believe the promise, and the
report says that nothing is proved.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from app.mail.errors import FolderGone, Refused, Unavailable
from app.mail.imap import ImapSession
from app.mail.server import Server
from app.mail.values import FolderInfo

Mode = Literal["keywords", "database"]
#: The keyword for the test. Signalbox writes this name anyway, so the test takes no additional place in a Maildir.
KEYWORD = "state-closed"
#: If a server still shows a keyword this long after a move, it keeps it.
SETTLING_SECONDS = 2.0
#: A folder of an earlier test that was killed before deleting it, or of a test that is running elsewhere.
_OF_A_TRY = re.compile(r"(?:.*[^\w-])?signalbox-probe-[0-9a-f]{8}-[ab]", re.DOTALL)
_ASKED = ("CONDSTORE", "QRESYNC", "MOVE", "UIDPLUS", "IDLE", "NOTIFY", "SPECIAL-USE", "OBJECTID", "ESEARCH")
_MISSED = {"CONDSTORE": "no_condstore", "MOVE": "no_move", "UIDPLUS": "no_uidplus", "IDLE": "no_idle"}


@dataclass(frozen=True)
class ProbeReport:
    """The result of a probe. `proved`: by a test, not only by the server's promise.

    `warnings` are short codes that pages translate, some with a folder: `no_keywords`, `keywords_lost` (accepted, but
    missing on the next connection), `keywords_stay_behind` (lost by a move), `not_proved`, `no_condstore`, `no_move`,
    `no_uidplus`, `no_idle`, `read_only:Archive`, `unreadable:Sent` (a folder with a role that does not open),
    `left_behind:signalbox-probe-…` (a test folder that could not be deleted, now or after an earlier test was killed).
    `keywords` are those in use in the folders that have a role.
    """

    mode: Mode
    proved: bool
    capabilities: dict[str, bool]
    warnings: tuple[str, ...]
    folders: tuple[FolderInfo, ...]
    keywords: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class _Outcome:
    """Whether keywords are kept, and move with a message (None: not tested)."""

    kept: bool
    travel: bool | None = None
    proved: bool = True
    warnings: tuple[str, ...] = ()


def probe(server: Server) -> ProbeReport:
    """Sign in and test the server. Raises MailError if the server cannot be used at all."""
    with ImapSession.open(server) as session:
        listed = session.folders()
        folders = [folder for folder in listed if not _OF_A_TRY.fullmatch(folder.name)]
        outcome = _in_folders_of_our_own(server, session, folders) or _in_inbox(server, session)
        outcome = outcome or _by_promise(session)
        keywords, of_folders = _looked_into(session, folders, writes_keywords=outcome.kept)
        capabilities = {name.lower().replace("-", "_"): name in session.capabilities for name in _ASKED}
    missing = [code for name, code in _MISSED.items() if not capabilities[name.lower()]]
    left = [f"left_behind:{folder.name}" for folder in listed if folder not in folders]
    return ProbeReport(
        mode="keywords" if outcome.kept else "database",
        proved=outcome.proved,
        capabilities=capabilities | {"keywords": outcome.kept, "keywords_travel": outcome.travel is not False},
        warnings=(*_warnings(outcome), *left, *missing, *of_folders),
        folders=tuple(folders),
        keywords=keywords,
    )


def _in_folders_of_our_own(server: Server, session: ImapSession, folders: Sequence[FolderInfo]) -> _Outcome | None:
    delimiter = next((folder.delimiter for folder in folders if folder.role == "inbox"), None)
    left_behind: list[str] = []
    with _two_folders(session, delimiter, left_behind) as made:
        if made is None:
            return None
        outcome = _tried(server, session, *made)
    outcome = outcome or _by_promise(session)
    return replace(outcome, warnings=(*outcome.warnings, *(f"left_behind:{name}" for name in left_behind)))


def _tried(server: Server, session: ImapSession, here: str, there: str) -> _Outcome | None:
    """None if there is no space for a message."""
    try:
        uid = _appended(session, here)
    except Refused:
        return None
    outcome = _written_and_read_back(server, session, here, uid)
    if not outcome.kept:
        return outcome
    travel = _travels(session, uid, there)
    return replace(outcome, travel=travel and _still_travelled(server, there))


@contextmanager
def _two_folders(
    session: ImapSession, delimiter: str | None, left_behind: list[str]
) -> Iterator[tuple[str, str] | None]:
    """Two new folders, deleted at the end; None if we cannot create any. Courier accepts new folders only below
    INBOX."""
    token = secrets.token_hex(4)
    made: list[str] = []
    try:
        for prefix in ("", f"INBOX{delimiter}") if delimiter else ("",):
            try:
                for part in ("a", "b"):
                    session.create_folder(f"{prefix}signalbox-probe-{token}-{part}")
                    made.append(f"{prefix}signalbox-probe-{token}-{part}")
            except Refused:
                continue
            break
        yield (made[-2], made[-1]) if len(made) >= 2 else None
    finally:
        if made and not session.closed:
            left_behind += _deleted(session, made)


def _deleted(session: ImapSession, names: Sequence[str]) -> list[str]:
    """Delete these folders. Returns those that could not be deleted."""
    left: list[str] = []
    session.select("INBOX", read_only=True)
    for name in names:
        try:
            session.delete_folder(name)
        except FolderGone:
            continue
        except Refused:
            left.append(name)
    return left


def _in_inbox(server: Server, session: ImapSession) -> _Outcome | None:
    if not session.has_uidplus:
        return None
    try:
        uid = _appended(session, "INBOX")
    except Refused:
        return None
    try:
        return _written_and_read_back(server, session, "INBOX", uid)
    finally:
        if not session.closed:
            session.select("INBOX")
            session.add([uid], ["\\Deleted"])
            session.expunge_uids([uid])


def _by_promise(session: ImapSession) -> _Outcome:
    return _Outcome(kept=session.select("INBOX").accepts_new_keywords, proved=False)


def _appended(session: ImapSession, folder: str) -> int:
    """The UID of our test message. Without UIDPLUS it is the newest message of our own folder. Raises Refused if the
    server does not show it."""
    uid = session.append(folder, _message(), ["\\Seen"])
    session.select(folder)
    if uid is None:
        uid = max(session.uids(), default=None)
    if uid is None:
        raise Refused("show a message", answer="it does not show the message that it has just accepted")
    return uid


def _written_and_read_back(server: Server, session: ImapSession, folder: str, uid: int) -> _Outcome:
    try:
        session.add([uid], [KEYWORD])
    except Refused:
        return _Outcome(kept=False)
    if not _shows(session, uid):
        return _Outcome(kept=False)
    with ImapSession.open(server) as again:
        again.select(folder, read_only=True)
        kept = _shows(again, uid)
    return _Outcome(kept=kept, warnings=() if kept else ("keywords_lost",))


def _travels(session: ImapSession, uid: int, there: str) -> bool | None:
    """None if there is no space for a second message, which COPY needs for a moment."""
    try:
        session.move([uid], there)
    except Refused:
        return None
    session.select(there)
    return any(_shows(session, moved) for moved in session.uids())


def _still_travelled(server: Server, there: str) -> bool:
    """Some servers show the keyword right after the move and lose it a moment later."""
    time.sleep(SETTLING_SECONDS)
    with ImapSession.open(server) as again:
        again.select(there, read_only=True)
        return any(_shows(again, moved) for moved in again.uids())


def _shows(session: ImapSession, uid: int) -> bool:
    """Compares without case, because some servers change the case of keywords."""
    return any(KEYWORD in (flag.lower() for flag in row.flags) for row in session.flags([uid]))


def _looked_into(
    session: ImapSession, folders: Sequence[FolderInfo], *, writes_keywords: bool
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """The keywords in the folders that we will watch, and warnings about folders that cannot be read or written."""
    keywords: dict[str, tuple[str, ...]] = {}
    warnings: list[str] = []
    for folder in folders:
        if folder.role is None or not folder.selectable:
            continue
        try:
            opened = session.select(folder.name)
        except (Refused, Unavailable, FolderGone):
            if folder.role == "inbox":
                raise
            warnings.append(f"unreadable:{folder.name}")
            continue
        keywords[folder.name] = tuple(sorted(opened.keywords))
        if opened.read_only or (writes_keywords and KEYWORD not in (opened.lasting or [KEYWORD])):
            warnings.append(f"read_only:{folder.name}")
    return keywords, warnings


def _warnings(outcome: _Outcome) -> Iterator[str]:
    yield from outcome.warnings
    if not outcome.kept:
        yield "no_keywords"
    if outcome.travel is False:
        yield "keywords_stay_behind"
    if not outcome.proved:
        yield "not_proved"


def _message() -> bytes:
    now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    return (
        f"From: Signalbox <signalbox@localhost>\r\nTo: Signalbox <signalbox@localhost>\r\nDate: {now}\r\n"
        f"Subject: Signalbox tries what this mail server can keep\r\nMessage-ID: <{secrets.token_hex(8)}@localhost>"
        "\r\nAuto-Submitted: auto-generated\r\n\r\nThis message is deleted again at once.\r\n"
    ).encode()
