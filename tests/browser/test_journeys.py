"""The journeys that Signalbox is for, with every real part: browser, web, Postgres, worker, Dovecot.

`doveadm` plays the mail client: it acts without our own connection.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import pytest
from playwright.sync_api import Error, Page, expect

from tests.browser.conftest import SECONDS
from tests.dovecot import mail
from tests.sync.stage import Stage
from tests.waiting import eventually

pytestmark = pytest.mark.browser


def test_new_mail_arrives_on_an_open_page(stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page("carla", f"/m/{stage.mailbox_id}/unassigned")
    stage.account.append(mail("Where is my parcel?", "It was sent on Monday.\r\n"))
    expect(page.locator(".conv", has_text="Where is my parcel?")).to_be_visible()
    expect(page.locator(".side-item [data-count=unassigned]")).to_have_text("1")
    page.get_by_text("Where is my parcel?").click()
    expect(page.locator(".message-body")).to_contain_text("It was sent on Monday.")
    expect(page.locator("#step")).to_contain_text("In sync")


def test_a_member_claims_and_every_mail_client_sees_it(stage: Stage, open_page: Callable[..., Page]) -> None:
    uid = stage.account.append(mail("Where is my parcel?"))
    carla = open_page("carla", f"/m/{stage.mailbox_id}/unassigned")
    ben = open_page("ben", f"/m/{stage.mailbox_id}/open")
    carla.get_by_text("Where is my parcel?").click()
    expect(carla.locator("#state h1")).to_have_text("Where is my parcel?")
    carla.keyboard.press("c")
    expect(carla.locator("#state")).to_contain_text("Carla")
    eventually(lambda: "assigned-carla" in stage.account.flags(uid))
    # Ben's open list shows her without a click. So does her own panel, once the server has the keyword.
    expect(ben.locator(".conv", has_text="Where is my parcel?").get_by_label("Carla")).to_be_visible()
    expect(carla.locator("#on-the-server .keyword:not(.is-adding)", has_text="assigned-carla")).to_be_visible()
    expect(carla.locator("#on-the-server")).to_contain_text("in sync")


def test_a_tag_changed_in_a_mail_client_reaches_the_open_page(stage: Stage, open_page: Callable[..., Page]) -> None:
    uid = stage.account.append(mail("Where is my parcel?"))
    page = open_page("carla", f"/m/{stage.mailbox_id}/open")
    page.get_by_text("Where is my parcel?").click()
    page.locator("#note-text").fill("Half a thought")
    stage.account.add_flags(uid, "assigned-ben", "state-pending")
    expect(page.locator("#state .pill", has_text="Ben")).to_be_visible()
    expect(page.locator("#state .pill", has_text="Pending")).to_be_visible()
    expect(page.locator("#history")).to_contain_text("in a mail client")
    expect(page.locator("#note-text")).to_have_value("Half a thought")
    stage.account.remove_flags(uid, "assigned-ben")
    expect(page.locator("#state .pill", has_text="Nobody")).to_be_visible()


def test_an_attachment_is_fetched_when_it_is_asked_for(stage: Stage, open_page: Callable[..., Page]) -> None:
    stage.account.append(WITH_FILE)
    page = open_page("carla", f"/m/{stage.mailbox_id}/open")
    page.get_by_text("The plan").click()
    with page.expect_download(timeout=SECONDS * 1000) as download:
        page.locator(".file").click()
    assert download.value.suggested_filename == "plan.bin"
    assert download.value.path().read_bytes() == b"the plan\n"


def test_a_pdf_is_read_in_the_browser_though_it_may_do_nothing(stage: Stage, open_page: Callable[..., Page]) -> None:
    """The response is sandboxed; the browser's viewer displays it all the same. The page of this PDF is completely
    red."""
    stage.account.append(WITH_PDF)
    page = open_page("carla", f"/m/{stage.mailbox_id}/open")
    page.get_by_text("The drawing").click()
    with page.expect_popup() as popup:
        page.locator(".file").click()
    eventually(lambda: _middle(page, popup.value) == [255, 0, 0], patience=3 * SECONDS)


def _middle(page: Page, popup: Page) -> list[int] | None:
    """The colour in the middle of a window, as the browser reports it. None while the window changes."""
    try:
        picture = popup.screenshot(timeout=5000)
    except Error:
        return None
    script = """async data => {
        const picture = new Image()
        picture.src = data
        await picture.decode()
        const canvas = document.createElement("canvas").getContext("2d")
        canvas.drawImage(picture, -picture.width / 2, -picture.height / 2)
        return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)]
    }"""
    found: list[int] = page.evaluate(script, f"data:image/png;base64,{b64encode(picture).decode()}")
    return found


WITH_FILE = b"""\
From: Zoe <zoe@customer.example>\r
To: support@example.com\r
Subject: The plan\r
Message-ID: <plan@customer.example>\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=b\r
\r
--b\r
Content-Type: text/plain\r
\r
Here it is.\r
--b\r
Content-Type: application/octet-stream; name=plan.bin\r
Content-Disposition: attachment; filename=plan.bin\r
Content-Transfer-Encoding: base64\r
\r
dGhlIHBsYW4K\r
--b--\r
"""

PDF = b"""\
%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 2000 2000]/Contents 4 0 R>>endobj
4 0 obj<</Length 28>>stream
1 0 0 rg 0 0 2000 2000 re f
endstream endobj
trailer<</Root 1 0 R>>
%%EOF
"""
WITH_PDF = WITH_FILE.replace(b"plan.bin", b"drawing.pdf").replace(b"octet-stream", b"pdf")
WITH_PDF = WITH_PDF.replace(b"The plan", b"The drawing").replace(b"dGhlIHBsYW4K", b64encode(PDF))
