"""The sample mailbox: any size, always the same, and as varied as a real one."""

from __future__ import annotations

import datetime as dt
import email
import hashlib
import re
from collections import Counter
from itertools import pairwise

import pytest

from local.sample import SampleMail, sample_mails, with_state

MANY = 3_000


@pytest.fixture(scope="module")
def mails() -> list[SampleMail]:
    return list(sample_mails(MANY))


def digest(mails: list[SampleMail]) -> str:
    whole = hashlib.sha256()
    for mail in mails:
        whole.update(
            mail.raw + mail.folder.encode() + str(mail.flags).encode() + mail.internaldate.isoformat().encode()
        )
    return whole.hexdigest()


@pytest.mark.parametrize("count", [1, 2, 3, 7, 50, 400, 1_234])
def test_it_has_exactly_as_many_mails_as_were_asked_for(count: int) -> None:
    assert sum(1 for _ in sample_mails(count)) == count


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert digest(list(sample_mails(300, 7))) == digest(list(sample_mails(300, 7)))
    assert digest(list(sample_mails(300, 7))) != digest(list(sample_mails(300, 8)))


def test_mails_come_in_the_order_of_delivery_and_end_just_before_now() -> None:
    now = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
    moments = [mail.internaldate for mail in sample_mails(400, start=now)]
    assert all(one <= two for one, two in pairwise(moments))
    assert dt.timedelta() < now - moments[-1] < dt.timedelta(minutes=15)
    assert dt.timedelta(days=14) < now - moments[0] <= dt.timedelta(days=21)


def test_conversations_have_one_to_eight_mails_and_hold_together(mails: list[SampleMail]) -> None:
    talks = Counter(mail.conversation for mail in mails if mail.kind == "conversation")
    assert set(talks.values()) == set(range(1, 9))
    first: dict[int, str] = {}
    for mail in mails:
        if mail.kind == "conversation":
            parsed = email.message_from_bytes(mail.raw)
            known = first.setdefault(mail.conversation, str(parsed["Message-ID"]))
            automatic = parsed["Auto-Submitted"] == "auto-replied"
            assert automatic or known in (parsed["References"] or parsed["Message-ID"])


def test_it_is_as_varied_as_a_real_mailbox(mails: list[SampleMail]) -> None:
    everything = b"\n".join(mail.raw for mail in mails).lower()
    charsets = set(re.findall(rb"charset=\"?([\w-]+)", everything))
    assert {b"utf-8", b"iso-8859-1", b"windows-1252", b"iso-2022-jp", b"koi8-r", b"us-ascii"} <= charsets
    for trait in (
        b"multipart/alternative", b"multipart/related", b"multipart/mixed", b"multipart/report", b"text/html",
        b"image/png", b"image/jpeg", b"application/pdf", b"text/csv", b"application/zip", b"content-id: <",
        b"encoding: base64", b"encoding: quoted-printable", b"encoding: 8bit", b"list-unsubscribe:",
        b"auto-submitted: auto-replied", b"escribi=f3:", b"wrote:", b"gmail_quote", b"msonormal", b"enviado:",
        b"<script>", b"onerror=",
    ):  # fmt: skip
        assert trait in everything, trait
    assert {mail.folder for mail in mails} == {"INBOX", "Sent", "Archive", "Junk"}


def test_the_nasty_ones_are_there(mails: list[SampleMail]) -> None:
    ids = Counter(email.message_from_bytes(mail.raw)["Message-ID"] for mail in mails)
    assert ids[None] >= 1
    assert max(count for own, count in ids.items() if own) == 2
    assert max(len(line) for mail in mails for line in mail.raw.split(b"\r\n")[:40]) > 500


def test_its_mean_size_is_that_of_real_mail(mails: list[SampleMail]) -> None:
    assert 8_000 < sum(len(mail.raw) for mail in mails) / MANY < 18_000


def test_the_team_has_left_its_keywords() -> None:
    mails = with_state(sample_mails(400))
    names = Counter(name for mail in mails for name in mail.flags)
    assert names["state-closed"] > names["state-pending"] > 5
    assert all(names[f"assigned-{handle}"] for handle in ("ana", "ben", "carla"))
    fresh = [mail for mail in mails[-60:] if mail.folder == "INBOX"]
    assert any(not any(name.startswith("assigned-") for name in mail.flags) for mail in fresh)
