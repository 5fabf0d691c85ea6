"""Compares the documentation with the code: names in it exist, and required names are in it."""

from __future__ import annotations

import math
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

from app import commands
from app.commands.connecting import _WARNINGS
from app.inbox.mailboxes import vocabulary
from app.sync.account import CODES
from app.worker.service import _LOOK_AGAIN
from config import Config

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md")])
ROOMS = ("mail", "inbox", "sync", "web")
#: Named in the tree as a folder, one line for all of it.
ONE_LINE = ("app/web/admin/", "app/web/api/")


def text(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def test_every_file_of_the_tree_exists() -> None:
    assert [path for path in tree() if not (PROJECT / path).exists()] == []


def test_every_module_of_the_rooms_is_in_the_tree() -> None:
    modules = [
        *(PROJECT / "app").glob("*.py"),
        *(path for room in ROOMS for path in (PROJECT / "app" / room).rglob("*.py")),
    ]
    paths = {path.relative_to(PROJECT).as_posix() for path in modules if path.name != "__init__.py"}
    unnamed = {path for path in paths - set(tree()) if not path.startswith(ONE_LINE)}
    assert sorted(unnamed) == [], "name them in the tree of ARCHITECTURE.md, in one line each"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_and_link_on_a_page_leads_somewhere(page: Path) -> None:
    words = page.read_text(encoding="utf-8")
    paths = re.findall(r"`((?:app|tests|scripts|migrations|docs|templates|translations)/[\w./-]+)`", words)
    links = re.findall(r"\]\(([^)#:]+)[^)]*\)|src=\"([^\"]+)\"", words)
    wanted = [PROJECT / path for path in paths if "000N" not in path]
    wanted += [page.parent / (link or picture) for link, picture in links]
    assert [str(path) for path in wanted if not path.exists()] == []


def test_every_function_named_in_the_architecture_exists() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (PROJECT / "app").rglob("*.py"))
    named = set(re.findall(r"`(?:[\w.]+\.)?(\w+)\([^`]*\)`", text("ARCHITECTURE.md")))
    assert len(named) > 20
    assert sorted(name for name in named if f"def {name}(" not in code) == []


def test_every_setting_is_in_the_readme() -> None:
    settings = re.findall(r"\bread\.(?:text|parsed)\(\s*\"([A-Z_]+)\"", text("config.py"))
    assert len(settings) > 10
    assert [name for name in settings if f"| `SIGNALBOX_{name}` |" not in text("README.md")] == []


def test_a_setting_that_is_bounded_says_so() -> None:
    [row] = re.findall(r"\| `SIGNALBOX_SYNC_SECONDS` .*", text("README.md"))
    assert f"more than {_LOOK_AGAIN:.0f} counts as {_LOOK_AGAIN:.0f}" in row


def test_administrators_learn_how_many_open_pages_a_web_process_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    served = runpy.run_path(str(PROJECT / "gunicorn.conf.py"))
    streams = served["threads"] // 2
    assert f"up to {streams} open pages" in text("README.md")
    assert f"room for {served['workers'] * streams};" in text("README.md")
    said = text("docs/administrators.md")
    assert f"N / {streams}, rounded up" in said
    assert f"300 pages: {math.ceil(300 / streams) + 1}." in said


def test_every_command_is_in_the_readme(tmp_path: Path) -> None:
    app = Flask("signalbox")
    commands.init_app(app, Config.from_env({"SIGNALBOX_HOME": str(tmp_path)}, opens_secrets=True))
    names = list(command_names(app.cli, "flask"))
    assert "flask mailbox grant" in names
    assert [name for name in names if f"| `{name}" not in text("README.md")] == []


def test_every_make_target_for_people_is_in_the_readme_and_no_other() -> None:
    [targets, steps] = re.findall(r"^\.PHONY: (.+)$", text("Makefile"), re.MULTILINE)
    assert {"setup", "check"} <= set(targets.split())
    assert not {"setup", "check"} & set(steps.split())
    assert set(re.findall(r"`make ([\w-]+)", text("README.md"))) == set(targets.split())


def test_the_docs_explain_every_error_and_warning_to_administrators() -> None:
    codes = ["internal", *(code for _, code in CODES), *_WARNINGS]
    assert [code for code in codes if f"`{code}`" not in text("docs/administrators.md")] == []


def test_the_keyword_scheme_lists_the_bookkeeping_that_the_code_knows() -> None:
    listed = text("docs/keywords.md").split("<!-- bookkeeping -->")[1].split("<!-- /bookkeeping -->")[0]
    rules = {
        rule.strip(): set(re.findall(r"`([^`]+)`", names)) for rule, names in re.findall(r"\|(.+)\|(.+)\|", listed)
    }
    assert rules["is exactly"] == vocabulary._BOOKKEEPING
    assert rules["begins with"] == {"\\", "$", *vocabulary._BOOKKEEPING_PREFIXES}
    assert rules["begins with, but is a tag"] == {vocabulary._THUNDERBIRD_LABEL}


@pytest.mark.parametrize(
    ("keyword", "is_tag"),
    [
        ("$label1", True),
        ("billing", True),
        ("$MDNSent", False),
        ("\\Seen", False),
        ("NonJunk", False),
        ("unknown-0", False),
    ],
)
def test_keywords_are_classified_as_in_the_scheme(keyword: str, is_tag: bool) -> None:
    assert vocabulary.is_bookkeeping(keyword) is not is_tag


def tree() -> Iterator[str]:
    """The paths of the tree in ARCHITECTURE.md: a line is a folder, a file, or files followed by a remark."""
    block = text("ARCHITECTURE.md").split("## The tree\n\n```\n")[1].split("```")[0]
    folder = ""
    for line in filter(str.strip, block.splitlines()):
        names = re.split(r"\s{2,}", line.strip())[0].split()
        if line.startswith(" "):
            yield from (folder + name for name in names)
        else:
            folder = names[0] if names[0].endswith("/") else ""
            yield names[0]


def command_names(command: click.Command, path: str) -> Iterator[str]:
    """Our commands by their full names; Flask's own are not for people who run Signalbox."""
    if not isinstance(command, click.Group):
        yield path
        return
    for name, below in command.commands.items():
        if name not in ("run", "shell", "routes"):
            yield from command_names(below, f"{path} {name}")
