"""Mail to the mailbox returns to it; mail to customers stays on this machine."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.dovecot import LocalDovecot
from local.places import free_port
from local.smtp import DeliveryTarget, LocalSmtp

HELP = "help@halden.example"
MAIL = "From: Zoe <zoe@post.example>\r\nTo: {to}\r\nSubject: Squeal\r\nMessage-ID: <1@post.example>\r\n\r\nHi\r\n"


@pytest.fixture
def dovecot(home: Path) -> Iterator[LocalDovecot]:
    server = LocalDovecot(home / "dovecot", free_port(), users={HELP: "secret"})
    server.start()
    yield server
    server.stop()


@pytest.fixture
def port(dovecot: LocalDovecot, home: Path) -> Iterator[int]:
    port = free_port()
    server = LocalSmtp(port, DeliveryTarget(dovecot.port, HELP, "secret", (HELP,)), home / "sent")
    server.start()
    yield port
    server.stop()


def send(port: int, *to: str) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as connection:
        connection.login(HELP, "whatever")
        connection.sendmail("zoe@post.example", to, MAIL.format(to=", ".join(to)))


def test_a_mail_to_the_mailbox_is_delivered_unread_into_its_inbox(port: int, dovecot: LocalDovecot, home: Path) -> None:
    send(port, "Help@Halden.example")
    found = dovecot.doveadm("fetch", "-u", HELP, "hdr.subject flags", "mailbox", "INBOX")
    assert "Squeal" in found
    assert "Seen" not in found
    assert list((home / "sent").iterdir()) == []


def test_a_mail_to_a_customer_is_kept_as_a_file(port: int, dovecot: LocalDovecot, home: Path) -> None:
    send(port, "olmedo@correo.example")
    kept = [file.read_text() for file in (home / "sent").iterdir()]
    assert len(kept) == 1
    assert kept[0].startswith("X-Envelope-To: olmedo@correo.example\n")
    assert dovecot.doveadm("fetch", "-u", HELP, "uid", "mailbox", "INBOX") == ""


def test_while_the_mailbox_is_away_the_sender_is_asked_to_try_again(port: int, dovecot: LocalDovecot) -> None:
    dovecot.stop()
    with pytest.raises(smtplib.SMTPDataError, match="451"):
        send(port, HELP)
