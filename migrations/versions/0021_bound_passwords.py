"""Sealed passwords are bound to their servers. From now on an unbound password is refused.

Only this step binds them: a worker that did so would also bind a password that somebody put back later. The form of a
sealed password is repeated here, because this step must not change with the app.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import context, op
from alembic.util import CommandError
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

revision = "0021"
down_revision = "0020"

_PARTS = ("host", "port", "security", "user")


def upgrade() -> None:
    _convert(_bound)


def downgrade() -> None:
    _convert(_released)


def _convert(change: Callable[[bytes, dict[str, Any]], bytes]) -> None:
    """Change every password that can be opened. Raises CommandError if none can, because the key is then the wrong
    one."""
    op.execute("DELETE FROM attempt")
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT * FROM mailbox ORDER BY id FOR UPDATE")).mappings().all()
    sealed = [(row, protocol) for row in rows for protocol in ("imap", "smtp") if row[f"{protocol}_secret"]]
    box = _box()
    done = 0
    for row, protocol in sealed:
        try:
            plain = box.decrypt(row[f"{protocol}_secret"]) if box else None
        except CryptoError:
            plain = None
        if box is None or plain is None:
            continue
        secret = box.encrypt(change(plain, _account(row, protocol)))
        update = f"UPDATE mailbox SET {protocol}_secret = :secret WHERE id = :id"  # noqa: S608  one of two words of ours
        connection.execute(sa.text(update), {"secret": secret, "id": row["id"]})
        done += 1
    if sealed and not done:
        raise CommandError("No password of a mailbox can be opened. Run this as the worker’s user, with its seal_key.")


def _box() -> SealedBox[PrivateKey] | None:
    key: bytes | None = context.config.attributes.get("seal_key")
    return SealedBox(PrivateKey(key)) if key else None


def _bound(plain: bytes, account: dict[str, Any]) -> bytes:
    return json.dumps({**account, "password": plain.decode()}, sort_keys=True).encode()


def _released(plain: bytes, account: dict[str, Any]) -> bytes:
    """A password that is not bound, or bound to another account, stays unchanged: no release uses it."""
    try:
        held = json.loads(plain)
    except ValueError:
        return plain
    if not isinstance(held, dict) or held != {**account, "password": held.get("password")}:
        return plain
    return str(held["password"]).encode()


def _account(row: sa.RowMapping, protocol: str) -> dict[str, Any]:
    ca = hashlib.sha256(row["imap_ca"].encode()).hexdigest() if row["imap_ca"] else None
    return {"protocol": protocol, **{part: row[f"{protocol}_{part}"] for part in _PARTS}, "ca": ca}
