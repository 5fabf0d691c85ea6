"""For monitors, without a sign-in: is the process alive, can it serve requests, and figures over time."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, abort, current_app, jsonify, request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app import schema
from app.db import read_only
from app.inbox.server.figures import Figure, figures

bp = Blueprint("probe", __name__)

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


@bp.get("/healthz")
def healthz() -> Response:
    return jsonify(ok=True)


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """200 if the database answers and its tables are those that this version needs."""
    try:
        with read_only() as session:
            version = session.scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError:
        return jsonify(ok=False, message="The database does not answer or has no tables: run `flask migrate`."), 503
    if version != schema.newest():
        return jsonify(ok=False, message="The tables are of another version: run `flask migrate`."), 503
    return jsonify(ok=True, migration=version), 200


@bp.get("/metrics")
def metrics() -> Response:
    """Figures in the text format of Prometheus, for clients with the token of SIGNALBOX_METRICS_TOKEN. Without that
    setting the page does not exist."""
    token: str | None = current_app.config["SIGNALBOX"].metrics_token
    if token is None:
        abort(404)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
        return _plain("Send the metrics token: `Authorization: Bearer TOKEN`.\n", 401, "WWW-Authenticate", "Bearer")
    try:
        with read_only() as session:
            samples = figures(session)
    except SQLAlchemyError:
        return _plain("The database does not answer. Try again in a moment.\n", 503, "Retry-After", "5")
    return Response("".join(map(_written, samples)), content_type=_PROMETHEUS)


def _plain(words: str, status: int, header: str, value: str) -> Response:
    return Response(words, status, {header: value}, mimetype="text/plain")


def _written(figure: Figure) -> str:
    name = f"signalbox_{figure.name}"
    lines = [f"# HELP {name} {figure.help}", f"# TYPE {name} {figure.kind}"]
    lines += [f"{name}{{{_labels(labels)}}} {round(value, 3)}" for labels, value in figure.samples]
    return "\n".join(lines) + "\n"


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f'{name}="{_quoted(value)}"' for name, value in labels.items())


def _quoted(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
