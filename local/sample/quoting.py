"""How mail programs quote the mail they answer, each in its own way and in its owner's language."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from html import escape

from local.sample.people import SamplePerson
from local.sample.texts import template

_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "es": ("lun", "mar", "mié", "jue", "vie", "sáb", "dom"),
}
_LONG_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
_MONTHS = {
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "es": ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"],
}
_LONG_MONTHS = {
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "es": [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
}
_OUTLOOK_WORDS = {"en": ("From", "Sent", "To", "Subject"), "es": ("De", "Enviado", "Para", "Asunto")}


@dataclass(frozen=True)
class Quoted:
    """The answered mail, as its quotation shows it."""

    sender: SamplePerson
    to: SamplePerson
    moment: dt.datetime
    subject: str
    text: str
    html: str


def plain(writer: SamplePerson, words: str, quoted: Quoted | None) -> str:
    """The text of an answer, with the answered mail below it."""
    if quoted is None:
        return words + "\n"
    if writer.client == "outlook":
        lines = "\n".join(f"{name}: {value}" for name, value in _outlook_head(writer, quoted))
        return f"{words}\n\n{'_' * 32}\n{lines}\n\n{quoted.text}"
    marked = "\n".join(
        ("> " + line).rstrip() if not line.startswith(">") else ">" + line for line in quoted.text.splitlines()
    )
    return f"{words}\n\n{attribution(writer, quoted)}\n\n{marked}\n"


def html(writer: SamplePerson, words: str, quoted: Quoted | None) -> str:
    """The same in HTML, as the writer's program writes it."""
    paragraphs = words.split("\n\n")
    if writer.client == "outlook":
        body = "".join(f'<p class="MsoNormal">{_lines(part)}<o:p></o:p></p>\n' for part in paragraphs)
        below = _outlook_quote(writer, quoted) if quoted else ""
        return (
            '<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns="http://www.w3.org/TR/REC-html40"><head>'
            f'<style>{template("outlook.css")}</style></head><body lang="{writer.language.upper()}" link="#0563C1">'
            f'<div class="WordSection1">{body}</div>{below}</body></html>\n'
        )
    body = "<div><br></div>\n".join(f"<div>{_lines(part)}</div>" for part in paragraphs)
    if writer.client == "gmail":
        return f'<div dir="ltr">{body}</div>\n{_gmail_quote(writer, quoted) if quoted else ""}'
    below = (
        f'<div><br><blockquote type="cite"><div>{escape(attribution(writer, quoted))}</div><br>'
        f"<div>{quoted.html}</div></blockquote></div>"
        if quoted
        else ""
    )
    style = "overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;"
    return f'<html><head><meta charset="utf-8"></head><body style="{style}">{body}{below}</body></html>\n'


def attribution(writer: SamplePerson, quoted: Quoted) -> str:
    """The line before a quotation, such as "On Tue, 3 Mar 2026 at 10:04, Ana <ana@…> wrote:"."""
    language = writer.language if writer.language in _DAYS else "en"
    at = quoted.moment.astimezone(dt.timezone(dt.timedelta(hours=writer.zone)))
    name, address = quoted.sender.name, quoted.sender.address
    month, day = _MONTHS[language][at.month - 1], _DAYS[language][at.weekday()]
    match writer.client, language:
        case "gmail", "es":
            return f"El {day}, {at.day} {month} {at.year} a las {at:%H:%M}, {name} (<{address}>)\nescribió:"
        case "gmail", _:
            return f"On {day}, {at.day} {month} {at.year} at {at:%H:%M}, {name} <{address}> wrote:"
        case "apple", "es":
            return f"El {at.day} {month} {at.year}, a las {at:%H:%M}, {name} <{address}> escribió:"
        case "apple", _:
            return f"On {at.day} {month} {at.year}, at {at:%H:%M}, {name} <{address}> wrote:"
        case _, "es":
            return f"El {at.day}/{at.month}/{at:%y} a las {at:%H:%M}, {name} escribió:"
    return f"On {at:%d.%m.%y %H:%M}, {name} wrote:"


def _outlook_head(writer: SamplePerson, quoted: Quoted) -> list[tuple[str, str]]:
    language = writer.language if writer.language in _DAYS else "en"
    at = quoted.moment.astimezone(dt.timezone(dt.timedelta(hours=writer.zone)))
    weekday, month = _LONG_DAYS[language][at.weekday()], _LONG_MONTHS[language][at.month - 1]
    sent = f"{weekday}, {month} {at.day}, {at.year} {at:%H:%M}"
    if language == "es":
        sent = f"{weekday}, {at.day} de {month} de {at.year} {at:%H:%M}"
    values = (f"{quoted.sender.name} <{quoted.sender.address}>", sent, quoted.to.address, quoted.subject)
    return list(zip(_OUTLOOK_WORDS[language], values, strict=True))


def _outlook_quote(writer: SamplePerson, quoted: Quoted) -> str:
    head = "<br>\n".join(f"<b>{name}:</b> {escape(value)}" for name, value in _outlook_head(writer, quoted))
    return (
        '<hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr">'
        f'<font face="Calibri, sans-serif" style="font-size:11pt" color="#000000">{head}</font><div>&nbsp;</div></div>'
        f"<div>{quoted.html}</div>"
    )


def _gmail_quote(writer: SamplePerson, quoted: Quoted) -> str:
    return (
        '<br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">'
        f"{escape(attribution(writer, quoted))}<br></div>"
        '<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);'
        f'padding-left:1ex">{quoted.html}</blockquote></div>\n'
    )


def _lines(paragraph: str) -> str:
    return escape(paragraph).replace("\n", "<br>\n")
