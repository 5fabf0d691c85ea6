"""The application with the settings of the environment, loaded by gunicorn and `flask`.

`flask` commands may open mailbox passwords; a process that serves pages never gets that key.
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

#: Gunicorn stops with this exit status; after any other it would restart again and again.
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
# Exclude everything loaded so far from garbage collection, because each search through it takes a third of a second.
gc.freeze()
