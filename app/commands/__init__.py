"""Commands: `flask …` for the installation's operators. Exit status 0 on success, 1 after a failure (one line on stderr
gives the reason), 2 for wrong usage. With `--json` stdout is one JSON document and nothing else.

Commands act with the rights of the machine (actor COMMAND) and, like the worker, have the key that opens passwords.
"""

from __future__ import annotations

from flask import Flask

from app.commands.audit import audit
from app.commands.doctor import doctor
from app.commands.mailbox import mailbox
from app.commands.member import member
from app.commands.migrate import migrate
from app.commands.worker import worker
from config import Config


def init_app(app: Flask, config: Config) -> None:
    app.config["SIGNALBOX"] = config
    for command in (migrate, worker, member, mailbox, audit, doctor):
        app.cli.add_command(command)
