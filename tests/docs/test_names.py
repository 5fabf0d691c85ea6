"""One name, one thing: public classes of different files have different names."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
#: Names that may stand for a class in each of two files, with the reason.
BY_DESIGN = {
    "shapes of the API carry the name of the noun that they show": {
        "Attachment", "Body", "Conversation", "Copy", "Event", "Failure", "Item", "Mailbox", "Message", "Note", "Page",
        "Appointment", "Repetition", "Undelivered",
    },
}  # fmt: skip


def test_a_class_name_means_one_thing() -> None:
    files = _files_by_class()
    twice = {name: where for name, where in files.items() if len(where) > 1}
    allowed = set().union(*BY_DESIGN.values())
    assert {name: where for name, where in twice.items() if name not in allowed} == {}
    assert allowed - set(twice) == set(), "take names that stand once off the list"


def test_allowed_duplicates_are_in_the_api_and_once_elsewhere() -> None:
    files = _files_by_class()
    for name in set().union(*BY_DESIGN.values()):
        assert (len(files[name]), "app/web/api/shapes.py" in files[name]) == (2, True), files[name]


def _files_by_class() -> dict[str, list[str]]:
    files: dict[str, list[str]] = defaultdict(list)
    for path in (path for room in ("app", "local", "bench") for path in sorted((PROJECT / room).rglob("*.py"))):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                files[node.name].append(path.relative_to(PROJECT).as_posix())
    return files
