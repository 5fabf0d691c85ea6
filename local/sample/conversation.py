"""Writes a conversation between a customer and us, as both mail programs would."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from local.sample import bulk, files, quoting
from local.sample.envelope import head, message_id
from local.sample.mime import attachment, mail, multipart, text
from local.sample.people import AGENTS, US, SamplePerson, someone
from local.sample.quoting import Quoted
from local.sample.texts import Scenario, fill, with_turns
from local.sample.values import ConversationPlan, SampleMail

_LANGUAGES = ("en",) * 29 + ("es",) * 19 + ("other",) * 2
#: Real combinations of charset and transfer encoding for each language.
_CODINGS = {
    "en": (
        ("utf-8", "quoted-printable"),
        ("utf-8", "8bit"),
        ("utf-8", "base64"),
        ("us-ascii", "7bit"),
        ("iso-8859-1", "quoted-printable"),
        ("windows-1252", "quoted-printable"),
    ),
    "es": (
        ("utf-8", "quoted-printable"),
        ("utf-8", "base64"),
        ("iso-8859-1", "quoted-printable"),
        ("iso-8859-1", "8bit"),
        ("windows-1252", "8bit"),
        ("iso-8859-15", "quoted-printable"),
    ),
    "ja": (("iso-2022-jp", "7bit"), ("utf-8", "base64"), ("shift_jis", "base64")),
    "ru": (("koi8-r", "8bit"), ("windows-1251", "base64"), ("utf-8", "base64")),
    "de": (("iso-8859-15", "quoted-printable"), ("utf-8", "8bit")),
    "fr": (("windows-1252", "quoted-printable"), ("macintosh", "quoted-printable")),
    "he": (("windows-1255", "base64"), ("iso-8859-8", "8bit")),
}
_ATTACHED = ("attach", "adjunt", "picture of", "photo of", "here is the bill", "aquí va la factura")
_PAPERS = ("bill", "factura", "screenshot")


@dataclass
class _Exchange:
    """The constants of one conversation, and the last mail."""

    rng: random.Random
    customer: SamplePerson
    scenario: Scenario
    subject: str
    slots: dict[str, str]
    coding: tuple[str, str]
    references: tuple[str, ...] = ()
    last: Quoted | None = None


def conversation(plan: ConversationPlan, rng: random.Random) -> Iterator[SampleMail]:
    """The mails of one conversation, oldest first."""
    exchange = _begin(plan, rng)
    archived = plan.settled and rng.random() < 0.3
    agent = rng.choice(list(AGENTS))
    exchange.slots["agent"] = f"{AGENTS[agent]}\nHalden · https://halden.example"
    for turn, moment in enumerate(plan.moments):
        ours = turn % 2 == 1
        last_but_answered = turn == len(plan.moments) - 1 and not ours and turn > 0
        if last_but_answered and exchange.last and rng.random() < 0.12:
            raw = bulk.machine_answer(rng, exchange.customer, exchange.last, exchange.references, moment)
        else:
            raw = _write(exchange, turn, moment)
        answered = not ours and turn + 1 < len(plan.moments)
        flags = (*(("\\Seen",) if ours or answered or plan.settled else ()), *(("\\Answered",) if answered else ()))
        folder = "Sent" if ours else "Archive" if archived else "INBOX"
        tag = exchange.scenario.tag
        yield SampleMail(raw, folder, flags, moment, plan.number, "conversation", ours, tag, agent if ours else None)


def _begin(plan: ConversationPlan, rng: random.Random) -> _Exchange:
    file = rng.choice(_LANGUAGES)
    known = with_turns(file, len(plan.moments)) or with_turns("en", len(plan.moments))
    # Neighbours in the list get different scenarios, because the step and their number have no common divisor.
    step = next(step for step in (7, 11, 13) if len(known) % step)
    scenario = known[(plan.number * step + len(plan.moments)) % len(known)]
    customer = someone(rng, scenario.language)
    slots = {name: rng.choice(values) for name, values in scenario.choices.items()}
    slots |= {
        "name": customer.name if rng.random() < 0.5 else customer.first,
        "first": customer.first,
        "city": customer.city,
        "street": customer.street,
        "order": f"HB-{40_000 + plan.number * 13 % 59_000}",
        "track": f"{rng.randrange(10**9, 10**10)}",
        "amount": f"{rng.randrange(19, 240)}.{rng.choice(('00', '50', '90'))}",
        "vat": f"{rng.randrange(10**8, 10**9)}",
    }
    subject = fill(scenario.subject, rng, slots)
    coding = rng.choice(_CODINGS[scenario.language])
    return _Exchange(rng, customer, scenario, subject, slots, coding)


def _write(exchange: _Exchange, turn: int, moment: object) -> bytes:
    import datetime as dt

    assert isinstance(moment, dt.datetime)
    rng, ours = exchange.rng, turn % 2 == 1
    sender, to = (US, exchange.customer) if ours else (exchange.customer, US)
    writer = SamplePerson(US.name, US.address, _language(exchange), US.client, US.zone) if ours else sender
    words = fill(exchange.scenario.turns[turn], rng, exchange.slots)
    plain, html = quoting.plain(writer, words, exchange.last), quoting.html(writer, words, exchange.last)
    charset, transfer = ("utf-8", "quoted-printable") if ours else exchange.coding
    subject = exchange.subject if turn == 0 else f"Re: {exchange.subject}"
    own_id = message_id(rng, sender)
    headers = head(rng, sender, to, subject, moment, own_id=own_id, references=exchange.references)
    entity = _body(exchange, words, plain, html, charset, transfer, ours=ours)
    exchange.references = (*exchange.references, own_id)
    exchange.last = Quoted(sender, to, moment, subject, plain, html)
    return mail(headers, entity, charset if charset != "us-ascii" else "utf-8")


def _body(exchange: _Exchange, words: str, plain: str, html: str, charset: str, transfer: str, *, ours: bool) -> bytes:
    rng = exchange.rng
    entity = text(plain, "plain", charset, transfer)
    if exchange.customer.client != "thunderbird" or ours:
        entity = multipart("alternative", [entity, _html_part(rng, html, charset, transfer, ours=ours)], rng)
    lower = words.lower()
    if any(hint in lower for hint in _ATTACHED) or rng.random() < 0.01:
        pool = files.documents(_language(exchange)) if ours else files.photos()
        if not ours and any(hint in lower for hint in _PAPERS):
            pool = files.papers()
        chosen = [attachment(rng.choice(pool)) for _ in range(1 if rng.random() < 0.85 else 2)]
        entity = multipart("mixed", [entity, *chosen], rng)
    return entity


def _html_part(rng: random.Random, html: str, charset: str, transfer: str, *, ours: bool) -> bytes:
    """Some people have a logo in the signature, as a part that the HTML names (RFC 2392)."""
    if ours or rng.random() > 0.12:
        return text(html, "html", charset, transfer)
    own_id = f"logo.{rng.getrandbits(32):08x}@mail.example"
    signed = html.replace("</body>", f'<p><img src="cid:{own_id}" width="48" height="48" alt="logo"></p></body>')
    if signed == html:
        signed += f'<p><img src="cid:{own_id}" width="48" height="48" alt="logo"></p>'
    parts = [text(signed, "html", charset, transfer), attachment(files.logo(), inline_id=own_id)]
    return multipart("related", parts, rng)


def _language(exchange: _Exchange) -> str:
    return "es" if exchange.scenario.language == "es" else "en"
