"""Sealed passwords are bound to their servers. From here on a password that is not bound is refused.

It happens in this step and nowhere else: a worker that bound them itself would also bind what somebody put back later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import context, op
from nacl.public import PrivateKey

from app.secrets import SecretError, bind, release, seal, unseal

revision = "0021"
down_revision = "0020"

_PARTS = ("host", "port", "security", "user")


def upgrade() -> None:
    _convert(bind)


def downgrade() -> None:
    _convert(release)


def _convert(change: Callable[[str, dict[str, Any]], str]) -> None:
    """Change every password that can be opened. Raises SecretError where none can: then the key is the wrong one."""
    op.execute("DELETE FROM attempt")
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT * FROM mailbox ORDER BY id FOR UPDATE")).mappings().all()
    sealed = [(row, protocol) for row in rows for protocol in ("imap", "smtp") if row[f"{protocol}_secret"]]
    key: bytes | None = context.config.attributes.get("seal_key")
    failed: list[SecretError] = []
    for row, protocol in sealed:
        try:
            document = change(unseal(row[f"{protocol}_secret"], key), _account(row, protocol))
        except SecretError as error:
            failed.append(error)
            continue
        assert key is not None
        secret = seal(document, bytes(PrivateKey(key).public_key))
        update = f"UPDATE mailbox SET {protocol}_secret = :secret WHERE id = :id"  # noqa: S608  one of two words of ours
        connection.execute(sa.text(update), {"secret": secret, "id": row["id"]})
    if failed and len(failed) == len(sealed):
        raise SecretError(f"No password of a mailbox can be opened: run this as the worker’s user. {failed[0]}")


def _account(row: sa.RowMapping, protocol: str) -> dict[str, Any]:
    ca = hashlib.sha256(row["imap_ca"].encode()).hexdigest() if row["imap_ca"] else None
    return {"protocol": protocol, **{part: row[f"{protocol}_{part}"] for part in _PARTS}, "ca": ca}
