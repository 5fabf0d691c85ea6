"""The demo's outgoing mail server. It keeps all mail on this machine.

A mail to the mailbox's own address returns to its INBOX, by IMAP like any other. A mail to anyone else is not delivered
but stored as a file, which shows what a customer would have received. Any sign-in is accepted, because nothing leaves
127.0.0.1.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import imaplib
import logging
import os
import signal
import sys
from dataclasses import dataclass, field
from email.utils import format_datetime
from pathlib import Path
from types import FrameType

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

LARGEST = 50 * 1024 * 1024


@dataclass(frozen=True)
class DeliveryTarget:
    """The IMAP account that receives mail to these addresses."""

    port: int
    user: str
    password: str = field(repr=False)
    addresses: tuple[str, ...]

    def append(self, mail: bytes) -> None:
        """Put a mail into INBOX, unread, like a delivery."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=20) as connection:
            connection.login(self.user, self.password)
            answer, text = connection.append("INBOX", "", "", mail)
            if answer != "OK":
                raise imaplib.IMAP4.error(text[0])


class LocalSmtp:
    """A server in its own thread. `kept` is the folder of undelivered mails, one .eml each."""

    def __init__(self, port: int, account: DeliveryTarget, kept: Path) -> None:
        self.kept = kept
        self._controller = Controller(
            _Delivery(account, kept),
            hostname="127.0.0.1",
            port=port,
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            authenticator=_accept,
        )

    def start(self) -> None:
        self.kept.mkdir(parents=True, exist_ok=True)
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()


class _Delivery:
    """The handler that aiosmtpd calls when a mail has been received."""

    def __init__(self, account: DeliveryTarget, kept: Path) -> None:
        self._account = account
        self._kept = kept

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        ours = {address.casefold() for address in self._account.addresses}
        back = [to for to in envelope.rcpt_tos if to.casefold() in ours]
        away = [to for to in envelope.rcpt_tos if to.casefold() not in ours]
        try:
            if back:
                await asyncio.to_thread(self._account.append, _received(envelope, session) + content)
        except (OSError, imaplib.IMAP4.error) as error:
            _say(f"the mailbox did not take a mail: {error}")
            return "451 4.3.0 the mailbox does not answer, try again"
        if away:
            self._swallow(content, away)
        _say(f"from {envelope.mail_from}: " + "; ".join([*(f"{to} delivered" for to in back), *away]))
        return "250 2.0.0 taken"

    def _swallow(self, content: bytes, recipients: list[str]) -> None:
        moment = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S-%f")
        header = f"X-Envelope-To: {', '.join(recipients)}\r\n".encode()
        (self._kept / f"{moment}.eml").write_bytes(header + content)


def _accept(*_: object) -> AuthResult:
    return AuthResult(success=True)


def _received(envelope: Envelope, session: Session) -> bytes:
    """The two lines that a delivering server adds (RFC 5321 4.4)."""
    now = format_datetime(dt.datetime.now(dt.UTC))
    helo = session.host_name or "localhost"
    lines = [
        f"Return-Path: <{envelope.mail_from}>",
        f"Received: from {helo} by localhost with ESMTP; {now}",
        "",
    ]
    return "\r\n".join(lines).encode()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run until stopped. The password comes from the environment, where `ps` does not show it."""
    arguments = argparse.ArgumentParser(prog="python -m local.smtp")
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--imap-port", type=int, required=True)
    arguments.add_argument("--user", required=True)
    arguments.add_argument("--kept", type=Path, required=True)
    options = arguments.parse_args()
    account = DeliveryTarget(options.imap_port, options.user, os.environ["DEMO_IMAP_PASSWORD"], (options.user,))
    server = LocalSmtp(options.port, account, options.kept)
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd warns about its own doings
    server.start()
    _say(f"ready on 127.0.0.1:{options.port}")
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    while True:
        signal.pause()


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
