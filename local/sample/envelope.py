"""The header of every sample mail: people, time and servers."""

from __future__ import annotations

import datetime as dt
import random

from local.sample.mime import Header, address, date
from local.sample.people import US, SamplePerson

_PROGRAMS = {
    "apple": ("X-Mailer", "Apple Mail (2.3826.200.121)"),
    "outlook": ("X-MS-Has-Attach", ""),
    "thunderbird": ("User-Agent", "Mozilla Thunderbird"),
}


def message_id(rng: random.Random, sender: SamplePerson) -> str:
    unique = f"{rng.getrandbits(80):020x}"
    if sender is US:
        return f"<{unique[:12]}@{US.domain}>"
    if sender.client == "gmail":
        return f"<CA+{unique}@mail.{sender.domain}>"
    if sender.client == "outlook":
        return f"<{unique[:14].upper()}.{unique[14:].upper()}@{sender.domain}>"
    return f"<{unique[:8]}-{unique[8:12]}-{unique[12:16]}@{sender.domain}>"


def head(
    rng: random.Random,
    sender: SamplePerson,
    to: SamplePerson,
    subject: str,
    moment: dt.datetime,
    *,
    own_id: str | None,
    references: tuple[str, ...] = (),
    more: tuple[Header, ...] = (),
) -> list[Header]:
    """The header of a mail. `references`: the chain of Message-IDs; the last one is answered."""
    lines = _way(rng, sender, to, moment) if sender is not US else []
    lines += [
        ("From", address(sender.name, sender.address)),
        ("To", address(to.name, to.address)),
        ("Subject", subject),
        ("Date", date(moment, sender.zone)),
    ]
    if own_id is not None:
        lines.append(("Message-ID", own_id))
    if references:
        lines += [("In-Reply-To", references[-1]), ("References", "\r\n ".join(references))]
    if sender.client in _PROGRAMS and sender is not US:
        lines.append(_PROGRAMS[sender.client])
    return [*lines, *more]


def _way(rng: random.Random, sender: SamplePerson, to: SamplePerson, moment: dt.datetime) -> list[Header]:
    """The fields that the servers on the way wrote."""
    arrived, number = date(moment + dt.timedelta(seconds=2), 0), rng.getrandbits(40)
    out = f"mail-{number % 97}.{sender.domain}"
    return [
        ("Return-Path", f"<{sender.address}>"),
        ("Delivered-To", to.address),
        (
            "Received",
            f"from {out} ({out} [192.0.2.{number % 250 + 1}])\r\n"
            f"\tby mx1.{US.domain} (Postfix) with ESMTPS id {number:010X}\r\n"
            f"\tfor <{to.address}>; {arrived}",
        ),
        (
            "Authentication-Results",
            f"mx1.{US.domain};\r\n\tdkim=pass header.d={sender.domain} header.s=s1;\r\n"
            f"\tspf=pass smtp.mailfrom={sender.address}; dmarc=pass header.from={sender.domain}",
        ),
        (
            "DKIM-Signature",
            f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={sender.domain}; s=s1;\r\n\th=from:to:subject:date:message-id;"
            f"\r\n\tbh={rng.getrandbits(256):064x};\r\n\tb={rng.getrandbits(512):0128x}",
        ),
    ]
