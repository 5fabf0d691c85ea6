"""Compresses responses: built files are sent as the build compressed them, pages and JSON by gzip.

We do not use Flask-Compress, because it compresses static files at every request and does not protect against BREACH.
Here a header of random length hides how well a page was compressed. So its length does not tell whether a guess of a
secret was right (Django calls this "Heal The Breach").
"""

from __future__ import annotations

import gzip
import io
import mimetypes
import secrets
from pathlib import Path

from flask import Flask, Response, request, send_from_directory
from flask.typing import ResponseReturnValue

#: The compressed files of the build, the smaller one first.
_BUILT = (("br", ".br"), ("gzip", ".gz"))
_COMPRESSED = frozenset({"text/html", "application/json"})
#: Shorter responses fit into one packet anyway.
_LEAST_BYTES = 1_000
_LEVEL = 5
_LONGEST_PADDING = 100


def init_app(app: Flask, folder: Path) -> None:
    """`folder` holds the built files. Replaces Flask's own static route with one that knows their compressed forms."""

    def static(filename: str) -> ResponseReturnValue:
        return _send_built(app, folder, filename)

    app.view_functions["static"] = static
    app.after_request(_compress)


def _send_built(app: Flask, folder: Path, name: str) -> Response:
    max_age = app.get_send_file_max_age(name)
    for encoding, ending in _BUILT:
        if request.accept_encodings[encoding] and _is_file(folder / f"{name}{ending}"):
            kind = mimetypes.guess_type(name)[0]
            response = send_from_directory(folder, name + ending, mimetype=kind, max_age=max_age)
            response.content_encoding = encoding
            break
    else:
        response = send_from_directory(folder, name, max_age=max_age)
    response.vary.add("Accept-Encoding")
    return response


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a stranger asks for a longer name than files can have
        return False


def _compress(response: Response) -> Response:
    """gzip for a whole page or document. Streams, files and short responses stay as they are."""
    if response.mimetype not in _COMPRESSED or response.is_streamed or response.direct_passthrough:
        return response
    response.vary.add("Accept-Encoding")
    data = response.get_data()
    if not request.accept_encodings["gzip"] or response.content_encoding or len(data) < _LEAST_BYTES:
        return response
    response.set_data(_gzipped(data))
    response.content_encoding = "gzip"
    return response


def _gzipped(data: bytes) -> bytes:
    packed = io.BytesIO()
    padding = "x" * (1 + secrets.randbelow(_LONGEST_PADDING))
    with gzip.GzipFile(filename=padding, mode="wb", compresslevel=_LEVEL, fileobj=packed, mtime=0) as file:
        file.write(data)
    return packed.getvalue()
