"""Small mails that are costly for a reader without limits.

Tests and the benchmark use them: shapes of HTML that take a parser more than linear time (app/mail/tangle.py), then
style sheets, references and letters, and finally odd bodies and headers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

FORMATTING = ("a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u")
_SIZE = 100_000  # characters


def hostile_html() -> dict[str, str]:
    """Name -> HTML."""
    return {
        **{f"{tag} and p": _open_in_blocks(tag) for tag in FORMATTING},
        **{name: _repeat(make) for name, make in _REPEATED.items()},
        **_WHOLE,
        **_STYLE_SHEETS,
    }


def hostile_mails() -> Iterator[bytes]:
    """An endless series of mails, each with another shape and its own Message-ID."""
    bodies = [("text/html", html.encode()) for html in hostile_html().values()] + list(_BODIES.values())
    for number in count():
        type_, body = bodies[number % len(bodies)]
        header = _HEADERS[number % len(_HEADERS)]
        yield (
            f"From: Mallory <mallory@vance.example>\r\nSubject: Hostile {number}\r\n"
            f"Message-ID: <hostile-{number}@vance.example>\r\n{header}Content-Type: {type_}; charset=utf-8\r\n\r\n"
        ).encode() + body


def _open_in_blocks(tag: str) -> str:
    return _repeat(lambda n: f"<{tag} id={n}><p>")


def _repeat(make: Callable[[int], str]) -> str:
    pieces: list[str] = []
    length = 0
    while length < _SIZE:
        pieces.append(make(len(pieces)))
        length += len(pieces[-1])
    return "".join(pieces)


_REPEATED: dict[str, Callable[[int], str]] = {
    "formatting without blocks": lambda n: f"<font color={n}>",
    "formatting, then blocks": lambda n: f"<font color={n}>" if n < 2_000 else "<p>x",
    "formatting ended in the wrong order": lambda n: f"<b id={n}><i id={n}><p>" if n < 1_000 else "</b></i>",
    "links in links": lambda n: f"<a href=https://x.example/{n}><div>x",
    "blocks in blocks": lambda n: "<div>",
    "styled blocks in blocks": lambda n: "<div style='color:red;display:block'>",
    "quotes in quotes": lambda n: "<blockquote type=cite>x",
    "lists in lists": lambda n: "<ul><li>",
    "tables in tables": lambda n: "<table><tr><td>",
    "formatting in tables in tables": lambda n: f"<table><tr><td><font color={n}>",
    "text that belongs into no table": lambda n: "x<b>y</b>" if n else "<table>",
    "rows": lambda n: "<tr><td>x</td></tr>" if n else "<table>",
    "pictures of others": lambda n: f"<svg><foreignObject><p id={n}>",
    "formulas": lambda n: "<math><mi>",
    "ends without begins": lambda n: "</p>",
    "attributes of the body": lambda n: f"<body a{n}=1>",
    "a thousand attributes each": lambda n: "<div " + " ".join(f"a{k}" for k in range(1_000)) + ">",
    "styles": lambda n: f"<p style='color:#{n % 900 + 100};margin:{n}px;background:url(https://x.example/)'>x</p>",
    "pictures": lambda n: f"<img src=https://x.example/{n}.png>",
    "links": lambda n: f"<a href=https://x.example/{n}>x</a> ",
    "selections": lambda n: "<select><option>",
    "templates": lambda n: "<template>",
}
_WHOLE = {
    "attributes": "<div " + " ".join(f"a{n}" for n in range(_SIZE // 6)) + ">x",
    "attributes without spaces": "<div " + "".join(f"a{n}=''" for n in range(_SIZE // 8)) + ">x",
    "a long style": "<p style='" + "color:red;" * (_SIZE // 10) + "'>x",
    "brackets in a style": "<p style='color:" + "(" * _SIZE + "'>x",
    "functions in a style": "<p style='width:" + "calc(" * (_SIZE // 5) + "'>x",
    "braces in a style": "<p style='" + "{[(" * (_SIZE // 3) + "'>x",
    "backslashes in a style": "<p style='color:" + "\\" * _SIZE + "'>x",
    "ampersands": "&" * _SIZE * 5,
    "references": "<p>" + "&lt;" * _SIZE,
    "unknown references": "&CounterClockwiseContourIntegra " * (_SIZE // 32),
    "quotes that grow": "<p title='" + '"' * _SIZE * 5 + "'>x",
    "an attribute without an end": '<p title="' + "x" * _SIZE * 5,
    "a comment without an end": "<!--" + "- " * _SIZE,
    "begins without names": "<" * _SIZE,
    "declarations": "<!" * _SIZE,
    "spaces": "<img src=" + " " * _SIZE * 5,
    "a long word": "<p>" + "x" * _SIZE * 15,
    "lines": "<pre>" + "\n" * _SIZE * 5,
    "a picture in its address": "<img src='data:image/png;base64," + "A" * _SIZE * 10 + "'>",
}
_STYLE_SHEETS = {
    name: f"<style>{rules}</style>{rest}"
    for name, rules, rest in (
        ("rules", "".join(f".c{n}{{color:red}}" for n in range(6_000)), "<p class=c1>x"),
        ("rules and elements", "".join(f".c{n}{{color:red}}" for n in range(4_000)), "<p class=c1>x</p>" * 4_000),
        ("rules for everything", "*{color:red}" * 4_000, "<p>x</p>" * 4_000),
        ("rules for what stands deep", ("div " * 30 + "p{color:red}") * 300, "<div>" * 300 + "<p>x" * 300),
        ("rules for neighbours", ("p~" * 20 + "p{color:red}") * 200, "<p>x" * 3_000),
        ("rules that count", "p:nth-last-child(2n+1){color:red}" * 300, "<p>x" * 4_000),
        ("rules that look down", "div:has(p:has(b)){color:red}" * 300, "<div><p>x</p>" * 900),
        ("rules with rules in them", "p" + ":not(p" * 2_000 + ")" * 2_000 + "{color:red}", "<p>x"),
        ("rules that grow", "p{" + "font-family:" + "x" * 20_000 + ";margin:1px}", "<p>x" * 5_000),
        ("rules in brackets", "p{color:" + "(" * _SIZE, "<p>x"),
        ("media in media", "@media screen{" * (_SIZE // 14), "<p>x"),
    )
}
#: Name -> (content type, body).
_BODIES: dict[str, tuple[str, bytes]] = {
    "begins of an attribution": ("text/plain", b"On \n" * _SIZE),
    "rules": ("text/plain", b"words\n" + b"_" * 20 + b"\n" * _SIZE),
    "quotes": ("text/plain", b"words\n" + b"> \n" * _SIZE),
    "addresses": ("text/plain", b"https://" * _SIZE),
    "one long line": ("text/plain", b"x" * _SIZE * 50),
    "parts": ("multipart/mixed; boundary=b", b"--b\r\n\r\nx\r\n" * 20_000),
    "boundaries": ("multipart/mixed; boundary=b", b"--" * _SIZE),
    "utf-7": ("text/plain; charset=utf-7", b"+AAAA-" * _SIZE),
    "iso-2022": ("text/plain; charset=iso-2022-jp", b"\x1b$B!!\x1b(B" * 50_000),
    "no letters": ("text/plain; charset=x-none", bytes(range(128, 256)) * 20_000),
}
_HEADERS = (
    "",
    "References: " + "<x@y.example> " * 20_000 + "\r\n",
    "To: " + ", ".join(f"a{n}@x.example" for n in range(20_000)) + "\r\n",
    "Cc: " + "(" * 50_000 + "\r\n",
    "X-Words: " + "=?utf-8?q?x?= " * 20_000 + "\r\n",
    "".join(f"X-{n}: y\r\n" for n in range(20_000)),
    "To: " + '"' * 50_001 + "\r\n",
    "To: " + "=?utf-8?b?" * 10_000 + "\r\n",
)
