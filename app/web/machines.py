"""What pages show for a machine's mail: its mark, the reason for it, and the result of a bounce."""

from __future__ import annotations

from dataclasses import dataclass

from app.inbox.conversations.rows import MessageRow
from app.web.language import gettext as _
from app.web.language import ngettext, per_language


@dataclass(frozen=True)
class Mark:
    """`sign`: the line of the mail that decided; empty if it was not stored. `failure`: the failed recipient in a
    bounce; `reason`: the words of that address's mail server."""

    name: str
    why: str
    effect: str
    sign: str
    failure: str
    reason: str


@per_language
def machine_names() -> dict[str, str]:
    """The marks in lists, by kind."""
    return {
        "auto_reply": _("Auto-reply"),
        "bounce": _("Bounce"),
        "receipt": _("Receipt"),
        "report": _("Report"),
        "generated": _("Automatic"),
        "list": _("Mailing list"),
        "newsletter": _("Newsletter"),
    }


def mark(mail: MessageRow) -> Mark | None:
    """None for a person's mail."""
    if mail.machine is None:
        return None
    if mail.is_automatic_answer:
        effect = _("It does not reopen a closed conversation.")
    else:
        effect = _("It reopens a closed conversation, as a person's mail does.")
    name = machine_names().get(mail.machine, mail.machine)
    why = _why(mail.machine, mail.machine_sign)
    return Mark(name, why, effect, mail.machine_sign, _failure(mail), _reason(mail))


def _why(kind: str, sign: str) -> str:
    """Explained by the field of the sign, or by the kind, in words for people who read mail."""
    if not sign:
        return _("An earlier version marked this message and did not record the reason.")
    by_field = {
        "Subject": _("Mail programs write subjects like this one automatically."),
        "From": _("The sender is a program, not a person."),
        "Return-Path": _("It has no return address. Only automatic mail comes without one."),
        "Content-Type": _("It contains a report of the kind that mail programs write."),
    }
    by_kind = {
        "auto_reply": _("The sender's mail program marked it as an automatic answer."),
        "bounce": _("A mail server marked it as undeliverable mail."),
        "report": _("A mail provider marked it as a report."),
        "generated": _("The program that sent it marked it as automatic mail."),
        "list": _("It came through a mailing list."),
        "newsletter": _("It was sent to many recipients at once."),
    }
    return by_field.get(sign.partition(":")[0]) or by_kind.get(kind, "")


def _failure(mail: MessageRow) -> str:
    """`Not delivered to x@y`; empty if the bounce does not name the recipient."""
    bounce = mail.undelivered
    if mail.machine != "bounce" or not bounce:
        return ""
    if bounce["delayed"]:
        words = _("Delayed on the way to %(address)s", address=bounce["address"])
    else:
        words = _("Not delivered to %(address)s", address=bounce["address"])
    others = bounce["others"]
    more = ngettext("and %(num)d more recipient", "and %(num)d more recipients", others) % {"num": others}
    return words + (f" ({more})" if others else "")


def _reason(mail: MessageRow) -> str:
    """`5.1.1 User unknown`."""
    bounce = mail.undelivered
    if mail.machine != "bounce" or not bounce:
        return ""
    return f"{bounce['status']} {bounce['reason']}".strip()
