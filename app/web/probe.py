"""For monitors, without a sign-in: does the process live, may it take requests."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app import schema
from app.db import transaction

bp = Blueprint("probe", __name__)


@bp.get("/healthz")
def healthz() -> Response:
    return jsonify(ok=True)


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """200 when the database answers and its tables are those this version needs."""
    try:
        with transaction() as session:
            version = session.scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError:
        return jsonify(ok=False, message="The database does not answer or has no tables: run `flask migrate`."), 503
    if version != schema.newest():
        return jsonify(ok=False, message="The tables are of another version: run `flask migrate`."), 503
    return jsonify(ok=True, migration=version), 200
