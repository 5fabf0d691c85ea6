"""Hands mails to the server that takes outgoing mail, one step of SMTP at a time (RFC 5321).

`smtplib.sendmail` reports a connection that broke before the mail was sent and one that broke after it with the same
error. Here they differ: before the body goes out `handed` is called, and a break after its end is `InDoubt`.
"""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from app.mail.compose.fields import address, needs_smtputf8
from app.mail.errors import MailError, Unreachable
from app.mail.server import Server
from app.mail.smtp import Client, connect

#: RFC 5321 4.5.3.2: a server may take five minutes for a command and ten for the mail itself.
_COMMAND_SECONDS = 300.0
_ACCEPTANCE_SECONDS = 600.0
#: Bytes a second of a line that we still wait for.
_SLOWEST = 10_000


class InDoubt(MailError):
    """The connection broke after the mail went out and before the server confirmed it: it may have been sent."""


@dataclass(frozen=True)
class SmtpAnswer:
    """What the server said to one command: its code and its words, enhanced code included (RFC 3463)."""

    code: int
    words: str

    @property
    def is_yes(self) -> bool:
        return 200 <= self.code < 400

    @property
    def is_for_now(self) -> bool:
        """Refused, but worth another try later."""
        return 400 <= self.code < 500


@dataclass(frozen=True)
class Submitted:
    """What came of one mail. `step`: the command that decided, `mail`, `rcpt`, `data` or `body`. `answer`: what the
    server said to it. `recipients`: what it said to each address that it was asked about."""

    step: str
    answer: SmtpAnswer
    recipients: Mapping[str, SmtpAnswer]

    @property
    def is_accepted(self) -> bool:
        """The server has the mail, for those recipients to whom it said yes."""
        return self.step == "body" and self.answer.is_yes


_NO_SMTPUTF8 = SmtpAnswer(553, "5.6.7 The mail server does not support the letters of this address (no SMTPUTF8).")


class Submission:
    """A connection, signed in. Use it as a context manager. Raises MailError when it cannot be opened."""

    def __init__(self, server: Server, *, host: str, timeout: float = 30.0) -> None:
        """`host`: the name by which we greet; looking up our own may wait for DNS."""
        self._server = server
        self._client: Client = connect(server, timeout, host)
        self._client.wait_at_most(_COMMAND_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.leave()

    @property
    def largest(self) -> int | None:
        """The most bytes that the server takes (RFC 1870); None where it does not say."""
        size = self._client.esmtp_features.get("size", "")
        return int(size) if size.isdigit() and int(size) else None

    @property
    def has_smtputf8(self) -> bool:
        return self._client.has_extn("smtputf8")

    def submit(self, sender: str, to: Sequence[str], raw: bytes, *, handed: Callable[[], None]) -> Submitted:
        """Hand over one mail. `handed` is called once the server is ready for the body, before a byte of it is sent.

        Raises Unreachable if the connection broke before the end of the body was sent, InDoubt after it. A recipient
        with a local part beyond ASCII is refused here where the server lacks SMTPUTF8."""
        try:
            answered = self._ask(sender, to, raw)
        except (OSError, smtplib.SMTPException) as error:
            raise self._broken(error) from error
        if isinstance(answered, Submitted):
            return answered
        handed()
        try:
            self._give(raw)
        except (OSError, smtplib.SMTPException) as error:  # a mail without its end is never delivered
            raise self._broken(error) from error
        return Submitted("body", self._end(), answered)

    def _ask(self, sender: str, to: Sequence[str], raw: bytes) -> Submitted | dict[str, SmtpAnswer]:
        """MAIL, RCPT for each, DATA. What the server said to the recipients if it now waits for the body."""
        if needs_smtputf8(sender) and not self.has_smtputf8:
            return Submitted("mail", _NO_SMTPUTF8, {})
        options = [f"SIZE={len(raw)}"] if self._client.has_extn("size") else []
        if self.has_smtputf8 and any(map(needs_smtputf8, [sender, *to])):
            options += ["SMTPUTF8", "BODY=8BITMIME"]
            self._client.command_encoding = "utf-8"
        answer = self._say(f"MAIL FROM:<{address(sender) if sender else ''}>", *options)
        if not answer.is_yes:
            return self._given_up("mail", answer, {})
        recipients = {one: self._ask_for(one) for one in to}
        if not any(answer.is_yes for answer in recipients.values()):
            return self._given_up("rcpt", next(iter(recipients.values())), recipients)
        answer = self._say("DATA")
        return recipients if answer.code == 354 else self._given_up("data", answer, recipients)

    def _ask_for(self, recipient: str) -> SmtpAnswer:
        if needs_smtputf8(recipient) and not self.has_smtputf8:
            return _NO_SMTPUTF8
        return self._say(f"RCPT TO:<{address(recipient)}>")

    def _given_up(self, step: str, answer: SmtpAnswer, recipients: Mapping[str, SmtpAnswer]) -> Submitted:
        self._say("RSET")
        return Submitted(step, answer, recipients)

    def _give(self, raw: bytes) -> None:
        """The mail up to its end, dots doubled (RFC 5321 4.5.2)."""
        self._client.wait_at_most(_ACCEPTANCE_SECONDS + len(raw) / _SLOWEST)
        self._client.send(re.sub(rb"(?m)^\.", b"..", raw if raw.endswith(b"\r\n") else raw + b"\r\n"))

    def _end(self) -> SmtpAnswer:
        try:
            self._client.send(b".\r\n")
        except (OSError, smtplib.SMTPException) as error:
            raise self._broken(error) from error
        try:
            return _answer(*self._client.getreply())
        except (OSError, smtplib.SMTPException) as error:
            raise InDoubt("The connection broke before the server confirmed the mail.", answer=str(error)) from error
        finally:
            self._client.wait_at_most(_COMMAND_SECONDS)

    def _say(self, *words: str) -> SmtpAnswer:
        return _answer(*self._client.docmd(" ".join(words)))

    def _broken(self, error: Exception) -> Unreachable:
        sentence = f"The connection to the SMTP server {self._server.host} broke before the mail was sent."
        return Unreachable(sentence, answer=str(error))


def _answer(code: int, text: bytes) -> SmtpAnswer:
    if code == -1:
        raise smtplib.SMTPServerDisconnected("the server sent something that is not SMTP")
    return SmtpAnswer(code, " ".join(text.decode("utf-8", "replace").split())[:500])
