"""What a mail server can keep, and its problems, in words an administrator understands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.inbox.admin.attempt import Attempt
from app.inbox.errors import N_
from app.inbox.mailboxes.servers import Servers
from app.web.language import gettext as _

#: Problems with a mail server by code: what it is, and what to do.
_TROUBLES = {
    "unreachable": (
        N_("The mail server does not answer."),
        N_(
            "Signalbox retries automatically, at least every 15 minutes. If this continues, check the server and the "
            "firewall."
        ),
    ),
    "unavailable": (
        N_("The mail server is overloaded or under maintenance."),
        N_("It answers, but cannot work at the moment. Signalbox retries automatically, and nothing is lost."),
    ),
    "login_refused": (
        N_("The mail server rejects the sign-in."),
        N_("Signalbox stops after three tries so that the server does not lock the account. Enter the new password."),
    ),
    "untrusted": (
        N_("The mail server’s certificate is not trusted."),
        N_("Nothing was sent to it. Renew the certificate, or enter the authority that signed it."),
    ),
    "secret": (
        N_("The worker cannot decrypt this mailbox’s password."),
        N_(
            "The worker has a different key from the one used to seal it. Restore seal_key, or enter the password "
            "again."
        ),
    ),
    "servers_changed": (
        N_("The servers of this mailbox were changed without its password."),
        N_("The password was not sent. Check the servers, then enter the password again."),
    ),
    "over_quota": (
        N_("The mail account is full (quota)."),
        N_("Nothing is lost: Signalbox retries what did not fit. Free space on the server or raise the quota."),
    ),
    "refused": (
        N_("The mail server rejected a command."),
        N_("Often the cause is a quota or a permission. The server’s answer is below."),
    ),
    "broken": (
        N_("The mail server sent an answer that is not valid IMAP."),
        N_("Signalbox retries automatically. If this continues, check the server’s log."),
    ),
    "disk_full": (
        N_("The database’s disk is full."),
        N_(
            "Nothing is lost: the mail is still on its server. Free disk space for the database, then select “Try now”."
        ),
    ),
    "folder_gone": (
        N_("A folder has disappeared."),
        N_("You do not need to do anything. The folder is skipped until it is back."),
    ),
}
_OTHER_TROUBLE = (
    N_("Signalbox failed unexpectedly."),
    N_("The worker’s log has the details. Report this as a bug."),
)


@dataclass(frozen=True)
class Fact:
    """`sign`: ok, caution (good to know, nothing is broken) or danger (somebody has to act)."""

    sign: str
    title: str
    text: str

    @property
    def icon(self) -> str:
        return {"ok": "bi-check-circle-fill", "caution": "bi-dash-circle-fill"}.get(
            self.sign, "bi-exclamation-circle-fill"
        )


def facts(report: Mapping[str, Any], mode: str | None = None, trusted: Collection[str] = ()) -> list[Fact]:
    """The report of the probe, most important first; empty if there is none. `mode` and `trusted` (the mail servers
    trusted about senders) are those of a connected mailbox."""
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
    """A field of the form -> its error in the worker's test."""
    server = attempt.error_server or "imap"
    place = f"{getattr(attempt, f'{server}_host')}:{getattr(attempt, f'{server}_port')}"
    match attempt.error_code:
        case "login_refused":
            field, text = "password", _refused(attempt, server)
        case "unreachable":
            field, text = "host", _("No answer from %(place)s. Check name, port and security.", place=place)
        case "unavailable":
            field = "host"
            text = _("%(place)s is overloaded or under maintenance. Try again in a few minutes.", place=place)
        case "untrusted":
            field = "security"
            text = _("The certificate of %(place)s is not trusted, so nothing was sent to it.", place=place)
        case "secret":
            field = "password"
            text = _("The worker cannot decrypt the password, because its key differs from the web’s.")
        case "servers_changed":
            field, text = "password", _("The servers were changed without the password. Enter the password again.")
        case "over_quota":
            field, text = "user", _("The account is full (quota). Free space on the server, then try again.")
        case _:
            field, text = "host", _("%(place)s gave an unexpected answer.", place=place)
    return {f"{server}_{field}": text, "said": attempt.error_text or ""}


def trouble(code: str | None) -> tuple[str, str]:
    """The problem of a mailbox, and what to do."""
    title, advice = _TROUBLES.get(code or "", _OTHER_TROUBLE)
    return _(title), _(advice)


def _refused(servers: Servers, server: str) -> str:
    user = getattr(servers, f"{server}_user") or ""
    return _("The server rejected this password for %(user)s. Many providers require an app password here.", user=user)


def _keeping(able: str, mode: str, kinds: set[str]) -> Fact:
    if able != mode:
        return _other_mode(mode)
    if mode == "database":
        text = _(
            "Owners, statuses and tags are kept in Signalbox only, so other mail clients do not see them. Star, read "
            "and answered are shared."
        )
        return Fact("caution", _("Does not keep keywords"), text)
    if "not_proved" in kinds:
        text = _(
            "The server says so. Signalbox could not test it because the account cannot create folders or store "
            "messages."
        )
        return Fact("caution", _("Claims to keep keywords"), text)
    return Fact("ok", _("Keeps keywords"), _("Owner, status and tags are visible in every mail client."))


def _other_mode(mode: str) -> Fact:
    if mode == "database":
        text = _("This mailbox keeps owner, status and tags in Signalbox only. You can change this in the settings.")
        return Fact("ok", _("Keeps keywords"), text)
    text = _(
        "Changes made here do not reach other mail clients. In the settings, choose to keep owner, status and tags in "
        "Signalbox only."
    )
    return Fact("danger", _("No longer keeps keywords"), text)


def _moving(can: Mapping[str, bool], kinds: set[str]) -> Iterator[Fact]:
    if can.get("navigate"):
        yield Fact("ok", _("Moves messages in one step (MOVE)"), _("A moved message stays the same message."))
    else:
        yield Fact(
            "caution",
            _("Cannot move messages in one step"),
            _("Signalbox copies messages and marks the originals as deleted. You do not need to do anything."),
        )
    if "no_uidplus" in kinds:
        text = _("After a move the original stays in its folder, marked as deleted, until a mail client removes it.")
        yield Fact("caution", _("Cannot remove single messages"), text)
    if "keywords_stay_behind" in kinds:
        yield Fact(
            "caution",
            _("Loses keywords when mail is moved"),
            _("Signalbox writes them again. You do not need to do anything."),
        )


def _changes(can: Mapping[str, bool]) -> Fact:
    if can.get("qresync"):
        return Fact("ok", _("Lists changes (QRESYNC)"), _("Checking for changes is instant."))
    if can.get("condstore"):
        return Fact("ok", _("Lists changes (CONDSTORE)"), _("Checking for changes is quick."))
    return Fact(
        "caution",
        _("Does not list changes"),
        _("Signalbox compares all messages, which takes longer. You do not need to do anything."),
    )


def _ringing(can: Mapping[str, bool]) -> Iterator[Fact]:
    if can.get("idle"):
        yield Fact("ok", _("Instant new-mail notice (IDLE)"), _("New mail appears in about half a second."))
    else:
        yield Fact("caution", _("No instant new-mail notice"), _("New mail appears within 35 seconds."))
    if can.get("notify"):
        yield Fact("ok", _("Instant notice for other folders (NOTIFY)"), _("Changes in them appear at once."))
    else:
        text = _("Changes in them appear within 35 seconds. You do not need to do anything.")
        yield Fact("caution", _("No instant notice for other folders"), text)


def _folders(warnings: list[tuple[str, str, str]]) -> Iterator[Fact]:
    for kind, _sep, folder in warnings:
        if kind == "read_only":
            text = _(
                "Mail in this folder cannot store owner, status and tags. Give the account permission to write there."
            )
            yield Fact("caution", _("Cannot write to %(folder)s", folder=folder), text)
        if kind == "unreadable":
            text = _("It is skipped. Give the account permission to read it.")
            yield Fact("caution", _("Cannot open %(folder)s", folder=folder), text)
        if kind == "gone":
            text = _("This folder is watched but is no longer on the server.")
            yield Fact("caution", _("%(folder)s is missing", folder=folder), text)
        if kind == "left_behind":
            text = _("Signalbox created this folder for its test and could not delete it. Delete it yourself.")
            yield Fact("danger", _("The test folder %(folder)s is still there", folder=folder), text)


def _outgoing(smtp: Mapping[str, Any] | None) -> Iterator[Fact]:
    if smtp:
        text = (
            _("%(user)s can sign in.", user=smtp["user"])
            if smtp["user"]
            else _("The server answers. No sign-in was tested.")
        )
        yield Fact("ok", _("Outgoing mail through %(host)s", host=smtp["host"]), text)


def _senders(named: Collection[str], trusted: Collection[str]) -> Iterator[Fact]:
    for name in named:
        title = _("Checks senders as %(name)s", name=name)
        if name in trusted:
            yield Fact("ok", title, _("New messages show whether the sender is verified."))
        else:
            text = _("To show on new mail whether its sender is verified, enter this name in the mailbox’s settings.")
            yield Fact("caution", title, text)
