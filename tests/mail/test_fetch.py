"""Mails and their parts on a real Dovecot: whole ones, large ones, attachments."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from app.mail.errors import Refused
from app.mail.imap import ImapSession
from app.mail.parse import MailSource, parse
from tests.dovecot import Account, mail
from tests.mail.letters import letter

PICTURE = bytes(range(256)) * 800


@pytest.fixture
def session(account: Account) -> Iterator[ImapSession]:
    with account.open() as opened:
        opened.select("INBOX")
        yield opened


def delivered(account: Account, session: ImapSession, raw: bytes) -> int:
    """Deliver a mail and let the session see it."""
    uid = account.append(raw)
    session.select("INBOX")
    return uid


def large_mail() -> bytes:
    """Two forms of the text, a picture shown in it, and an attachment with a hostile name."""
    return letter(
        "multipart/mixed",
        letter(
            "multipart/alternative",
            letter("text/plain; charset=iso-8859-1", "Grüße aus Köln\r\n".encode("latin-1"), how="quoted-printable"),
            letter(
                "multipart/related",
                letter("text/html; charset=utf-8", '<p>Grüße aus <img src="cid:pic@x"></p>'.encode(), how="base64"),
                letter("image/png; name=pic.png", PICTURE, how="base64", content_id="<pic@x>"),
            ),
        ),
        letter(
            "application/pdf", b"%PDF-1.4" * 9000, how="base64",
            content_disposition='attachment; filename="../../BODY[] FLAGS (assigned-eve).pdf"',
        ),
        subject="Large", message_id="<large@customer.example>",
    )  # fmt: skip


def test_a_large_mail_comes_without_its_attachments_and_reads_the_same(account: Account, session: ImapSession) -> None:
    raw = large_mail()
    uid = delivered(account, session, raw)
    found = next(session.fetch([uid], max_whole=10_000))
    assert not found.complete
    assert len(found.raw) < 1000
    assert found.size == len(raw)
    assert found.flags == ()
    thin = parse(MailSource(found.raw, found.size, found.outline))
    full = parse(raw)
    for name in ("message_id", "subject", "text", "html", "preview", "identity", "from_", "date"):
        assert getattr(thin, name) == getattr(full, name)
    assert [(part.number, part.filename, part.inline) for part in thin.attachments] == [
        ("1.2.2", "pic.png", True),
        ("2", "BODY[] FLAGS (assigned-eve).pdf", False),
    ]
    for ours, theirs in zip(full.attachments, thin.attachments, strict=True):
        assert (ours.number, ours.filename, ours.inline) == (theirs.number, theirs.filename, theirs.inline)
        assert abs(ours.size - theirs.size) <= 2


def test_an_attachment_comes_decoded_by_its_number(account: Account, session: ImapSession) -> None:
    uid = delivered(account, session, large_mail())
    assert session.fetch_part(uid, "1.2.2") == PICTURE
    assert session.fetch_part(uid, "2") == b"%PDF-1.4" * 9000
    assert session.fetch_part(uid, "1.1").decode("latin-1") == "Grüße aus Köln\r\n"


def test_the_only_part_of_a_mail_comes_decoded_too(account: Account, session: ImapSession) -> None:
    uid = delivered(account, session, letter("application/pdf", PICTURE, how="base64", subject="Fax"))
    assert session.fetch_part(uid, "1") == PICTURE


def test_a_part_that_is_not_there_is_refused_not_invented(account: Account, session: ImapSession) -> None:
    uid = delivered(account, session, mail())
    with pytest.raises(Refused, match="no part 7"):
        session.fetch_part(uid, "7")
    with pytest.raises(Refused, match="no longer exists"):
        session.fetch_part(uid + 1, "1")
    with pytest.raises(ValueError, match="not the number of a part"):
        session.fetch_part(uid, "1] BODY[2")


def test_a_source_of_several_megabytes_comes_in_pieces(account: Account, session: ImapSession) -> None:
    raw = mail(body=base64.encodebytes(b"x" * 2_500_000).replace(b"\n", b"\r\n").decode())
    uid = delivered(account, session, raw)
    pieces = list(session.fetch_source(uid))
    assert len(pieces) > 2
    assert b"".join(pieces) == raw


def test_mails_come_in_ascending_order_large_and_small_mixed(account: Account, session: ImapSession) -> None:
    uids = [delivered(account, session, mail(body="x" * size + "\r\n")) for size in (10, 5000, 20, 6000, 7000, 30)]
    found = list(session.fetch(reversed(uids), max_whole=1000))
    assert [one.uid for one in found] == uids
    assert [one.complete for one in found] == [True, False, True, False, False, True]


def test_a_fetch_that_is_left_in_the_middle_leaves_the_session_usable(account: Account, session: ImapSession) -> None:
    for _ in range(3):
        delivered(account, session, mail())
    next(session.fetch("1:*", max_whole=10))
    assert len(session.uids()) == 3


def test_a_mail_that_goes_away_meanwhile_is_left_out(account: Account, session: ImapSession) -> None:
    uids = [delivered(account, session, mail()) for _ in range(2)]
    account.expunge(uids[0])
    assert [one.uid for one in session.fetch(uids)] == [uids[1]]
