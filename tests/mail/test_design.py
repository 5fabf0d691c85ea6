"""Cleaned HTML keeps its design: colours and style rules stay, and hidden text stays hidden."""

from __future__ import annotations

from html import escape

import pytest

from app.mail.html import text_from_shown
from app.mail.safe_html import clean

DARK = "background-color:#1c1c28"


@pytest.mark.parametrize(
    "html",
    [
        '<html><body bgcolor="#1c1c28"><p style="color:#fff">Alarm</p></body></html>',
        '<body bgcolor=1c1c28><p style="color:#fff">Alarm</p>',
        f'<body style="margin:0;{DARK}"><p style="color:#fff">Alarm</p>',
        f'<html style="{DARK}"><body><p style="color:#fff">Alarm</p></body></html>',
        f"<style>body {{ {DARK}; }} p {{ color: #fff }}</style><p>Alarm</p>",
        f'<style>.dark {{ {DARK} }}</style><body class="dark"><p style="color:#fff">Alarm</p>',
        f'<style media="screen">html {{ {DARK} }}</style><p style="color:#fff">Alarm</p>',
        f'<body style="{DARK}" bgcolor="white"><p style="color:#fff">Alarm</p>',
    ],
)
def test_the_background_of_the_page_is_kept_on_an_element(html: str) -> None:
    safe = clean(html, {})
    assert safe.startswith("<div ")
    assert 'class="sb-page"' in safe
    assert DARK in safe
    assert '<p style="color:#fff">Alarm</p></div>' in safe


def test_colours_of_text_and_links_stand_on_the_page() -> None:
    safe = clean('<body text="#333333" link="navy"><a href="https://a.example/">x</a><a style="color:red">y</a>', {})
    assert safe.startswith('<div style="color:#333333">')
    assert 'style="color:navy"' in safe
    assert 'style="color:red"' in safe


def test_the_direction_of_the_page_is_kept() -> None:
    assert clean('<html dir="rtl"><body><p>שלום</p>', {}) == '<div dir="rtl"><p>שלום</p></div>'


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ('<BODY STYLE="Font-Family: serif">', 'style="font-family:serif"'),
        ("<body title='a>b' dir=rtl>", 'dir="rtl"'),
        ('<html style="text-align : center"><body style="margin:0">', 'style="text-align:center"'),
    ],
)
def test_the_look_of_the_page_is_kept_however_it_is_written(page: str, kept: str) -> None:
    assert clean(f"{page}<p>Hello</p>", {}) == f"<div {kept}><p>Hello</p></div>"


def test_a_page_without_a_design_of_its_own_has_no_element_for_it() -> None:
    assert clean("<html><head></head><body onload=x() class=a><p>Hello</p></body></html>", {}) == "<p>Hello</p>"


@pytest.mark.parametrize(
    ("background", "kept"),
    [
        ("background:url(https://x.example/a.jpg) #222222", "background-color:#222222"),
        ("background:#222 url('https://x.example/a(1).jpg') no-repeat", "background-color:#222"),
        ("background:url(data:image/png;base64,AAAA) rgb(34, 34, 34)", "background-color:rgb(34, 34, 34)"),
        ('background:URL("https://x.example/;a") navy!important', "background-color:navy ! important"),
        ("background-image:url(https://x.example/a.jpg);background-color:#222222", "background-color:#222222"),
    ],
)
def test_only_the_picture_of_a_background_goes(background: str, kept: str) -> None:
    for html in (
        f'<table><tr><td style="{escape(background)};color:#ffffff">Sale</td></tr></table>',
        f"<style>td {{ {background}; color:#ffffff }}</style><table><tr><td>Sale</td></tr></table>",
    ):
        safe = clean(html, {})
        assert kept in safe
        assert "color:#ffffff" in safe.replace(kept, "")
        assert "url" not in safe.lower()
        assert "x.example" not in safe


@pytest.mark.parametrize(
    "html",
    [
        '<td background="https://x.example/a.jpg" style="color:#ffffff">Sale</td>',
        '<td style="background:url(https://x.example/a.jpg);color:white">Sale</td>',
        '<td style="background-image:url(https://x.example/a.jpg)"><font color="#FFFFFF">Sale</font></td>',
        '<td style="color:rgb(250, 250, 250)">Sale</td>',
        '<td bgcolor="white"><div style="background:url(https://x.example/a.jpg);color:#fff">Sale</div></td>',
        '<td style="color:#fff!important"><b>Sale</b></td>',
    ],
)
def test_light_text_whose_background_is_gone_loses_its_colour(html: str) -> None:
    safe = clean(f"<table><tr>{html}</tr></table>", {})
    assert "Sale" in safe
    assert 'color="' not in safe.replace("bgcolor", "")
    assert "color:" not in safe.replace("background-color:", "")


@pytest.mark.parametrize(
    "html",
    [
        '<div style="background:#101020"><p style="color:#fff">Sale</p></div>',
        '<table bgcolor="#101020"><tbody><tr><td style="color:#fff">Sale</td></tr></tbody></table>',
        '<p style="color:#888">Sale</p>',
        '<div style="background:#fff"><p style="color:#fff">what the sender wants nobody to see</p></div>',
    ],
)
def test_other_colours_stay(html: str) -> None:
    assert clean(html, {}) == html


def test_boxes_with_a_background_keep_light_text_when_text_around_them_loses_it() -> None:
    html = '<div style="color:#fff">around <p style="background:#222">in the box</p></div>'
    safe = clean(html, {})
    assert safe == '<div style="">around <p style="color:#fff;background:#222">in the box</p></div>'


def test_on_a_dark_page_text_without_a_colour_is_light_and_dark_in_light_boxes() -> None:
    safe = clean('<body bgcolor="#000000"><p>x</p><table bgcolor="white"><tr><td>y</td></tr></table>list footer', {})
    assert safe.startswith('<div style="color:#edeae4;background-color:#000000"')
    assert '<table bgcolor="white" style="color:#211e1a">' in safe


RULES = [
    ("p { color: red }", "<p>x</p>", "color:red"),
    (".a.b { color: red }", '<p class="b a">x</p>', "color:red"),
    ("#a > p.b { color: red }", '<div id="a"><p class="b">x</p></div>', "color:red"),
    ("table td P { color: red }", "<table><tr><td><p>x</p></td></tr></table>", "color:red"),
    ("h1, p:hover, p { color: red }", "<p>x</p>", "color:red"),
    ("[class~=x], p[class=y] { color: red }", '<p class="y">x</p>', "color:red"),
    ("a:link { color: red }", '<a href="https://a.example/">x</a>', "color:red"),
    ("p { color: blue } .a { color: red } p { color: green }", '<p class="a">x</p>', "color:red"),
    ("p { color: red !important }", '<p style="color:blue">x</p>', "color:red"),
    ("p { color: blue }", '<p style="color:red">x</p>', "color:red"),
    ("<!-- /* Word */ p.MsoNormal { margin:0cm; color: red } -->", '<p class="MsoNormal">x</p>', "margin:0cm"),
    ("@media screen { p { color: red } }", "<p>x</p>", "color:red"),
    ("@media only screen and (min-width: 480px) { p { color: red } }", "<p>x</p>", "color:red"),
    ("@media (min-width: 30em), print { p { color: red } }", "<p>x</p>", "color:red"),
    ("@media not print { p { color: red } }", "<p>x</p>", "color:red"),
    ("@media screen { @media (max-width: 2000px) { p { color: red } } }", "<p>x</p>", "color:red"),
    ("@import 'x'; @font-face { font-family: x } p { color: red }", "<p>x</p>", "color:red"),
    ("@charset 'utf-8'; p { color: red", "<p>x</p>", ""),
    ("p { font-family: 'a}b'; color: red }", "<p>x</p>", "color:red"),
]


@pytest.mark.parametrize(("sheet", "html", "style"), RULES)
def test_simple_rules_are_applied(sheet: str, html: str, style: str) -> None:
    safe = clean(f"<html><head><style>{sheet}</style></head><body>{html}</body></html>", {})
    assert style in safe
    assert "blue" not in safe.replace("color:blue", "", style.count("blue"))
    assert "green" not in safe


@pytest.mark.parametrize(
    "sheet",
    [
        "@media print { p { color: red } }",
        "@media (max-width: 480px) { p { color: red } }",
        "@media screen and (max-device-width: 600px) { p { color: red } }",
        "@media (prefers-color-scheme: dark) { p { color: red } }",
        "@media not screen { p { color: red } }",
        "@media not all and (unheard-of) { p { color: red } }",
        "@supports (display: grid) { p { color: red } }",
        "@page { color: red }",
        "p:hover { color: red }",
        "p::before { color: red }",
        "u + p { color: red }",
        "p { color: red; ",
        "p { position: fixed; animation: x 1s; content: 'red' }",
    ],
)
def test_rules_for_other_screens_and_intricate_ones_are_not(sheet: str) -> None:
    assert clean(f"<style>{sheet}</style><p>x</p>", {}).replace(' style=""', "") == "<p>x</p>"


def test_a_sheet_for_print_is_not_applied() -> None:
    assert clean('<style media="print">p { display: none }</style><p>x</p>', {}) == "<p>x</p>"


def test_style_sheets_on_other_servers_are_never_asked_for() -> None:
    html = '<link rel="stylesheet" href="http://127.0.0.1:9/x.css"><style>@import url(http://127.0.0.1:9/);p{color:red}</style>'
    assert clean(html + "<p>x</p>", {}) == '<p style="color:red">x</p>'


HIDDEN = [
    "display:none",
    "DISPLAY : NONE !important",
    "visibility:hidden",
    "mso-hide:all",
    "opacity:0",
    "opacity:0.0;max-height:0",
    "max-height:0;overflow:hidden",
    "max-height:0px",
    "height:0;overflow:hidden",
    "width:1px;height:1px;overflow:hidden",
    "font-size:0",
    "font-size:1px;line-height:1px",
    "font:0/0 a",
    "text-indent:-9999px",
    "position:absolute;left:-10000px",
    "position:absolute;clip:rect(0 0 0 0)",
    "color:transparent",
    "color:rgba(255, 255, 255, 0)",
    "transform:scale(0)",
]


@pytest.mark.parametrize("style", HIDDEN)
def test_hidden_text_is_not_shown(style: str) -> None:
    shown = "<p>Hello Eva.</p>"
    for html in (
        f'<div style="{style}">only for the list &zwnj;&nbsp;</div>{shown}',
        f"<style>.pre {{ {style} }}</style><div class=pre><span>only for the list</span></div>{shown}",
        f'<span style="{style}">only for the list</span>{shown}',
    ):
        assert clean(html, {}) == shown


@pytest.mark.parametrize(
    "html",
    [
        "<div hidden>unseen</div>",
        "<title>unseen</title>",
        "<html><head><title>unseen</title></head><body>",
        "<iframe src='https://ads.example/'><a href='x'>unseen</a></iframe>",
        "<body><noscript><img src='https://x.example/'>unseen</noscript>",
        "<noframes>unseen</noframes>",
        "<noembed>unseen</noembed>",
        "<xmp><b>unseen</b></xmp>",
        "<template><p>unseen</p></template>",
        "<select><option>unseen</option></select>",
        "<input type=hidden value=unseen>",
        "<input type=password value=unseen>",
        "<input value=unseen style='display:none'>",
        "<svg><title>unseen</title></svg>",
        "<xml><o:PixelsPerInch>unseen</o:PixelsPerInch></xml>",
        "<!--[if mso]><p>unseen</p><![endif]-->",
        "<img src='https://x.example/open.gif' width=1 height=1 alt='unseen'>",
        "<img src='https://x.example/open.gif' style='width:0;height:0' alt='unseen'>",
        "<div style='display:none'><div style='display:none'>unseen</div><p hidden>unseen</p></div>",
        "<style>.phone{display:none} @media (max-width:480px){.phone{display:block}}</style><p class=phone>unseen</p>",
    ],
)
def test_elements_that_nobody_sees_are_not_shown(html: str) -> None:
    assert clean(f"{html}<p>Hello Eva.</p>", {}) == "<p>Hello Eva.</p>"


@pytest.mark.parametrize(
    "html",
    [
        '<td style="font-size:0px"><div style="font-size:13px">seen</div></td>',
        '<td style="font-size:0"><img src="https://x.example/a.png" alt="seen"></td>',
        '<a href="https://x.example/" style="background:#06c;mso-hide:all">seen</a>',
        '<div style="mso-hide:all"><a href="https://x.example/">seen</a></div>',
        '<p style="opacity:0.9">seen</p>',
        '<p style="overflow:hidden;height:100px">seen</p>',
        '<p style="max-height:10px">seen</p>',
        '<p style="font-size:1.2em">seen</p>',
        '<p style="text-indent:-18pt">seen</p>',
        '<div style="visibility:hidden"><p style="visibility:visible">seen</p></div>',
        '<p style="color:transparent;-webkit-background-clip:text">seen</p>',
        "<!--[if !mso]><!--><p>seen</p><!--<![endif]-->",
        "<style>.d{display:none} @media (min-width:600px){.d{display:block!important}}</style><p class=d>seen</p>",
    ],
)
def test_text_that_only_seems_hidden_is_shown(html: str) -> None:
    assert "seen" in clean(f"<table><tr>{html}</tr></table><p>Hello</p>", {})


def test_a_line_made_of_a_collapsed_box_stays() -> None:
    line = '<table><tbody><tr><td style="height:1px;background:#ccc">&nbsp;</td></tr></tbody></table>'
    assert clean(line.replace("height:1px", "height:1px;overflow:hidden"), {}) == line


def test_a_cell_that_hides_its_text_keeps_its_place() -> None:
    row = '<table><tbody><tr><td style="visibility:hidden"><p>unseen</p></td><td>seen</td></tr></tbody></table>'
    assert clean(row, {}) == '<table><tbody><tr><td style=""></td><td>seen</td></tr></tbody></table>'


@pytest.mark.parametrize("style", HIDDEN)
def test_a_mail_that_hides_everything_is_shown(style: str) -> None:
    safe = clean(f'<html><body><div style="{style}"><p>All there is.</p></div>&nbsp;&zwnj;</body></html>', {})
    assert "All there is." in safe
    for hiding in ("none", "transparent", "rgba", "-9999", "font"):
        assert hiding not in safe


def test_rules_that_would_blow_a_mail_up_are_left_out() -> None:
    sheet = "".join(f"* {{ font-family: {'a' * 190}{number} }} .c {{ color: red }}" for number in range(300))
    html = f"<style>{sheet}</style>" + '<p class="c">x</p>' * 3000
    safe = clean(html, {})
    assert len(safe) < 2_000_000
    assert safe.count("color:red") == 3000


def test_a_mail_that_grows_while_it_is_read_is_cleaned_without_its_design() -> None:
    html = "<style>p{color:red}</style>" + "".join(f"<font size={number}><p>x" for number in range(200))
    assert "color:red" not in clean(html, {})
    assert "color:red" in clean(html[:1000], {})


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ('<input name=name value="Mia K&uuml;hn">', "Mia Kühn"),
        ("<INPUT TYPE=Date VALUE=2026-12-24>", "2026-12-24"),
        ("<select><option>single<option selected>double</select>", "double"),
        ("<textarea rows=3>Please <quietly>\nand high up</textarea>", "Please <quietly> and high up"),
        ("<input type=checkbox checked>", "\u2611"),
        ("<input type=checkbox>", "\u2610"),
        ("<input type=radio checked> yes <input type=radio> no", "\u25c9 yes \u25cb no"),
        ("<style>input{border:0}</style><form action='https://x.example/'><input value=4711></form>", "4711"),
        ("<input value='<script>alert(1)</script>'>", "<script>alert(1)</script>"),
    ],
)
def test_values_in_form_fields_are_shown(field: str, words: str) -> None:
    safe = clean(f"Room: {field}", {})
    assert text_from_shown(safe) == f"Room: {words}"
    assert "<script" not in safe
    assert "https" not in safe


@pytest.mark.parametrize(
    ("background", "kept"),
    [
        ("background:linear-gradient(#000,#222)", "background:linear-gradient(#000, #222)"),
        ("background:linear-gradient(to right, rgba(0,0,0,.9) 0%, navy 100%)", "background-color:rgba(0, 0, 0, 0.9)"),
        ("background-image:linear-gradient(#000,#222)", "background-color:#000"),
        ("background:hsl(220,50%,20%)", "background:hsl(220, 50%, 20%)"),
    ],
)
def test_light_text_keeps_the_dark_background_that_css_computes(background: str, kept: str) -> None:
    assert (
        clean(f'<div style="{background};color:#fff">words</div>', {}) == f'<div style="{kept};color:#fff">words</div>'
    )


@pytest.mark.parametrize("colour", ["hsl(0,0%,98%)", "hsl(210deg 20% 99% / 90%)", "hsla(0, 0%, 100%, 1)"])
def test_light_text_without_background_loses_its_colour_however_it_is_written(colour: str) -> None:
    assert "color" not in clean(f'<p style="color:{colour}">words</p>', {})
