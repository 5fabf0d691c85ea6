"""Parsing in a child process: hung, killed or orphaned, no mail can stop the worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.mail.child import MailParser, ParserFailed
from app.mail.parse import MailSource, parse
from tests.dovecot import mail
from tests.vicious import ROOT, VICIOUS
from tests.waiting import eventually


def sources(*bodies: str) -> list[MailSource]:
    raws = [mail(body, f"{body}\r\n") for body in bodies]
    return [MailSource(raw, len(raw)) for raw in raws]


@pytest.fixture
def vicious() -> Iterator[MailParser]:
    with MailParser(seconds_per_mail=0.5, command=(sys.executable, "-c", VICIOUS)) as parser:
        yield parser


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def workers(pid: int) -> list[int]:
    """The processes that the child has forked."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_results_come_in_order_and_equal_those_of_parsing_here() -> None:
    mails = sources(*(f"number {n}" for n in range(50)))
    with MailParser() as parser:
        batches = [parser.submit(mails[start : start + 20]) for start in range(0, 50, 20)]
        found = [parsed for batch in batches for parsed in batch.result()]
        assert found == [parse(one) for one in mails]
        assert parser.parse([]) == []


def test_a_batch_of_long_mails_takes_several_turns() -> None:
    mails = sources(*("words " * 20 + "\n> quoted\n" * 10_000 + str(n) for n in range(25)))
    with MailParser() as parser:
        assert [one.text for one in parser.parse(mails)] == [parse(one).text for one in mails]


def test_html_that_would_take_gigabytes_is_shown_by_its_text() -> None:
    html = "".join(f"<font color={number}><p>" for number in range(4990))
    head = b"From: x@evil.example\r\nContent-Type: text/html\r\n\r\nHello "
    raw = head + html.encode()
    with MailParser() as parser:
        [bomb] = parser.parse([MailSource(raw, len(raw))])
        assert not parser.parse(sources("after"))[0].unreadable
    assert (bomb.html, bomb.html_form, bomb.text, bomb.unreadable) == (None, "tangled", "Hello", False)


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ('Content-Type: multipart/mixed; boundary="-"', "-" * 6_000_000),
        ("Content-Type: multipart/mixed; boundary=b", "--b" * 2_000_000),
        ("To: " + "<" * 3_000_000, "words"),
    ],
    ids=["dashes", "boundaries", "brackets"],
)
def test_a_mail_made_to_be_slow_keeps_its_subject(field: str, body: str) -> None:
    raw = f"From: x@evil.example\r\nSubject: seen\r\n{field}\r\n\r\n{body}".encode()
    with MailParser() as parser:
        [seen] = parser.parse([MailSource(raw, len(raw))])
    assert (seen.subject, seen.unreadable) == ("seen", False)


@pytest.mark.parametrize("act", ["HANG", "DIE", "EXIT", "EAT", "ABORT"])
def test_a_mail_that_hangs_or_kills_the_parser_is_the_only_one_that_suffers(vicious: MailParser, act: str) -> None:
    found = vicious.parse(sources("first", "second", f"{act} WHATEVER", "third"))
    assert [one.unreadable for one in found] == [False, False, True, False]
    assert found[2].subject == f"{act} WHATEVER"
    assert found[2].from_[0].address == "zoe@customer.example"
    assert found[2].text == ""
    assert not vicious.parse(sources("after"))[0].unreadable


@pytest.mark.parametrize(
    ("act", "tries"), [("HANG", 1), ("EAT", 1), ("ABORT", 1), ("DIE", 2), ("EXIT", 2)], ids=lambda value: str(value)
)
def test_a_mail_beyond_a_limit_is_read_by_its_text_at_once_and_only_a_crash_is_tried_again(
    tmp_path: Path, act: str, tries: int
) -> None:
    log = tmp_path / "log"
    with MailParser(seconds_per_mail=0.5, command=(sys.executable, "-c", VICIOUS, str(log))) as parser:
        found = parser.parse(sources("first", act, "third"))
    assert [one.unreadable for one in found] == [False, False, False]
    assert found[1].text.strip() == act
    assert log.read_text().split() == [act] * tries


def test_a_limit_ends_the_worker_and_not_the_process_that_forks_it(vicious: MailParser) -> None:
    vicious.parse(sources("first"))
    assert vicious._children[0].process is not None
    pid = vicious._children[0].process.pid
    vicious.parse(sources("HANG", "EAT"))
    assert vicious._children[0].process.pid == pid
    vicious.parse(sources("DIE"))
    assert vicious._children[0].process.pid != pid


def test_a_mailbox_full_of_hostile_mail_does_not_hold_up_another(vicious: MailParser) -> None:
    hostile = vicious.submit(sources(*["HANG"] * 40), "one mailbox")
    ordinary = vicious.submit(sources(*["Hello"] * 200), "another")
    assert len(ordinary.result()) == 200
    assert not hostile.done()
    assert [one.text.strip() for one in hostile.result()] == ["HANG"] * 40


def test_a_mail_that_takes_long_is_left_out_of_a_quick_batch(vicious: MailParser) -> None:
    found = vicious.submit_quick(sources("first", "HANG", "EXIT", "EAT", "last")).result()
    assert [one and one.subject for one in found] == ["first", None, None, None, "last"]
    assert [one.subject for one in vicious.parse(sources("HANG"))] == ["HANG"]


def test_long_batches_leave_a_child_to_the_quick_ones() -> None:
    with MailParser(seconds_per_mail=600, processes=2, command=(sys.executable, "-c", VICIOUS)) as parser:
        long = [parser.submit(sources("HANG"), owner) for owner in ("one mailbox", "another", "a third")]
        for owner in ("one mailbox", "another", "a fourth"):
            assert len(parser.submit_quick(sources(*["Hello"] * 100), owner).result()) == 100
        assert not any(batch.done() for batch in long)


def test_mailboxes_take_turns_however_many_batches_one_of_them_has(vicious: MailParser) -> None:
    many = [vicious.submit_quick(sources(*["HANG"] * 5), "one mailbox") for _ in range(10)]
    assert [one and one.subject for one in vicious.submit_quick(sources("Hello"), "another").result()] == ["Hello"]
    assert not many[-1].done()
    assert [one.result() for one in many] == [[None] * 5] * 10


def test_a_stopped_parser_is_replaced() -> None:
    with MailParser(command=(sys.executable, "-c", VICIOUS)) as parser:
        parser._silent_seconds = 0.5
        found = parser.parse(sources("before", "STOP WHATEVER", "after"))
    assert [one.unreadable for one in found] == [False, True, False]


def test_a_librarys_output_does_not_mix_with_the_answers(vicious: MailParser) -> None:
    found = vicious.parse(sources("PRINT", "next"))
    assert [one.subject for one in found] == ["PRINT", "next"]


def test_a_parser_that_cannot_start_blames_no_mail() -> None:
    with MailParser(command=(sys.executable, "-c", "raise SystemExit(1)")) as parser, pytest.raises(ParserFailed):
        parser.parse(sources("innocent"))


def test_the_child_ends_with_its_parser() -> None:
    parser = MailParser()
    parser.parse(sources("one"))
    assert parser._children[0].process is not None
    pid = parser._children[0].process.pid
    parser.close()
    assert not alive(pid)
    with pytest.raises((ParserFailed, RuntimeError)):
        parser.parse(sources("late"))


def test_closing_does_not_wait_for_a_mail_that_hangs() -> None:
    parser = MailParser(seconds_per_mail=600, command=(sys.executable, "-c", VICIOUS))
    batch = parser.submit(sources("HANG"))
    eventually(lambda: parser._children[0].process is not None)
    assert parser._children[0].process is not None
    pid = parser._children[0].process.pid
    eventually(lambda: workers(pid) != [])
    [worker] = workers(pid)
    parser.close()
    with pytest.raises(ParserFailed):
        batch.result()
    eventually(lambda: not alive(worker))


@pytest.mark.parametrize("busy_with", ["quiet", "HANG"])
def test_no_child_outlives_a_parent_that_is_killed(busy_with: str) -> None:
    program = f"""
import sys, time
from app.mail.child import MailParser
from app.mail.parse import MailSource
parser = MailParser(seconds_per_mail=1, command=(sys.executable, "-c", {VICIOUS!r}))
parser.parse([MailSource(b"Subject: x", 10)])
child = parser._children[0].process.pid
print(child, *open(f"/proc/{{child}}/task/{{child}}/children").read().split())
sys.stdout.flush()
parser.submit([MailSource(b"Subject: {busy_with}", 10)])
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT)
    assert parent.stdout is not None
    processes = [int(pid) for pid in parent.stdout.readline().split()]
    assert [alive(pid) for pid in processes] == [True, True]
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    eventually(lambda: not any(alive(pid) for pid in processes))


def test_the_child_is_given_no_settings_and_so_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALBOX_SEAL_KEY", "the-key")
    with MailParser() as parser:
        parser.parse(sources("one"))
        assert parser._children[0].process is not None
        environment = Path(f"/proc/{parser._children[0].process.pid}/environ").read_bytes()
    assert b"SIGNALBOX" not in environment
    assert b"the-key" not in environment


def test_the_child_does_not_load_the_web() -> None:
    with MailParser() as parser:
        parser.parse(sources("one"))
        assert parser._children[0].process is not None
        maps = Path(f"/proc/{parser._children[0].process.pid}/maps").read_text()
    assert "sqlalchemy" not in maps
    assert "psycopg" not in maps
