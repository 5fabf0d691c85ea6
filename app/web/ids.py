"""Checks ids in addresses and forms. For a number above all possible ids we do not query Postgres, because it would log
an error."""

from __future__ import annotations

from flask import Flask, request
from werkzeug.exceptions import NotFound

#: The largest number in a Postgres integer.
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
    """Every number in an address must be an id. Raises NotFound."""
    numbers = (value for value in (request.view_args or {}).values() if isinstance(value, int))
    if any(number > LARGEST_ID for number in numbers):
        raise NotFound


def _check_address_of_page() -> None:
    if request.blueprint != "api":  # the API first checks the caller
        check_address()
