"""People: members, their roles on each mailbox, and the links for setting a password."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import transaction
from app.inbox.actor import Actor, web
from app.inbox.admin import team
from app.inbox.admin.credentials import end_credentials
from app.inbox.admin.invitation import invite
from app.inbox.errors import N_, Invalid, NotFound
from app.inbox.lists.find import everybody
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people.member import Member
from app.inbox.people.sign_in_history import recent_sign_ins
from app.inbox.permission import Role
from app.web.access import myself
from app.web.account import sign_in_words
from app.web.admin.frame import for_admins, page
from app.web.errors import sentence
from app.web.language import gettext as _
from app.web.words import role_names
from config import Config

bp = for_admins(Blueprint("people", __name__, url_prefix="/admin/people"))


@bp.get("")
def index() -> str:
    with transaction() as session:
        members = session.scalars(everybody().order_by(Member.disabled_at.is_not(None), Member.name)).all()
        return page("admin/people.html", members=members, mailboxes=_mailboxes(session), role_names=role_names())


@bp.get("/new")
def new() -> str:
    with transaction() as session:
        return _new_form(session)


@bp.post("/new")
def add() -> ResponseReturnValue:
    """Add a member with roles; the response shows the link to pass on, once."""
    form = request.form
    try:
        with transaction() as session:
            by = web(myself(session))
            name = form.get("name", "")
            handle = form.get("handle", "").strip().lower() or team.handle_of(name)
            email = form.get("email", "")
            member = team.add_member(session, handle, name, email, admin="admin" in form, by=by)
            _grant(session, member, by)
            key = invite(session, member, by=by)
    except Invalid as error:
        with transaction() as session:
            return _new_form(session, error), 422
    return _invited(member, key)


@bp.get("/<int:member_id>")
def show(member_id: int) -> str:
    with transaction() as session:
        return _form(session, _member(session, member_id))


@bp.post("/<int:member_id>")
def change(member_id: int) -> ResponseReturnValue:
    form = request.form
    try:
        with transaction() as session:
            member, by = _member(session, member_id), web(myself(session))
            name, email = form.get("name", ""), form.get("email", "")
            # first, because members who give up their own administration still have it here
            _grant(session, member, by)
            team.change_member(session, member, name=name, email=email, admin="admin" in form, by=by)
    except Invalid as error:
        with transaction() as session:
            return _form(session, _member(session, member_id), error), 422
    flash(_("Saved."))
    return redirect(url_for("people.index") if by.member is not None and by.member.is_admin else url_for("lists.home"))


@bp.post("/<int:member_id>/invitation")
def invite_again(member_id: int) -> str:
    """A new link for a member who lost the first or forgot the password."""
    with transaction() as session:
        member = _member(session, member_id)
        key = invite(session, member, by=web(myself(session)))
    return _invited(member, key)


@bp.post("/<int:member_id>/end-access")
def end_access(member_id: int) -> ResponseReturnValue:
    """End a member's sessions, tokens and links. They must sign in again with their password."""
    with transaction() as session:
        member = _member(session, member_id)
        end_credentials(session, member, by=web(myself(session)))
    flash(_("%(name)s is signed out everywhere. Tokens and links no longer work.", name=member.name))
    return redirect(url_for("people.show", member_id=member_id))


@bp.post("/<int:member_id>/disable")
def disable(member_id: int) -> ResponseReturnValue:
    try:
        with transaction() as session:
            team.disable(session, _member(session, member_id), by=web(myself(session)))
    except Invalid as error:
        with transaction() as session:
            return _form(session, _member(session, member_id), error), 422
    return redirect(url_for("people.show", member_id=member_id))


@bp.post("/<int:member_id>/enable")
def enable(member_id: int) -> ResponseReturnValue:
    with transaction() as session:
        team.enable(session, _member(session, member_id), by=web(myself(session)))
    return redirect(url_for("people.show", member_id=member_id))


def _member(session: Session, member_id: int) -> Member:
    member = session.get(Member, member_id)
    if member is None:
        raise NotFound
    return member


def _mailboxes(session: Session) -> list[Mailbox]:
    return list(session.scalars(select(Mailbox).order_by(Mailbox.name)))


def _grant(session: Session, member: Member, by: Actor) -> None:
    """Set the roles in the form, for the mailboxes it shows."""
    for mailbox in _mailboxes(session):
        role = request.form.get(f"role-{mailbox.id}")
        if role is None:
            continue
        if role and role not in list(Role):
            raise Invalid(f"role-{mailbox.id}", N_("“%(value)s” is not one of the choices."), value=role)
        team.grant(session, member, mailbox, Role(role) if role else None, by=by)


def _new_form(session: Session, error: Invalid | None = None) -> str:
    errors = {error.field: sentence(error)} if error else {}
    context = {"mailboxes": _mailboxes(session), "role_names": role_names()}
    return page("admin/person_new.html", form=request.form, errors=errors, **context)


def _form(session: Session, member: Member, error: Invalid | None = None) -> str:
    """Keeps the entered values if they are refused."""
    stored = {"name": member.name, "email": member.email, "admin": member.is_admin}
    stored |= {f"role-{grant.mailbox_id}": grant.role for grant in member.grants}
    form = request.form if "name" in request.form else stored
    errors = {error.field: sentence(error)} if error else {}
    context = {"mailboxes": _mailboxes(session), "role_names": role_names()}
    sign_ins = {"sign_ins": recent_sign_ins(session, member), "sign_in_words": sign_in_words}
    return page("admin/person.html", member=member, form=form, errors=errors, **context, **sign_ins)


def _invited(member: Member, key: str) -> str:
    config: Config = current_app.config["SIGNALBOX"]
    link = config.base_url.rstrip("/") + url_for("welcome.show", key=key)
    return page("admin/invited.html", member=member, link=link)
