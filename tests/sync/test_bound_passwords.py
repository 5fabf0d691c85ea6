"""A sealed password is used only for the servers it was entered for, whatever the database says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from app import db, schema
from app.db import transaction
from app.inbox.mailboxes.mailbox import Mailbox
from app.mail.child import MailParser
from app.secrets import ServersChanged, bind, release, seal, unseal
from app.sync.account import code_of, outgoing_of, server_of
from app.sync.connect import check
from tests.cast import Cast, mailbox
from tests.dovecot import PASSWORD, Account
from tests.sync.stage import KEY, Stage, connected

SMTP_PASSWORD = "another one"
_ACCOUNT = {
    "protocol": "imap",
    "host": "imap.halden.example",
    "port": 993,
    "security": "tls",
    "user": "help",
    "ca": None,
}


def sealed(document: str) -> bytes:
    return seal(document, bytes(KEY.public_key))


@pytest.fixture
def shared(account: Account, cast: Cast, parser: MailParser) -> Iterator[Stage]:
    with connected(account, parser) as stage:
        yield stage


@pytest.fixture
def box(cast: Cast, session: Session) -> Mailbox:
    box = mailbox(session)
    box.smtp_host, box.smtp_port, box.smtp_security, box.smtp_user = "smtp.halden.example", 465, "tls", "help"
    box.set_password("imap", PASSWORD, sealed)
    box.set_password("smtp", SMTP_PASSWORD, sealed)
    return box


def test_a_password_comes_back_for_its_own_account(box: Mailbox) -> None:
    outgoing = outgoing_of(box, bytes(KEY))
    assert outgoing is not None
    assert (server_of(box, bytes(KEY)).password, outgoing.password) == (PASSWORD, SMTP_PASSWORD)


@pytest.mark.parametrize(
    ("field", "value"),
    [("host", "imap.elsewhere.example"), ("port", 1143), ("security", "starttls"), ("user", "other"), ("ca", "PEM")],
)
@pytest.mark.parametrize("protocol", ["imap", "smtp"])
def test_a_password_goes_to_no_other_account(box: Mailbox, protocol: str, field: str, value: Any) -> None:
    setattr(box, "imap_ca" if field == "ca" else f"{protocol}_{field}", value)
    with pytest.raises(ServersChanged, match="Enter the password again"):
        (server_of if protocol == "imap" else outgoing_of)(box, bytes(KEY))


def test_a_password_for_one_protocol_is_refused_for_the_other(box: Mailbox) -> None:
    box.smtp_host, box.smtp_port, box.smtp_security, box.smtp_user = (
        box.imap_host,
        box.imap_port,
        box.imap_security,
        box.imap_user,
    )
    box.smtp_secret = box.imap_secret
    with pytest.raises(ServersChanged):
        outgoing_of(box, bytes(KEY))


@pytest.mark.parametrize(
    "document",
    ["a bare password", "42", "[]", "{}", "[" * 100_000, json.dumps(_ACCOUNT), bind("x", {**_ACCOUNT, "port": 994}),
     json.dumps({**_ACCOUNT, "password": None}), json.dumps({**_ACCOUNT, "password": "x", "more": 1})],
    ids=["bare", "a number", "a list", "empty", "nested", "no password", "another port", "null", "more"],
)  # fmt: skip
def test_an_unbound_password_is_refused(document: str) -> None:
    with pytest.raises(ServersChanged):
        release(document, _ACCOUNT)


def test_a_server_named_behind_our_back_learns_no_password(shared: Stage) -> None:
    with transaction() as session:
        session.execute(update(Mailbox).where(Mailbox.id == shared.mailbox_id).values(imap_host="localhost"))
    with pytest.raises(ServersChanged) as refused:
        check(shared.mailbox_id, private_key=bytes(KEY))
    assert code_of(refused.value) == "servers_changed"


def test_an_upgrade_binds_bare_passwords_once_and_a_downgrade_frees_them(box: Mailbox, session: Session) -> None:
    box_id, engine = box.id, db.engine()
    box.imap_secret, box.smtp_secret = sealed(PASSWORD), sealed(SMTP_PASSWORD)
    session.commit()
    session.close()
    step = next(s for s in _steps() if s.endswith("bound_passwords"))[:4]
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :before"), {"before": _before(step)})
    with pytest.raises(schema.StepRefused, match="Run this as the worker"):
        schema.upgrade(engine, step)
    schema.upgrade(engine, step, seal_key=bytes(KEY))
    stored = session.get_one(Mailbox, box_id)
    assert server_of(stored, bytes(KEY)).password == PASSWORD
    stored.imap_secret = sealed(PASSWORD)  # an unbound one from before is put back
    with pytest.raises(ServersChanged):
        server_of(stored, bytes(KEY))
    session.rollback()
    schema.downgrade(engine, _before(step), seal_key=bytes(KEY))
    session.expire_all()
    assert unseal(session.get_one(Mailbox, box_id).imap_secret, bytes(KEY)) == PASSWORD


def _steps() -> list[str]:
    return sorted(path.stem for path in (schema._MIGRATIONS / "versions").glob("0*.py"))


def _before(step: str) -> str:
    return f"{int(step) - 1:04d}"
