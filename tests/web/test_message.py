"""The addresses of a mail: the frame, the original, attachments."""

from __future__ import annotations

import re

import pytest

from app import db
from app.inbox.arriving.arrival import File
from app.inbox.server import download
from app.inbox.server.download import Download
from app.web.conversation.message import disposition, safe_name
from tests.web.conftest import Browser, new_conversation, stored_message

HTML = '<p>Hello</p><script>alert(1)</script><img src="https://tracker.example/x.png"><img src="cid:logo">'


def _with_files(*files: tuple[str, str]) -> tuple[int, list[int]]:
    """A conversation whose mail has these attachments: (its message's id, ids of the attachments)."""
    parts = tuple(File(str(n + 2), name, type_, 9, "base64", None, False) for n, (name, type_) in enumerate(files))
    talk = new_conversation(files=parts)
    message = stored_message(talk)
    return message.id, [a.id for a in message.attachments]


def _bring(part: str, message_id: int, data: bytes) -> None:
    """Do the worker's part: store the requested download."""
    with db.transaction() as session:
        asked = session.query(Download).filter_by(message_id=message_id, part=part).one()
        download.store(session, asked, data)


def test_html_is_served_for_a_frame_that_runs_and_fetches_nothing(carla: Browser) -> None:
    message = stored_message(new_conversation(html=HTML))
    answer = carla.get(f"/messages/{message.id}/body")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith(
        "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'"
    )
    assert "allow-scripts" not in policy
    assert "img-src 'self' data:;" in policy
    assert "<script" not in answer.text
    assert "tracker.example" not in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_the_page_never_holds_a_strangers_html_itself(carla: Browser) -> None:
    talk = new_conversation(html=HTML)
    page = carla.page(f"/conversations/{talk}")
    assert "tracker.example" not in page
    assert 'sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"' in page
    assert "Remote images are not loaded" in page


def test_remote_images_are_shown_after_being_asked_for(carla: Browser) -> None:
    talk = new_conversation(html=HTML)
    message = stored_message(talk)
    asked = _permission(carla, talk)
    assert f"/messages/{message.id}/body?images={asked}" in carla.page(f"/conversations/{talk}?images={asked}")
    # A verb and a live update show the same as before them.
    answer = carla.submit(f"/conversations/{talk}/star?images={asked}", htmx=True)
    assert f"/messages/{message.id}/body?images={asked}" in answer.text
    assert f'data-address="/conversations/{talk}?view=unassigned&amp;images={asked}"' in answer.text
    answer = carla.get(f"/messages/{message.id}/body?images={asked}")
    assert "https://tracker.example/x.png" in answer.text
    assert "img-src 'self' data: https:" in answer.headers["Content-Security-Policy"]


def test_only_the_reader_can_ask_for_remote_images(carla: Browser, ben: Browser) -> None:
    talk, other = new_conversation(html=HTML), new_conversation(html=HTML)
    message = stored_message(talk)
    of_ben, of_other = _permission(ben, talk), _permission(carla, other)
    for value in ("1", str(message.id), of_ben, of_other, _permission(carla, talk)[:-1], "", "é"):
        page = carla.page(f"/conversations/{talk}?images={value}")
        assert f'/messages/{message.id}/body"' in page
        answer = carla.get(f"/messages/{message.id}/body?images={value}")
        assert "tracker.example" not in answer.text
        assert "https:" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "picture",
    [
        '<img src="http://shop.example/x.png">',
        '<img src="//shop.example/x.png">',
        "<p>a > b</p><img class=x\n src = 'HTTPS://shop.example/x.png'>",
    ],
)
def test_pictures_on_other_servers_are_offered(carla: Browser, picture: str) -> None:
    talk = new_conversation(html=picture)
    assert "Remote images" in carla.page(f"/conversations/{talk}")
    asked = _permission(carla, talk)
    body = carla.get(f"/messages/{stored_message(talk).id}/body?images={asked}").text
    assert 'src="https://shop.example/x.png"' in body


@pytest.mark.parametrize(
    "picture",
    ['<img src="https://shop.example/open.gif" width="1" height="1">', '<img src="cid:missing">', '<img src="x.png">'],
)
def test_pictures_that_show_nothing_are_not_offered(carla: Browser, picture: str) -> None:
    assert "Remote images" not in carla.page(f"/conversations/{new_conversation(html='<p>Hi</p>' + picture)}")


def test_pictures_that_are_not_loaded_show_their_words(carla: Browser) -> None:
    remote, missing = (
        '<img src="https://a.example/a.png" alt="5 &lt; 6 &quot;x&quot;">',
        '<img src="cid:x" alt="photo">',
    )
    html = f"<p>Hi</p>{remote}{missing}<img src=y>"
    body = carla.get(f"/messages/{stored_message(new_conversation(html=html)).id}/body").text
    assert '<span class="sb-alt">5 &lt; 6 &quot;x&quot;</span><span class="sb-alt">photo</span></body>' in body
    assert "<img" not in body


@pytest.mark.parametrize(
    ("html", "look"),
    [
        ("<p>Hi</p>", "dark"),
        ("<p>the background color: red; of it</p>", "dark"),
        ('<p style="color:inherit;background:none;border-color:red">Hi</p>', "dark"),
        ('<p style="margin:0;color:#333">Hi</p>', "paper"),
        ('<p style="background-color:#fff">Hi</p>', "paper"),
        ('<font color="red">Hi</font>', "paper"),
        ('<table bgcolor="#ffffff"><tr><td>Hi</td></tr></table>', "paper"),
        ("<style>p { color: navy }</style><p>Hi</p>", "paper"),
        ('<body bgcolor="black" text="white">Hi', "paper"),
    ],
)
def test_in_the_dark_theme_mails_with_own_colours_stay_on_paper(carla: Browser, html: str, look: str) -> None:
    message = stored_message(new_conversation(html=html))
    assert f'<html class="{look}">' in carla.get(f"/messages/{message.id}/body?dark=1").text


@pytest.mark.parametrize(("language", "label"), [("en", "Show quoted text"), ("es", "Mostrar el texto citado")])
def test_the_fold_of_a_quote_is_labelled_in_the_readers_language(carla: Browser, language: str, label: str) -> None:
    message = stored_message(new_conversation(html='<p>Yes.</p><blockquote type="cite">One?</blockquote>'))
    carla.submit("/preferences", language=language, time_zone="UTC", theme="light", density="cosy")
    assert f'<summary aria-label="{label}" title="{label}">' in carla.get(f"/messages/{message.id}/body").text


def test_html_too_intricate_to_clean_is_shown_by_its_text(carla: Browser) -> None:
    talk = new_conversation(html="<ul><li>" * 20_000, text="The words of it")
    page = carla.page(f"/conversations/{talk}")
    assert "Its design is too complex to display" in page
    assert "The words of it" in page
    assert "<iframe" not in page
    body = carla.get(f"/messages/{stored_message(talk).id}/body").text
    assert "The words of it" in body
    assert "<li>" not in body


def test_an_attachment_is_asked_for_and_comes_when_the_worker_has_it(carla: Browser) -> None:
    message, [file] = _with_files(("plan.pdf", "application/pdf"))
    waiting = carla.get(f"/attachments/{file}", headers={"Accept": "text/html"})
    assert waiting.status_code == 202
    assert "Loading from the mail server" in waiting.text
    _bring("2", message, b"%PDF-1.7")
    answer = carla.get(f"/attachments/{file}")
    assert answer.status_code == 200
    assert answer.data == b"%PDF-1.7"
    assert answer.content_type == "application/pdf"
    assert answer.headers["Content-Disposition"] == "inline; filename=plan.pdf"


@pytest.mark.parametrize(
    "type_", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/x-sh"]
)
def test_files_that_could_run_are_only_saved(carla: Browser, type_: str) -> None:
    message, [file] = _with_files(("page.html", type_))
    carla.get(f"/attachments/{file}")
    _bring("2", message, b"<script>alert(1)</script>")
    answer = carla.get(f"/attachments/{file}")
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox;")


@pytest.mark.parametrize("type_", ["message/delivery-status", "text/rfc822-headers"])
def test_a_report_opens_as_text(carla: Browser, type_: str) -> None:
    message, [file] = _with_files(("report.txt", type_))
    carla.get(f"/attachments/{file}")
    _bring("2", message, b"Status: 5.1.1")
    answer = carla.get(f"/attachments/{file}")
    assert (answer.content_type, answer.text) == ("text/plain; charset=utf-8", "Status: 5.1.1")
    assert answer.headers["Content-Disposition"].startswith("inline")


def test_a_mail_with_more_text_than_is_kept_says_so(carla: Browser) -> None:
    longer, whole = new_conversation(truncated=True), new_conversation()
    assert "This message is longer." in carla.page(f"/conversations/{longer}")
    assert "This message is longer." not in carla.page(f"/conversations/{whole}")


def test_a_download_that_failed_says_why(carla: Browser) -> None:
    _message, [file] = _with_files(("plan.pdf", "application/pdf"))
    carla.get(f"/attachments/{file}")
    with db.transaction() as session:
        asked = session.query(Download).one()
        asked.note_failed("gone")
    answer = carla.get(f"/attachments/{file}")
    assert answer.status_code == 502
    assert "The mail server no longer has this mail." in answer.text


def test_the_original_is_shown_as_text(carla: Browser, talk: int) -> None:
    message = stored_message(talk)
    assert carla.get(f"/messages/{message.id}/original").status_code == 202
    _bring("", message.id, b"From: mia\r\n\r\n<script>alert(1)</script>")
    answer = carla.get(f"/messages/{message.id}/original")
    assert answer.content_type.startswith("text/plain")
    assert b"<script>" in answer.data


def test_other_peoples_mail_does_not_exist(carla: Browser) -> None:
    message, [file] = _with_files(("a.txt", "text/plain"))
    hidden = stored_message(new_conversation("Billing", html=HTML))
    assert message != hidden.id
    assert carla.get(f"/messages/{hidden.id}/body").status_code == 404
    assert carla.get(f"/messages/{hidden.id}/original").status_code == 404
    assert carla.submit(f"/messages/{hidden.id}/split").status_code == 404
    assert carla.get(f"/attachments/{file + 1000}").status_code == 404


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\x\\plan.pdf", "C-x-plan.pdf"),
        ("a\r\nSet-Cookie: b.txt", "aSet-Cookie- b.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("...", "attachment"),
        ("", "attachment"),
        ("Rechnung März.pdf", "Rechnung März.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_names_of_files_are_only_names(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_text_stays_text_and_its_addresses_become_links(carla: Browser) -> None:
    talk = new_conversation(text="See https://x.example/a?b=1&c=2.\n<b>not bold</b>\n\nBye")
    page = carla.page(f"/conversations/{talk}")
    assert 'href="https://x.example/a?b=1&amp;c=2"' in page
    assert "&lt;b&gt;not bold&lt;/b&gt;" in page


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("plain.pdf", "attachment; filename=plain.pdf"),
        (
            "Año – 合同.pdf",
            "attachment; filename=\"Ano  .pdf\"; filename*=UTF-8''A%C3%B1o%20%E2%80%93%20%E5%90%88%E5%90%8C.pdf",
        ),
        ("🎉", "attachment; filename=\"\"; filename*=UTF-8''%F0%9F%8E%89"),
    ],
)
def test_a_name_beyond_ascii_fits_into_a_header(name: str, header: str) -> None:
    """A web server refuses other letters in a header, so files with such names could not be opened at all."""
    assert disposition("attachment", name) == header
    header.encode("ascii")


def _permission(browser: Browser, talk: int) -> str:
    """The permission in the link "Show them" of a conversation."""
    found = re.search(r"[?&;]images=([\w.-]+)", browser.page(f"/conversations/{talk}"))
    assert found is not None
    return found[1]
