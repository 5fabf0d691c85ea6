"""Mailbox passwords: sealed with a public key, opened with the private one, and bound to their account.

The web process has only the public key, so it cannot open what it sealed (PyNaCl SealedBox, anonymous X25519 and
XSalsa20-Poly1305). Worker and commands have the private key.

The sealed text is a JSON document: the password together with host, port, security, user and certificate authority. The
worker compares these with the database before it uses the password, so a changed row cannot send it elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox


class SecretError(Exception):
    """A secret cannot be opened; the text says what to do."""


class ServersChanged(SecretError):
    """The password was sealed for another account than the one in the database."""

    def __init__(self) -> None:
        super().__init__(
            "The servers of this mailbox were changed without its password. Enter the password again: on the mailbox’s "
            "page, under Servers and password."
        )


def bind(password: str, account: Mapping[str, Any]) -> str:
    """The document to seal."""
    return json.dumps({**account, "password": password}, sort_keys=True)


def release(document: str, account: Mapping[str, Any]) -> str:
    """The password in a document. Raises ServersChanged for another account, and for a password that is not bound."""
    try:
        held = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise ServersChanged from error
    if not isinstance(held, dict) or held != {**account, "password": held.get("password")}:
        raise ServersChanged
    password = held["password"]
    if not isinstance(password, str):
        raise ServersChanged
    return password


def seal(plain: str, public_key: bytes) -> bytes:
    return bytes(SealedBox(PublicKey(public_key)).encrypt(plain.encode()))


def unseal(sealed: bytes, private_key: bytes | None) -> str:
    """Open a sealed document. Raises SecretError without the key, or with another key than the one it was sealed
    for."""
    if private_key is None:
        raise SecretError("This process has no key to open passwords: only the worker and the commands do.")
    try:
        return bytes(SealedBox(PrivateKey(private_key)).decrypt(sealed)).decode()
    except CryptoError as error:
        raise SecretError(
            "The password was sealed with another key. Restore the old SIGNALBOX_SEAL_KEY (the file seal_key in "
            "SIGNALBOX_HOME), or connect the mailbox again."
        ) from error
