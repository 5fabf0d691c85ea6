"""Logging of a process: lines for people, or JSON for machines (`SIGNALBOX_LOG`), always on stderr."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

_FIELDS = "%(asctime)s %(levelname)s %(name)s %(message)s"


def configure(style: str, level: int = logging.INFO) -> None:
    """Call once when a process starts; a later call changes the level."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(_FIELDS) if style == "json" else logging.Formatter(_FIELDS))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for talkative in ("apscheduler", "alembic"):  # they log every job every second, or every step
        logging.getLogger(talkative).setLevel(max(level, logging.WARNING))
    # Do not log that a job is still running at its next time and is left alone: a comparison takes minutes.
    logging.getLogger("apscheduler.scheduler").setLevel(max(level, logging.ERROR))
