"""Mail without a human author: newsletters, notices, advertising, absences, bounces."""

from __future__ import annotations

import datetime as dt
import random
import tomllib
from functools import cache
from html import escape
from string import Template
from typing import Any

from local.sample.envelope import head, message_id
from local.sample.mime import Header, mail, multipart, text
from local.sample.people import US, SamplePerson
from local.sample.quoting import Quoted
from local.sample.texts import template


def newsletter(rng: random.Random, moment: dt.datetime, number: int) -> bytes:
    papers = _letters()["newsletter"]
    paper = papers[number % len(papers)]
    sender = SamplePerson(paper["name"], paper["address"], "en", zone=1)
    subject, unsubscribe = rng.choice(paper["subjects"]), f"https://{sender.domain}/leave/{rng.getrandbits(64):x}"
    more = (
        ("List-Unsubscribe", f"<{unsubscribe}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-ID", f"<weekly.{sender.domain}>"),
        ("Precedence", "bulk"),
        ("Auto-Submitted", "auto-generated"),
    )
    headers = head(rng, sender, US, subject, moment, own_id=message_id(rng, sender), more=more)
    html = _page(number % len(papers)).substitute(subject=escape(subject), unsubscribe=unsubscribe)
    goods = "\n".join(f"* {name}" for name in paper["goods"])
    plain = text(f"{subject}\n\n{paper['intro']}\n\n{goods}\n\n{unsubscribe}\n")
    return mail(headers, multipart("alternative", [plain, text(html, "html")], rng))


def notice(rng: random.Random, moment: dt.datetime, number: int) -> bytes:
    return _short(rng, moment, "notice", number, (("Auto-Submitted", "auto-generated"),))


def spam(rng: random.Random, moment: dt.datetime, number: int) -> bytes:
    return _short(rng, moment, "spam", number, (("X-Spam-Flag", "YES"), ("X-Spam-Score", "14.2")))


def machine_answer(
    rng: random.Random, customer: SamplePerson, to_ours: Quoted, references: tuple[str, ...], moment: dt.datetime
) -> bytes:
    """A machine's answer to our mail: the customer is away, or the address no longer works."""
    if rng.random() < 0.4:
        return _bounce(rng, customer, to_ours, references, moment)
    away = _letters()["away"][customer.language == "es"]
    words, subject = away["words"], away["subject"]
    headers = head(
        rng, customer, US, subject.replace("{subject}", to_ours.subject), moment,
        own_id=message_id(rng, customer), references=references[-1:],
        more=(("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All")),
    )  # fmt: skip
    return mail(headers, text(words.replace("{name}", customer.name) + "\n"))


def _bounce(
    rng: random.Random, customer: SamplePerson, ours: Quoted, references: tuple[str, ...], moment: dt.datetime
) -> bytes:
    """A delivery report (RFC 3464) with the header of the returned mail."""
    daemon = SamplePerson("Mail Delivery System", f"mailer-daemon@mx.{customer.domain}", "en")
    headers = head(
        rng, daemon, US, "Undelivered Mail Returned to Sender", moment,
        own_id=message_id(rng, daemon), more=(("Auto-Submitted", "auto-replied"),),
    )  # fmt: skip
    explained = (
        f"I'm sorry to have to inform you that your message could not be delivered.\n\n<{customer.address}>: host "
        f"mx.{customer.domain}[192.0.2.7] said: 552 5.2.2 The mailbox is full (in reply to RCPT TO command)\n"
    )
    status = (
        "Content-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.{customer.domain}\r\nArrival-Date: {moment:%a, %d %b %Y %H:%M:%S} +0000\r\n\r\n"
        f"Final-Recipient: rfc822; {customer.address}\r\nAction: failed\r\nStatus: 5.2.2\r\n"
        "Diagnostic-Code: smtp; 552 5.2.2 The mailbox is full\r\n"
    )
    returned = mail(
        [("From", f"{US.name} <{US.address}>"), ("To", customer.address), ("Subject", ours.subject),
         ("Message-ID", references[-1])], b"\r\n",
    )  # fmt: skip
    parts = [text(explained), status.encode(), b"Content-Type: text/rfc822-headers\r\n\r\n" + returned]
    return mail(headers, multipart("report", parts, rng, "; report-type=delivery-status"))


def _short(rng: random.Random, moment: dt.datetime, kind: str, number: int, more: tuple[Header, ...]) -> bytes:
    letters = _letters()[kind]
    letter = letters[number % len(letters)]
    sender = SamplePerson(letter["name"], letter["address"], "en")
    subject, words = letter["subject"], letter["words"]
    for slot, value in (("{n}", rng.randrange(1_000, 9_999)), ("{few}", rng.randrange(2, 9))):
        subject, words = subject.replace(slot, str(value)), words.replace(slot, str(value))
    headers = head(rng, sender, US, subject, moment, own_id=message_id(rng, sender), more=more)
    if rng.random() < 0.5:
        return mail(headers, text(words + "\n"))
    paragraphs = "".join(f"<p>{escape(part)}</p>" for part in words.split("\n\n"))
    html = f'<html><body style="font-family:sans-serif">{paragraphs}</body></html>\n'
    return mail(headers, multipart("alternative", [text(words + "\n"), text(html, "html")], rng))


@cache
def _letters() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(template("bulk.toml"))


@cache
def _page(number: int) -> Template:
    """A newsletter as programs make it: nested tables, styles in every cell, remote pictures."""
    paper = _letters()["newsletter"][number]
    values = {name: escape(value) for name, value in paper.items() if isinstance(value, str)}
    values["domain"] = paper["address"].partition("@")[2]
    card = Template(template("newsletter_card.html"))
    cards = (card.substitute(values, number=10 + at, item=escape(name)) for at, name in enumerate(paper["goods"]))
    return Template(Template(template("newsletter.html")).safe_substitute(values, cards="".join(cards)))
