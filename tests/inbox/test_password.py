"""Which passwords members may choose, and how many are hashed at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from app.inbox.actor import COMMAND
from app.inbox.admin import team
from app.inbox.errors import Busy, Invalid
from app.inbox.people import password as passwords
from app.inbox.people.member import Member, check_password
from app.inbox.people.password import hash_password
from tests.cast import PASSWORD, Cast, member


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("eleven char", "at least 12"),
        ("    k3j9    ", "at least 12"),
        (" " * 14, "at least 12"),
        ("k3j9-fqz7-m" * 30, "At most 256"),
        ("123456789012", "easy to guess|follows a row"),
        ("abcdefghijkl", "follows a row"),
        ("987654321012", "easy to guess|follows a row"),
        ("aaaaaaaaaaaa", "repeats"),
        ("abcabcabcabc", "repeats"),
        ("qwertyuiop12", "follows a row|easy to guess"),
        ("password1234", "easy to guess"),
        ("P@ssw0rd1234", "easy to guess"),
        ("letmein12345", "easy to guess"),
        ("Password2026", "easy to guess"),
        ("１２３４５６７８９０１２", "easy to guess|follows a row"),  # full-width digits
        ("carla@halden.example", "name or an address"),
        ("Carla-Halden-1", "name or an address"),
        ("carla2026!!!", "name or an address"),
        ("Signalbox2026", "name or an address"),
        ("help@halden.example!", "name or an address"),
        ("Support-Support", "name or an address"),
    ],
)
def test_a_password_that_others_would_try_is_refused_and_the_reason_said(
    cast: Cast, session: Session, password: str, why: str
) -> None:
    with pytest.raises(Invalid, match=why):
        team.set_password(session, member(session, "carla"), password, by=COMMAND)


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "correct horse battery staple",
        "k3j9-fqz7-m2",
        "carla walks 7 dogs at noon",
        "пять мокрых собак",
        "密码很长很难猜到吧我想要",
        "x7" + "q9!vLm2 pZ" * 25,
    ],
)
def test_any_other_password_is_accepted_whatever_its_characters(cast: Cast, session: Session, password: str) -> None:
    carla = member(session, "carla")
    team.set_password(session, carla, password, by=COMMAND)
    assert check_password(carla, password)
    assert not check_password(carla, password + ".")
    assert carla.password_hash is not None
    assert carla.password_hash.startswith("$argon2id$")


def test_a_password_is_the_same_however_a_keyboard_writes_its_letters() -> None:
    composed, decomposed = "ma\u00f1ana por la ma\u00f1ana", "man\u0303ana por la man\u0303ana"
    someone = Member(password_hash=hash_password(decomposed))
    assert check_password(someone, composed)
    assert check_password(someone, decomposed)


def test_a_hash_made_before_letters_were_normalized_still_opens() -> None:
    decomposed = "man\u0303ana por la man\u0303ana"
    someone = Member(password_hash=PasswordHasher().hash(decomposed))
    assert check_password(someone, decomposed)


def test_nobody_and_a_member_without_password_are_refused() -> None:
    assert not check_password(None, PASSWORD)
    assert not check_password(Member(), PASSWORD)
    assert not check_password(Member(password_hash="no hash"), PASSWORD)
    assert not check_password(Member(password_hash=hash_password(PASSWORD)), "\ud800" + PASSWORD)


@pytest.mark.usefixtures("slow_passwords")
def test_two_passwords_are_hashed_at_once_and_the_others_wait_or_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, at_once, most = threading.Lock(), 0, 0
    verify = PasswordHasher.verify

    def watched(self: PasswordHasher, hashed: str, password: str) -> bool:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        try:
            return verify(self, hashed, password)
        finally:
            with lock:
                at_once -= 1

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    begin = threading.Barrier(40)

    def knock() -> str:
        begin.wait()
        try:
            return str(passwords.matches(None, PASSWORD))
        except Busy as error:
            return f"busy for {error.retry_after} s"

    with ThreadPoolExecutor(40) as pool:
        answers = [future.result() for future in [pool.submit(knock) for _ in range(40)]]
    assert most <= 2
    assert "False" in answers
    assert "busy for 5 s" in answers
    assert passwords.matches(hash_password(PASSWORD), PASSWORD)
