"""Recognize the block that Outlook and others write above a quote: From, Sent, To, Subject, one line each.

A web form looks similar ("From: Eva / Date: 3 May / Message: …"). So a block needs a sender, a date and a recipient or
subject, and no field that mail does not have. Fewer fields are enough below a rule, a line such as "-----Original
Message-----", or the client's own markup.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from app.mail.quotes.attribution import has_address, has_date, has_time
from app.mail.quotes.languages import entries, lowered, words

#: How certain the place above a block makes it. NOWHERE is the middle of a paragraph.
NOWHERE, ANYWHERE, BELOW_A_RULE, MARKED = range(4)
_MOST_LINES = 60
#: Characters of a line in which we look for a label.
_LONGEST = 200
_FIELD = re.compile(r"[\s*_>|]*([^\W\d_][^:：\n<>@]{0,28}?)[\s*_]*[:：][\s*_]*(.*)", re.DOTALL)
_KIND = {label: kind for kind in ("copy", "date", "sent", "subject", "to", "sender") for label in words(kind)}
_FORM = entries(
    "message body|message|your message|nachricht|ihre nachricht|mensaje|su mensaje|messaggio|mensagem|bericht"
    "|wiadomość|treść|meddelande|besked|melding|viesti|zpráva|сообщение|повідомлення|mesaj|missatge|comment"
    "|comments|kommentar|comentario|comentarios|commentaire|commenti|phone|telefon|telephone|teléfono"
    "|téléphone|telefono|telefone|telefoon|name|nombre|nom|nome|naam|namn|navn|nimi|jméno|имя|імʼя|isim|email"
    "|e-mail|company|firma|order|bestellung|pedido|message-id|message id|content-type|mime-version|内容|メッセージ"
    "|留言|내용|문의|お名前|电话"
)
#: A rule as clients draw it above a quote.
_RULE = re.compile(r"\s*(?:_{10,}|-{20,}|={20,}|\*{10,})\s*")
_ORIGINAL = words("original")
_FRAME = " \t\r\xa0-‐–—_=*~<>|:："


@dataclass(slots=True)
class HeaderBlock:
    #: The line after the block.
    end: int
    fields: dict[str, str] = field(default_factory=dict)
    #: The block continues with fields that mail does not have.
    is_form: bool = False


def is_rule(line: str) -> bool:
    return line[:1] in "_ -=*" and _RULE.fullmatch(line) is not None


def is_original_mark(line: str) -> bool:
    """Whether the line is one like "-----Original Message-----" and nothing else."""
    if line[-1:] not in _FRAME or not 5 < len(line) < 100:
        return False
    bare = line.strip(_FRAME)
    return len(bare) + 4 <= len(line.strip()) and lowered(bare) in _ORIGINAL


def field_kind(line: str) -> str | None:
    """`sender`, `sent`, `date`, `to`, `copy` or `subject`; None for other lines."""
    label = _label(line)
    return _KIND.get(label) if label else None


def labels_near(lines: Sequence[str], labels: Collection[str]) -> bool:
    return any(_label(line) in labels for line in lines[:200])


def quoting_block(lines: Sequence[str], start: int, place: int) -> HeaderBlock | None:
    """The header block that begins at `start` above a quote; None if it may be something else."""
    if place == NOWHERE or field_kind(lines[start]) is None:
        return None
    block = _read(lines, start)
    fields = block.fields
    if "sender" not in fields or len(fields) < 2:
        return None
    if place == MARKED:
        return block
    return block if not block.is_form and _is_enough(fields, place) else None


def _is_enough(fields: dict[str, str], place: int) -> bool:
    addressed = "to" in fields or "subject" in fields
    when = fields.get("sent") or fields.get("date") or ""
    if place == BELOW_A_RULE:
        return bool(when) if not addressed else bool(when) or len(fields) > 2
    if not addressed or not when:
        return False
    both = "to" in fields and "subject" in fields
    if "sent" in fields:
        return both or has_date(when)
    return both and has_date(when) and (has_time(when) or has_address(fields["sender"]))


def _read(lines: Sequence[str], start: int) -> HeaderBlock:
    """Collect fields, each on its own lines, with at most one blank line between two."""
    block, blank = HeaderBlock(start), 0
    for number in range(start, min(len(lines), start + _MOST_LINES)):
        line = lines[number]
        if not line.strip(" \t\r\n*>\xa0"):
            blank += 1
            continue
        kind = field_kind(line) if blank < 2 else None
        if kind is not None and kind not in block.fields:
            match = _FIELD.match(line)
            block.fields[kind] = match[2].strip() if match else ""
        elif kind is None and not (blank == 0 and _continues(line)):
            block.is_form = _label(line) in _FORM or (blank == 0 and bool(_label(line)))
            break
        elif kind is not None and kind != "copy":
            break
        block.end, blank = number + 1, 0
    return block


def _continues(line: str) -> bool:
    """A long list of recipients continues on the next line."""
    return line[:1] in " \t" or "@" in line or line.rstrip().endswith((";", ",")) or line.lstrip()[:1] == "<"


def _label(line: str) -> str:
    return _label_of(line[:_LONGEST]) if ":" in line[:60] or "：" in line[:40] else ""


@lru_cache(maxsize=1024)  # both forms of a mail contain the line, and the preview needs it again
def _label_of(line: str) -> str:
    match = _FIELD.match(line)
    return lowered(match[1].replace("\u3000", "").strip(" \t\xa0*")) if match and not match[2].startswith("//") else ""
