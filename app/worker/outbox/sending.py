"""Sending: each due reply of a mailbox, one after the other on one connection.

What happened is committed before the next word to the SMTP server: `connecting` before MAIL, `handed` before the body.
So after a crash the state says whether the server may have the mail. See app/inbox/replies/reply.py for the states.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psycopg
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from app.clock import now
from app.db import transaction
from app.inbox.actor import Actor, Source
from app.inbox.arriving.receive import receive_sent
from app.inbox.errors import InboxError
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.permission import Action, may
from app.inbox.replies.find_reply import lock_conversation
from app.inbox.replies.recipient import open_recipients
from app.inbox.replies.reply import Reply, ReplyState
from app.inbox.replies.writing import newer_messages
from app.inbox.status import Status
from app.mail.child import MailParser
from app.mail.errors import LoginRefused, MailError, Unreachable
from app.mail.parse import MailSource
from app.mail.submission import InDoubt, SmtpAnswer, Submission, Submitted
from app.mail.values import FetchedMail
from app.queue import jobs, leased
from app.secrets import SecretError
from app.sync.account import outgoing_of
from app.sync.look.arrivals import sent_arrival
from app.worker.outbox.building import mail_of

log = logging.getLogger(__name__)

#: So long the result of a mail that the server has is kept in memory while the database is away.
_KEEP_TRYING_SECONDS = 120.0


class _Lost(Exception):
    """The reply was cancelled, or another worker has it."""


@dataclass(frozen=True)
class _Envelope:
    """What goes to the SMTP server."""

    sender: str
    to: list[str]
    raw: bytes


def send_due(mailbox_id: int, private_key: bytes | None, parser: MailParser, *, go_on: Callable[[], bool]) -> None:
    """Send what is due of this mailbox, while `go_on` says so. Every reply ends in a state that its author sees."""
    with contextlib.ExitStack() as stack:
        connection = _Connection(mailbox_id, private_key, stack)
        due = jobs(Reply, Reply.mailbox_id == mailbox_id)
        while go_on() and (job := next(due, None)) is not None:
            try:
                envelope = _begun(job)
                if envelope is not None:
                    _send(job, envelope, connection, parser)
            except (SQLAlchemyError, psycopg.Error):
                raise
            except Exception:  # a fault of ours must not keep the other replies waiting
                log.exception("reply %s could not be sent", job.id)
                connection.drop()
                _write_down(job, Reply.give_up)


class _Connection:
    """Opened for the first mail, and again after one that broke it."""

    def __init__(self, mailbox_id: int, private_key: bytes | None, stack: contextlib.ExitStack) -> None:
        self._mailbox_id = mailbox_id
        self._private_key = private_key
        self._stack = stack
        self._open: Submission | None = None

    def get(self) -> Submission:
        """Raises MailError and SecretError."""
        if self._open is None:
            with transaction() as session:
                mailbox = session.get_one(Mailbox, self._mailbox_id)
                server, host = outgoing_of(mailbox, self._private_key), mailbox.address.rpartition("@")[2]
            if server is None:
                raise LoginRefused("The mailbox has no server for outgoing mail.")
            self._open = self._stack.enter_context(Submission(server, host=host.encode("idna").decode("ascii")))
        return self._open

    def drop(self) -> None:
        self._stack.close()
        self._open = None


def _send(job: Reply, envelope: _Envelope, connection: _Connection, parser: MailParser) -> None:
    try:
        submission = connection.get()
        submitted = submission.submit(envelope.sender, envelope.to, envelope.raw, handed=lambda: _note_handed(job))
    except _Lost:
        connection.drop()  # the server waits for a body that will not come
    except InDoubt as error:
        connection.drop()
        words = error.answer
        _write_down(job, lambda reply: reply.note_unknown(words))
    except Unreachable as error:
        connection.drop()
        words = error.answer or str(error)
        _write_down(job, lambda reply: reply.note_deferred(None, words))
    except (MailError, SecretError) as error:
        connection.drop()
        sentence = str(error)
        _write_down(job, lambda reply: reply.note_failed(None, sentence))
    else:
        _note_result(job, envelope, submitted, parser)


def _begun(job: Reply) -> _Envelope | None:
    """The mail to send, with its state committed; None if it is not to be sent now."""
    with contextlib.suppress(_Lost), transaction() as session:
        reply = _held(session, job)
        if not _may_begin(reply):
            return None
        try:
            reply.begin(mail_of(reply) if reply.raw is None else reply.raw)
        except ValueError as error:
            reply.note_failed(None, str(error))
            return None
        assert reply.raw is not None
        return _Envelope(reply.sender, open_recipients(reply.recipients), reply.raw)
    return None


def _may_begin(reply: Reply) -> bool:
    """Whether it is to be sent now; else it is given the state that it has to have."""
    if reply.state == ReplyState.HANDED:  # a worker died when the server may have had it
        reply.note_unknown("")
    elif reply.raw is None and _has_news(reply):
        reply.return_to_draft()
    elif not may(Actor(Source.SYSTEM, reply.author), Action.REPLY, reply.mailbox):
        reply.note_failed(
            None, "The author may no longer reply in this mailbox. Ask a manager for the role of an agent."
        )
    else:
        return True
    return False


def _note_handed(job: Reply) -> None:
    with transaction() as session:
        _held(session, job).note_handed()


def _note_result(job: Reply, envelope: _Envelope, submitted: Submitted, parser: MailParser) -> None:
    answers = {address: (answer.code, answer.words) for address, answer in submitted.recipients.items()}
    answer = submitted.answer
    if submitted.is_accepted:
        _note_sent(job, envelope, answers, answer, parser)
        return

    def note(reply: Reply) -> None:
        reply.note_answers(answers, accepted=False)
        if answer.is_for_now or (submitted.step == "rcpt" and _some_are_for_now(submitted)):
            reply.note_deferred(answer.code, answer.words)
        else:
            reply.note_failed(answer.code, answer.words)

    _write_down(job, note)


def _note_sent(
    job: Reply, envelope: _Envelope, answers: Mapping[str, tuple[int, str]], answer: SmtpAnswer, parser: MailParser
) -> None:
    """First that it was sent; then the mail as a message of its conversation, which may fail and come by Sent."""

    def note(reply: Reply) -> None:
        is_first = reply.sent_at is None
        reply.note_answers(answers, accepted=True)
        reply.note_sent(answer.code)
        if is_first:
            _follow(reply)

    _kept_trying(job, lambda session: note(_held(session, job, sent=True)))
    [parsed] = parser.parse([MailSource(envelope.raw, len(envelope.raw))])
    arrival = sent_arrival(FetchedMail(0, (), None, now(), len(envelope.raw), envelope.raw, True), parsed)

    def store(session: Session) -> None:
        mailbox = session.get_one(Mailbox, job.mailbox_id)
        message_id = receive_sent(session, mailbox, arrival, lambda: lock_conversation(session, job.id))
        reply = session.get_one(Reply, job.id, with_for_update={"of": Reply}, populate_existing=True)
        reply.sent_message_id = message_id
        session.refresh(reply.conversation)
        reply.conversation.changed()

    _kept_trying(job, store)


def _some_are_for_now(submitted: Submitted) -> bool:
    return any(answer.is_for_now for answer in submitted.recipients.values())


def _follow(reply: Reply) -> None:
    """The mail is answered, and the conversation gets the status that the author chose, unless news came since."""
    if reply.answered is not None and not reply.answered.answered:
        reply.answered.answered = True
        reply.conversation.want_push()
    if reply.status_after is not None and not _has_news(reply):
        with contextlib.suppress(InboxError):
            reply.conversation.change_status(Status(reply.status_after), by=Actor(Source.WEB, reply.author))


def _has_news(reply: Reply) -> bool:
    """Whether messages came that the author has not seen."""
    return bool(newer_messages(reply.conversation, reply.seen_message_id or 0, reply.author_id))


def _write_down(job: Reply, note: Callable[[Reply], None]) -> None:
    _kept_trying(job, lambda session: note(_held(session, job)))


def _kept_trying(job: Reply, note: Callable[[Session], None]) -> None:
    """Commit what happened. If the database is away it is tried for a while: a mail that was sent must not be sent
    again."""
    ends = time.monotonic() + _KEEP_TRYING_SECONDS
    while True:
        try:
            with contextlib.suppress(_Lost), transaction() as session:
                note(session)
            return
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() > ends:
                raise
            log.warning("reply %s: the database does not answer: %s", job.id, str(error).splitlines()[0])
            time.sleep(1.0)


def _held(session: Session, job: Reply, *, sent: bool = False) -> Reply:
    """The reply with its conversation, locked in this order. Raises _Lost if it was cancelled or another worker has it.
    `sent`: the server has the mail, so the reply is ours even if the lease has ended meanwhile."""
    lock_conversation(session, job.id)
    reply = leased(session, job)
    if reply is None and sent:
        reply = session.get(Reply, job.id, with_for_update={"of": Reply}, populate_existing=True)
        if reply is not None and reply.state not in (ReplyState.HANDED, ReplyState.UNKNOWN):
            reply = None
    if reply is None:
        raise _Lost
    return reply
