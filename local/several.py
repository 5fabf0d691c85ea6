"""Runs several commands in one process, because loading the program takes longer than any of them.

Standard input is a JSON list of [words, given]: the words after `flask`, and the command's own standard input. The
first failure ends it, with that command's line on stderr and its exit status.
"""

from __future__ import annotations

import io
import json
import sys

import click
from flask.cli import FlaskGroup


def main() -> int:
    commands: list[tuple[list[str], str]] = json.load(sys.stdin)
    for words, given in commands:
        sys.stdin = io.StringIO(given)
        try:
            status = FlaskGroup().main(words, prog_name="flask", standalone_mode=False)
        except click.ClickException as error:
            sys.stderr.write(f"flask {' '.join(words[:3])}: {error.format_message()}\n")
            return error.exit_code
        if isinstance(status, int) and status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
