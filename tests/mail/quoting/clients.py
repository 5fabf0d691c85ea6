"""Answers and forwards as mail clients write them, for each language of languages.toml.

A sample states the author's own words, which must stay visible, and the quoted ones, which should fold.
"""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

ADDRESS = "eva@roth.example"
SENDER = "Ana Ruiz <ana@halden.example>"
LANGUAGES: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("languages.toml").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Sample:
    name: str
    body: str
    own: tuple[str, ...]
    quoted: tuple[str, ...] = ()
    subject: str = ""
    html: bool = False


@dataclass
class Words:
    """The words of one language, in the forms that the clients below use."""

    row: dict[str, Any]
    own: list[str] = field(init=False)
    asked: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.own, self.asked = self.row["own"], self.row["asked"]

    def __getattr__(self, name: str) -> str:
        found: str = self.row[name]
        return found

    @property
    def text(self) -> str:
        return "\n\n".join(self.own)

    @property
    def marked(self) -> str:
        return "\n>\n".join(f"> {line}" for line in self.asked)

    @property
    def block_lines(self) -> list[str]:
        sender, sent, to, subject = self.row["block"]
        return [f"{sender}: {SENDER}", f"{sent}: {self.date}", f"{to}: Eva Roth <{ADDRESS}>", f"{subject}: Lamp"]

    @property
    def bold_block(self) -> str:
        parts = [line.partition(":") for line in self.block_lines]
        return "<br>".join(f"<b>{name}:</b>{escape(value)}" for name, _, value in parts)

    def paragraphs(self, lines: list[str], tag: str = "div") -> str:
        return "".join(f"<{tag}>{escape(line)}</{tag}>" for line in lines)


Client = Callable[[Words], str]


def _wrapped(line: str) -> str:
    return "\n".join(textwrap.wrap(line, 60, break_on_hyphens=False, break_long_words=False))


TEXT: dict[str, Client] = {
    "gmail": lambda w: f"{w.text}\n\n{_wrapped(w.gmail)}\n\n{w.marked}\n",
    "gmail on one line": lambda w: f"{w.text}\n\n{w.gmail}\n\n{w.marked}\n",
    "gmail without marks": lambda w: f"{w.text}\n\n{w.gmail}\n\n{chr(10).join(w.asked)}\n",
    "apple": lambda w: f"{w.text}\n\n> {w.apple}\n> \n{w.marked}\n",
    "apple mac": lambda w: f"{w.text}\n\n{w.apple}\n\n{w.marked}\n",
    "iphone": lambda w: f"{w.text}\n\n{w.mobile}\n\n> {w.apple}\n> \n> {w.asked[0]}\n> {w.asked[1]}\n",
    "thunderbird": lambda w: f"{w.text}\n\n{w.thunderbird}\n{w.marked}\n",
    "thunderbird, signed below": lambda w: f"{w.text}\n\n{w.thunderbird}\n{w.marked}\n\n-- \nEva Roth\n+49 30 1234567\n",
    "thunderbird, signed above": lambda w: f"{w.text}\n\n-- \nEva Roth\n\n{w.thunderbird}\n{w.marked}\n",
    "outlook": lambda w: f"{w.text}\n\n" + "\n".join(w.block_lines) + f"\n\n{chr(10).join(w.asked)}\n",
    "outlook, CRLF and rule": lambda w: "\r\n".join(
        [*w.own, "", "_" * 32, *w.block_lines, "", "", *w.asked, ""]
    ),
    "outlook, bold as text": lambda w: f"{w.text}\n\n"
    + "\n".join("*{}:*{}".format(*line.split(":", 1)) for line in w.block_lines)
    + f"\n\n{chr(10).join(w.asked)}\n",
    "outlook 2003": lambda w: f"{w.text}\n\n-----{w.original}-----\n" + "\n".join(w.block_lines) + f"\n\n{w.asked[0]}\n{w.asked[1]}\n",
    "samsung": lambda w: f"{w.text}\n\n\n-------- {w.original} --------\n" + "\n".join(w.block_lines) + f"\n\n{w.asked[0]}\n{w.asked[1]}\n",
    "yahoo": lambda w: f" {w.text}\n\n    {w.yahoo}  \n \n {w.asked[0]}\n{w.asked[1]}  ",
    "zoho": lambda w: f"{w.text}\n\n---- {w.yahoo.rstrip(':：')} ----\n\n{w.marked}\n" if w.row is LANGUAGES["en"] else f"{w.text}\n\n---- On Mon, 02 Nov 2026 10:00:00 +0100 Ana Ruiz <ana@halden.example> wrote ----\n\n{w.marked}\n",
}  # fmt: skip

HTML: dict[str, Client] = {
    "gmail": lambda w: (
        f'<div dir="ltr">{w.paragraphs(w.own)}</div><br><div class="gmail_quote gmail_quote_container">'
        f'<div dir="ltr" class="gmail_attr">{escape(w.gmail)}<br></div><blockquote class="gmail_quote" '
        f'style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">'
        f'<div dir="ltr">{w.paragraphs(w.asked)}</div></blockquote></div>'
    ),
    "gmail 2014": lambda w: (
        f'<div dir="ltr">{w.paragraphs(w.own)}<div class="gmail_extra"><br><div class="gmail_quote">{escape(w.gmail)}'
        f'<br><blockquote class="gmail_quote" style="margin:0 0 0 .8ex">{w.paragraphs(w.asked)}</blockquote></div>'
        '<br><br clear="all"><div><br></div>-- <br><div class="gmail_signature">Eva Roth</div></div></div>'
    ),
    "apple mac": lambda w: (
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body style="overflow-'
        f'wrap: break-word; -webkit-nbsp-mode: space;">{w.paragraphs(w.own)}<div><br><blockquote type="cite"><div>'
        f'{escape(w.apple)}</div><br class="Apple-interchange-newline"><div>{w.paragraphs(w.asked)}</div>'
        "</blockquote></div><br></body></html>"
    ),
    "iphone": lambda w: (
        f'<html><body dir="auto">{w.paragraphs(w.own)}<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">'
        f'{escape(w.mobile)}</div><div dir="ltr"><br><blockquote type="cite">{escape(w.apple)}<br><br></blockquote>'
        f'</div><blockquote type="cite"><div dir="ltr">﻿{w.paragraphs(w.asked)}</div></blockquote></body></html>'
    ),
    "thunderbird": lambda w: (
        f'<html><head><meta charset="UTF-8"></head><body>{w.paragraphs(w.own, "p")}<div class="moz-cite-prefix">'
        f'{escape(w.thunderbird)}<br></div><blockquote type="cite" cite="mid:a@x.example">'
        f'{w.paragraphs(w.asked, "p")}</blockquote><div class="moz-signature">-- <br>Eva Roth<br>Tel. 030 1234567</div>'
        "</body></html>"
    ),
    "outlook web": lambda w: (
        '<html><head><style type="text/css" style="display:none;"> P {margin-top:0;margin-bottom:0;} </style></head>'
        f'<body dir="ltr">{w.paragraphs(w.own)}<div id="appendonsend"></div><hr style="display:inline-block;width:98%" '
        f'tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" style="font-size:11pt" '
        f'color="#000000">{w.bold_block}</font><div>&nbsp;</div></div><div>{w.paragraphs(w.asked)}</div></body></html>'
    ),
    "outlook desktop": lambda w: (
        '<html><head><style>p.MsoNormal, div.MsoNormal {margin:0cm; font-size:11.0pt;}</style></head><body lang="DE">'
        f'<div class="WordSection1">{_mso(w.own)}<p class="MsoNormal"><o:p>&nbsp;</o:p></p><div><div style="border:none;'
        f'border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal">{w.bold_block}<o:p></o:p></p>'
        f'</div></div><p class="MsoNormal"><o:p>&nbsp;</o:p></p>{_mso(w.asked)}</div></body></html>'
    ),
    "outlook desktop, unruled": lambda w: (
        f'<div class="WordSection1">{_mso(w.own)}<p class="MsoNormal">&nbsp;</p><p class="MsoNormal">'
        f'{w.bold_block}</p><p class="MsoNormal">&nbsp;</p>{_mso(w.asked)}</div>'
    ),
    "outlook mobile": lambda w: (
        f'<html><body><div dir="auto">{w.paragraphs(w.own)}</div><div id="ms-outlook-mobile-signature" dir="auto"><div>'
        '<br></div>Get <a href="https://aka.ms/AAb9ysg">Outlook for Android</a></div>'
        '<hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr">'
        f'<font face="Calibri, sans-serif">{w.bold_block}</font><div>&nbsp;</div></div>{w.paragraphs(w.asked)}'
        "</body></html>"
    ),
    "outlook ios": lambda w: (
        f'<html><body><div style="font-family: Aptos">{w.paragraphs(w.own)}</div>'
        '<div id="mail-editor-reference-message-container"><br><div class="ms-outlook-mobile-reference-message '
        'skipProofing" style="padding: 3pt 0in 0in; border-width: 1pt medium medium; border-style: solid none none; '
        f'border-color: rgb(181, 196, 223) currentcolor currentcolor;">{w.bold_block}<br></div>'
        f'<div class="ms-outlook-mobile-reference-message skipProofing">{w.paragraphs(w.asked)}</div></div></body></html>'
    ),
    "gmx": lambda w: (
        f'<html><head></head><body><div style="font-family: Verdana;font-size: 12.0px;">{w.paragraphs(w.own)}'
        '<div>&nbsp;<div name="quote" style="margin:10px 5px 5px 10px; padding: 10px 0 10px 10px; border-left:2px solid '
        f'#C3D9E5;"><div style="margin:0 0 10px 0;">{w.bold_block}</div><div name="quoted-content">'
        f"{w.paragraphs(w.asked)}</div></div></div></div></body></html>"
    ),
    "zoho": lambda w: (
        f'<div style="font-family: Verdana">{w.paragraphs(w.own)}<br><div class="zmail_extra" style="" id="ze1">'
        '<div class="" id="Zm-_Id_-Sgn1">---- On Mon, 02 Nov 2026 10:00:00 +0100 <b>Ana Ruiz &lt;ana@halden.example&gt;'
        f'</b> wrote ----<br></div><div><br></div><blockquote style="border-left: 1px solid rgb(204, 204, 204);">'
        f"<div>{w.paragraphs(w.asked)}</div></blockquote></div><div><br></div></div><br>"
    ),
    "yahoo": lambda w: (
        f'<html><head></head><body><div class="ydp1a2bcyahoo-style-wrap"><div dir="ltr" data-setdir="false">'
        f'{w.paragraphs(w.own)}</div><div><br></div></div><div id="ydp77yahoo_quoted_1" class="ydp77yahoo_quoted"><div '
        f'style="font-size:13px;"><div>{escape(w.yahoo)}</div><div><br></div><div><br></div><div>'
        f"{w.paragraphs(w.asked)}</div></div></div></body></html>"
    ),
    "proton": lambda w: (
        f'<div style="font-family: Arial">{w.paragraphs(w.own)}</div><div class="protonmail_signature_block '
        'protonmail_signature_block-empty"></div><div class="protonmail_quote">'
        f'{escape(w.apple)}<br><br><blockquote class="protonmail_quote" type="cite">{w.paragraphs(w.asked)}'
        "</blockquote><br></div>"
    ),
    "roundcube": lambda w: (
        f'<html><body style="font-size: 10pt">{w.paragraphs(w.own, "p")}<p id="reply-intro">{escape(w.thunderbird)}</p>'
        f'<blockquote type="cite" style="padding: 0 0.4em; border-left: #1010ff 2px solid; margin: 0"><div id="reply'
        f'body1">{w.paragraphs(w.asked)}</div></blockquote></body></html>'
    ),
    "hotmail": lambda w: (
        f"<html><body class='hmmessage'><div dir='ltr'>{w.paragraphs(w.own)}<br><div><hr id=\"stopSpelling\">"
        f"{'<br>'.join(escape(line) for line in w.block_lines)}<br><br>{w.paragraphs(w.asked)}</div></div></body></html>"
    ),
}  # fmt: skip


def _mso(lines: list[str]) -> str:
    return "".join(f'<p class="MsoNormal">{escape(line)}<o:p></o:p></p>' for line in lines)


def replies() -> Iterator[Sample]:
    """Own words above a quote, by client and language."""
    for language, row in LANGUAGES.items():
        words = Words(row)
        for is_html, clients in ((False, TEXT), (True, HTML)):
            for name, client in clients.items():
                kind = "html" if is_html else "text"
                subject = f"{row['prefixes'][0]}: Lamp"
                yield Sample(
                    f"{language} {name} {kind}", client(words), tuple(words.own), tuple(words.asked), subject, is_html
                )


FORWARDS: dict[str, tuple[bool, Client]] = {
    "gmail": (False, lambda w: f"{w.own[0]}\n\n---------- {w.forwarded} ---------\n" + "\n".join(w.block_lines) + f"\n\n{w.asked[0]}\n\n{w.asked[1]}\n"),
    "apple": (False, lambda w: f"{w.own[0]}\n\n> {w.begins}\n> \n" + "\n".join(f"> {x}" for x in w.block_lines) + f"\n> \n{w.marked}\n"),
    "apple, unmarked": (False, lambda w: f"{w.own[0]}\n\n{w.begins}\n\n" + "\n".join(w.block_lines) + f"\n\n{w.asked[0]}\n{w.asked[1]}\n"),
    "thunderbird": (False, lambda w: f"{w.own[0]}\n\n\n-------- {w.forwarded} --------\n" + "\n".join(w.block_lines) + f"\n\n\n\n{w.asked[0]}\n{w.asked[1]}\n"),
    "gmail html": (True, lambda w: (
        f'<div dir="ltr">{escape(w.own[0])}<br><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" '
        f'class="gmail_attr">---------- {escape(w.forwarded)} ---------<br>{"<br>".join(map(escape, w.block_lines))}<br>'
        f"</div><br><br>{w.paragraphs(w.asked)}</div></div>"
    )),
    "apple html": (True, lambda w: (
        f'<html><body>{w.paragraphs(w.own[:1])}<br><div><br><blockquote type="cite"><div>{escape(w.begins)}</div><br>'
        f"<div>{w.bold_block}</div><br><div>{w.paragraphs(w.asked)}</div></blockquote></div></body></html>"
    )),
    "thunderbird html": (True, lambda w: (
        f'<html><body><p>{escape(w.own[0])}</p><div class="moz-forward-container"><br><br>-------- '
        f'{escape(w.forwarded)} --------<table class="moz-email-headers-table"><tbody><tr><th>{w.row["block"][3]}: </th>'
        f'<td>Lamp</td></tr><tr><th>{w.row["block"][0]}: </th><td>{escape(SENDER)}</td></tr></tbody></table><br><br>'
        f"{w.paragraphs(w.asked, 'p')}</div></body></html>"
    )),
}  # fmt: skip
#: For these, only the subject distinguishes forwards from answers.
FORWARDS_BY_SUBJECT = ("outlook", "outlook, CRLF and rule", "outlook 2003", "samsung")


def forwards() -> Iterator[Sample]:
    """Forwards, which are shown whole."""
    for language, row in LANGUAGES.items():
        words = Words(row)
        subject = f"{row['prefixes'][1]}: Lamp"
        for name, (is_html, client) in FORWARDS.items():
            own = (words.own[0], *words.asked)
            yield Sample(f"{language} forward {name}", client(words), own, html=is_html)
        for name in FORWARDS_BY_SUBJECT:
            own = (*words.own, *words.asked)
            yield Sample(f"{language} forward {name} by subject", TEXT[name](words), own, subject=subject)
        for name in ("outlook web", "outlook desktop", "outlook mobile", "outlook ios"):
            own = (*words.own, *words.asked)
            yield Sample(f"{language} forward {name} html by subject", HTML[name](words), own, (), subject, html=True)


MIXED: dict[str, tuple[bool, Client]] = {
    "inline": (False, lambda w: f"Eva\n\n{w.gmail}\n\n> {w.asked[0]}\n\n{w.own[0]}\n\n> {w.asked[1]}\n\n{w.own[1]}\n"),
    "bottom": (False, lambda w: f"{w.thunderbird}\n{w.marked}\n\n{w.own[0]}\n{w.own[1]}\n"),
    "bars": (False, lambda w: f"Eva\n\n{w.gmail}\n| {w.asked[0]}\n{w.own[0]}\n| {w.asked[1]}\n{w.own[1]}\n"),
    "hashes": (False, lambda w: f"Eva\n\n{w.gmail}\n\n# {w.asked[0]}\n{w.own[0]}\n# {w.asked[1]}\n{w.own[1]}\n"),
    "brackets": (False, lambda w: f"Eva\n\n{w.apple}\n) {w.asked[0]}\n) {w.asked[1]}\n\n{w.own[0]}\n{w.own[1]}\n"),
    "below a signature": (False, lambda w: f"Eva\n\n-- \nEva Roth\nElm Street 5\n\n{w.own[0]} {w.own[1]}\n"),
    "below a telephone's line": (False, lambda w: f"Eva\n\n{w.mobile}\n\n{w.own[0]}\n{w.own[1]}\n"),
    "prose": (False, lambda w: f"Eva,\n\n{chr(10).join(w.trap)}\n"),
    "prose in paragraphs": (False, lambda w: "Eva\n\n" + "\n\n".join(w.trap)),
    "form": (False, lambda w: "Halden Lamps\n\n" + "\n".join(w.form) + f"\n{w.own[0]}\n"),
    "form, spaced": (False, lambda w: "Halden Lamps\n\n" + "\n\n".join(w.form) + f"\n\n{w.own[0]}\n"),
    "greeting above": (False, lambda w: f"Eva,\n\n{w.yahoo}\n\n{w.asked[0]}\n\n{w.own[0]}\n"),
    "gmail html inline": (True, lambda w: (
        f'<div dir="ltr">Eva<br><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">'
        f'{escape(w.gmail)}<br></div><blockquote class="gmail_quote">{escape(w.asked[0])}</blockquote>'
        f'<div>{escape(w.own[0])}</div><blockquote class="gmail_quote">{escape(w.asked[1])}</blockquote>'
        f"<div>{escape(w.own[1])}</div></div></div>"
    )),
    "apple html inline": (True, lambda w: (
        f'<body><div>Eva</div><div><blockquote type="cite"><div>{escape(w.apple)}</div><br><div>{escape(w.asked[0])}'
        f'</div></blockquote><div><br></div>{escape(w.own[0])}<br><blockquote type="cite">{escape(w.asked[1])}'
        f"</blockquote><div>{escape(w.own[1])}</div></div></body>"
    )),
    "thunderbird html bottom": (True, lambda w: (
        f'<body><p>Eva</p><div class="moz-cite-prefix">{escape(w.thunderbird)}<br></div><blockquote type="cite">'
        f'{w.paragraphs(w.asked, "p")}</blockquote>{w.paragraphs(w.own, "p")}<div class="moz-signature">-- <br>Eva</div>'
    )),
    "form html": (True, lambda w: (
        f"<h1>Halden Lamps</h1><table>{''.join(f'<tr><td>{escape(x)}</td></tr>' for x in w.form)}</table>"
        f"<p>{escape(w.own[0])}</p>"
    )),
}  # fmt: skip


def mixed() -> Iterator[Sample]:
    """Own words between quotes, below them and where they only look like quotes. Quoted words may stay visible."""
    for language, row in LANGUAGES.items():
        words = Words(row)
        trap, form = tuple(row["trap"]), tuple(row["form"])
        for name, (is_html, client) in MIXED.items():
            own = trap if "prose" in name else (*form, words.own[0]) if "form" in name else tuple(words.own)
            own = (words.own[0],) if "greeting" in name else own
            yield Sample(f"{language} {name}", client(words), own, html=is_html)
