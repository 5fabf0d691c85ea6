"""Keys: long random secrets, stored only as hashes. They need no slow hash, because nobody can guess one."""

from __future__ import annotations

import hashlib
import secrets


def new_key() -> str:
    return secrets.token_urlsafe(32)


def hash_of(key: str) -> str:
    """The SHA-256 of any text, in hexadecimal."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
