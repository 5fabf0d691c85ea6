"""Mail of machines through the real mail server, in conversations at rest and in new ones."""

from __future__ import annotations

from sqlalchemy import select

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.locking import claim_next
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.status import Status
from tests.cast import acting
from tests.dovecot import mail
from tests.sync.modes import number_of
from tests.sync.stage import Stage, conversation

_BODY = "--b\r\nContent-Type: text/plain\r\n\r\nWords of its own.\r\n--b--"
#: Name -> header fields, and whether the mail reopens a conversation.
MACHINES: dict[str, tuple[dict[str, str], bool]] = {
    "absence of Exchange": (
        {"auto_submitted": "auto-generated", "x_auto_response_suppress": "All", "return_path": "<>"}, False,
    ),
    "Gmail vacation": ({"auto_submitted": "auto-replied", "x_autoreply": "yes", "precedence": "bulk"}, False),
    "null return path": ({"return_path": "<>"}, False),
    "autoresponder of qmail": ({"delivered_to": "Autoresponder"}, False),
    "receipt": ({"content_type": "multipart/report; report-type=disposition-notification; boundary=b"}, False),
    "bounce": ({"return_path": "<MAILER-DAEMON@mx.example>", "from": "Mailer-Daemon@relay.example"}, False),
    "daemon without domain": ({"from": "MAILER-DAEMON (Mail Delivery System)"}, False),
    "complaint": ({"content_type": "multipart/report; report-type=feedback-report; boundary=b"}, False),
    "answer of Zendesk": ({"auto_submitted": "auto-generated", "x_zendesk_email_id": "17"}, True),
    "rule of Outlook": ({"auto_submitted": "auto-generated", "resent_from": "<sales@x.example>"}, True),
    "mailing list": ({"list_id": "<x.example>", "precedence": "list"}, True),
    "postmaster in person": ({"from": "Tim Berg <postmaster@berg.example>"}, True),
}  # fmt: skip
STATUSES = (Status.PENDING, Status.SNOOZED, Status.CLOSED)


def _begin(stage: Stage) -> None:
    for status in STATUSES:
        for name in MACHINES:
            stage.account.append(mail(f"{name}, {status}", message_id=_id(name, status)))
    stage.round()
    for status in STATUSES:
        for name in MACHINES:
            stage.act(number_of(f"{name}, {status}"), Conversation.change_status, status)


def _id(name: str, status: Status) -> str:
    return f"<{name.replace(' ', '-')}.{status}@customer.example>"


def test_only_mail_that_a_person_may_have_written_reopens(stage: Stage) -> None:
    _begin(stage)
    for status in STATUSES:
        for name, (fields, _opens) in MACHINES.items():
            stage.account.append(mail(f"Re: {name}, {status}", _BODY, in_reply_to=_id(name, status), **fields))
    stage.round()
    with transaction() as session:
        for status in STATUSES:
            for name, (_fields, opens) in MACHINES.items():
                found = conversation(session, number_of(f"{name}, {status}"))
                assert found.message_count == 2, name
                assert found.status == (Status.OPEN if opens else status), (name, status)
                if status is Status.CLOSED:
                    assert (found.waiting_since is not None) is opens, name
                assert (found.last_machine is None) is (name == "postmaster in person")


def test_claim_next_hands_out_conversations_begun_by_machines(stage: Stage) -> None:
    for name, (fields, _opens) in MACHINES.items():
        stage.account.append(mail(f"New: {name}", _BODY, **fields))
    stage.round()
    subjects = []
    with transaction() as session:
        carla = acting(session, "carla")
        box = session.scalars(select(Mailbox).where(Mailbox.name == "Shop")).one()
        while (found := claim_next(session, box, by=carla)) is not None:
            subjects.append(found.subject)
            session.flush()
    assert sorted(subjects) == sorted(f"New: {name}" for name in MACHINES)


def test_a_first_import_joins_a_bounce_that_names_only_the_recipient_with_our_mail(stage: Stage) -> None:
    ours = {"from": "support@example.com"}
    stage.account.append(mail("Offer 17", to="otto@gone.example", **ours), "Sent")
    stage.account.append(mail("Offer 18", to="eva@roth.example", **ours), "Sent")
    words = "I could not deliver your message:\r\n\r\n<otto@gone.example>:\r\nUser unknown.\r\n"
    machine = {"from": "MAILER-DAEMON@mx.example", "return_path": "<>", "date": "Mon, 02 Nov 2026 10:05:00 +0000"}
    stage.account.append(mail("failure notice", words, **machine))
    stage.round()
    with transaction() as session:
        here = [conversation(session, number) for number in (1, 2, 3)]
        [joined] = [c for c in here if c.merged_into_id is None and c.message_count == 2]
        assert {message.subject for message in joined.messages} == {"Offer 17", "failure notice"}
        assert (joined.waiting_since, joined.last_machine) == (None, "bounce")
