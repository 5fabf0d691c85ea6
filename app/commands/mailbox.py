"""`flask mailbox …`: the accounts the team shares. Commands that talk to a mail server are in `connecting.py` and
`comparing.py`."""

from __future__ import annotations

from collections.abc import Iterator

import click
from sqlalchemy import select

from app.commands.command import Group, mailbox_named, member_named, one_side, print_json, reason, settings
from app.commands.comparing import drift, rebuild
from app.commands.connecting import KEYWORD_LIMIT, add, change_mode, check
from app.db import retried, transaction
from app.inbox.actor import COMMAND
from app.inbox.admin import team
from app.inbox.conversations.tag import HUES, adopt_tag, change_tag, find_tag, make_tag
from app.inbox.mailboxes.mailbox import Mailbox, Mode, keyword_limit_of
from app.inbox.permission import Role
from app.inbox.server import retrying
from app.inbox.server.health import Health, health, unattended
from app.inbox.server.held import decide, holds
from app.inbox.server.keywords_on_server import overfull_folders
from app.inbox.server.retrying import limit_keywords
from app.inbox.server.thunderbird import user_js
from app.mail.errors import MailError
from app.secrets import SecretError
from app.sync import connect


@click.group(cls=Group)
def mailbox() -> None:
    """Mailboxes: connect, check, grant roles, pause."""


mailbox.add_command(add)
mailbox.add_command(check)
mailbox.add_command(change_mode)
mailbox.add_command(drift)
mailbox.add_command(rebuild)


@mailbox.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_(as_json: bool) -> None:
    """List mailboxes and their health."""
    with transaction() as session:
        mailboxes = session.scalars(select(Mailbox).order_by(Mailbox.name)).all()
        healths = [(m, health(session, m)) for m in mailboxes]
        lines = [line for m, how in healths for line in (_told(m, how), *(f"  {more}" for more in _told_more(m, how)))]
    if as_json:
        fields = ("id", "name", "address", "mode")
        print_json([{name: getattr(m, name) for name in fields} | {"health": how.shape()} for m, how in healths])
    else:
        click.echo("".join(f"{line}\n" for line in lines), nl=False)


def _told(mailbox: Mailbox, how: Health) -> str:
    why = f": {how.error.rstrip('.')}" if how.error is not None and not how.something_waits else ""
    figures = f"{how.missing} missing, {how.waiting_push} on the way"
    return f"{mailbox.name:<24}  {mailbox.address}  {how.state}{why}, {figures}"


def _told_more(mailbox: Mailbox, how: Health) -> Iterator[str]:
    """Unusual facts although rounds succeed."""
    if how.something_waits:
        yield f"Waiting changes are retried in every round. {how.error}"
    if mailbox.returning:
        what_next = "resume it, and a worker" if mailbox.paused_at is not None else "a worker"
        yield f"Returning from mode database to keywords: {what_next} tests the server and checks every message."
    if unattended(mailbox):
        yield "No worker serves it. Start `flask worker`, or check its log."
    yield from _told_of_folders(mailbox)
    if how.deferred:
        yield f"{_mails(how.deferred)} not delivered by the server. Retried automatically; `resume` retries at once."
    yield from _told_of_slow_mail(how)
    if how.unreadable:
        yield f"{_mails(how.unreadable)} listed without text. Retried automatically; `resume` retries at once."
    for folder in how.unwritable_folders:
        yield f"The server keeps no keywords in {folder}. Give the account permission to write there."
    if how.no_room:
        yield f"{_counted(how.no_room)} with keywords that do not fit into a folder."
    if how.frozen:
        yield f'Ours or the server’s, {_counted(how.frozen)}: choose by flask mailbox drift "{mailbox.name}"'
    for hold in how.held:
        yield f'{_lost(hold.keyword, hold.conversations)} Decide: flask mailbox held "{mailbox.name}"'


def _told_of_slow_mail(how: Health) -> Iterator[str]:
    if how.behind:
        yield f"Delayed: {_mails(how.waiting_read)} waiting, the first since {how.waiting_read_since:%H:%M} UTC."
    if how.last_slow is not None:
        last = f"from {how.last_slow.sender or 'nobody'}, UID {how.last_slow.uid} in “{how.last_slow.folder}”"
        yield f"{_mails(how.slow_mails)} of the last hour took long to parse, the last one {last}."


def _told_of_folders(mailbox: Mailbox) -> Iterator[str]:
    for folder in sorted((f for f in mailbox.folders if f.watched), key=lambda f: f.name):
        if folder.refused:
            answer = folder.refusal or "nothing"
            yield f"The mail server refuses to show the folder “{folder.name}”: it said “{answer}”."
        if folder.gone:
            yield f"The folder “{folder.name}” is no longer on the server. It is skipped until it is back."
        if folder.unmatched:
            mails = "1 message is" if folder.unmatched == 1 else f"{folder.unmatched} messages are"
            yield f"{mails} no longer in “{folder.name}”. Messages not found within 24 hours count as gone."
    for folder in overfull_folders(mailbox):
        more = f"{len(folder.keywords)} keywords, above the assumed limit of {mailbox.keyword_limit}"
        yield f'The folder “{folder.name}” holds {more}: say what it keeps by flask mailbox limit "{mailbox.name}"'


@mailbox.command()
@click.argument("name")
@click.argument("folder_name", metavar="FOLDER")
@click.option("--stop", is_flag=True, help="Stop watching it; its mail is hidden here.")
def watch(name: str, folder_name: str, stop: bool) -> None:
    """Watch another folder, or stop watching one."""
    with transaction() as session:
        box = mailbox_named(session, name)
        mailbox_id, is_known = box.id, folder_name in {f.name for f in box.folders}
    server_answer = "" if is_known or stop else _listed_again(mailbox_id)
    with transaction() as session:
        box = mailbox_named(session, name)
        folder = next((f for f in box.folders if f.name == folder_name), None)
        if folder is None:
            known = ", ".join(f.name for f in box.folders)
            raise click.ClickException(f"{name} has no folder “{folder_name}”. Its folders: {known}.{server_answer}")
        (box.unwatch if stop else box.watch)(folder, by=COMMAND)
    click.echo(
        f"{folder_name} is no longer watched." if stop else f"{folder_name} is watched. Its mail will be imported soon."
    )


def _listed_again(mailbox_id: int) -> str:
    """The folder may have just been created. Returns why the server did not list its folders, or nothing."""
    try:
        connect.list_again(mailbox_id, private_key=settings().seal_key)
    except (MailError, SecretError) as error:
        return f" The server's current folders could not be listed: {reason(error)}"
    return ""


@mailbox.command()
@click.argument("name")
@click.argument("handle")
@click.argument("role", type=click.Choice([*map(str, Role), "none"]))
def grant(name: str, handle: str, role: str) -> None:
    """Set a member's role on a mailbox; `none` removes it."""
    with transaction() as session:
        box, person = mailbox_named(session, name), member_named(session, handle)
        team.grant(session, person, box, None if role == "none" else Role(role), by=COMMAND)
    click.echo(f"{handle} now has no role on {name}." if role == "none" else f"{handle} is now {role} of {name}.")


@mailbox.command()
@click.argument("name")
def pause(name: str) -> None:
    """Stop syncing; the pages keep working."""
    with transaction() as session:
        mailbox_named(session, name).pause(by=COMMAND)
    click.echo(f"{name} is paused.")


@mailbox.command()
@click.argument("name")
@retried
def resume(name: str) -> None:
    """Continue after a pause, or retry at once after failures."""
    with transaction() as session:
        retrying.resume(mailbox_named(session, name), by=COMMAND)
    click.echo(f"{name} is resumed.")


@mailbox.command()
@click.argument("name")
@click.argument("servers", nargs=-1)
def trust(name: str, servers: tuple[str, ...]) -> None:
    """Set the mail servers whose Authentication-Results are trusted; without names, none."""
    with transaction() as session:
        mailbox_named(session, name).trust_servers(" ".join(servers), by=COMMAND)
    click.echo(f"{name} trusts {', '.join(servers) or 'no server'} about senders of new mail.")


@mailbox.command()
@click.argument("name")
@click.argument("others", metavar="[ADDRESS]…", nargs=-1)
@click.option("--none", "no_others", is_flag=True, help="Remove all aliases.")
def addresses(name: str, others: tuple[str, ...], no_others: bool) -> None:
    """Show or set its aliases. Mail from them counts as the team's."""
    if others and no_others:
        raise click.UsageError("Give addresses, or --none.")
    with transaction() as session:
        box = mailbox_named(session, name)
        if others or no_others:
            box.change_other_addresses(others, by=COMMAND)
        lines = [box.address, *box.other_addresses]
    click.echo("\n".join(lines))


@mailbox.command()
@click.argument("name")
@click.argument("keywords", type=KEYWORD_LIMIT)
@retried
def limit(name: str, keywords: str) -> None:
    """Set how many keywords a folder can hold. Keywords that now fit are written."""
    with transaction() as session:
        limit_keywords(mailbox_named(session, name), keyword_limit_of(keywords), by=COMMAND)
    number = "any number of" if keywords == "none" else f"up to {keywords}"
    click.echo(f"Folders of {name} now hold {number} keywords.")


@mailbox.command()
@click.argument("name")
@click.option("--take-theirs", is_flag=True, help="The removal was intended: release, reopen, untag.")
@click.option("--keep-ours", is_flag=True, help="It was an accident: write the keywords again.")
@click.option("--keyword", help="Only this one; all by default.")
def held(name: str, take_theirs: bool, keep_ours: bool, keyword: str | None) -> None:
    """Show keywords that many conversations lost at once on the server, or decide about them."""
    use = one_side(take_theirs, keep_ours)
    only = keyword and keyword.casefold()  # the server compares names like this, and so do our records of them
    with transaction() as session:
        waiting = [hold for hold in holds(session, mailbox_named(session, name)) if only in (None, hold.keyword)]
    if not waiting:
        about = f" about “{only}”" if only is not None else ""
        click.echo(f"No decision is needed{about} in {name}.")
    for hold in waiting:
        if use is None:
            click.echo(_lost(hold.keyword, hold.conversations))
        else:
            click.echo(_decided(name, hold.keyword, take_theirs=use == "theirs"))
    if waiting and use is None:
        click.echo("Nothing changes until you decide with --take-theirs or --keep-ours.")


def _lost(keyword: str, conversations: int) -> str:
    return f"{_counted(conversations)} lost “{keyword}” at once on the server."


def _decided(name: str, keyword: str, *, take_theirs: bool) -> str:
    total = sum(iter(lambda: _decide_some(name, keyword, take_theirs=take_theirs), None))
    if not total:
        return f"“{keyword}”: no decision is needed any more. Someone else has just decided."
    return f"“{keyword}”: {_counted(total)} now as {'on the server' if take_theirs else 'before'}."


@retried
def _decide_some(name: str, keyword: str, *, take_theirs: bool) -> int | None:
    with transaction() as session:
        return decide(session, mailbox_named(session, name), keyword, take_theirs=take_theirs, by=COMMAND)


def _mails(count: int) -> str:
    return f"{count} messages" if count != 1 else "1 message"


def _counted(conversations: int) -> str:
    return f"{conversations} conversations" if conversations != 1 else "1 conversation"


@mailbox.command()
@click.argument("name")
@click.argument("tag_name", metavar="TAG")
@click.option("--label", default="", help="Shown to people; default: the tag's name.")
@click.option("--hue", type=click.IntRange(1, HUES), help="Its colour.")
def tag(name: str, tag_name: str, label: str, hue: int | None) -> None:
    """Create a tag, or adopt one from a mail client. Also changes label and colour."""
    with transaction() as session:
        box = mailbox_named(session, name)
        known = find_tag(session, box, tag_name)
        if known is None:
            make_tag(session, box, tag_name, by=COMMAND, label=label, hue=hue or 0)
        else:
            adopt_tag(session, box, known, by=COMMAND)
            change_tag(session, box, known, label=label or known.label, hue=hue or known.hue, by=COMMAND)
    click.echo(f"{tag_name} is now a tag of {name}.")


@mailbox.command()
@click.argument("name")
@click.option("--format", "for_client", type=click.Choice(["thunderbird"]), required=True)
def tags(name: str, for_client: str) -> None:
    """Print names and colours of assignments, statuses and tags for a mail client."""
    with transaction() as session:
        box = mailbox_named(session, name)
        if box.mode == Mode.DATABASE:
            raise click.ClickException(
                f"{box.name} keeps no keywords on its server, so mail clients have nothing to show."
            )
        click.echo(user_js(session, box), nl=False)
