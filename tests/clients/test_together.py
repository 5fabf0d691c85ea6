"""mbsync, offlineimap and neomutt work on one account at the same time as members and a worker.

Everybody acts at random as people do: moves, flags, labels, claims. Nobody deletes permanently, so no mail may be lost.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Message
from app.inbox.errors import InboxError
from tests.clients.maildir import subject_of
from tests.clients.mbsync import Mbsync
from tests.clients.neomutt import NeoMutt
from tests.clients.offlineimap import OfflineImap
from tests.clients.programs import Failed
from tests.clients.scene import Scene
from tests.dovecot import mail
from tests.faults.conftest import LONG
from tests.faults.ledger import Fate
from tests.worker.process import worker

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

SECONDS = 30 if LONG else 5
MAILS = 40 if LONG else 12
FOLDERS = ("INBOX", "Archive", "Junk")
#: A mail that nobody moves, because neomutt accepts no keys in an empty folder.
STAYS = "Stays"
VERBS: Sequence[tuple[str, Callable[..., object], *tuple[object, ...]]] = (
    ("carla", Conversation.claim),
    ("ben", Conversation.claim),
    ("carla", Conversation.release),
    ("carla", Conversation.close),
    ("ben", Conversation.reopen),
    ("ben", Conversation.set_pending),
    ("carla", Conversation.star),
    ("ben", Conversation.unstar),
    ("ben", Conversation.tag, "billing"),
    ("carla", Conversation.untag, "billing"),
    ("carla", Conversation.mark_spam),
)
LABELS = tuple(
    f"<modify-labels><kill-line>{names}<enter>"
    for names in ("", "assigned-carla", "assigned-ben state-closed", "state-pending billing")
)
#: What a copy may show in addition to the state of its conversation.
NO_STATE = {"\\Seen", "\\Answered", "Old", "$NotJunk"}


class Crowd:
    """Each function does one thing, or a few, at random."""

    def __init__(self, scene: Scene, subjects: Sequence[str], seed: int) -> None:
        self.subjects = subjects
        self._scene = scene
        self._random = Random(seed)

    def member(self) -> None:
        by, verb, *told = self._random.choice(VERBS)
        subject = self._random.choice(self.subjects)
        with contextlib.suppress(InboxError):  # somebody else owns it, for example
            if self._random.random() < 0.3:
                self._scene.move(subject, self._random.choice(("INBOX", "Archive")))
            else:
                self._scene.act(subject, verb, *told, by=by)

    def customer(self) -> None:
        if self._random.random() < 0.1:
            subject = self._random.choice(self.subjects)
            self._scene.deliver_raw(mail(f"Re: {subject}", references=f"<{subject}@x>"))

    def maildir(self, client: Mbsync | OfflineImap) -> None:
        for _ in range(self._random.randint(0, 3)):
            source, to = self._random.sample(FOLDERS, 2)
            file = self._random.choice(client.mail.files(source))
            if subject_of(file) != STAYS and self._random.random() < 0.5:
                client.mail.put(file, to)
            else:
                client.mail.flag(file, *self._random.choice([("F", ""), ("", "F"), ("S", "")]))
        with contextlib.suppress(Failed):  # a mail disappeared during the sync; the next sync continues
            client.sync()

    def neomutt(self, client: NeoMutt) -> None:
        source, to = self._random.sample(FOLDERS, 2)
        keys = ("<flag-message>", "<toggle-new>", "<edit-label>x<enter>", f"<save-message>={to}<enter>", *LABELS)
        client.on(self._random.choice(self.subjects), self._random.choice(keys), folder=source)


def at_once(acts: Sequence[Callable[[], None]], seconds: float) -> None:
    """Repeat each of them, in its own thread. Errors in a thread are raised here after all have ended."""
    over = threading.Event()

    def again(act: Callable[[], None]) -> None:
        while not over.is_set():
            act()
            over.wait(0.05)

    with ThreadPoolExecutor(len(acts)) as pool:
        running = [pool.submit(again, act) for act in acts]
        over.wait(seconds)
        over.set()
    for one in running:
        one.result()


def names_of(fate: Fate) -> set[str]:
    """The keywords that every copy must show."""
    names = {*fate.tags, f"assigned-{fate.owner}" if fate.owner else "", "\\Flagged" if fate.starred else ""}
    status = {"open": "", "spam": "$Junk"}.get(fate.status, f"state-{fate.status}")
    return (names | {status}) - {""}


def settle_all(scene: Scene) -> None:
    """Ben decides the conflicts between clients and members."""
    with transaction() as session:
        found = session.scalars(select(Conversation.subject).where(Conversation.conflict.is_not(None))).all()
    for subject in found:
        scene.act(subject, Conversation.decide_conflict, by="ben", take_theirs=False)


def lost() -> list[str]:
    """Mails without any copy on the server."""
    there = select(Copy.message_id).where(Copy.gone_at.is_(None))
    with transaction() as session:
        return list(session.scalars(select(Message.subject).where(Message.id.not_in(there))))


def on_server(scene: Scene, folder: str) -> list[str]:
    said = scene.account.dovecot.doveadm(
        "-f", "flow", "fetch", "-u", scene.account.user, "hdr.subject", "mailbox", folder
    )  # fmt: skip
    return sorted(line.partition("=")[2] for line in said.splitlines() if line)


@pytest.mark.parametrize("seed", range(2) if LONG else [1])
def test_three_clients_and_the_members_lose_and_double_nothing(
    scene: Scene, mbsync: Mbsync, offlineimap: OfflineImap, neomutt: NeoMutt, database: str, tmp_path: Path, seed: int
) -> None:
    crowd = Crowd(scene, [f"Mail-{number:02}" for number in range(MAILS)], seed)
    scene.deliver_raw(*(mail(subject, message_id=f"<{subject}@x>") for subject in crowd.subjects))
    for folder in FOLDERS:
        scene.deliver(STAYS, folder=folder)
    scene.reckon()
    for client in (mbsync, offlineimap):
        client.sync()
    with worker(database, tmp_path) as running:
        at_once(
            [
                crowd.member,
                crowd.customer,
                lambda: crowd.maildir(mbsync),
                lambda: crowd.maildir(offlineimap),
                lambda: crowd.neomutt(neomutt),
            ],
            SECONDS,
        )
    assert not running.said("Traceback")
    for client in (mbsync, offlineimap):
        client.sync()  # what its last sync left undone
    settle_all(scene)
    found = scene.reckon()
    assert found.keys() == {*crowd.subjects, STAYS}
    assert lost() == []
    for fate in found.values():
        for _, names in fate.copies:
            assert set(names) - NO_STATE == names_of(fate), fate
    for client in (mbsync, offlineimap):
        client.sync()
        assert {folder: client.mail.subjects(folder) for folder in FOLDERS} == {
            folder: on_server(scene, folder) for folder in FOLDERS
        }
