"""Ids of ours in addresses and forms. What is larger than any of them is nobody's, and Postgres is not asked: it would
note an error of ours in its log."""

from __future__ import annotations

from flask import Flask, request
from werkzeug.exceptions import NotFound

#: What Postgres keeps in an integer.
LARGEST_ID = 2**31 - 1


def init_app(app: Flask) -> None:
    app.before_request(_check_address)


def id_of(told: str) -> int:
    """For a field of a form. Raises ValueError for what is no id."""
    id_ = int(told)
    if not 0 < id_ <= LARGEST_ID:
        raise ValueError(told)
    return id_


def _check_address() -> None:
    """Every number in an address, of page or API, is an id."""
    numbers = (value for value in (request.view_args or {}).values() if isinstance(value, int))
    if any(number > LARGEST_ID for number in numbers):
        raise NotFound
