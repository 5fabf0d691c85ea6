"""Pages and API show machines' mail, the deciding sign, and the result of a bounce."""

from __future__ import annotations

from typing import Any

import pytest

from app.inbox.conversations.message import MACHINES
from tests.web.conftest import Browser, new_conversation

_FAILED = {"address": "otto@kunde.example", "status": "5.1.1", "reason": "User unknown", "delayed": False, "others": 0}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("auto_reply", "Auto-reply"),
        ("bounce", "Bounce"),
        ("receipt", "Receipt"),
        ("report", "Report"),
        ("generated", "Automatic"),
        ("list", "Mailing list"),
        ("newsletter", "Newsletter"),
    ],
)
def test_every_kind_has_its_mark_in_list_and_mail(carla: Browser, kind: str, name: str) -> None:
    talk = new_conversation(machine=kind, machine_sign="X-Sign: yes")
    assert kind in MACHINES
    page = carla.page(f"/conversations/{talk}?view=open")
    assert page.count(f'<span class="cut">{name}</span>') == 1
    assert f'<span class="tag tag-machine">{name}</span>' in page
    assert "<code>X-Sign: yes</code>" in page


def test_a_persons_mail_has_no_mark(carla: Browser) -> None:
    assert "tag-machine" not in carla.page(f"/conversations/{new_conversation()}?view=open")


@pytest.mark.parametrize(
    ("kind", "sign", "why"),
    [
        ("auto_reply", "Auto-Submitted: auto-replied", "mail program marked it as an automatic answer"),
        ("auto_reply", "Subject: Automatic reply: x", "Mail programs write subjects like this one automatically"),
        ("auto_reply", "Return-Path: <>", "It has no return address"),
        ("bounce", "From: MAILER-DAEMON", "The sender is a program, not a person"),
        ("receipt", "Content-Type: message/disposition-notification", "It contains a report"),
        ("bounce", "", "An earlier version marked this message"),
        ("list", "List-Id: <x.example>", "It came through a mailing list"),
    ],
)
def test_the_sign_is_explained_in_words(carla: Browser, kind: str, sign: str, why: str) -> None:
    assert why in carla.page(f"/conversations/{new_conversation(machine=kind, machine_sign=sign)}").replace(
        "&#39;", "'"
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Not delivered to otto@kunde.example</span>"),
        ({}, '<span class="message-reason">5.1.1 User unknown</span>'),
        ({"status": "", "reason": ""}, "Not delivered to otto@kunde.example</span>"),
        ({"delayed": True}, "Delayed on the way to otto@kunde.example</span>"),
        ({"delayed": True, "status": "4.4.1"}, '<span class="message-reason">4.4.1 User unknown</span>'),
        ({"others": 1}, "Not delivered to otto@kunde.example (and 1 more recipient)"),
        ({"reason": "100% <b>full</b>"}, "5.1.1 100% &lt;b&gt;full&lt;/b&gt;"),
    ],
)
def test_a_bounce_says_whom_it_did_not_reach(carla: Browser, changes: dict[str, Any], words: str) -> None:
    talk = new_conversation(machine="bounce", machine_sign="From: MAILER-DAEMON", undelivered={**_FAILED, **changes})
    assert words in carla.page(f"/conversations/{talk}")
