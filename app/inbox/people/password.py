"""Passwords of members: which ones are accepted, and how they are hashed (NIST SP 800-63B, section 3.1.1; OWASP ASVS).

zxcvbn knows lists of common passwords, and finds sequences, repetitions and keyboard patterns. We use it because a list
alone would accept "P@ssw0rd1234".
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.inbox.errors import N_, Busy, Invalid

#: In characters. There are no rules about kinds of characters, only about length. ASVS 4.0.3 (2.1.1) asks for 12; ASVS
#: 5 and revision 3 of NIST's for 8. Revision 4 asks for 15 where a password is the only factor. We stay with 12,
#: because we also refuse passwords that can be guessed in 10^8 tries, and limit the tries.
SHORTEST, LONGEST = 12, 256
#: zxcvbn's scale from 0 to 4. 3 means that a guesser needs about 10^8 tries.
_LEAST_SCORE = 3
#: zxcvbn reads only this many characters, because its time grows with the square of the length.
_ESTIMATED = 64
#: A password needs this many letters and digits besides the member's own names.
_LEAST_BESIDES = 6
_PRODUCT = ("signalbox",)

_hasher = PasswordHasher()  # argon2id with the library's current defaults: 64 MiB a hash
#: Checked if the name is unknown, so that the time does not reveal which names exist. A constant, because computing it
#: takes every process a quarter of a second.
_NOBODYS_HASH = "$argon2id$v=19$m=65536,t=3,p=4$df0L+fKrkbuFFERaUKxYNw$e3aDbR7h51ivGgKJxuZ025Z7+BdZ0+L+Qm/tknE+g2M"
#: Number of passwords that a process hashes at once: 128 MiB.
_hashing = threading.BoundedSemaphore(2)
#: Number of requests waiting or hashing in a process: each holds a connection to the database.
_present = threading.BoundedSemaphore(12)
_WAIT_SECONDS = 5.0


def hash_password(password: str) -> str:
    """The argon2id hash. Raises Busy if too many passwords are being hashed."""
    with _place():
        return _hasher.hash(_normalized(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the hash is of this password. It takes as long without a hash. Raises Busy."""
    password = password[: LONGEST * 4]
    # Earlier versions hashed the password as it was typed.
    forms = dict.fromkeys((_normalized(password), password))
    with _place():
        return any(_matches(password_hash or _NOBODYS_HASH, form) for form in forms) and password_hash is not None


def check_new_password(password: str, names: Iterable[str]) -> None:
    """Check that a new password is hard to guess. Raises Invalid for a password that is easy to guess. `names`: what
    others know about the member, such as their name and address."""
    password = _normalized(password)
    if len(password.strip()) < SHORTEST:
        raise Invalid("password", N_("The password needs at least %(least)d characters."), least=SHORTEST)
    if len(password) > LONGEST:
        raise Invalid(
            "password", N_("The password is too long. At most %(most)d characters are possible."), most=LONGEST
        )
    words = _words([*names, *_PRODUCT])
    if _is_made_of(words, password):
        raise Invalid(
            "password", N_("The password is mostly a name or an address that others know. Choose another one.")
        )
    _check_guesses(password, words)


@contextmanager
def _place() -> Iterator[None]:
    """Wait for permission to hash. Without a limit, 40 sign-ins at once would take 2.5 GB."""
    if not _present.acquire(blocking=False):
        raise Busy(retry_after=5)
    try:
        if not _hashing.acquire(timeout=_WAIT_SECONDS):
            raise Busy(retry_after=5)
        try:
            yield
        finally:
            _hashing.release()
    finally:
        _present.release()


def _normalized(password: str) -> str:
    """Keyboards write "ñ" as one character or as two; both are the same password."""
    return unicodedata.normalize("NFKC", password)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def _words(names: Iterable[str]) -> list[str]:
    """Names and their parts, longest first."""
    names = [unicodedata.normalize("NFKC", name).casefold() for name in names]
    parts = {part for name in names for part in (name, *re.split(r"[\W_]+", name)) if len(part) >= 3}
    return sorted(parts, key=lambda part: (-len(part), part))


def _is_made_of(words: Iterable[str], password: str) -> bool:
    rest = password.casefold()
    for word in words:
        rest = rest.replace(word, " ")
    shorter = len(rest) < len(password) or rest != password.casefold()
    return shorter and len(re.findall(r"\w", rest)) < _LEAST_BESIDES


def _check_guesses(password: str, words: list[str]) -> None:
    from zxcvbn import zxcvbn  # its lists take 14 MB, which processes that set no password save

    estimate = zxcvbn(password[:_ESTIMATED], user_inputs=words)
    if estimate["score"] >= _LEAST_SCORE:
        return
    if any(part["pattern"] in ("repeat", "sequence", "spatial") for part in estimate["sequence"]):
        raise Invalid(
            "password",
            N_(
                "The password repeats characters or follows a row, such as “aaa” or “1234”. "
                "Choose several unrelated words."
            ),
        )
    raise Invalid("password", N_("The password is easy to guess: many people use it. Choose several unrelated words."))
