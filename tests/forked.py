"""Our own programs in separate processes. They are forked from one that has only loaded their modules, so they inherit
no thread and no connection. Loading takes longer than most of their work in a test.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
#: All tests fork from the same process.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["app.commands", "app.web", "app.worker.process", "tests.sync.stage", __name__])


class Program:
    """`python -m module arguments` with exactly this environment; the output goes into files."""

    def __init__(
        self, module: str, *arguments: str, environment: Mapping[str, str], out: Path, errors: Path | None = None
    ) -> None:
        to = (str(out), str(errors or out))
        self._process = processes.Process(target=_run, args=(module, arguments, dict(environment), to), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float) -> int:
        self._process.join(timeout)
        code = self.returncode
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return code


def _run(module: str, arguments: tuple[str, ...], environment: dict[str, str], to: tuple[str, str]) -> None:
    for number, path in zip((1, 2), to, strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(PROJECT)
    _take_a_name()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _take_a_name() -> None:
    """Postgres identifies a process's connections by a name that is created when the module is loaded."""
    name = f"signalbox {secrets.token_hex(8)}"
    for module in list(sys.modules.values()):
        if module.__name__.startswith("app.") and hasattr(module, "PROCESS"):
            vars(module)["PROCESS"] = name
