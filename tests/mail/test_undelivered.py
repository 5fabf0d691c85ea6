"""A bounce names the failed recipient and the reason: in its report, or in its text. It never takes long."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from app.mail.imap import ImapSession
from app.mail.parse import MailSource, parse
from app.mail.undelivered import Undelivered
from tests.dovecot import Account
from tests.mail.letters import letter
from tests.mail.test_machine import mail, report

_DAEMON = "From: Mail Delivery System <MAILER-DAEMON@mx.example>"
_REPORT = "Reporting-MTA: dns; mx.example\nArrival-Date: Mon, 30 Nov 2026 10:18:00 +0000\n"
_GONE = "Final-Recipient: rfc822; otto@kunde.example\nAction: failed\nStatus: 5.1.1\n"
_SMTP = "Diagnostic-Code: smtp; 550 5.1.1 <otto@kunde.example>: Recipient address rejected:\n    User unknown\n"
_LATE = "Final-Recipient: rfc822; late@kunde.example\nAction: delayed\nStatus: 4.4.1\n"
_FINE = "Final-Recipient: rfc822; fine@kunde.example\nAction: delivered\nStatus: 2.0.0\n"


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        ((_GONE,), Undelivered("otto@kunde.example", "5.1.1")),
        (
            (_GONE + _SMTP,),
            Undelivered(
                "otto@kunde.example", "5.1.1", "<otto@kunde.example>: Recipient address rejected: User unknown"
            ),
        ),
        (
            (_GONE + "Diagnostic-Code: X-Postfix; host mx.example said: 550 no such user\n",),
            Undelivered("otto@kunde.example", "5.1.1", "host mx.example said: 550 no such user"),
        ),
        (("Original-Recipient: rfc822;sales@kunde.example\n" + _GONE,), Undelivered("sales@kunde.example", "5.1.1")),
        ((_LATE, _GONE, _FINE), Undelivered("otto@kunde.example", "5.1.1")),
        (
            (_GONE, _GONE.replace("otto", "eva"), _GONE.replace("otto", "tim")),
            Undelivered("otto@kunde.example", "5.1.1", others=2),
        ),
        ((_LATE, _FINE), Undelivered("late@kunde.example", "4.4.1", action="delayed")),
        (("Final-Recipient: rfc822; <otto@kunde.example>\nAction: FAILED\n",), Undelivered("otto@kunde.example")),
        (("Final-Recipient: otto@kunde.example\nStatus: 4.2.2 (full)\n",), Undelivered(
            "otto@kunde.example", "4.2.2", action="delayed")),
    ],
)  # fmt: skip
def test_a_report_tells_the_worst_of_its_recipients(blocks: tuple[str, ...], said: Undelivered) -> None:
    parsed = report("delivery-status", "\n".join((_REPORT, *blocks)), _DAEMON)
    assert parsed.machine is not None
    assert parsed.machine.undelivered == said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (  # qmail
            "Hi. This is the qmail-send program at mx.example.\n\n<otto@kunde.example>:\n"
            "Sorry, no mailbox here by that name. (#5.1.1)\n",
            Undelivered("otto@kunde.example", "5.1.1", "Sorry, no mailbox here by that name. (#5.1.1)"),
        ),
        (  # Postfix
            "I'm sorry to have to inform you.\n\n<otto@kunde.example>: host mx.example said: 550 5.7.1 Refused\n",
            Undelivered("otto@kunde.example", "5.7.1", "host mx.example said: 550 5.7.1 Refused"),
        ),
        (  # sendmail
            "   ----- The following addresses had permanent fatal errors -----\n<otto@kunde.example>\n"
            "    (reason: 550 5.1.1 User unknown)\n",
            Undelivered("otto@kunde.example", "5.1.1", "User unknown"),
        ),
        (  # Exim
            "A message that you sent could not be delivered.\n\n  otto@kunde.example\n"
            "    host mx.example [192.0.2.7]: 550 No such user\n",
            Undelivered("otto@kunde.example", "", "host mx.example [192.0.2.7]: 550 No such user"),
        ),
        ("Your mail could not be delivered: unknown user.\n", None),
        (
            "Address not found: your mail wasn't delivered to otto@kunde.example because the address is unknown.\n"
            "Ask postmaster@kunde.example.\n\nFrom: Help <help@halden.example>\nTo: eva@kunde.example\n",
            Undelivered("otto@kunde.example"),
        ),
        ("It failed for otto@kunde.example and for eva@kunde.example, sorry.\n", None),
    ],
)
def test_without_a_report_the_text_is_read(words: str, said: Undelivered | None) -> None:
    parsed = mail(_DAEMON, body=words)
    assert parsed.machine is not None
    assert parsed.machine.undelivered == said


def test_exim_names_whom_it_did_not_reach_in_a_field() -> None:
    parsed = mail(_DAEMON, "X-Failed-Recipients: otto@kunde.example, eva@kunde.example", body="Sorry.\n")
    assert parsed.machine is not None
    assert parsed.machine.undelivered == Undelivered("otto@kunde.example", others=1)


def test_a_hostile_report_gives_short_text_that_can_be_stored() -> None:
    hostile = f"Final-Recipient: rfc822; {'a' * 5000}@x.example\nDiagnostic-Code: smtp; \x00{'b' * 5000}\n"
    parsed = report("delivery-status", "\n".join([_REPORT, *[hostile] * 5000]), _DAEMON)
    assert parsed.machine is not None
    said = parsed.machine.undelivered
    assert said is not None
    assert len(said.address) <= 330
    assert len(said.reason) <= 300
    assert "\x00" not in said.address + said.reason


@pytest.fixture
def session(account: Account) -> Iterator[ImapSession]:
    with account.open() as opened:
        opened.select("INBOX")
        yield opened


def test_the_report_of_a_large_bounce_is_read_though_its_attachments_stay_on_the_server(
    account: Account, session: ImapSession
) -> None:
    raw = letter(
        'multipart/report; report-type="delivery-status"',
        letter("text/plain", b"It could not be delivered.\r\n"),
        letter("message/delivery-status", f"{_REPORT}\n{_GONE}".replace("\n", "\r\n").encode()),
        letter("application/octet-stream", base64.b64encode(b"x" * 300_000)),
        subject="Undelivered Mail", message_id="<large-bounce@mx.example>",
    )  # fmt: skip
    uid = account.append(raw)
    session.select("INBOX")
    found = next(session.fetch([uid], max_whole=10_000))
    assert not found.complete
    parsed = parse(MailSource(found.raw, found.size, found.outline))
    assert parsed.machine == parse(raw).machine
    assert parsed.machine is not None
    assert parsed.machine.undelivered == Undelivered("otto@kunde.example", "5.1.1")
