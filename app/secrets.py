"""Mailbox passwords: sealed with a public key, opened with the private one.

The web process is given the public key only: what it sealed it cannot open again (PyNaCl SealedBox, anonymous
X25519 and XSalsa20-Poly1305). Worker and commands hold the private key.
"""

from __future__ import annotations

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox


class SecretError(Exception):
    """A secret cannot be opened; the text says what to do."""


def seal(plain: str, public_key: bytes) -> bytes:
    return bytes(SealedBox(PublicKey(public_key)).encrypt(plain.encode()))


def unseal(sealed: bytes, private_key: bytes | None) -> str:
    """Raises SecretError without the key, or with another one than it was sealed for."""
    if private_key is None:
        raise SecretError("This process has no key to open passwords: only the worker and the commands do.")
    try:
        return bytes(SealedBox(PrivateKey(private_key)).decrypt(sealed)).decode()
    except CryptoError as error:
        raise SecretError(
            "The password was sealed with another key. Restore the old SIGNALBOX_SEAL_KEY (the file seal_key in "
            "SIGNALBOX_HOME), or connect the mailbox again."
        ) from error
