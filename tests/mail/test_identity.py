"""A mail is recognised whatever servers and clients write into its header, and no other mail is mistaken for it."""

from __future__ import annotations

import hashlib

import pytest

from app.mail.mime import Node
from app.mail.parse import MailSource, parse

_HEAD = (
    b"Received: from mx.customer.example by mail.halden.example; Mon, 02 Nov 2026 10:00:01 +0000\r\n"
    b"From: Mia <mia@customer.example>\r\nTo: help@halden.example\r\nSubject: The scale\r\n"
    b"Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nMessage-ID: <one@customer.example>\r\n"
)
_MAIL = _HEAD + b"\r\nHello\r\n"
_ANONYMOUS = _MAIL.replace(b"Message-ID: <one@customer.example>\r\n", b"")
_DATELESS = _MAIL.replace(b"Date: Mon, 02 Nov 2026 10:00:00 +0000\r\n", b"")


@pytest.mark.parametrize("mail", [_MAIL, _ANONYMOUS, _DATELESS])
@pytest.mark.parametrize(
    "changed",
    [
        lambda mail: b"X-TUID: mxPiFvinGqwm\r\n" + mail,
        lambda mail: b"X-OfflineIMAP: 1234-5678\r\n" + mail,
        lambda mail: b"X-Mozilla-Status: 0001\r\nX-Mozilla-Keys: \r\n" + mail,
        lambda mail: b"Received: from a by b; Tue, 03 Nov 2026 08:00:00 +0000\r\n" + mail,
        lambda mail: b"Return-Path: <mia@customer.example>\r\nDelivered-To: info@halden.example\r\n" + mail,
        lambda mail: mail.replace(b"\r\n\r\n", b"\r\nX-Spam-Status: No\r\n\r\n"),
        lambda mail: mail.replace(b"\r\n", b"\n"),
        lambda mail: mail.replace(b"Subject: The scale", b"Subject: The\r\n scale"),
        lambda mail: mail + b"\r\n",
        lambda mail: mail,
    ],
)
def test_additions_in_transport_do_not_change_the_identity(mail: bytes, changed: object) -> None:
    assert callable(changed)
    assert parse(changed(mail)).identity == parse(mail).identity


@pytest.mark.parametrize("mail", [_MAIL, _ANONYMOUS])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"Hello", b"Hallo"),
        (b"10:00:00", b"10:00:02"),
        (b"mia@customer.example>\r\nTo", b"tom@customer.example>\r\nTo"),
        (b"The scale", b"The scales"),
    ],
)
def test_another_sender_date_subject_or_text_is_another_mail(mail: bytes, one: bytes, other: bytes) -> None:
    assert one in mail
    assert parse(mail.replace(one, other)).identity != parse(mail).identity


def test_a_mail_without_a_date_has_that_of_its_first_server() -> None:
    later = _DATELESS.replace(b"10:00:01", b"11:00:00")
    assert parse(later).identity != parse(_DATELESS).identity


def test_a_mail_without_an_id_to_another_receiver_is_another_mail() -> None:
    assert parse(_ANONYMOUS.replace(b"help@", b"info@")).identity != parse(_ANONYMOUS).identity
    assert parse(_MAIL.replace(b"help@", b"info@")).identity == parse(_MAIL).identity


def test_a_large_mail_is_known_by_its_outline_whether_it_is_here_or_not() -> None:
    head = _HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n"

    def identities(size: int, head: bytes = head) -> set[bytes]:
        parts = b"--x\r\n\r\nHello\r\n--x\r\nContent-Type: image/png\r\n\r\n" + b"A" * size + b"\r\n--x--\r\n"
        leaves = [Node("1", encoded_size=5, raw=b"Hello"), Node("2", "image/png", encoded_size=size)]
        thin = MailSource(head + b"\r\n", len(head) + len(parts), Node("", "multipart/mixed", children=leaves))
        return {parse(thin).identity, parse(head + b"\r\n" + parts).identity}

    [one] = identities(900_000)
    assert identities(900_000, b"X-TUID: abc\r\n" + head) == {one}
    assert one not in identities(900_001)


def test_the_former_identity_is_that_of_the_whole_header_and_the_size() -> None:
    told = b"<one@customer.example>\n%d\n" % len(_MAIL) + _HEAD.rstrip()
    assert parse(_MAIL).former_identity == hashlib.sha256(told).digest()
    assert parse(_ANONYMOUS).former_identity == hashlib.sha256(_ANONYMOUS).digest()
