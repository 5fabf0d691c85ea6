"""What gunicorn and `flask` load: the application with the settings of the environment.

`flask` commands may open mailbox passwords; a process that serves pages is never given that key.
"""

from __future__ import annotations

import gc
import json
import logging
import sys
from dataclasses import replace
from typing import Any

import click

from app import create_app, log
from config import Config, ConfigError, local_database_url

#: Gunicorn gives up on this exit status; any other it would try again and again.
_GUNICORN_STOPS = 3


def _settings() -> Config:
    command = click.get_current_context(silent=True)
    try:
        config = Config.from_env(opens_secrets=command is not None and command.info_name != "run")
        log.configure(config.log, logging.WARNING if command else logging.INFO)
        return config if config.database_url else replace(config, database_url=local_database_url(config.home))
    except ConfigError as error:
        if command and "--json" in sys.argv:  # the command itself, which would print the document, is not loaded yet
            sys.stdout.write(json.dumps(_document(str(error)), ensure_ascii=False) + "\n")
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(1 if command else _GUNICORN_STOPS)


def _document(error: str) -> dict[str, Any]:
    if "doctor" in sys.argv:
        return {"ok": False, "checks": [{"name": "settings", "ok": False, "message": error}]}
    return {"ok": False, "error": error}


app = create_app(_settings())
if click.get_current_context(silent=True) is None:  # gunicorn, which forks now
    from app import web

    web.prepare(app)
# All that is loaded now stays: to look through it for garbage again and again costs a third of a second each time.
gc.freeze()
