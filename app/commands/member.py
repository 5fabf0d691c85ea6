"""`flask member …`: the people on the team."""

from __future__ import annotations

import sys
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.commands.command import Group, line_of_stdin, member_named, print_json
from app.db import transaction
from app.inbox.actor import COMMAND
from app.inbox.admin import team
from app.inbox.lists.find import everybody
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.people.member import Member
from app.inbox.people.token import LASTS_DAYS, make_token, revoke_tokens


@click.group(cls=Group)
def member() -> None:
    """People: add, list, disable, give tokens."""


@member.command()
@click.argument("handle")
@click.option("--name", required=True, help="The name that people see.")
@click.option("--email", required=True, help="For signing in; the handle works, too.")
@click.option("--admin", is_flag=True, help="May configure members, roles and mailboxes.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of stdin.")
def add(handle: str, name: str, email: str, admin: bool, password_stdin: bool) -> None:
    """Add a member. HANDLE appears in keywords on the mail server and can never be changed."""
    password = _password(password_stdin)
    with transaction() as session:
        added = team.add_member(session, handle, name, email, by=COMMAND, admin=admin)
        if password:
            added.set_password(password)
    click.echo(f"Added {name} as {handle}.")
    if not password:
        click.echo(
            f"No password was set: {handle} can use API tokens, not the pages. `flask member password` sets one."
        )


@member.command()
@click.argument("handle")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of stdin.")
def password(handle: str, password_stdin: bool) -> None:
    """Set a member's password. It ends sessions, tokens and links."""
    new = _password(password_stdin)
    if not new:
        raise click.UsageError("Give the password with --password-stdin, or at a terminal.")
    with transaction() as session:
        team.set_password(session, member_named(session, handle), new, by=COMMAND)
    click.echo(f"{handle} has a new password. Earlier sessions, tokens and links no longer work.")


@member.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_(as_json: bool) -> None:
    """List members and their roles."""
    with transaction() as session:
        mailboxes = _mailbox_names(session)
        by_handle = everybody().order_by(Member.handle)
        people = [_shape(person, mailboxes) for person in session.scalars(by_handle)]
    if as_json:
        print_json(people)
        return
    for person in people:
        marks = [mark for mark in ("admin", "disabled") if person[mark]]
        roles = [f"{role} of {name}" for name, role in person["roles"].items()]
        rights = ", ".join(marks + roles) or "no role yet"
        click.echo(f"{person['handle']:<24}  {person['name']} <{person['email']}>  {rights}")


@member.command()
@click.argument("handle")
def disable(handle: str) -> None:
    """End sign-in and tokens. Others can then claim the member's conversations."""
    with transaction() as session:
        team.disable(session, member_named(session, handle), by=COMMAND)
    click.echo(f"{handle} is disabled.")


@member.command()
@click.argument("handle")
@click.option("--name", default="", help="What it is for.")
@click.option("--days", type=click.Choice([str(days) for days in LASTS_DAYS]), default="0", help="0: no expiry.")
@click.option("--read-only", is_flag=True, help="Refuse calls that change something.")
@click.option("--revoke", is_flag=True, help="End all tokens and create none.")
def token(handle: str, name: str, days: str, read_only: bool, revoke: bool) -> None:
    """Create an API token. It is printed once, alone on the last line."""
    with transaction() as session:
        owner = member_named(session, handle)
        if revoke:
            revoked = revoke_tokens(session, owner, by=COMMAND)
            click.echo(f"Ended {revoked} tokens of {handle}.")
            return
        if owner.disabled_at is not None:
            raise click.ClickException(f"{handle} is disabled and cannot use the API.")
        key = make_token(session, owner, by=COMMAND, name=name, days=int(days), reads_only=read_only)
    click.echo(f"API token for {handle}. It is not shown again:")
    click.echo(key)


def _password(from_stdin: bool) -> str | None:
    """Read from stdin if requested. At a terminal a person types it unseen, and may leave it out."""
    if from_stdin:
        return line_of_stdin("the password")
    if not sys.stdin.isatty():
        return None
    typed: str = click.prompt(
        "Password (at least 12 characters; empty for none)",
        default="",
        show_default=False,
        hide_input=True,
        confirmation_prompt=True,
        err=True,
    )
    return typed or None


def _mailbox_names(session: Session) -> dict[int, str]:
    return dict(session.execute(select(Mailbox.id, Mailbox.name)).all())


def _shape(person: Member, mailboxes: dict[int, str]) -> dict[str, Any]:
    return {
        "handle": person.handle,
        "name": person.name,
        "email": person.email,
        "admin": person.is_admin,
        "disabled": person.disabled_at is not None,
        "roles": {mailboxes[grant.mailbox_id]: grant.role for grant in person.grants},
    }
