"""Mail servers and clients that are unpacked on this machine, without being installed (`scripts/unpacked-parts`)."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).parent.parent / "scripts" / "unpacked-parts"


@dataclass(frozen=True)
class Unpacked:
    """The programs of one part. They find their libraries only in `environment()`."""

    root: Path

    def program(self, path: str) -> str:
        """The absolute path of a program that its package puts at `path`, such as `usr/bin/mbsync`."""
        return str(self.root / path)

    def environment(self, **more: str) -> dict[str, str]:
        """A small environment in which its programs find their libraries and Python modules."""
        places = [
            *self.root.glob("usr/lib/*-linux-gnu*"),
            *self.root.glob("lib/*-linux-gnu*"),
            self.root / "usr/lib",
        ]
        return {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "LD_LIBRARY_PATH": ":".join(map(str, places)),
            "PYTHONPATH": str(self.root / "usr/lib/python3/dist-packages"),
            **more,
        }


def unpacked(part: str) -> Unpacked:
    """The part with this name. The test fails if it is missing."""
    where = subprocess.run([_SCRIPT, "--where", part], capture_output=True, text=True, check=True)
    root = Path(where.stdout.strip())
    if not (root / ".packages").exists():
        pytest.fail(f"{part} is not unpacked on this machine: run scripts/unpacked-parts {part}", pytrace=False)
    return Unpacked(root)
