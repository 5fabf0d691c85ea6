"""Nothing in a mail runs, fetches, submits or leaves its frame."""

from __future__ import annotations

import pytest

from app.mail.safe_html import clean

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
    safe = clean(html, {}).lower()
    for word in ("<script", "javascript:", "evil.example", "<form", "<input", "<iframe", "<svg", "<style", "position"):
        assert word not in safe, safe
    for word in (" onerror", " onload", " ontoggle", " onfocus", "url(", "srcset", "/sign-out", "<base", "<meta"):
        assert word not in safe, safe


def test_a_deep_nest_does_not_stop_anything() -> None:
    assert "x" in clean("<div>" * 5000 + "x", {})


def test_pictures_on_other_servers_have_no_src_but_keep_their_address() -> None:
    html = '<img alt="logo" src=" HTTPS://shop.example/logo.png?a=1&amp;b=2">'
    assert clean(html, {}) == '<img alt="logo" data-remote="HTTPS://shop.example/logo.png?a=1&amp;b=2">'


def test_inline_pictures_name_their_part() -> None:
    assert clean('<img src="cid:pic@x"><img src="cid:other@x">', {"pic@x": "2.1"}) == '<img data-part="2.1"><img>'


@pytest.mark.parametrize(
    "html",
    [
        "<img data-part=2>",
        "<img src=part:2>",
        "<img src='remote:https://evil.example/'>",
        "<p data-remote='https://x/'>",
    ],
)
def test_a_mail_cannot_write_a_placeholder_itself(html: str) -> None:
    assert "data-" not in clean(html, {})
    assert "src" not in clean(html, {})


def test_words_that_look_like_a_placeholder_stay_words() -> None:
    words = '<p>&lt;img src="part:2"&gt; src="remote:https://x/"</p>'
    assert clean(words, {}) == words


def test_links_open_elsewhere_and_tell_nobody_where_from() -> None:
    safe = clean('<a href="https://shop.example/">x</a>', {})
    assert 'rel="noopener noreferrer"' in safe
    assert 'target="_blank"' in safe


def test_ordinary_looks_are_kept() -> None:
    html = '<table width="600" bgcolor="#eee"><tr><td style="color:red;padding:4px"><b>Sale</b></td></tr></table>'
    safe = clean(html, {})
    assert 'bgcolor="#eee"' in safe
    assert "color:red" in safe
