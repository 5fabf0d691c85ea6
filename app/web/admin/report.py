"""What a mail server can keep, and what is wrong with it, in words an administrator understands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.inbox.admin.attempt import Attempt
from app.inbox.errors import N_
from app.inbox.mailboxes.servers import Servers
from app.web.language import gettext as _

#: What went wrong between us and a mail server, by its code: what it is, and what to do.
_TROUBLES = {
    "unreachable": (
        N_("The mail server does not answer."),
        N_("It is tried again by itself, after 15 minutes at the latest. If it lasts: look at server and firewall."),
    ),
    "unavailable": (
        N_("The mail server is overloaded or under maintenance."),
        N_("It answers, but cannot do what it is asked now. It is tried again by itself; nothing is lost."),
    ),
    "login_refused": (
        N_("The mail server refuses the sign-in."),
        N_("After three tries Signalbox stops, so that the account is not locked. Give the new password."),
    ),
    "untrusted": (
        N_("The mail server’s certificate is not trusted."),
        N_("Nothing was sent to it. Renew the certificate, or give the authority that signed it."),
    ),
    "secret": (
        N_("The worker cannot open this mailbox’s password."),
        N_("It has another key than the one it was sealed for: restore seal_key, or give the password again."),
    ),
    "servers_changed": (
        N_("The servers of this mailbox were changed without its password."),
        N_("The password was sent nowhere. Check the servers, then enter the password again."),
    ),
    "over_quota": (
        N_("The mail account is full (quota)."),
        N_("Nothing is lost: what has no space there waits and is tried again. Make space, or raise the quota."),
    ),
    "refused": (
        N_("The mail server refused a command."),
        N_("Often quota or permissions: the server’s words are below."),
    ),
    "broken": (
        N_("The mail server said something that is no IMAP."),
        N_("It is tried again by itself. If it lasts: look into the server’s log."),
    ),
    "disk_full": (
        N_("The database’s disk is full."),
        N_("Nothing is lost: mail stays on its server. Make room for the database; then “Try now”."),
    ),
    "folder_gone": (N_("A folder has disappeared."), N_("Nothing: it is left out until it is there again.")),
}
_OTHER_TROUBLE = (
    N_("Something went wrong on our side."),
    N_("The worker’s log has the details. Please report it."),
)


@dataclass(frozen=True)
class Fact:
    """`sign`: ok, caution (good to know, nothing is broken) or danger (somebody has to do something)."""

    sign: str
    title: str
    text: str

    @property
    def icon(self) -> str:
        return {"ok": "bi-check-circle-fill", "caution": "bi-dash-circle-fill"}.get(
            self.sign, "bi-exclamation-circle-fill"
        )


def facts(report: Mapping[str, Any], mode: str | None = None, trusted: Collection[str] = ()) -> list[Fact]:
    """The report of the probe, the most important first; nothing for a mailbox that has none. `mode`, and the mail
    servers that are `trusted` about senders: the mailbox's, where it is connected already."""
    if not report.get("mode"):
        return []
    can, warnings = report["capabilities"], [code.partition(":") for code in report["warnings"]]
    kinds = {kind for kind, _sep, _about in warnings}
    return [
        _keeping(report["mode"], mode or report["mode"], kinds),
        *_moving(can, kinds),
        _changes(can),
        *_ringing(can),
        *_folders(warnings),
        *_outgoing(report.get("smtp")),
        *_senders(report.get("authserv_ids", ()), trusted),
    ]


def refusal(attempt: Attempt) -> dict[str, str]:
    """A field of the form -> what was wrong with it when the worker tried."""
    server = attempt.error_server or "imap"
    place = f"{getattr(attempt, f'{server}_host')}:{getattr(attempt, f'{server}_port')}"
    match attempt.error_code:
        case "login_refused":
            field, told = "password", _refused(attempt, server)
        case "unreachable":
            field, told = "host", _("No answer from %(place)s. Look at name, port and security.", place=place)
        case "unavailable":
            field = "host"
            told = _("%(place)s is overloaded or under maintenance. Try again in a few minutes.", place=place)
        case "untrusted":
            field = "security"
            told = _("The certificate of %(place)s is not to be trusted, so nothing was sent to it.", place=place)
        case "secret":
            field, told = "password", _("The worker cannot open the password: it has another key than the web.")
        case "servers_changed":
            field, told = "password", _("The servers were changed without the password. Enter the password again.")
        case "over_quota":
            field, told = "user", _("The account is full (quota). Make space there, then try again.")
        case _:
            field, told = "host", _("%(place)s said something unexpected.", place=place)
    return {f"{server}_{field}": told, "said": attempt.error_text or ""}


def trouble(code: str | None) -> tuple[str, str]:
    """What is wrong with a mailbox, and what to do."""
    title, advice = _TROUBLES.get(code or "", _OTHER_TROUBLE)
    return _(title), _(advice)


def _refused(servers: Servers, server: str) -> str:
    user = getattr(servers, f"{server}_user") or ""
    return _("%(user)s is not let in with this password. Many providers want an app password here.", user=user)


def _keeping(able: str, mode: str, kinds: set[str]) -> Fact:
    if able != mode:
        return _other_mode(mode)
    if mode == "database":
        told = _(
            "Owners, statuses and tags are kept in Signalbox only: other mail clients do not see them. "
            "Star, read and answered are shared."
        )
        return Fact("caution", _("Keeps no keywords"), told)
    if "not_proved" in kinds:
        told = _("It says so; it could not be tried, because the account may make no folder and store no message.")
        return Fact("caution", _("Keeps keywords, by its own word"), told)
    return Fact("ok", _("Keeps keywords"), _("Owner, status and tags are visible in every mail client."))


def _other_mode(mode: str) -> Fact:
    if mode == "database":
        told = _("This mailbox does not use them: owner, status and tags are in Signalbox only. Settings change that.")
        return Fact("ok", _("Keeps keywords"), told)
    told = _("What is done here does not reach other mail clients. Settings: keep owner, status and tags here only.")
    return Fact("danger", _("Keeps no keywords any more"), told)


def _moving(can: Mapping[str, bool], kinds: set[str]) -> Iterator[Fact]:
    if can.get("move"):
        yield Fact("ok", _("Moves messages in one step (MOVE)"), _("A moved message stays the same message."))
    else:
        yield Fact("caution", _("Cannot move in one step"), _("Mail is copied and marked as deleted. Nothing to do."))
    if "no_uidplus" in kinds:
        told = _("Moved mail stays behind, marked as deleted, until a mail client tidies up.")
        yield Fact("caution", _("Cannot remove single messages"), told)
    if "keywords_stay_behind" in kinds:
        yield Fact("caution", _("Loses keywords when mail is moved"), _("They are written again. Nothing to do."))


def _changes(can: Mapping[str, bool]) -> Fact:
    if can.get("qresync"):
        return Fact("ok", _("Lists changes (QRESYNC)"), _("A check without news takes an instant."))
    if can.get("condstore"):
        return Fact("ok", _("Lists changes (CONDSTORE)"), _("A check without news is short."))
    return Fact("caution", _("Does not list changes"), _("Mails are compared, which takes longer. Nothing to do."))


def _ringing(can: Mapping[str, bool]) -> Iterator[Fact]:
    if can.get("idle"):
        yield Fact("ok", _("Instant new-mail notice (IDLE)"), _("New mail appears in about half a second."))
    else:
        yield Fact("caution", _("No instant new-mail notice"), _("New mail appears within 35 seconds."))
    if can.get("notify"):
        yield Fact("ok", _("Instant notice for other folders (NOTIFY)"), _("Changes there appear at once."))
    else:
        told = _("Changes there appear within 35 seconds. Nothing to do.")
        yield Fact("caution", _("No instant notice for other folders"), told)


def _folders(warnings: list[tuple[str, str, str]]) -> Iterator[Fact]:
    for kind, _sep, folder in warnings:
        if kind == "read_only":
            told = _("What lies there shows no state, unless the account is given the right to write.")
            yield Fact("caution", _("Cannot write to %(folder)s", folder=folder), told)
        if kind == "unreadable":
            told = _("It is left out, unless the account is given the right to read it.")
            yield Fact("caution", _("Cannot open %(folder)s", folder=folder), told)
        if kind == "gone":
            told = _("It is watched, and not on the server any more.")
            yield Fact("caution", _("Does not have %(folder)s", folder=folder), told)
        if kind == "left_behind":
            told = _("It was made to try the server and could not be deleted. Delete it by hand.")
            yield Fact("danger", _("Left %(folder)s behind", folder=folder), told)


def _outgoing(smtp: Mapping[str, Any] | None) -> Iterator[Fact]:
    if smtp:
        told = (
            _("%(user)s is let in.", user=smtp["user"]) if smtp["user"] else _("It answers; no sign-in was asked for.")
        )
        yield Fact("ok", _("Outgoing mail by %(host)s", host=smtp["host"]), told)


def _senders(named: Collection[str], trusted: Collection[str]) -> Iterator[Fact]:
    for name in named:
        title = _("Checks senders as %(name)s", name=name)
        if name in trusted:
            yield Fact("ok", title, _("New mail shows whether its sender is verified."))
        else:
            told = _("To show on new mail whether its sender is verified, enter this name in the mailbox’s settings.")
            yield Fact("caution", title, told)
