"""Promise 9, the other half: any mail is listed, and is readable or marked as unreadable with its source kept. None
stops the others. Every mail of tests/mails, and some that are too large for that folder, go through a real server, the
worker's round, the list, the page and its frames."""

from __future__ import annotations

import base64
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from app.db import transaction
from app.inbox.conversations.message import Message
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server.health import health
from app.mail.child import MailParser
from tests.cast import Cast
from tests.dovecot import Account, mail
from tests.mail.letters import letter
from tests.sync.stage import Stage, connected
from tests.web.conftest import Browser, app, app_on, browser, carla

__all__ = ["app", "app_on", "browser", "carla"]

MAILS = Path(__file__).parents[1] / "mails"
MEGABYTE = 1024 * 1024


def nested(levels: int) -> bytes:
    opened = "".join(f"--b{n}\r\nContent-Type: multipart/mixed; boundary=b{n + 1}\r\n\r\n" for n in range(levels))
    return f"{opened}--b{levels}\r\n\r\nat the bottom\r\n--b{levels}--\r\n".encode()


def enclosed(levels: int) -> bytes:
    """Mails in mails, without the header of the outermost."""
    inner = letter("message/rfc822", mail("The innermost"))
    for level in range(levels):
        inner = letter("message/rfc822", f"Subject: level {level}\r\n".encode() + inner)
    return inner


def head(subject: str) -> bytes:
    id_ = subject.replace(" ", "-")
    return f"Subject: {subject}\r\nFrom: mia@customer.example\r\nMessage-ID: <{id_}@x.example>\r\n".encode()


def giants() -> dict[str, bytes]:
    """Subject -> a mail that is too large for a folder of samples."""
    part = b"--p\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    attachment = base64.encodebytes(b"\0" * 44 * MEGABYTE).replace(b"\n", b"\r\n")
    people = ",\r\n ".join(f"Person {n} <p{n}@customer.example>" for n in range(5000))
    found = {
        "10000 parts": b"Content-Type: multipart/mixed; boundary=p\r\n\r\n" + part * 10_000 + b"--p--\r\n",
        "1000 levels": b"Content-Type: multipart/mixed; boundary=b0\r\n\r\n" + nested(1000),
        "rfc822 in rfc822": enclosed(60),
        "a header of 1 MB": b"X-Long: " + b"x" * MEGABYTE + b"\r\n\r\nwords\r\n",
        "a folded header of 1 MB": b"X-Long: x\r\n" + b" folded\r\n" * (MEGABYTE // 9) + b"\r\nwords\r\n",
        "60 MB": b"Content-Type: application/octet-stream; name=big.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + attachment,
        "20 MB of text": b"\r\n" + b"words and words and words\r\n" * (20 * MEGABYTE // 27),
        "one line of 5 MB": b"\r\n" + b"word " * MEGABYTE + b"\r\n",
        "5000 recipients": f"To: {people}\r\n\r\nwords\r\n".encode(),
        "html of 5 MB": b"Content-Type: text/html\r\n\r\n" + b"<p>words</p>\r\n" * (5 * MEGABYTE // 14),
    }
    return {subject: head(subject) + raw for subject, raw in found.items()}


@pytest.fixture
def stage(account: Account, cast: Cast) -> Iterator[Stage]:
    with MailParser() as parser, connected(account, parser) as stage:
        yield stage


#: They have no words, and the page shows that.
WORDLESS = {"empty", "nothing-but-a-header", "nul-bytes"}

#: Content that we do not open is named as what it is.
SEALED = {
    "encrypted-pgp": "encrypted with PGP",
    "encrypted-pgp-in-the-text": "encrypted with PGP",
    "sealed-s-mime": "encrypted with S/MIME",
    "signed-s-mime": "This message is signed",
    "winmail": "Outlook packed the attachments",
}


def test_every_mail_is_listed_and_its_page_is_shown(stage: Stage, carla: Browser) -> None:
    samples = {path.stem: path.read_bytes() for path in sorted(MAILS.glob("*.eml"))}
    large = giants()
    uids = {
        name: stage.account.append(raw)
        for name, raw in [*samples.items(), *large.items(), ("last", mail("The last one"))]
    }
    stage.round()
    found = messages(stage)
    page_of = functools.cache(lambda id_: carla.page(f"/conversations/{id_}"))
    for name, uid in uids.items():
        message = found[uid]
        page = page_of(message.conversation_id)
        assert f'id="message-{message.id}"' in page, name
        assert message.body is not None
        assert not message.unreadable, name
        if message.body.html:
            assert carla.get(f"/messages/{message.id}/body").status_code == 200, name
        elif name not in WORDLESS:
            assert message.body.text.strip() or message.attachments, name
    for name, words in SEALED.items():
        assert words in page_of(found[uids[name]].conversation_id), name
    assert {found[uids[name]].subject for name in large} == set(large)
    listed = carla.page(f"/m/{stage.mailbox_id}/all")
    assert "The last one" in listed
    with transaction() as session:
        told = health(session, session.get_one(Mailbox, stage.mailbox_id))
        assert (told.missing, told.unreadable) == (0, 0)


def messages(stage: Stage) -> dict[int, Message]:
    """UID in the inbox -> the message."""
    with transaction() as session:
        found = session.scalars(
            select(Message)
            .where(Message.mailbox_id == stage.mailbox_id)
            .options(joinedload(Message.body), selectinload(Message.attachments), selectinload(Message.copies))
        )
        return {copy.uid: message for message in found for copy in message.copies}


def test_ids_that_are_missing_or_used_twice_and_references_in_a_circle_lose_no_mail(stage: Stage) -> None:
    def written(subject: str, **fields: str) -> int:
        return stage.account.append(mail(subject, **fields))

    same = [written("one", message_id="<same@x>"), written("two", message_id="<same@x>")]
    bare = [stage.account.append(b"Subject: bare\r\nFrom: a@b.example\r\n\r\n" + word) for word in (b"one", b"two")]
    circle = [
        written("first", message_id="<1@x>", references="<3@x> <1@x>", in_reply_to="<3@x>"),
        written("second", message_id="<2@x>", references="<1@x>", in_reply_to="<1@x>"),
        written("third", message_id="<3@x>", references="<2@x> <3@x>", in_reply_to="<2@x>"),
    ]
    stage.round()
    late = written("first again", message_id="<1@x>", references="<3@x>")
    stage.round()
    found = messages(stage)
    assert {found[uid].subject for uid in same} == {"one", "two"}
    assert [body.text.strip() for uid in bare if (body := found[uid].body)] == ["one", "two"]
    assert len({found[uid].conversation_id for uid in bare}) == 2
    assert len({found[uid].id for uid in [*circle, late]}) == 4
    assert len({found[uid].conversation_id for uid in [*circle, late]}) == 1
