"""Ids of ours in addresses and forms. What is larger than any of them is nobody's, and Postgres is not asked: it would
note an error of ours in its log."""

from __future__ import annotations

from flask import Flask, request
from werkzeug.exceptions import NotFound

#: What Postgres keeps in an integer.
LARGEST_ID = 2**31 - 1


def init_app(app: Flask) -> None:
    app.before_request(_check_address_of_page)


def id_of(text: str) -> int:
    """For a field of a form. Raises ValueError if it is not an id."""
    id_ = int(text)
    if not 0 < id_ <= LARGEST_ID:
        raise ValueError(text)
    return id_


def check_address() -> None:
    """Every number in an address is an id. Raises NotFound."""
    numbers = (value for value in (request.view_args or {}).values() if isinstance(value, int))
    if any(number > LARGEST_ID for number in numbers):
        raise NotFound


def _check_address_of_page() -> None:
    if request.blueprint != "api":  # which asks first who calls
        check_address()
