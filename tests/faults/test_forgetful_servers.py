"""A mail server loses data: its indexes are deleted, folders are created again and renumbered, it is restored from an
old backup. No conversation is lost, and what the server lost is written again."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from app.clock import now
from app.db import transaction
from app.inbox.actor import COMMAND, web
from app.inbox.conversations.conversation import Conversation
from app.inbox.history.event import Event, EventKind
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.child import MailParser
from app.sync.link import Link
from app.sync.pull import importing
from app.sync.pull.pull import pull
from local.dovecot import LocalDovecot
from tests.cast import Cast, member
from tests.dovecot import Account, fresh_account, mail
from tests.faults.conftest import LONG
from tests.faults.day import Days
from tests.faults.ledger import Fate, balance, come_to_rest, fates
from tests.sync.simulated import InlineParser
from tests.sync.stage import Stage, connected
from tests.sync.world import Disturbance, World, new_world
from tests.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


def home(account: Account) -> Path:
    return account.dovecot.base / "mail" / account.user


def lose(account: Account, *patterns: str) -> None:
    """Delete what these files held."""
    account.kick()
    for file in [file for pattern in patterns for file in home(account).rglob(pattern)]:
        file.unlink()


# data that a server loses ---------------------------------------------------------------------------------------------


def the_order_of_changes(account: Account) -> None:
    """On Maildir an index holds little else: HIGHESTMODSEQ goes back."""
    lose(account, "dovecot*index*")


def the_names_of_keywords(account: Account) -> None:
    """On Maildir the letters stay in the file names, but their meaning is lost, for all mails at once."""
    lose(account, "dovecot*index*", "dovecot-keywords")


def the_numbers_of_mails(account: Account) -> None:
    """All folders are renumbered, with another UIDVALIDITY."""
    wait_for_another_uidvalidity()
    lose(account, "dovecot*index*", "dovecot-uidlist", "dovecot-uidvalidity*")


def all_but_the_mails(account: Account) -> None:
    """Somebody copied the mails to a new server, without their flags."""
    wait_for_another_uidvalidity()
    kept = {folder: sources(account, folder) for folder in ("INBOX", "Archive", "Junk")}
    account.kick()
    shutil.rmtree(home(account))
    with Account(account.dovecot, account.user).open() as imap:
        for folder, mails in kept.items():
            for raw in mails:
                imap.append(folder, raw)


def sources(account: Account, folder: str) -> list[bytes]:
    with account.open() as imap:
        imap.select(folder, read_only=True)
        return [b"".join(imap.fetch_source(uid)) for uid in imap.uids()]


def wait_for_another_uidvalidity() -> None:
    """Dovecot's UIDVALIDITY is the second in which it was created."""
    with transaction() as session:
        known = select(Folder.uidvalidity).where(Folder.uidvalidity.is_not(None), Folder.uidvalidity > 1)
        highest = max(value or 0 for value in session.scalars(known))
    eventually(lambda: time.time() >= highest + 1)


Loss = Callable[[Account], None]
LOSSES: list[tuple[str, Loss]] = [
    ("maildir", the_names_of_keywords),
    ("maildir", the_order_of_changes),
    ("maildir", the_numbers_of_mails),
    ("maildir", all_but_the_mails),
    ("sdbox", all_but_the_mails),
]


def losses(sample: int) -> pytest.MarkDecorator:
    """All of them, or this one in a sample."""
    chosen = LOSSES if LONG else [LOSSES[sample]]
    return pytest.mark.parametrize(("format_", "loss"), chosen, ids=lambda value: getattr(value, "__name__", value))


@pytest.fixture
def stage(request: pytest.FixtureRequest, format_: str, parser: MailParser, cast: Cast) -> Iterator[Stage]:
    server: LocalDovecot = request.getfixturevalue(f"{format_}_server")
    with connected(fresh_account(server), parser) as stage:
        yield stage


#: Dovecot's name for a keyword whose name it lost.
_NAMELESS = re.compile(r"unknown-\d+")


def told(found: Mapping[str, Fate]) -> dict[str, Fate]:
    """Without names that the server invented: nobody set them, and they must have no effect."""
    return {
        subject: replace(fate, copies=tuple((folder, named(names)) for folder, names in fate.copies))
        for subject, fate in found.items()
    }


def named(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if not _NAMELESS.fullmatch(name))


def resets() -> int:
    with transaction() as session:
        return len(session.scalars(select(Event.id).where(Event.kind == EventKind.RESET)).all())


@losses(0)
def test_state_that_a_server_lost_is_written_again(stage: Stage, loss: Loss) -> None:
    days = Days(stage)
    usual = days.whole()
    loss(stage.account)
    come_to_rest(stage)
    balance(stage, days.delivered)
    assert told(fates(stage)) == {f"{name} 1": fate for name, fate in usual.items()}
    assert resets()
    assert days.whole() == usual


@losses(2)
def test_members_changes_hold_while_a_server_loses_data(stage: Stage, loss: Loss) -> None:
    days = Days(stage)
    usual = days.whole()
    days.morning()
    days.noon()
    loss(stage.account)
    found = told(days.evening())
    for name in ("claimed", "tagged", "spam", "released", "closed"):
        assert found[name] == usual[name], name
    assert days.whole() == usual


@contextmanager
def backup(account: Account) -> Iterator[Callable[[], None]]:
    """Save the server's present content. Calling the result restores it."""
    account.kick()
    kept = account.dovecot.base / f"backup-{account.user}"
    subprocess.run(["cp", "-a", home(account), kept], check=True)

    def restore() -> None:
        account.kick()
        shutil.rmtree(home(account))
        subprocess.run(["cp", "-a", kept, home(account)], check=True)

    try:
        yield restore
    finally:
        shutil.rmtree(kept)


@pytest.mark.parametrize("format_", ["maildir", "sdbox"] if LONG else ["sdbox"])
def test_a_server_restored_from_a_backup_gets_later_changes(stage: Stage) -> None:
    days = Days(stage)
    days.whole()
    days.morning()
    with backup(stage.account) as restore:
        days.noon()
        before = days.evening()
        restore()
    come_to_rest(stage)
    balance(stage, days.delivered, unmatched=2)  # the server lost the mails that arrived since
    after = days.fates()
    assert {name: state(fate) for name, fate in after.items()} == {name: state(fate) for name, fate in before.items()}
    for name in before.keys() - {"new", "closed", "moved", "spam"}:
        assert after[name] == before[name], name


def state(fate: Fate) -> Fate:
    """Everything except the folder."""
    return replace(fate, copies=())


@pytest.mark.parametrize("format_", ["sdbox"])
def test_folders_without_their_index_are_empty_until_an_administrator_has_them_read_again(stage: Stage) -> None:
    days = Days(stage)
    usual = days.whole()
    wait_for_another_uidvalidity()
    lose(stage.account, "dovecot.index*", "dovecot-uidvalidity*")
    come_to_rest(stage)
    balance(stage, days.delivered, unmatched=days.delivered)
    stage.account.dovecot.doveadm("force-resync", "-u", stage.account.user, "*")
    come_to_rest(stage)
    balance(stage, days.delivered)
    assert days.fates() == usual
    assert days.whole() == usual


def test_a_worker_that_dies_during_a_new_look_is_followed_by_one_that_distrusts_the_server(cast: Cast) -> None:
    """INBOX counts changes anew. The backup also lost Carla's keyword in Archive, although the server reports that as a
    change."""
    for step in range(4, 24):
        world = new_world()
        for number, folder in enumerate(("INBOX", "Archive")):
            raw = mail(f"No {number}", message_id=f"<{number}@w{world.mailbox_id}>")
            world.server.deliver(raw, folder)
        world.pull()
        with transaction() as session:
            for one in session.scalars(select(Conversation).where(Conversation.mailbox_id == world.mailbox_id)):
                one.claim(by=web(member(session, "carla")))
        world.push()
        world.pull()
        inbox, archive = world.server.folders["INBOX"], world.server.folders["Archive"]
        inbox.modseq = inbox.mails[1].modseq = 1
        assert archive.change(1, remove=["assigned-carla"])
        world.pull([Disturbance(step, "die after")])
        world.pull()
        world.push()
        with transaction() as session:
            mine = select(Conversation).where(Conversation.mailbox_id == world.mailbox_id)
            assert {one.owner for one in session.scalars(mine)} == {"carla"}, f"it died at {step}"
        assert archive.mails[1].names() == {"assigned-carla"}


def test_an_answer_that_came_while_a_folder_was_refused_for_days_is_new_though_it_was_numbered_anew(cast: Cast) -> None:
    world = new_world()
    world.mail_arrives(0)
    import_all(world)
    with transaction() as session:
        box = session.get_one(Mailbox, world.mailbox_id)
        session.scalars(select(Conversation).where(Conversation.mailbox_id == box.id)).one().close(by=COMMAND)
        archive = next(folder for folder in box.folders if folder.name == "Archive")
        archive.lose("not yours")
        archive.lost_at = archive.pulled_at = now() - dt.timedelta(days=3)
        box.last_round_at = now()  # of the others
    world.server.folders["Archive"].uidvalidity += 1
    answer = mail("Re: No 0", in_reply_to=f"<0.0@w{world.mailbox_id}>")
    world.server.deliver(answer, "Archive").at = now() - dt.timedelta(days=2)
    import_all(world)
    with transaction() as session:
        one = session.scalars(select(Conversation).where(Conversation.mailbox_id == world.mailbox_id)).one()
        assert (one.message_count, one.status) == (2, "open")


def import_all(world: World) -> None:
    session = world.server.session()
    link = Link(world.mailbox_id, session, InlineParser(), world.server.session, lambda: True)
    pull(link)
    importing.go_on(link)
