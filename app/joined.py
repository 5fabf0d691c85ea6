"""Words and numbers that people write apart or together: "e-mail", "don't", "AB-1234-X", "+49 30 1234567".

A mail is stored with the parts as words, and also joined: "email", "dont", "ab1234x", "49301234567". So each is found
in any way of typing it. All functions take folded text: lower case, digits and ASCII signs (app/searchable.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

#: The number of joined words of each kind in one text, and their length. Longer sequences are tables or codes for
#: machines.
_MOST, LONGEST = 5_000, 40
#: "e-mail", "o'brien", "ab-1234-x". The joint is searched first, because Python finds one of a few characters very
#: fast.
_JOINT = re.compile(r"[-'`](?=\w)(?<=\w.)")
_COMPOUND = re.compile(r"\w{1,40}(?:[-'`]\w{1,40}){1,5}")
_JOINTS = str.maketrans("", "", "-'`_")
#: Digits in groups: "1.234,56", "030/123 45 67", "+49 (0)30 - 1234567".
_NUMBER = re.compile(r"[0-9](?=[-0-9 ()/.,'_]{3})[0-9]{0,39}(?:(?: ?[-/] ?| ?\(|\)[ -]?|[ .,'_])[0-9]{1,24}){0,7}")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:[ .,'][0-9]{3}){1,4}")
_NO_DIGIT = re.compile(r"[^0-9]+")
#: A number with this many digits is one thing in any grouping; fewer digits may be next to each other by chance.
_FEWEST, _LONGEST_NUMBER = 6, 24
#: Fewer digits have no other form. After letters, as in "RE4711", this many digits are also found alone.
_TAIL = 4
_TAIL_OF_WORD = re.compile(f"[0-9]{{{_TAIL},}}")
#: Digits of a telephone number with its country (ITU-T E.164: at most 15) and dialling zeros.
_PHONE = range(7, 18)
#: Country codes (ITU-T E.164) have one, two or three digits.
_COUNTRY = re.compile("^(?:[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[0-9]{3})")
#: Where a new word begins in a file name without spaces: "InvoiceMay2026" has three.
_HUMP = re.compile(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


def joined(text: str) -> list[str]:
    """The words of folded text that are written in parts, joined, each once."""
    found = dict.fromkeys(_compounds(text))
    for match in islice(_NUMBER.finditer(text), _MOST):
        if match.end() - match.start() >= _TAIL:
            found |= dict.fromkeys(_numbers(text, match))
    return list(found)


def digits(text: str) -> str:
    return _NO_DIGIT.sub("", text)


def subscriber(number: str) -> str | None:
    """A telephone number without the digits that depend on the caller's place: the country, "00" and a leading zero.
    None if it cannot be a telephone number."""
    found = digits(number)
    if len(found) not in _PHONE:
        return None
    if number.startswith("+") or found.startswith("00"):
        found = found.removeprefix("00")
        found = _COUNTRY.sub("", found, count=1)
    elif len(found) == 11 and found[0] in "178":  # dialled within North America and Russia
        found = found[1:]
    found = found.lstrip("0")
    return found if len(found) >= _FEWEST else None


def file_words(name: str) -> str:
    """The name of a file, and the words in it that begin with capitals or digits."""
    words = _HUMP.sub(" ", name)
    return name if words == name else f"{name}\n{words}"


def host_names(address: str) -> str:
    """An address, and if its domain is encoded (IDNA, RFC 3490), the domain as people write it."""
    if "xn--" not in address.lower():
        return address
    try:
        return f"{address} {address.rpartition('@')[2].encode('ascii').decode('idna')}"
    except UnicodeError:
        return address


def _compounds(text: str) -> Iterator[str]:
    end = 0
    for joint in islice(_JOINT.finditer(text), _MOST):
        first = joint.start()
        if first < end:
            continue
        while first > end and text[first - 1].isalnum() and joint.start() - first < LONGEST:
            first -= 1
        if compound := _COMPOUND.match(text, first):
            end = compound.end()
            word = compound[0].translate(_JOINTS)
            if len(word) <= LONGEST:
                yield word


def _numbers(text: str, match: re.Match[str]) -> list[str]:
    """The other forms of a number in a text."""
    number, found = match[0], []
    before = text[match.start() - 1 : match.start()]
    bare = digits(number)
    is_grouped = len(bare) < len(number)
    if is_grouped and (_FEWEST <= len(bare) <= _LONGEST_NUMBER or _THOUSANDS.fullmatch(number)):
        found.append(bare)
    if is_grouped or before == "+" or number[0] == "0":
        found += filter(None, [subscriber(f"+{number}" if before == "+" else number)])
    if before.isalpha() and (tail := _TAIL_OF_WORD.match(number)):
        found.append(tail[0])
    return found
