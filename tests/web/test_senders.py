"""Senders, recipients of an answer, and names that pretend to be something else."""

from __future__ import annotations

import re

import pytest

from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.arriving.arrival import File
from app.inbox.conversations.conversation import Conversation
from tests.cast import mailbox
from tests.web.conftest import Browser, new_conversation, stored


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        (("Cron Daemon", "root"), "Cron Daemon &lt;root&gt;"),
        (("", "scanner"), "<b>From</b> scanner<"),
        (("MAILER DAEMON", ""), "<b>From</b> MAILER DAEMON<"),
        (("", ""), "Unknown sender"),
    ],
)
def test_a_sender_is_shown_as_they_wrote_themselves(carla: Browser, sender: tuple[str, str], shown: str) -> None:
    assert shown in carla.page(f"/conversations/{new_conversation(sender=sender)}")


def test_the_recipient_of_an_answer_is_shown_if_it_is_not_the_sender(carla: Browser) -> None:
    form = new_conversation(sender=("Website", "noreply@shop.example"), reply_to=(("Marta", "marta@x.example"),))
    page = carla.page(f"/conversations/{form}")
    assert "Replies go to Marta &lt;marta@x.example&gt;" in page
    assert "<b>Reply to</b> Marta &lt;marta@x.example&gt;" in page
    same = new_conversation(sender=("Mia", "mia@x.example"), reply_to=(("", "MIA@x.example"),))
    assert "Replies go to" not in carla.page(f"/conversations/{same}")


def test_text_from_right_to_left_is_aligned_as_it_is_read(carla: Browser) -> None:
    page = carla.page(f"/conversations/{new_conversation(subject='שלום', text='שלום לכולם')}")
    assert '<h1 id="subject" dir="auto">שלום' in page
    assert '<p dir="auto">שלום לכולם</p>' in page


def test_words_from_right_to_left_reorder_nothing_around_them(carla: Browser) -> None:
    subject, name, file, tag = "שאלה על מנורה (4711)", "דנה כהן", "חשבונית 5.pdf", "דחוף!"
    id_ = new_conversation(
        subject=subject,
        sender=(name, "dana@x.example"),
        to=((name, "dana@x.example"),),
        reply_to=((name, "other@x.example"),),
        text="שלום לכולם",
        files=(File("2", file, "application/pdf", 10, "base64", None, False),),
    )
    with transaction() as session:
        conversation = session.get_one(Conversation, id_)
        conversation.tag("urgent", by=COMMAND)
        next(iter(conversation.tags)).label = tag
    page, rows = carla.page(f"/conversations/{id_}"), carla.page(f"/m/{stored(id_).mailbox_id}/unassigned")
    assert f"<title>\u2068{subject}\u2069 · Signalbox</title>" in page
    assert f'<h1 id="subject" dir="auto">{subject}' in page
    assert f'<bdi class="strong cut">{name}</bdi>' in page
    assert f"Mail from \u2068{name}\u2069" in page
    assert f"\u2068{name}\u2069 &lt;other@x.example&gt;" in page
    assert '<bdi class="file-name"><span class="cut" dir="auto">חשבונית 5' in page
    assert f'<span class="cut" dir="auto">{tag}</span>' in page
    assert f"<b>\u2068{tag}\u2069</b>" in page
    assert f'dir="auto">{name}</b>' in rows
    assert re.search(rf'class="conv-subject cut" dir="auto"[^>]*>{re.escape(subject)}</a>', rows)
    assert '<span class="cut" dir="auto">' in rows.partition(subject)[2]


def test_words_from_left_to_right_stand_as_they_are(carla: Browser) -> None:
    page = carla.page(f"/conversations/{new_conversation(subject='A lamp', sender=('Mia', 'mia@x.example'))}")
    assert "<title>A lamp · Signalbox</title>" in page
    assert not set(page) & {"\u2068", "\u2069"}


@pytest.mark.parametrize(
    ("filename", "word"),
    [
        ("invoice.pdf.exe", "Program, not PDF"),
        ("photo.jpg   .scr", "Program, not JPG"),
        ("letter.docx_____.js", "Program, not DOCX"),
        ("setup.EXE", "Program"),
        ("report.v2.pdf", None),
        ("archive.tar.gz", None),
        ("example.com-invoice.pdf", None),
        ("exe", None),
    ],
)
def test_a_file_that_is_a_program_says_so(carla: Browser, filename: str, word: str | None) -> None:
    file = File("2", filename, "application/octet-stream", 9, "base64", None, False)
    page = carla.page(f"/conversations/{new_conversation(files=(file,))}")
    assert (f'<span class="caution">{word}</span>' in page) is (word is not None)
    assert filename in page


@pytest.mark.parametrize(
    ("servers", "results", "sender", "word"),
    [
        ("mx.example", (("mx.example", "pass"),), "ben@halden.example", "Verified"),
        ("mx.example", (("mx.example", "fail"),), "ben@halden.example", "Claims to be a colleague"),
        ("mx.example", (("forged.example", "pass"),), "Ben@Halden.example", "Claims to be a colleague"),
        ("mx.example", (), "Info+x@halden.example", "Claims to be a colleague"),
        ("mx.example", (("mx.example", "fail"),), "mia@x.example", "Not verified"),
        ("mx.example", (), "mia@x.example", None),
        ("", (("mx.example", "pass"),), "ben@halden.example", "Unconfirmed"),
        ("", (), "mia@x.example", None),
    ],
)
def test_a_sender_is_called_verified_only_by_a_server_that_is_trusted(
    carla: Browser, servers: str, results: tuple[tuple[str, str], ...], sender: str, word: str | None
) -> None:
    with transaction() as session:
        mailbox(session).trust_servers(servers, by=COMMAND)
        mailbox(session).change_other_addresses(["info@halden.example"], by=COMMAND)
    page = carla.page(f"/conversations/{new_conversation(sender=('Ben', sender), authentication=results)}")
    words = {"Verified", "Claims to be a colleague", "Not verified", "Unconfirmed"}
    assert {shown for shown in words if re.search(f">{shown} ?<", page)} == ({word} if word else set())
