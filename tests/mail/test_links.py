"""Links and pictures lead where the sender meant, in any form of the address."""

from __future__ import annotations

import re
from html import escape

import pytest

from app.mail.mime import described
from app.mail.parse import parse
from app.mail.safe_html import clean
from app.mail.tokens import Value

PLACE = "https://shop.example/account/"


def _href(href: str, base: str = "") -> str | None:
    head = f'<base href="{base}">' if base else ""
    found = re.search(r'href="([^"]*)"', clean(f'{head}<p><a href="{escape(href)}">x</a></p>', {}))
    return found[1] if found else None


@pytest.mark.parametrize(
    ("href", "address"),
    [
        ("https://shop.example/a?b=1", "https://shop.example/a?b=1"),
        ("HTTP://shop.example/", "http://shop.example/"),
        ("www.shop.example/x", "https://www.shop.example/x"),
        ("www.shop.example", "https://www.shop.example"),
        ("shop.example/x?y=1#z", "https://shop.example/x?y=1#z"),
        ("shop.example:8080/x", "https://shop.example:8080/x"),
        ("müller.example", "https://müller.example"),
        ("//shop.example/y", "https://shop.example/y"),
        ("\\\\shop.example\\y", "https://shop.example\\y"),
        ("https:\\\\shop.example", "https://shop.example"),
        ("http:/shop.example/y", "http://shop.example/y"),
        (" \n https://shop.example/a\n b\t", "https://shop.example/a b"),
        ("\u200bhttps://shop.example/", "https://shop.example/"),
        ("mia@customer.example", "mailto:mia@customer.example"),
        ("mailto:mia@customer.example?subject=x", "mailto:mia@customer.example?subject=x"),
        ("TEL:+4943155501", "TEL:+4943155501"),
        ("order.html", None),
        ("order/4711", None),
        ("/help", None),
        ("#top", None),
        ("?a=1", None),
        ("https://", None),
        ("", None),
        ("javascript:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("\x01javascript:alert(1)", None),
        ("javascript.example:alert(1)", None),
        ("data:text/html,x", None),
        ("vbscript:x", None),
        ("file:///etc/passwd", None),
        ("cid:x", None),
    ],
)
def test_links_lead_to_the_web_or_nowhere(href: str, address: str | None) -> None:
    assert _href(href) == address


@pytest.mark.parametrize(
    ("href", "address"),
    [
        ("order/4711", PLACE + "order/4711"),
        ("order.html", PLACE + "order.html"),
        ("/help", "https://shop.example/help"),
        ("../x", "https://shop.example/x"),
        ("?a=1", PLACE + "?a=1"),
        ("//other.example/y", "https://other.example/y"),
        ("www.other.example/y", "https://www.other.example/y"),
        ("https://other.example/", "https://other.example/"),
        ("#top", None),
        ("javascript:alert(1)", None),
        ("java\tscript:alert(1)", None),
    ],
)
def test_relative_links_are_completed_by_the_base_of_the_page(href: str, address: str | None) -> None:
    assert _href(href, PLACE) == address


@pytest.mark.parametrize("base", ["javascript:alert(1)//", "data:text/html,", "/x/", "http://[", "cid:x"])
def test_a_base_that_is_not_on_the_web_completes_nothing(base: str) -> None:
    assert _href("order", base) is None


@pytest.mark.parametrize(
    ("src", "remote"),
    [
        ("https://img.example/a.png", "https://img.example/a.png"),
        ("http://img.example/a.png", "https://img.example/a.png"),
        ("//img.example/a.png", "https://img.example/a.png"),
        ("\n http://img.example/a.png ", "https://img.example/a.png"),
        ("www.img.example/a.png", "https://www.img.example/a.png"),
        ("a.png", None),
        ("ftp://img.example/a.png", None),
        ("javascript:alert(1)", None),
        ("cid:missing@x", None),
        ("", None),
    ],
)
def test_pictures_on_other_servers_are_counted_and_come_by_https(src: str, remote: str | None) -> None:
    raw = f'Content-Type: text/html\r\n\r\n<img src="{src}" alt="map">'.encode()
    mail = parse(raw)
    assert mail.has_remote_images is (remote is not None)
    assert mail.html == (f'<img data-remote="{remote}" alt="map">' if remote else '<img alt="map">')


def test_relative_pictures_are_completed_by_the_base_of_the_page() -> None:
    assert 'data-remote="https://shop.example/account/a.png"' in clean(f'<base href="{PLACE}"><img src="a.png">', {})


def _with_picture(src: str, header: str) -> bytes:
    return (
        'Content-Type: multipart/related; boundary="b"\r\n\r\n'
        f'--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>x</p><img src="{src}">\r\n'
        f"--b\r\nContent-Type: image/png\r\nContent-Disposition: inline; filename=photo.png\r\n{header}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("src", "header"),
    [
        ("cid:photo@customer.example", "Content-ID: <photo@customer.example>"),
        ("CID:Photo@customer.example", "Content-ID: photo@customer.example"),
        ("cid:&lt;photo@customer.example&gt;", "Content-ID: <photo@customer.example>"),
        ("cid:photo%40customer.example", "Content-ID: <photo@customer.example>"),
        ("cid:ph%C3%B6to", "Content-ID: <ph%C3%B6to>"),
        ("cid:photo@customer.example", "Content-ID: <photo%40customer.example>"),
        ("cid:795d06e8@kunde.example", "Content-ID: <=?us-ascii?Q?795d06e8@kunde.exa?=\r\n =?us-ascii?Q?mple?=>"),
        ("image001.png", "Content-ID: <image001.png>"),
        ("photo@customer.example", "Content-ID: <photo@customer.example>"),
        ("https://mail.example/logo.png", "Content-Location: https://mail.example/logo.png"),
        ("https://mail.example/logo.png", "Content-Location: https://mail.example/\r\n logo.png"),
        ("logo.png", "Content-Location: logo.png"),
        ("photo.png", "X-None: nothing"),
        ("cid:photo.png@01D9F2A1", "X-None: nothing"),
        ("file:///C:/Users/mia/Temp/Photo.png", "X-None: nothing"),
        ("x-msg://13/photo.png", "X-None: nothing"),
    ],
)
def test_pictures_in_the_mail_are_shown_in_place(src: str, header: str) -> None:
    mail = parse(_with_picture(src, header))
    assert mail.html == '<p>x</p><img data-part="2">'
    assert [part.inline for part in mail.attachments] == [True]
    assert not mail.has_remote_images


def test_a_picture_on_another_server_is_not_taken_for_a_file_of_its_name() -> None:
    mail = parse(_with_picture("https://mail.example/photo.png", "Content-ID: <a>"))
    assert mail.html == '<p>x</p><img data-remote="https://mail.example/photo.png">'
    assert [part.inline for part in mail.attachments] == [False]


def test_a_bodystructure_names_pictures_in_the_same_ways() -> None:
    picture: list[Value] = [
        b"image",
        b"png",
        None,
        b"<=?us-ascii?Q?a@x?=>",
        None,
        b"base64",
        b"12",
        None,
        None,
        None,
        b"logo.png",
    ]
    node = described([[b"text", b"html", None, None, None, b"7bit", b"9", b"1"], picture, b"related"])
    assert node is not None
    assert (node.children[1].content_id, node.children[1].location) == ("a@x", "logo.png")
    assert node.children[0].location is None
