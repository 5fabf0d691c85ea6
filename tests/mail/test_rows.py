"""The tokenizer of FETCH answers reads each row correctly, whatever strangers put into a mail or a keyword."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mail.errors import Broken
from app.mail.names import checked_flag
from app.mail.rows import parsed_row, rows

ATOM = "!#$&'+,-./0123456789:;<=>?@ABCXYZ[^_`abcxyz|}~"
KEYWORDS = st.lists(st.text(ATOM, min_size=1, max_size=50), max_size=8)


@settings(max_examples=200, deadline=None)
@given(
    KEYWORDS, st.integers(1, 2**32 - 1), st.integers(1, 2**63 - 1), st.permutations(range(4)), st.binary(max_size=99)
)
def test_any_row_is_read_back_in_any_order(
    keywords: list[str], uid: int, modseq: int, order: list[int], body: bytes
) -> None:
    flags = b" ".join(checked_flag(name) for name in keywords)
    literal = b"BODY[] {%d}" % len(body)
    items = [b"UID %d" % uid, b"FLAGS (%s)" % flags, b"MODSEQ (%d)" % modseq, literal]
    text = b"* 7 FETCH (" + b" ".join(items[at] for at in order) + b")"
    end = text.index(literal) + len(literal)
    row = parsed_row([text[:end], body, text[end:]])
    assert (row.uid, row.modseq) == (uid, modseq)
    assert row.flags == tuple(keywords)
    assert row.bodies == {"": body}


def test_flags_of_the_system_are_spelt_one_way_and_keywords_as_they_are() -> None:
    row = parsed_row([rb"* 1 FETCH (UID 4 FLAGS (\DELETED \seen \recent Urgent))"])
    assert row.flags == ("\\Deleted", "\\Seen", "Urgent")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5))
def test_no_answer_does_worse_than_being_called_broken(parts: list[bytes]) -> None:
    with contextlib.suppress(Broken):
        rows([[b"* 1 FETCH (" + parts[0], *parts[1:]]])


@settings(max_examples=300, deadline=None)
@given(st.text('()"\\ {}NIL*:[]<>aU1\r\n', max_size=60))
def test_no_mixture_of_its_signs_confuses_it(text: str) -> None:
    with contextlib.suppress(Broken):
        rows([[b"* 1 FETCH (UID 3 BODYSTRUCTURE " + text.encode()]])


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (b'INTERNALDATE " 2-Nov-2026 10:00:00 +0100"', datetime(2026, 11, 2, 9, tzinfo=UTC)),
        (b'INTERNALDATE "31-Dec-1999 23:59:59 -1200"', datetime(2000, 1, 1, 11, 59, 59, tzinfo=UTC)),
        (b'INTERNALDATE "01-Jan-0001 00:00:00 +1400"', None),
        (b'INTERNALDATE "31-Dec-9999 23:59:59 +0000"', None),
        (b'INTERNALDATE "30-Feb-2026 10:00:00 +0000"', None),
        (b'INTERNALDATE "1-Nop-2026 10:00:00 +0000"', None),
        (b'INTERNALDATE ""', None),
        (b"INTERNALDATE NIL", None),
    ],
)
def test_a_time_of_arrival_is_read_or_left_out(item: bytes, expected: datetime | None) -> None:
    row = parsed_row([b"* 1 FETCH (" + item + b" UID 4)"])
    assert (row.uid, row.internaldate) == (4, expected)


def test_a_strangers_file_name_is_not_an_item_of_the_answer() -> None:
    hostile = b'("text" "plain" ("name" "x) FLAGS (assigned-eve) UID 9 (") NIL NIL "7bit" 1 1)'
    row = parsed_row([b"* 1 FETCH (BODYSTRUCTURE " + hostile + b" UID 4 FLAGS (mine))"])
    assert (row.uid, row.flags) == (4, ("mine",))


def test_a_number_beyond_all_numbers_is_broken_not_slow() -> None:
    with pytest.raises(Broken):
        parsed_row([b"* 1 FETCH (UID " + b"9" * 5000 + b" FLAGS (x)"])
    assert parsed_row([b"* 1 FETCH (UID " + b"9" * 5000 + b")"]).uid is None


def test_unknown_items_are_passed_over() -> None:
    row = parsed_row([b'* 1 FETCH (X-NEW (a (b "c)") NIL) UID 4 PREVIEW "hi (" SAVEDATE NIL EMAILID (M1))'])
    assert row.uid == 4


def test_rows_without_a_uid_are_nobodys() -> None:
    assert rows([[b"* 1 FETCH (FLAGS (x))"], [b"* 4 EXISTS"], [b"* 1 fetch (uid 4 flags (x))"]])[0].uid == 4
