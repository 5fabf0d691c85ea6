"""Header fields as they are written (RFC 5322, 2045, 2047, 2231, 6532).

Python's own writer (`EmailMessage` with `policy.SMTP`) must not write them: up to 3.14 it encodes Message-IDs of 78
characters and more, which ends threading, drops the quotes of a long name, and encodes addresses. Up to 3.12 it writes
an encoded line end as a real one, so that a subject can add a `Bcc`.

Every function takes text as people gave it and raises ValueError for a line end or NUL in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from email.header import Header
from urllib.parse import quote

import idna

from app.mail.addresses import Address

#: RFC 5322 3.2.3, in words that need no quotes.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_PLAIN_PHRASE = re.compile(rf"{_ATOM}(?: {_ATOM})*")
_LITERAL = re.compile(r"\[[A-Za-z0-9:.]+\]")
#: A Message-ID that can be written in one line as it came.
_ID = re.compile(r"<[!-;=?-~]{1,900}>")
_FORBIDDEN = re.compile(r"[\r\n\0]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: Beyond it a line is folded (RFC 5322 2.1.1). A word without a blank may be longer, up to `_LONGEST_WORD`.
_LINE = 76
_LONGEST_WORD = 200
#: References stay below it: relays refuse long headers. The first id and the last ones are kept.
_MOST_REFERENCES = 900
#: Letters of a section of a parameter that goes over several lines (RFC 2231 3).
_SECTION = 60
_FOLD = "\r\n "


def text(value: str) -> str:
    """A subject: folded at blanks, or as encoded words where it needs them."""
    value = _line(value)
    words = value.split(" ")
    if not value.isascii() or _CONTROL.search(value) or "=?" in value or max(map(len, words)) > _LONGEST_WORD:
        return _encoded(value)
    lines = [""]
    for word in words:
        if lines[-1].strip() and len(lines[-1]) + len(word) > _LINE:
            lines.append("")
        lines[-1] += f" {word}"
    return _FOLD.join(line[1:] for line in lines)


def people(addresses: Iterable[Address]) -> str:
    """A list of people, one a line."""
    return f",{_FOLD}".join(map(_person, addresses))


def ids(message_ids: Iterable[str]) -> str:
    """Message-IDs, one a line. An id that cannot be written as it came is left out."""
    writable = [id_ for id_ in message_ids if _ID.fullmatch(id_)]
    return _FOLD.join(writable)


def references(parents: Sequence[str]) -> list[str]:
    """The ids of the messages before, oldest first, as many as fit: the first and the last ones."""
    writable = [id_ for id_ in dict.fromkeys(parents) if _ID.fullmatch(id_)]
    kept: list[str] = []
    room = _MOST_REFERENCES - (len(writable[0]) if writable else 0)
    for id_ in reversed(writable[1:]):
        room -= len(id_) + len(_FOLD)
        if room < 0 and kept:
            break
        kept.insert(0, id_)
    return writable[:1] + kept


def filename(name: str) -> str:
    """`filename` of a Content-Disposition, in sections if it is long (RFC 2231)."""
    name = _line(name)
    if name.isascii() and not _CONTROL.search(name) and "=?" not in name and len(name) <= _SECTION:
        return f'filename="{_escaped(name)}"'
    spelt = quote(name, safe="")
    if len(spelt) <= _SECTION:
        return f"filename*=UTF-8''{spelt}"
    sections = _sections(spelt)
    first = f"filename*0*=UTF-8''{sections[0]}"
    return f";{_FOLD}".join([first, *(f"filename*{n}*={section}" for n, section in enumerate(sections[1:], 1))])


def address(written: str) -> str:
    """An address as header and envelope carry it: the domain in ASCII (RFC 5891), a local part with odd signs in
    quotes. A local part beyond ASCII stays: it needs SMTPUTF8 (RFC 6531), see `needs_smtputf8`."""
    local, _, domain = _line(written).rpartition("@")
    if not local or not domain:
        raise ValueError(f"{written!r} is not an address")
    if local.startswith('"') and local.endswith('"') and len(local) > 2:
        local = local[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if not _DOT_ATOM.fullmatch(local) and local.isascii():
        local = f'"{_escaped(local)}"'
    return f"{local}@{_domain(domain)}"


def needs_smtputf8(written: str) -> bool:
    """Whether only servers with SMTPUTF8 can be told this address."""
    return not written.rpartition("@")[0].isascii()


def _person(person: Address) -> str:
    spelt = address(person.address)
    name = _line(person.name)
    if not name:
        return spelt
    if not name.isascii() or _CONTROL.search(name) or "=?" in name:
        return f"{_encoded(name)}{_FOLD if len(name) > 30 else ' '}<{spelt}>"
    phrase = name if _PLAIN_PHRASE.fullmatch(name) else f'"{_escaped(name)}"'
    return f"{phrase} <{spelt}>"


def _domain(domain: str) -> str:
    if _LITERAL.fullmatch(domain):
        return domain
    try:
        ascii_only = domain.isascii()
        spelt = domain if ascii_only else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(f"{domain!r} is not a domain") from error
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", spelt):
        raise ValueError(f"{domain!r} is not a domain")
    return spelt


def _encoded(value: str) -> str:
    """Encoded words (RFC 2047), none longer than a line, none within a character."""
    return Header(value, "utf-8", maxlinelen=_LINE).encode(linesep="\r\n")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _sections(spelt: str) -> list[str]:
    """Parts of a percent-encoded text, never within an escape."""
    return re.findall(rf"(?:%[0-9A-F]{{2}}|[^%]){{1,{_SECTION // 3}}}", spelt)


def _line(value: str) -> str:
    if _FORBIDDEN.search(value):
        raise ValueError("a header field cannot contain a line end")
    return value.strip()
