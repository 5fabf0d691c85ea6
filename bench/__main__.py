"""`make bench`: how fast the core is on this machine. A table on stdout, the same as JSON in bench/results.

Everything runs on this machine at once: Postgres with fsync, Dovecot, the importing process and its parser. The raw
protocol is measured on the same mail in the same run, so that machines can be compared by the ratio.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
from dataclasses import asdict
from pathlib import Path

from app.mail.child import MailParser
from bench.live import live
from bench.measures import Row, first_import, quiet_round, raw_fetch
from bench.place import fill, place

_RESULTS = Path(__file__).parent / "results"


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m bench")
    arguments.add_argument("--mails", type=int, default=10_000)
    arguments.add_argument("--large", action="store_true", help="50,000 mails")
    options = arguments.parse_args()
    count = 50_000 if options.large else options.mails
    rows = measure(count)
    print(table(rows))
    _RESULTS.mkdir(exist_ok=True)
    result = {"at": dt.datetime.now(dt.UTC).isoformat(), "machine": machine(), "rows": [asdict(row) for row in rows]}
    (_RESULTS / "latest.json").write_text(json.dumps(result, indent=2) + "\n")


def measure(count: int) -> list[Row]:
    with place() as here, MailParser() as parser:
        size = fill(here, count)
        rows = [Row(f"{count:,} sample mails, on average", size / count / 1000, "kB"), *raw_fetch(here)]
        mailbox_id = here.connect_mailbox()
        rows += first_import(here, mailbox_id, parser, count)
        rows += quiet_round(here, mailbox_id, parser)
        rows += live(here, mailbox_id)
        return rows


def table(rows: list[Row]) -> str:
    lines = ["| what | figure | of |\n|---|---|---|"]
    lines += [f"| {row.what} | {_figure(row)} | {row.times} |" for row in rows]
    return "\n".join([machine(), "", *lines])


def machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _figure(row: Row) -> str:
    number = f"{row.figure:,.0f}" if row.figure >= 100 else f"{row.figure:.1f}"
    return f"{number} {row.unit}"


if __name__ == "__main__":
    main()
