"""Encoding of names and numbers on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mail.errors import Broken
from app.mail.folders import with_roles
from app.mail.names import (
    checked_flag,
    expanded,
    folder_from_wire,
    folder_in_utf8,
    folder_on_wire,
    parsed_uid_set,
    ranges,
    uid_set,
)
from app.mail.values import FolderInfo, Role


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40))
def test_any_folder_name_goes_to_the_server_and_back(name: str) -> None:
    spelt = folder_on_wire(name)
    assert spelt.isascii()
    plain = spelt[1:-1].replace(b'\\"', b'"').replace(b"\\\\", b"\\")
    assert folder_from_wire(plain) == name


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=20))
def test_no_name_brings_a_line_end_or_a_second_word_into_a_command(name: str) -> None:
    for spell in (checked_flag, folder_on_wire, folder_in_utf8, uid_set):
        try:
            spelt = spell(name)
        except ValueError:
            continue
        assert not set(spelt) & set(b"\r\n\0")
        assert b" " not in spelt or spelt.startswith(b'"')


@settings(max_examples=200, deadline=None)
@given(st.sets(st.integers(1, 400)))
def test_ranges_cover_exactly_the_uids(uids: set[int]) -> None:
    assert set(expanded(list(ranges(uids)), 400)) == uids
    assert sorted(uids) == (expanded(parsed_uid_set(uid_set(uids)), 400) if uids else [])


def test_sets_that_are_none_are_refused_and_huge_ones_not_expanded() -> None:
    for wrong in ([0], [-1], [2**32]):
        with pytest.raises(ValueError, match="is not a UID"):
            uid_set(wrong)
    with pytest.raises(Broken):
        parsed_uid_set(b"1:x")
    with pytest.raises(Broken):
        expanded([(1, 2**32 - 1)], 500)


def folder(name: str, *flags: str, delimiter: str = "/") -> FolderInfo:
    return FolderInfo(name, delimiter, frozenset(flags), None, selectable="\\noselect" not in flags)


def test_special_use_decides_roles_before_names() -> None:
    folders = [folder("inbox"), folder("Trash"), folder("Gone", "\\trash"), folder("Enviados"), folder("Spam")]
    assert [one.role for one in with_roles(folders)] == ["inbox", None, "trash", "sent", "junk"]


def test_a_folder_keeps_its_role_against_names_but_not_against_the_server() -> None:
    folders = [folder("Enviados"), folder("Sent"), folder("Spam"), folder("Other", "\\junk")]
    held: dict[str, Role | None] = {"Sent": "sent", "Spam": "junk"}
    assert [one.role for one in with_roles(folders, held)] == [None, "sent", None, "junk"]


def test_only_folders_at_the_top_or_below_inbox_are_known_by_name() -> None:
    folders = [
        folder("Customers/Sent"),
        folder("INBOX.Gesendet", delimiter="."),
        folder("[Gmail]/Trash"),
        folder("Éléments supprimés"),
        folder("Archive", "\\noselect"),
    ]
    assert [one.role for one in with_roles(folders)] == [None, "sent", "trash", None, None]
