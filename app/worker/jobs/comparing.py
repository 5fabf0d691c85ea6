"""Comparing: the work behind the page of differences.

A worker compares a mailbox with its server. For each side that an administrator chose, it compares that message again,
and acts only if the page is still right.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from itertools import chain, islice

from app.db import transaction
from app.inbox.actor import web
from app.inbox.errors import NotAllowed
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server import comparison
from app.inbox.server.comparison import Comparison, Difference, Outcome
from app.mail.errors import FolderGone, LoginRefused, MailError, Refused
from app.mail.imap import ImapSession
from app.mail.server import Server
from app.queue import SEE_LOG, jobs, leased
from app.secrets import SecretError
from app.sync.account import code_of, server_of
from app.sync.compare import sides
from app.sync.compare.drift import Drift, DriftLine, drift, look_again

log = logging.getLogger(__name__)

#: Choices of a mailbox applied on one connection before the next mailbox gets its turn.
_TURN = 50


def answer_administrators(private_key: bytes | None) -> None:
    """Compare on request and apply choices, until nothing waits."""
    for job in jobs(Comparison):
        _compare(job, private_key)
    for chosen in jobs(Difference):
        _carry_out_more(chosen, private_key)


def _compare(job: Comparison, private_key: bytes | None) -> None:
    failed: tuple[str, str] | None = None
    differences = Drift([])
    try:
        _server(job.mailbox_id, private_key)
        differences = drift(job.mailbox_id, private_key=private_key)
    except (MailError, SecretError) as error:
        failed = code_of(error), str(error)
    except Exception:  # the administrator gets an answer, the log the whole error
        log.exception("mailbox %s could not be compared", job.mailbox_id)
        failed = "internal", SEE_LOG
    with transaction() as session:
        waiting = leased(session, job)
        if waiting is None:
            return
        if failed is not None:
            waiting.note_failed(*failed)
        else:
            waiting.note_found(asdict(line) for line in differences.lines)


def _carry_out_more(first: Difference, private_key: bytes | None) -> None:
    """Apply this choice, and others of its mailbox on the same connection."""
    mailbox_id = first.mailbox_id
    others = islice(jobs(Difference, Difference.mailbox_id == mailbox_id), _TURN - 1)
    try:
        with ImapSession.open(_server(mailbox_id, private_key)) as imap:
            for chosen in chain([first], others):
                _carry_out(imap, chosen)
    except (MailError, SecretError) as error:
        _put_back(mailbox_id, code_of(error), str(error))
    except Exception:
        log.exception("mailbox %s: what was chosen could not be carried out", mailbox_id)
        _put_back(mailbox_id, "internal", SEE_LOG)


def _carry_out(imap: ImapSession, chosen: Difference) -> None:
    outcome, now = _outcome(imap, chosen)
    with transaction() as session:
        line = leased(session, chosen)
        if line is None:
            return  # a new comparison was requested in the meantime
        if now is not None:
            line.values, line.on_its_way = {"server": now.server, "ours": now.ours}, now.waiting
            line.sides = list(now.sides)
        line.note_outcome(outcome)


def _outcome(imap: ImapSession, chosen: Difference) -> tuple[Outcome, DriftLine | None]:
    """The outcome, and the present line if it differs."""
    assert chosen.chosen_by is not None
    by, theirs = web(chosen.chosen_by), chosen.chosen == "server"
    try:
        if chosen.what in ("missing", "unmatched") or chosen.uid is None:
            line = DriftLine(None, None, chosen.folder, chosen.uid, chosen.what, None, None, sides=tuple(chosen.sides))
            sides.choose(chosen.mailbox_id, Drift([line]), take_theirs=theirs, by=by)
            return Outcome.DONE, None
        differences = look_again(imap, chosen.mailbox_id, chosen.folder, chosen.uid)
        now = _this_line(chosen, differences)
        if now is None:
            return Outcome.SAME, None
        if {"server": now.server, "ours": now.ours} != chosen.values:
            return Outcome.CHANGED, now
        done = sides.choose(chosen.mailbox_id, Drift([now], differences.seen), take_theirs=theirs, by=by)
        return (Outcome.DONE, None) if done else (Outcome.CHANGED, now)
    except NotAllowed:
        return Outcome.REFUSED, None
    except (FolderGone, Refused):
        return Outcome.GONE, None


def _this_line(chosen: Difference, differences: Drift) -> DriftLine | None:
    """The present difference in the same register; of several tags the same one."""
    about = [
        line for line in differences.lines if line.what == chosen.what and line.conversation == chosen.conversation_id
    ]
    if chosen.what != "tag":
        return about[0] if about else None
    tag = chosen.values["server"] or chosen.values["ours"]
    return next((line for line in about if (line.server or line.ours) == tag), None)


def _put_back(mailbox_id: int, code: str, text: str) -> None:
    with transaction() as session:
        comparison.put_back(session, mailbox_id, code, text)


def _server(mailbox_id: int, private_key: bytes | None) -> Server:
    """The address and sign-in of the server. Raises SecretError, and LoginRefused without a try if rounds are refused,
    because each try might lock the account."""
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        if mailbox.error_code == "login_refused":
            raise LoginRefused(mailbox.error_text or "")
        return server_of(mailbox, private_key)
