"""A parser whose child does what a mail tells it to: hang, die, use up memory."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
#: The real child, but a mail can make it hang in a pattern that blocks the interpreter, or die.
VICIOUS = f"""
import os, re, signal, sys, types
sys.modules["app"] = app = types.ModuleType("app")
app.__path__ = [{str(ROOT / "app")!r}]
from app.mail import child_process, parse
def vicious(source, *, design=True):
    for word, act in ACTS.items():
        if word in source.raw and (design or b"WHATEVER" in source.raw):
            print(word.decode(), file=log, flush=True)
            act()
    return parse.parse(source, design=design)
log = open(sys.argv[1], "a") if sys.argv[1:] else sys.stderr
ACTS = {{
    b"EAT": lambda: bytearray(2_000_000_000),
    b"ABORT": lambda: os.abort(),
    b"HANG": lambda: re.match(r"(a+)+$", "a" * 64 + "b"),
    b"DIE": lambda: os.kill(os.getpid(), signal.SIGKILL),
    b"STOP": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    b"PRINT": lambda: print("noise " * 1000, flush=True),
    b"EXIT": lambda: os._exit(3),
}}
child_process.main(vicious)
"""
