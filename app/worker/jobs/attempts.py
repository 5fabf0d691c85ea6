"""Attempts: tests the accounts that administrators are connecting on a page. The page continues with the result."""

from __future__ import annotations

import logging
from collections.abc import Callable

from app.db import transaction
from app.inbox.admin.attempt import Attempt
from app.mail.errors import MailError
from app.queue import SEE_LOG, jobs, leased
from app.secrets import SecretError
from app.sync.account import code_of, outgoing_of, server_of
from app.sync.connect import examine, try_outgoing

log = logging.getLogger(__name__)


def try_attempts(private_key: bytes | None) -> None:
    """Test every attempt that waits. If one is enqueued again in the meantime, it is tested again."""
    for attempt in jobs(Attempt):
        note = _try_out(attempt, private_key)
        with transaction() as session:
            waiting = leased(session, attempt)
            if waiting is not None:
                note(waiting)


def _try_out(attempt: Attempt, private_key: bytes | None) -> Callable[[Attempt], None]:
    """Returns the function that records the result."""
    server = "imap"
    try:
        findings = examine(server_of(attempt, private_key), None)
        server = "smtp"
        outgoing = try_outgoing(outgoing_of(attempt, private_key))
    except (MailError, SecretError) as error:
        failure = (server, code_of(error), str(error))
        return lambda waiting: waiting.note_failed(*failure)
    except Exception:  # the administrator gets an answer, the log the whole error
        log.exception("what an administrator asked to connect could not be tried")
        return lambda waiting: waiting.note_failed(server, "internal", SEE_LOG)
    report = {**findings.report, "smtp": outgoing}
    return lambda waiting: waiting.note_found(report, findings.folders, findings.keyword_limit)
