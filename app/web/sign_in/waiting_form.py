"""A form that waits while its sender confirms the password. It is sealed in the page, because it may hold a mailbox
password.

Nobody can read it in the page's source or in a cache. It opens only in the session that sent it, for the address it was
sent to, and for 15 minutes (PyNaCl SecretBox: XSalsa20-Poly1305).
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from flask import current_app
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from app.clock import now

_LASTS = 15 * 60


class FormExpired(Exception):
    """The form was sealed too long ago, elsewhere, or not by us."""


def seal_form(fields: Sequence[tuple[str, str]], *, session_key: str, address: str) -> str:
    """The fields (name, value) as text for a hidden field."""
    document = {"fields": fields, "for": [session_key, address], "until": now().timestamp() + _LASTS}
    return urlsafe_b64encode(_box().encrypt(json.dumps(document).encode())).decode()


def open_form(sealed: str, *, session_key: str, address: str) -> list[tuple[str, str]]:
    """The fields of a sealed form. Raises FormExpired."""
    try:
        document = json.loads(_box().decrypt(urlsafe_b64decode(sealed.encode())))
    except (CryptoError, ValueError) as error:
        raise FormExpired from error
    if document["for"] != [session_key, address] or now().timestamp() > document["until"]:
        raise FormExpired
    return [(name, value) for name, value in document["fields"]]


def _box() -> SecretBox:
    key: bytes = current_app.config["SECRET_KEY"]
    return SecretBox(hashlib.blake2b(key, digest_size=SecretBox.KEY_SIZE, person=b"waiting form").digest())
