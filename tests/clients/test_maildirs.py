"""Programs that sync a person's Maildir with the account: mbsync and offlineimap.

A mail moved in the Maildir is uploaded again, and the original is deleted. It stays one mail, with the team's state.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Message
from tests.clients.mbsync import Mbsync
from tests.clients.offlineimap import OfflineImap
from tests.clients.scene import Scene
from tests.dovecot import mail
from tests.faults.conftest import LONG
from tests.faults.ledger import Fate

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

Client = Mbsync | OfflineImap
MAILS = Path(__file__).parents[1] / "mails"
CLOSED = ("assigned-carla", "state-closed")
ACTS: dict[str, Callable[[Scene, str], None]] = {
    "opened": lambda scene, subject: scene.act(subject, Conversation.reopen),
    "released": lambda scene, subject: scene.act(subject, Conversation.release),
    "tagged": lambda scene, subject: scene.act(subject, Conversation.tag, "billing", by="ben"),
    "starred": lambda scene, subject: scene.act(subject, Conversation.star),
    "spam": lambda scene, subject: scene.act(subject, Conversation.mark_spam),
    "moved": lambda scene, subject: scene.move(subject, "Trash"),
}
#: The keywords on the copies afterwards.
NAMES = {
    "opened": ("assigned-carla",),
    "released": ("state-closed",),
    "tagged": ("assigned-carla", "billing", "state-closed"),
    "starred": ("\\Flagged", *CLOSED),
    "spam": ("$Junk", "assigned-carla"),
    "moved": CLOSED,
}


CLIENTS = ["mbsync", "offlineimap", "offlineimap_without_uidplus"]


@pytest.fixture(params=CLIENTS if LONG else CLIENTS[:2])
def client(request: pytest.FixtureRequest) -> Client:
    found: Client = request.getfixturevalue(request.param)
    return found


def given(scene: Scene, client: Client, *subjects: str) -> None:
    """Conversations that Carla closed and that are in the Maildir."""
    scene.deliver(*subjects)
    scene.stage.round()
    for subject in subjects:
        scene.act(subject, Conversation.claim)
        scene.act(subject, Conversation.close)
    scene.reckon()
    client.sync()


def is_as_carla_left_it(fate: Fate) -> bool:
    reopened = ("reopened", "system") in fate.history
    return (fate.owner, fate.status, fate.tags, reopened) == ("carla", "closed", (), False)


@pytest.mark.parametrize("order", ["at once", "Archive INBOX", "INBOX Archive"] if LONG else ["Archive INBOX"])
def test_a_mail_moved_in_a_maildir_stays_closed(scene: Scene, client: Client, order: str) -> None:
    given(scene, client, "Hers")
    client.mail.move("Hers", "Archive")
    for folders in [()] if order == "at once" else [(folder,) for folder in order.split()]:
        client.sync(*folders)
        scene.stage.round()
    fate = scene.reckon()["Hers"]
    assert is_as_carla_left_it(fate)
    assert fate.copies == (("Archive", CLOSED),)
    client.sync()
    assert (client.mail.subjects("INBOX"), client.mail.subjects("Archive")) == ([], ["Hers"])


def test_a_mail_moved_there_and_back_keeps_its_names(scene: Scene, client: Client) -> None:
    given(scene, client, "Hers")
    for source, to in [("INBOX", "Archive"), ("Archive", "INBOX")] * 2:
        client.mail.move("Hers", to, source)
        client.sync()
        scene.stage.round()
    fate = scene.reckon()["Hers"]
    assert is_as_carla_left_it(fate)
    assert fate.copies == (("INBOX", CLOSED),)


def test_flags_go_both_ways_and_names_stay(scene: Scene, client: Client) -> None:
    given(scene, client, "Hers", "His")
    client.mail.set_flags("Hers", add="FS")
    scene.act("His", Conversation.star)
    scene.stage.round()
    client.sync()
    found = scene.reckon()
    assert {subject: fate.starred for subject, fate in found.items()} == {"Hers": True, "His": True}
    assert "F" in client.mail.flags("His")
    client.mail.set_flags("Hers", remove="F")
    scene.act("His", Conversation.unstar)
    scene.stage.round()
    client.sync()
    found = scene.reckon()
    assert {subject: fate.copies for subject, fate in found.items()} == {
        "Hers": (("INBOX", ("\\Seen", *CLOSED)),),
        "His": (("INBOX", CLOSED),),
    }
    assert "F" not in client.mail.flags("His")


def test_a_mail_deleted_in_a_maildir_is_gone_from_the_server_and_stays_with_us(scene: Scene, client: Client) -> None:
    given(scene, client, "Hers", "His")
    client.mail.remove("Hers")
    client.sync()
    found = scene.reckon()
    assert is_as_carla_left_it(found["Hers"])
    assert found["Hers"].copies == ()
    assert found["His"].copies == (("INBOX", CLOSED),)


@pytest.mark.parametrize("when", ["before", "between", "after"] if LONG else ["between"])
def test_members_changes_during_moves_in_a_maildir_hold(scene: Scene, client: Client, when: str) -> None:
    """`when`: they act before the upload, between upload and deletion, or after both."""
    given(scene, client, *ACTS)
    client.mail.move_all("Archive")
    for now in ("before", "between", "after"):
        if now == when:
            for subject, act in ACTS.items():
                act(scene, subject)
        if now == "before":
            client.sync("Archive")
            scene.stage.round()
        elif now == "between":
            client.sync("INBOX")
    scene.reckon()
    client.sync()
    found = scene.reckon()
    places = {subject: ["Archive"] for subject in ACTS} | {"spam": ["Junk"], "moved": ["Trash"]}
    if when == "before":  # the mails went to Junk and Trash before the client could delete them in INBOX
        places |= {"spam": ["Archive", "Junk"], "moved": ["Archive", "Trash"]}
    assert {subject: [folder for folder, _ in fate.copies] for subject, fate in found.items()} == places
    assert {subject: {names for _, names in fate.copies} for subject, fate in found.items()} == {
        subject: {names} for subject, names in NAMES.items()
    }


def test_offlineimap_shows_names_as_letters_and_writes_none(scene: Scene, offlineimap: OfflineImap) -> None:
    given(scene, offlineimap, "Hers", "His")
    assert {offlineimap.shows(subject) for subject in ("Hers", "His")} == {CLOSED}
    scene.act("His", Conversation.set_pending)
    scene.stage.round()
    offlineimap.mail.set_flags("Hers", add=offlineimap.letters("billing"), remove=offlineimap.letters(*CLOSED))
    offlineimap.sync()
    offlineimap.sync()  # downloads the server's mails again
    assert offlineimap.shows("His") == ("assigned-carla", "state-pending")
    assert offlineimap.shows("Hers") == CLOSED
    assert scene.reckon()["Hers"].copies == (("INBOX", CLOSED),)


def large(kind: str, part: bytes, edge: str = "x") -> bytes:
    """A mail too large to be identified by all its bytes, with an enclosed part of this type."""
    head = mail(f"Large {kind}", mime_version="1.0", content_type=f'multipart/mixed; boundary="{edge}"', body="")
    parts = (b"\r\nwords", b"Content-Type: " + kind.encode() + b"\r\n\r\n" + part)
    body = b"".join(b"--" + edge.encode() + b"\r\n" + one + b"\r\n" for one in parts) + f"--{edge}--\r\n".encode()
    return head + body


UNUSUAL = (
    mail("No line end at its end", body="words"),
    mail("Empty lines at its end", body="words\r\n \r\n\r\n\r\n"),
    mail("Large", body="many words \r\n" * 40_000),
    mail("Long line", body="word " * 20_000),
    mail("F\u00fcr Zo\u00eb", body="Gr\u00fc\u00dfe\r\n"),
    large("message/rfc822", mail("Inside", body="many words \r\n" * 10_000)),
    large("message/rfc822", large("message/rfc822", mail("Innermost", body="many words \r\n" * 10_000), "y")),
    large("message/delivery-status", b"Final-Recipient: rfc822; a@x.example\r\nStatus: 5.1.1\r\n" * 3_000),
    large("text/csv", b"1,2\r\n" * 20_000),
    large("multipart/mixed; boundary=y", b"--y\r\n\r\n" + b"many words \r\n" * 10_000 + b"--y--"),
    large("application/octet-stream\r\nContent-Transfer-Encoding: base64", b"AAECAwQFBgcICQ==\r\n" * 10_000),
)


def messages() -> dict[int, str | None]:
    with transaction() as session:
        return {message.id: message.message_id for message in session.scalars(select(Message))}


def test_every_odd_mail_is_the_same_mail_after_an_upload(scene: Scene, client: Client) -> None:
    scene.deliver("Stays")  # we do not believe a folder that suddenly shows none of its mails
    scene.deliver_raw(*filter(None, (path.read_bytes() for path in sorted(MAILS.glob("*.eml")))), *UNUSUAL)
    scene.stage.round()
    before = messages()
    scene.delivered = len(before)
    client.sync()
    client.mail.move_all("Archive", but="Stays")
    client.sync()
    scene.stage.round()
    new = [message_id for id_, message_id in messages().items() if id_ not in before]
    assert new == []
    scene.delivered += len(new)
    scene.reckon()
