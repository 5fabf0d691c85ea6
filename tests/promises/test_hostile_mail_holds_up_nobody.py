"""Promise: mail is hostile. Mails made to be costly delay neither their own mailbox nor another, nor a claim."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from sqlalchemy import select

from app.db import transaction
from app.inbox.actor import web
from app.inbox.conversations.locking import locked
from app.inbox.conversations.message import Body, Message
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.child import MailParser
from local.dovecot import LocalDovecot
from local.sample.hostile import hostile_mails
from tests.cast import Cast, member
from tests.dovecot import Account, fresh_account, mail
from tests.sync.stage import connected
from tests.waiting import eventually
from tests.worker.process import worker


def _subjects(mailbox_id: int) -> set[str]:
    with transaction() as session:
        return set(session.scalars(select(Message.subject).where(Message.mailbox_id == mailbox_id)))


def test_ordinary_mail_and_a_claim_go_on_beside_hostile_mail(
    account: Account, sdbox_server: LocalDovecot, database: str, tmp_path: Path, cast: Cast
) -> None:
    quiet = fresh_account(sdbox_server)
    with (
        MailParser() as parser,
        connected(account, parser, name="Attacked") as attacked,
        connected(quiet, parser, name="Quiet") as other,
    ):
        uid = quiet.append(mail("first"))
        other.round()
        with transaction() as session:
            session.get_one(Mailbox, attacked.mailbox_id).paused_at = None
        with worker(database, tmp_path):
            for raw in islice(hostile_mails(), 40):
                account.append(raw)
            account.append(mail("beside them"))
            quiet.append(mail("elsewhere"))
            with transaction() as session:
                carla = member(session, "carla")
                first = session.scalars(select(Message.conversation_id).where(Message.subject == "first"))
                [conversation] = locked(session, first)
                conversation.claim(by=web(carla))
            eventually(lambda: "assigned-carla" in quiet.flags(uid))
            eventually(lambda: "elsewhere" in _subjects(other.mailbox_id))
            eventually(lambda: "beside them" in _subjects(attacked.mailbox_id))
            eventually(lambda: len(_subjects(attacked.mailbox_id)) == 41)
    with transaction() as session:
        hostile = select(Message).where(Message.mailbox_id == attacked.mailbox_id)
        assert not [message.subject for message in session.scalars(hostile) if message.unreadable]
        forms = session.scalars(select(Body.html_form).join(Message).where(Message.mailbox_id == attacked.mailbox_id))
        assert {"tangled", "shown", "none"} == set(forms)
