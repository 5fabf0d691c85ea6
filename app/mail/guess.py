"""The charset of bytes that nobody declared, from how the charsets are built.

Made for what is short: subjects, names and file names, where statistics over words have nothing to count.
charset-normalizer takes "客户" for Korean. Patterns are linear.
"""

from __future__ import annotations

import re

_HIGH = re.compile(rb"[\x80-\xff]+")
#: Western words hold one or two letters beyond ASCII in a row; words of other scripts are made of them.
_LONGEST_WESTERN = 2
_SAMPLE = 4096

#: What letters in daily use look like in each charset, in the order in which they are told apart.
_SHAPES = {
    "euc-jp": re.compile(rb"(?:[\x00-\x7f]|[\xa4\xa5][\xa1-\xf6]|[\xb0-\xcf][\xa1-\xfe]|\xa1[\xa1-\xfe])+"),
    "cp932": re.compile(
        rb"(?:[\x00-\x7f]|[\xa1-\xdf]|\x81[\x40-\xfc]|\x82[\x4f-\xf1]|\x83[\x40-\xd6]|[\x88-\x9f\xe0-\xea][\x40-\xfc])+"
    ),
    "cp949": re.compile(rb"(?:[\x00-\x7f]|[\xb0-\xc8][\xa1-\xfe]|[\xa1-\xa3][\xa1-\xfe])+"),
    "gb18030": re.compile(rb"(?:[\x00-\x7f]|[\xb0-\xd7][\xa1-\xfe]|[\xa1-\xa3][\xa1-\xfe])+"),
    "cp950": re.compile(rb"(?:[\x00-\x7f]|[\xa4-\xc6][\x40-\x7e\xa1-\xfe]|[\xa1-\xa3][\x40-\x7e\xa1-\xfe])+"),
}
#: Some letters without which a text of that shape is more likely something else.
_NEEDED = {
    "euc-jp": re.compile(rb"[\xa4\xa5][\xa1-\xf6]"),
    "cp932": re.compile(rb"[\x81-\x9f][\x40-\xfc]"),
    "cp949": re.compile(rb"(?:[\xb0-\xc8][\xa1-\xfe][ ]?){4}"),
}
_CYRILLIC = re.compile(rb"[\x00-\x7f\xa8\xb8\xaa\xba\xaf\xbf\xb2\xb3\xa3\xc0-\xff]+")
_CAPITAL_WITHIN = {
    "windows-1251": re.compile(rb"[\xe0-\xff][\xc0-\xdf]"),
    "koi8-r": re.compile(rb"[\xc0-\xdf][\xe0-\xff]"),
}
_RELATIVES = {
    "iso-2022-jp": ("euc-jp", "cp932"),
    "euc-jp": ("iso-2022-jp", "cp932"),
    "cp932": ("iso-2022-jp", "euc-jp"),
    "gb18030": ("cp950",),
    "cp950": ("gb18030",),
}


def is_western(raw: bytes) -> bool:
    """Whether the letters beyond ASCII stand one by one, as in windows-1252."""
    runs = [len(run) for run in _HIGH.findall(raw[:_SAMPLE])]
    return sum(run for run in runs if run > _LONGEST_WESTERN) * 2 <= sum(runs)


def guessed(raw: bytes) -> str | None:
    """The codec that most likely made these bytes, None when none fits."""
    sample = raw[:_SAMPLE]
    if _CYRILLIC.fullmatch(sample):
        found = [name for name, odd in _CAPITAL_WITHIN.items() if not odd.search(sample)]
        return found[0] if len(found) == 1 else _by_small_letters(sample) if found else None
    return next((name for name in _SHAPES if _fits(name, sample)), None)


def relatives(raw: bytes, declared: str) -> tuple[str, ...]:
    """Charsets of the same language as one that was declared and does not fit, the likely ones."""
    return tuple(name for name in _RELATIVES.get(declared, ()) if name == "iso-2022-jp" or _fits(name, raw[:_SAMPLE]))


def _fits(name: str, sample: bytes) -> bool:
    shape, needed = _SHAPES[name], _NEEDED.get(name)
    end = shape.match(sample)
    whole = end is not None and end.end() >= len(sample) - (len(sample) == _SAMPLE)  # the sample may end within a pair
    return whole and (needed is None or needed.search(sample) is not None)


def _by_small_letters(sample: bytes) -> str:
    high = sum(byte >= 0xE0 for byte in sample)
    low = sum(0xC0 <= byte < 0xE0 for byte in sample)
    return "windows-1251" if high >= low else "koi8-r"
