"""The mailboxes of the installation: their health, what to do, and their settings."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.db import retried, transaction
from app.inbox.actor import web
from app.inbox.errors import N_, Invalid
from app.inbox.mailboxes.mailbox import Mailbox, Mode, keyword_limit_of, keyword_limit_words
from app.inbox.people.member import Grant, Member
from app.inbox.server import held, mode, retrying
from app.inbox.server.health import health, unattended
from app.inbox.server.keywords_on_server import overfull_folders
from app.inbox.server.retrying import limit_keywords
from app.web.access import me, myself
from app.web.admin.connect import ask_for, servers_form
from app.web.admin.frame import find_box, for_admins, page
from app.web.admin.report import facts, trouble
from app.web.admin.words import keyword_limits
from app.web.errors import sentence
from app.web.language import gettext as _
from app.web.when import zones
from app.web.words import role_names

bp = for_admins(Blueprint("mailboxes", __name__, url_prefix="/admin/mailboxes"))


@bp.get("")
def index() -> str:
    with transaction() as session:
        boxes = session.scalars(select(Mailbox).order_by(Mailbox.name)).all()
        healths = [(box, health(session, box)) for box in boxes]
    return page("admin/mailboxes.html", mailboxes=healths, trouble=trouble, unattended=unattended)


@bp.get("/<int:mailbox_id>")
def show(mailbox_id: int) -> str:
    with transaction() as session:
        mailbox = find_box(session, mailbox_id)
        may = (Grant.mailbox_id == mailbox.id, Member.disabled_at.is_(None))
        granted = select(Member, Grant.role).join(Grant).where(*may).order_by(Member.name)
        context = {
            "mailbox": mailbox,
            "folders": sorted(mailbox.folders, key=lambda f: (not f.watched, f.role != "inbox", f.name.lower())),
            "health": health(session, mailbox),
            "overfull": overfull_folders(mailbox),
            "people": session.execute(granted).all(),
        }
    words = {
        "facts": facts(mailbox.report, mailbox.mode, mailbox.authserv_ids),
        "trouble": trouble,
        "role_names": role_names(),
        "unattended": unattended,
    }
    return page("admin/mailbox.html", **words, **context)


@bp.get("/<int:mailbox_id>/settings")
def settings(mailbox_id: int) -> str:
    with transaction() as session:
        return _settings_form(find_box(session, mailbox_id))


@bp.post("/<int:mailbox_id>/settings")
def change(mailbox_id: int) -> ResponseReturnValue:
    form = request.form
    try:
        with transaction() as session:
            mailbox, by = find_box(session, mailbox_id), web(myself(session))
            mailbox.change(
                name=form.get("name", ""),
                address=form.get("address", ""),
                time_zone=form.get("time_zone", ""),
                agents_assign="agents_assign" in form,
                marks_seen="marks_seen" in form,
                by=by,
            )
            mailbox.trust_servers(form.get("authserv_ids", " ".join(mailbox.authserv_ids)), by=by)
            if (others := form.get("other_addresses")) is not None:
                mailbox.change_other_addresses(others.replace(",", " ").split(), by=by)
            limit = form.get("keyword_limit", keyword_limit_words(mailbox.keyword_limit))
            limit_keywords(mailbox, keyword_limit_of(limit), by=by)
    except Invalid as error:
        with transaction() as session:
            return _settings_form(find_box(session, mailbox_id), error), 422
    flash(_("Saved."))
    return redirect(url_for("mailboxes.show", mailbox_id=mailbox_id))


@bp.post("/<int:mailbox_id>/mode")
def change_mode(mailbox_id: int) -> ResponseReturnValue:
    """Change where owner, status and tags are stored."""
    mode = request.form.get("mode", "")
    if mode not in list(Mode):
        raise Invalid("mode", N_("“%(value)s” is not one of the choices."), value=mode)
    _change_mode(mailbox_id, Mode(mode))
    return redirect(url_for("mailboxes.show", mailbox_id=mailbox_id))


@retried
def _change_mode(mailbox_id: int, to: Mode) -> None:
    """Retried, because it changes every conversation, and the worker may do so at the same time."""
    with transaction() as session:
        mode.change_mode(find_box(session, mailbox_id), to, by=web(myself(session)))


@bp.get("/<int:mailbox_id>/servers")
def servers(mailbox_id: int) -> str:
    with transaction() as session:
        return servers_form(find_box(session, mailbox_id))


@bp.post("/<int:mailbox_id>/servers")
def try_servers(mailbox_id: int) -> ResponseReturnValue:
    """Other servers, another password, or the same again: the worker tests them before they are saved."""
    try:
        with transaction() as session:
            attempt = ask_for(session, find_box(session, mailbox_id))
    except Invalid as error:
        with transaction() as session:
            return servers_form(find_box(session, mailbox_id), error), 422
    return redirect(url_for("connect.follow", attempt_id=attempt.id))


@bp.post("/<int:mailbox_id>/pause")
def pause(mailbox_id: int) -> ResponseReturnValue:
    with transaction() as session:
        find_box(session, mailbox_id).pause(by=web(myself(session)))
    return redirect(url_for("mailboxes.show", mailbox_id=mailbox_id))


@bp.post("/<int:mailbox_id>/resume")
def resume(mailbox_id: int) -> ResponseReturnValue:
    """Continue after a pause, retry at once after failures, and try again what was rejected."""
    _resume(mailbox_id)
    return redirect(url_for("mailboxes.show", mailbox_id=mailbox_id))


@retried
def _resume(mailbox_id: int) -> None:
    """Retried: it locks conversations before the mailbox, and a change of mode locks in the opposite order."""
    with transaction() as session:
        mailbox = find_box(session, mailbox_id)
        retrying.resume(mailbox, by=web(myself(session)))
        mailbox.tell_health()


@bp.post("/<int:mailbox_id>/folders/<int:folder_id>")
def watch(mailbox_id: int, folder_id: int) -> ResponseReturnValue:
    with transaction() as session:
        mailbox = find_box(session, mailbox_id)
        folder = mailbox.folder_by_id(folder_id)
        mailbox.watch(folder, by=web(myself(session)))
    flash(_("%(folder)s is now watched. Its mail is being imported.", folder=folder.name))
    return redirect(url_for("mailboxes.show", mailbox_id=mailbox_id))


@bp.post("/<int:mailbox_id>/folders/<int:folder_id>/unwatch")
def unwatch(mailbox_id: int, folder_id: int) -> ResponseReturnValue:
    with transaction() as session:
        mailbox = find_box(session, mailbox_id)
        folder = mailbox.folder_by_id(folder_id)
        mailbox.unwatch(folder, by=web(myself(session)))
    flash(_("%(folder)s is no longer watched. Its mail is hidden here.", folder=folder.name))
    return redirect(url_for("mailboxes.show", mailbox_id=mailbox_id))


@bp.post("/<int:mailbox_id>/held")
def decide(mailbox_id: int) -> ResponseReturnValue:
    """Decide on a keyword that many conversations lost at once. Handles some hundred per transaction, so that nobody
    waits."""
    keyword, use = request.form.get("keyword", ""), request.form.get("use", "")
    if use not in ("ours", "server"):
        raise Invalid("use", N_("“%(value)s” is not one of the choices."), value=use)
    batches = iter(lambda: _decide_some(mailbox_id, keyword, take_theirs=use == "server"), None)
    if sum(batches):
        flash(_("Decided."))
    else:
        flash(_("There is nothing left to decide about this keyword. Someone else may have just decided."))
    return redirect(url_for("mailboxes.show", mailbox_id=mailbox_id))


@retried
def _decide_some(mailbox_id: int, keyword: str, *, take_theirs: bool) -> int | None:
    """Check each time whether they are still an administrator, because applying all choices may take minutes."""
    with transaction() as session:
        mailbox, by = find_box(session, mailbox_id), web(session.get_one(Member, me().id))
        return held.decide(session, mailbox, keyword, take_theirs=take_theirs, by=by)


def _settings_form(mailbox: Mailbox, error: Invalid | None = None) -> str:
    kept = {name: getattr(mailbox, name) for name in ("name", "address", "time_zone", "agents_assign", "marks_seen")}
    kept["authserv_ids"] = " ".join(mailbox.authserv_ids)
    kept["other_addresses"] = "\n".join(mailbox.other_addresses)
    kept["keyword_limit"] = keyword_limit_words(mailbox.keyword_limit)
    errors = {error.field: sentence(error)} if error else {}
    context = {"mailbox": mailbox, "form": request.form if error else kept, "errors": errors}
    return page("admin/settings.html", zones=zones(), limits=keyword_limits(), **context)
