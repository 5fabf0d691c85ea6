"""Authentication-Results (RFC 8601): what mail servers found out about the sender of a mail.

Anyone can write the field. We read only fields with the name (authserv-id) of a trusted server, and of those only the
topmost: servers add theirs above what they receive."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

#: Limits for the number of fields and their letters.
_MOST_FIELDS = 20
_LONGEST = 4000
#: With fewer mails we draw no conclusion.
_ENOUGH = 3
_COMMENT = re.compile(r"\([^()]*\)")
_MOST_NESTED = 5
#: The sender controls the letters of a quoted value: `smtp.mailfrom="; dmarc=pass "@x`.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"')
_SYNTAX = re.compile(r"[\s;=()\"\\]+")
_ID = re.compile(r"\s*([^\s;]{1,255})[^;]*;")
_RESULT = re.compile(r"^\s*(dmarc|dkim|spf)\s{0,9}=\s{0,9}([a-z]+)", re.IGNORECASE)
_DOMAIN = re.compile(
    r"(?<=\s)(?:header\.d|header\.i|smtp\.mailfrom)\s{0,9}=\s{0,9}(?:[^\s;@]*@)?([^\s;@]+)", re.IGNORECASE
)


def authentications(fields: Iterable[str], from_address: str) -> tuple[tuple[str, str], ...]:
    """(authserv-id in lower case, pass, fail or none) for each server, from its topmost field. A pass counts for the
    domain of From, by DMARC (RFC 7489). A DKIM signature or SPF of that domain or a parent domain counts as well."""
    domain = from_address.rpartition("@")[2].lower()
    found: dict[str, str] = {}
    for field in list(fields)[:_MOST_FIELDS]:
        text = _plain(field[:_LONGEST])
        if name := _ID.match(text):
            found.setdefault(name[1].lower(), _verdict(text[name.end() :], domain))
    return tuple(found.items())


def likely_ids(mails: Iterable[Sequence[str]]) -> list[str]:
    """The authserv-id that the account's own server probably writes, from the fields of recent mails. It is the topmost
    field in every mail that has one, because no other server sees every mail. Empty if there is none."""
    topmost: list[str] = []
    for fields in mails:
        name = _ID.match(_plain(fields[0][:_LONGEST])) if fields else None
        topmost += [name[1].lower()] if name else []
    return topmost[:1] if len(topmost) >= _ENOUGH and len(set(topmost)) == 1 else []


def _plain(field: str) -> str:
    """The field without comments, which nest (RFC 5322 section 3.2.2), and with quoted values as single words."""
    text = _QUOTED.sub(lambda quoted: _SYNTAX.sub("", quoted[0]), field) if '"' in field else field
    for _ in range(_MOST_NESTED if "(" in text else 0):
        text = _COMMENT.sub("", text)
    return text


def _verdict(results: str, domain: str) -> str:
    """If a comment or quoted value does not end, nothing in the field counts. If DMARC is named twice, the worse result
    counts."""
    if any(mark in results for mark in '()"'):
        return "none"
    dmarc, others = set[str](), set[str]()
    for result in results.split(";"):
        if method := _RESULT.match(result):
            name, value = method[1].lower(), method[2].lower()
            if name == "dmarc":
                dmarc.add(value)
            elif value != "pass" or _speaks_for(result, domain):
                others.add(value)
    if "fail" in dmarc or dmarc == {"pass"}:
        return "fail" if "fail" in dmarc else "pass"
    return next((value for value in ("pass", "fail") if value in others), "none")


def _speaks_for(result: str, domain: str) -> bool:
    signer = _DOMAIN.search(result)
    above = signer[1].lower() if signer else ""
    return "." in above and (domain == above or domain.endswith(f".{above}"))
