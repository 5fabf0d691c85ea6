"""Connecting a mailbox, one page per step. The page seals the password and creates an attempt. A worker tests the
account, and its result is shown before anything is saved. Only a test message is written to the mailbox, and it is
removed again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from flask import Blueprint, current_app, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import now
from app.db import transaction
from app.inbox.actor import web
from app.inbox.admin.attempt import (
    AGES,
    Attempt,
    AttemptStage,
    change_servers,
    count_mails,
    find_attempt,
    start,
)
from app.inbox.errors import Invalid
from app.inbox.mailboxes.mailbox import Mailbox, check_new_name
from app.inbox.mailboxes.providers import guess
from app.inbox.mailboxes.servers import Servers, ServersForm
from app.inbox.people.address import check_address
from app.inbox.people.member import Member
from app.inbox.permission import Role
from app.secrets import seal
from app.web.access import me, myself
from app.web.admin.frame import for_admins, page
from app.web.admin.report import facts, refusal
from app.web.admin.words import age_names
from app.web.errors import sentence
from app.web.language import gettext as _
from app.web.render import wants_fragment
from app.web.when import zones
from app.web.words import role_names
from config import Config

bp = for_admins(Blueprint("connect", __name__, url_prefix="/admin/connect"))

STEPS = ("address", "sign_in", "found", "folders", "importing", "roles")


@bp.get("")
def address() -> str:
    return _address_form({})


@bp.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """The second step of a new mailbox; address and name are in the page's address."""
    try:
        with transaction() as session:
            name, at = _named(session)
    except Invalid as error:
        return _address_form(_told(error)), 422
    return _sign_in_form(at, name, _guessed(at), {}, note=guess(at).note)


@bp.post("/sign-in")
def sign_in_submit() -> ResponseReturnValue:
    form = _asked()
    try:
        with transaction() as session:
            name, at = _named(session)
            attempt = Attempt(member_id=me().id, name=name, address=at)
            attempt.set_servers(form, seal=_seal, kept=None)
            session.add(attempt)
            session.flush()
            attempt.ask(by=web(me()))
    except Invalid as error:
        if error.field in ("name", "address"):
            return _address_form(_told(error)), 422
        typed = request.args
        return _sign_in_form(typed.get("address", ""), typed.get("name", ""), _shown(form), _told(error)), 422
    return redirect(url_for("connect.follow", attempt_id=attempt.id))


@bp.get("/<int:attempt_id>/sign-in")
def correct(attempt_id: int) -> str:
    with transaction() as session:
        attempt = find_attempt(session, me(), attempt_id)
    failed = refusal(attempt) if attempt.stage == AttemptStage.FAILED else {}
    return _sign_in_form(attempt.address, attempt.name, shown_servers(attempt), failed, attempt=attempt)


@bp.post("/<int:attempt_id>/sign-in")
def correct_submit(attempt_id: int) -> ResponseReturnValue:
    form = _asked()
    try:
        with transaction() as session:
            attempt = find_attempt(session, me(), attempt_id, lock=True)
            kept = Servers()
            kept.copy_servers(attempt)
            attempt.set_servers(form, seal=_seal, kept=kept)
            attempt.ask(by=web(myself(session)))
    except Invalid as error:
        with transaction() as session:
            attempt = find_attempt(session, me(), attempt_id)
        return _sign_in_form(attempt.address, attempt.name, _shown(form), _told(error), attempt=attempt), 422
    return redirect(url_for("connect.follow", attempt_id=attempt_id))


@bp.get("/<int:attempt_id>")
def follow(attempt_id: int) -> ResponseReturnValue:
    """Polls while the worker tests. Then shows the report, or the form again with the errors."""
    with transaction() as session:
        attempt = find_attempt(session, me(), attempt_id)
    if attempt.stage != AttemptStage.FAILED:
        return _step(attempt, "found", facts=facts(attempt.report) if attempt.stage == AttemptStage.FOUND else [])
    back = url_for("connect.correct", attempt_id=attempt_id)
    if not wants_fragment():
        return redirect(back)
    response = make_response("", 200)
    response.headers["HX-Redirect"] = back
    return response


@bp.get("/<int:attempt_id>/folders")
def folders(attempt_id: int) -> ResponseReturnValue:
    return _chosen(attempt_id, "folders")


@bp.post("/<int:attempt_id>/folders")
def folders_submit(attempt_id: int) -> ResponseReturnValue:
    try:
        with transaction() as session:
            find_attempt(session, me(), attempt_id, lock=True).watch(request.form.getlist("folder"))
    except Invalid as error:
        return _chosen(attempt_id, "folders", _told(error))
    return redirect(url_for("connect.importing", attempt_id=attempt_id))


@bp.get("/<int:attempt_id>/import")
def importing(attempt_id: int) -> ResponseReturnValue:
    return _chosen(attempt_id, "importing")


@bp.post("/<int:attempt_id>/import")
def importing_submit(attempt_id: int) -> ResponseReturnValue:
    form = request.form
    try:
        with transaction() as session:
            attempt = find_attempt(session, me(), attempt_id, lock=True)
            choice, since = _since(form)
            attempt.choose_import(choice, since, form.get("close", type=int))
    except Invalid as error:
        return _chosen(attempt_id, "importing", _told(error))
    return redirect(url_for("connect.roles", attempt_id=attempt_id))


@bp.get("/<int:attempt_id>/roles")
def roles(attempt_id: int) -> ResponseReturnValue:
    return _chosen(attempt_id, "roles")


@bp.post("/<int:attempt_id>/roles")
def begin(attempt_id: int) -> ResponseReturnValue:
    """The last step: create the mailbox and start its import."""
    try:
        with transaction() as session:
            attempt = find_attempt(session, me(), attempt_id, lock=True)
            by = web(myself(session))
            zone = request.form.get("time_zone", "")
            mailbox = start(session, attempt, time_zone=zone, roles=_roles_asked(session), by=by)
            attempt.end()
    except Invalid as error:
        return _chosen(attempt_id, "roles", _told(error))
    flash(_("%(name)s is connected. Its newest mail appears within seconds.", name=mailbox.name))
    return redirect(url_for("mailboxes.show", mailbox_id=mailbox.id))


@bp.post("/<int:attempt_id>/keep")
def keep(attempt_id: int) -> ResponseReturnValue:
    """Give an existing mailbox the tested servers."""
    try:
        with transaction() as session:
            attempt = find_attempt(session, me(), attempt_id, lock=True)
            mailbox = change_servers(session, attempt, by=web(myself(session)))
            attempt.end()
    except Invalid as error:
        with transaction() as session:
            attempt = find_attempt(session, me(), attempt_id)
        return _sign_in_form(attempt.address, attempt.name, shown_servers(attempt), _told(error), attempt=attempt), 422
    flash(_("%(name)s now uses these servers.", name=mailbox.name))
    return redirect(url_for("mailboxes.show", mailbox_id=mailbox.id))


@bp.delete("/<int:attempt_id>")
def give_up(attempt_id: int) -> ResponseReturnValue:
    """Erase the attempt and its password at once."""
    with transaction() as session:
        attempt = find_attempt(session, me(), attempt_id, lock=True)
        mailbox_id = attempt.mailbox_id
        attempt.end()
    flash(_("Nothing was saved."))
    return redirect(url_for("mailboxes.show", mailbox_id=mailbox_id) if mailbox_id else url_for("mailboxes.index"))


def ask_for(session: Session, mailbox: Mailbox) -> Attempt:
    """Test an existing mailbox with the servers of the form. Raises Invalid."""
    attempt = Attempt(member_id=me().id, mailbox_id=mailbox.id, name=mailbox.name, address=mailbox.address)
    attempt.set_servers(_asked(), seal=_seal, kept=mailbox)
    session.add(attempt)
    session.flush()
    attempt.ask(by=web(myself(session)))
    return attempt


def servers_form(mailbox: Mailbox, error: Invalid | None = None) -> str:
    """The sign-in form of an existing mailbox; an empty password keeps the stored one."""
    shown = _shown(_asked()) if error else shown_servers(mailbox)
    return page("admin/servers.html", mailbox=mailbox, form=shown, errors=_told(error) if error else {})


def shown_servers(servers: Servers) -> dict[str, Any]:
    """The servers as the form shows them, never with a password."""
    names = (field.name for field in fields(ServersForm) if not field.name.endswith("password"))
    return {name: getattr(servers, name) or "" for name in names} | {"smtp_security": servers.smtp_security or "tls"}


def _named(session: Session) -> tuple[str, str]:
    """Name and address from the page's address. Raises Invalid."""
    at = check_address(request.args.get("address", ""))
    name = request.args.get("name", "").strip() or at.rpartition("@")[0].replace(".", " ").title()
    return check_new_name(session, name), at


def _guessed(at: str) -> dict[str, Any]:
    guessed = guess(at)
    names = {"imap": guessed.imap, "smtp": guessed.smtp or ("", "", "tls")}
    parts = ("host", "port", "security")
    values = {f"{p}_{part}": value for p, place in names.items() for part, value in zip(parts, place, strict=True)}
    return values | {"imap_user": at, "imap_ca": "", "smtp_user": at if guessed.smtp else ""}


def _asked() -> ServersForm:
    return ServersForm(**{field.name: request.form.get(field.name, "") for field in fields(ServersForm)})


def _shown(form: ServersForm) -> dict[str, Any]:
    return {field.name: getattr(form, field.name) for field in fields(ServersForm)}


def _seal(password: str) -> bytes:
    config: Config = current_app.config["SIGNALBOX"]
    return seal(password, config.seal_public_key)


def _since(form: Mapping[str, str]) -> tuple[str, dt.date | None]:
    """The import choice, and the first day unless everything is imported: a number of days ago, or a day that was
    entered."""
    choice = form.get("import", "")
    try:
        if choice == "day":
            return "since", dt.date.fromisoformat(form.get("day", ""))
        if choice == "since":
            return "since", now().date() - dt.timedelta(days=int(form.get("since", "")))
    except (ValueError, OverflowError):
        return "since", None
    return choice, None


def _told(error: Invalid) -> dict[str, str]:
    return {error.field: sentence(error)}


def _address_form(errors: Mapping[str, str]) -> str:
    return page("admin/connect/address.html", step="address", attempt=None, errors=errors, form=request.args)


def _sign_in_form(
    at: str,
    name: str,
    form: Mapping[str, Any],
    errors: Mapping[str, str],
    *,
    note: str = "",
    attempt: Attempt | None = None,
) -> str:
    template = "admin/connect/sign_in.html"
    return page(template, step="sign_in", attempt=attempt, address=at, name=name, form=form, errors=errors, note=note)


def _step(attempt: Attempt, step: str, **context: Any) -> str:
    return page(f"admin/connect/{step}.html", step=step, attempt=attempt, errors=context.pop("errors", {}), **context)


def _chosen(attempt_id: int, step: str, errors: Mapping[str, str] | None = None) -> ResponseReturnValue:
    """A step that needs the worker's result. Without a result, show the page that waits for it."""
    with transaction() as session:
        attempt = find_attempt(session, me(), attempt_id)
        members = session.scalars(select(Member).where(Member.disabled_at.is_(None)).order_by(Member.name)).all()
    if attempt.stage != AttemptStage.FOUND or attempt.mailbox_id is not None:
        return redirect(url_for("connect.follow", attempt_id=attempt_id))
    watched = [folder for folder in attempt.folders if folder.name in attempt.watched]
    chosen = {
        "counts": {days: count_mails(watched, days) for days in AGES},
        "total": count_mails(watched),
        "ages": age_names(),
        "form": request.form,
        "members": members,
        "role_names": role_names(),
        "zones": zones(),
    }
    return _step(attempt, step, errors=errors or {}, **chosen), 422 if errors else 200


def _roles_asked(session: Session) -> dict[int, Role]:
    roles = {id_: request.form.get(f"role-{id_}", "") for id_ in session.scalars(select(Member.id))}
    return {id_: Role(role) for id_, role in roles.items() if role in list(Role)}
