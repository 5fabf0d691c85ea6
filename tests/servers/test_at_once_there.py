"""Members, a mail client and the worker act at the same moment, on servers of other makes."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.errors import InboxError
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from tests.dovecot import mail
from tests.faults.conftest import LONG
from tests.faults.ledger import balance, come_to_rest
from tests.servers.conftest import There, differences

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

MAILS = 20 if LONG else 6
ACTS = 300 if LONG else 30
PLACES = ("INBOX", "Archive", "Trash")


@pytest.mark.parametrize("deaths", [0, 3] if LONG else [1])
def test_members_a_client_and_the_worker_at_once_leave_both_sides_the_same(stage: There, deaths: int) -> None:
    """The server is killed this many times in the meantime, and returns."""
    for number in range(MAILS):
        stage.account.append(mail(f"No {number}", message_id=f"<{number}@at-once>"))
    come_to_rest(stage)
    clients_chance, members_chance = random.Random(1), random.Random(2)
    away = threading.Event()
    with going_on(lambda: one_round(stage, away)), going_on(lambda: client_acts(stage, clients_chance), away):
        for number in range(1, ACTS + 1):
            member_acts(stage, members_chance)
            if deaths and number % (ACTS // (deaths + 1)) == 0 and number < ACTS:
                away.set()
                stage.account.other.stop()
                stage.account.other.start()
    come_to_rest(stage)
    balance(stage, MAILS)
    assert differences(stage) == []


@contextmanager
def going_on(act: Callable[[], object], away: threading.Event | None = None) -> Iterator[None]:
    """Repeat it in a separate thread until the end. Acts that fail because the server is away are dropped."""
    over = threading.Event()
    errors: list[BaseException] = []

    def again_and_again() -> None:
        while not over.is_set():
            try:
                act()
            except Exception as error:
                if away is None or not away.is_set():
                    errors.append(error)
                    return

    thread = threading.Thread(target=again_and_again)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert errors == []


def one_round(stage: There, away: threading.Event) -> None:
    """It may leave a member's latest changes to the next round."""
    error = stage.service().once(30)
    assert error is None or error.endswith("could not be written to the server") or away.is_set(), error


def client_acts(stage: There, chance: random.Random) -> None:
    """Act on one mail of one folder: move it, or change its keywords."""
    folder = chance.choice(PLACES)
    with stage.account.client(folder) as client:
        uids = client.search("ALL")
    if not uids:
        return
    uid = chance.choice(uids)
    name = chance.choice(("\\Flagged", "\\Seen", "urgent"))
    act = chance.choice(("move", "add", "remove"))
    if act == "move":
        stage.account.move(uid, chance.choice([place for place in PLACES if place != folder]), folder=folder)
    elif act == "add":
        stage.account.add_flags(uid, name, folder=folder)
    else:
        stage.account.remove_flags(uid, name, folder=folder)


def member_acts(stage: There, chance: random.Random) -> None:
    number, who = chance.randint(1, MAILS), chance.choice(("ben", "carla"))
    verbs: list[tuple[Callable[..., object], object]] = [
        (Conversation.claim, None),
        (Conversation.release, None),
        (Conversation.close, None),
        (Conversation.reopen, None),
        (Conversation.tag, "billing"),
        (Conversation.untag, "billing"),
        (Conversation.move, folder_of(stage, chance.choice(PLACES))),
    ]
    verb, argument = chance.choice(verbs)
    with suppress(InboxError):  # it belongs to somebody else, or to nobody
        stage.act(number, verb, *([] if argument is None else [argument]), by=who)


def folder_of(stage: There, name: str) -> Folder:
    with transaction() as session:
        folders = session.get_one(Mailbox, stage.mailbox_id).folders
        return next(folder for folder in folders if folder.name == stage.account.spelt(name))
