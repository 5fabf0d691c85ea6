"""The parts run together and end together, and the last line gives the reason."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_SCRIPT = """
import os, sys
from local.places import LocalPartError
from local.supervisor import Program, Supervisor

try:
    with Supervisor() as supervisor:
        for name, command in zip(sys.argv[1::2], sys.argv[2::2]):
            supervisor.start(Program(name, ["bash", "-c", command], os.environ))
        supervisor.watch()
except LocalPartError as error:
    sys.exit(str(error))
"""


class Run:
    """A supervisor of small shell scripts, given as name and script in turn."""

    def __init__(self, *parts: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, *parts], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def wait_for(self, *marks: Path) -> None:
        """Wait until these parts have recorded their process numbers."""
        deadline = time.monotonic() + 30
        while not all(mark.exists() and mark.read_text().endswith("\n") for mark in marks):
            assert time.monotonic() < deadline, "the parts did not start"
            time.sleep(0.05)

    def output(self) -> list[str]:
        return self.process.communicate(timeout=60)[0].splitlines()


def marked(seconds: int, mark: Path) -> str:
    """A part that records its process number and keeps running."""
    return f"echo $$ > {mark}; exec sleep {seconds}"


def is_gone(mark: Path) -> bool:
    """Whether the process that left this mark has ended; waits for it."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        stat = Path(f"/proc/{mark.read_text().strip()}/stat")
        if not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_parts_that_are_started_together_do_not_wait_for_each_other(tmp_path: Path) -> None:
    script = f"""
import io, os, pathlib
from local.supervisor import Program, Supervisor
mark = pathlib.Path({str(tmp_path / "second")!r})
with Supervisor(io.StringIO()) as supervisor:
    first = Program("first", ["sleep", "300"], os.environ, ready=mark.exists)
    supervisor.start(first, Program("second", ["bash", "-c", f"touch {{mark}}; exec sleep 300"], os.environ))
"""
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=50).returncode == 0


def test_when_one_part_dies_the_others_stop_and_the_reason_is_the_last_line(tmp_path: Path) -> None:
    run = Run("steady", marked(300, tmp_path / "steady"), "brittle", "echo hello; sleep 1; echo no more oil; exit 3")
    lines = run.output()
    assert "brittle  | hello" in lines
    assert lines[-1] == "brittle ended with status 3: no more oil"
    assert run.process.returncode == 1
    assert is_gone(tmp_path / "steady")


def test_a_killed_part_is_named_with_its_signal() -> None:
    lines = Run("brittle", "sleep 1; kill -9 $$").output()
    assert lines[-1] == "brittle was killed by SIGKILL"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_stops_everything_without_complaint(tmp_path: Path, number: signal.Signals) -> None:
    run = Run("one", marked(300, tmp_path / "one"), "two", marked(300, tmp_path / "two"))
    run.wait_for(tmp_path / "one", tmp_path / "two")
    run.process.send_signal(number)
    assert run.output() == []
    assert run.process.returncode == 0
    assert is_gone(tmp_path / "one")
    assert is_gone(tmp_path / "two")


def test_a_killed_supervisor_leaves_no_orphan_not_even_a_deaf_one_or_a_grandchild(tmp_path: Path) -> None:
    deaf = f"trap '' TERM; echo $$ > {tmp_path / 'deaf'}; while true; do sleep 1; done"
    parent = f"bash -c 'echo $$ > {tmp_path / 'grandchild'}; exec sleep 300' & wait"
    run = Run("deaf", deaf, "parent", parent)
    run.wait_for(tmp_path / "deaf", tmp_path / "grandchild")
    os.kill(run.process.pid, signal.SIGKILL)
    run.process.communicate(timeout=60)
    assert is_gone(tmp_path / "deaf")
    assert is_gone(tmp_path / "grandchild")
