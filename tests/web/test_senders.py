"""Who wrote, whom an answer reaches, and names that pretend to be something else."""

from __future__ import annotations

import pytest

from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.arriving.arrival import File
from tests.cast import mailbox
from tests.web.conftest import Browser, new_conversation


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


def test_who_gets_the_answer_is_shown_where_it_is_not_the_sender(carla: Browser) -> None:
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


@pytest.mark.parametrize(
    ("filename", "word"),
    [
        ("invoice.pdf.exe", "Program, not a PDF file"),
        ("photo.jpg   .scr", "Program, not a JPG file"),
        ("letter.docx_____.js", "Program, not a DOCX file"),
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
    assert {shown for shown in words if f">{shown}<" in page} == ({word} if word else set())
