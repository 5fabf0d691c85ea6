"""`make bench`: how fast the core is on this machine. Prints a table to stdout and writes the same as JSON to
bench/results.

Everything runs on this machine at once: Postgres with fsync, Dovecot, the importing process and its parser. The raw
protocol is measured on the same mail in the same run, so that ratios can be compared between machines.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import os
import platform
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from bench.hostile import hostile
from bench.measures import Measurement
from bench.parts import inbox, large_account

_RESULTS = Path(__file__).parent / "results"


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m bench")
    arguments.add_argument("--mails", type=int, default=10_000, help="imported, and the measure of all else")
    arguments.add_argument("--large", action="store_true", help="reads among a hundred times as many, too")
    options = arguments.parse_args()
    rows = [
        *_alone(inbox, options.mails, (20, 100) if options.large else (20,)),
        *_alone(large_account, options.mails * 5),
        *_alone(hostile),
    ]
    print(table(rows))
    _RESULTS.mkdir(exist_ok=True)
    result = {"at": dt.datetime.now(dt.UTC).isoformat(), "machine": machine(), "rows": [asdict(row) for row in rows]}
    (_RESULTS / "latest.json").write_text(json.dumps(result, indent=2) + "\n")


def _alone(part: Callable[..., list[Measurement]], *options: object) -> list[Measurement]:
    """Run a part in its own process, so that its memory is measured separately."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        rows = process.submit(part, *options).result()
    print(table(rows), file=sys.stderr, flush=True)
    return rows


def table(rows: list[Measurement]) -> str:
    lines = ["| what | figure | of |\n|---|---|---|"]
    lines += [f"| {row.what} | {_figure(row)} | {row.times} |" for row in rows]
    return "\n".join([machine(), "", *lines])


def machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _figure(row: Measurement) -> str:
    number = f"{row.figure:,.0f}" if row.figure >= 100 or not row.unit else f"{row.figure:.1f}"
    return f"{number} {row.unit}".rstrip()


if __name__ == "__main__":
    main()
