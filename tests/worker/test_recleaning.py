"""Mail stored before HTML was cleaned at import: safe from the start, and soon shown like new mail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from app import schema
from app.db import transaction
from app.inbox.conversations.message import Body
from app.mail.child import MailParser
from app.worker.jobs.recleaning import clean_stored
from tests.cast import Cast, conversation

HTML = '<script>alert(1)</script><p>Hi</p><img src="cid:logo@x"><img src="https://spy.example/p.gif">'
QUOTED = "Yes.\n\nOn Mon, Nov 3, 2026 at 10:00 AM Ana <ana@x.example> wrote:\n\n> one\n> two\n"
TANGLED = "<ul><li>" * 20_000


@pytest.fixture
def parser() -> Iterator[MailParser]:
    with MailParser() as parser:
        yield parser


def test_stored_html_is_raw_after_the_migration_and_shown_after_the_worker(database: str, cast: Cast) -> None:
    with transaction() as session:
        texts = ("html", QUOTED, "tangled", "plain")
        ids = {words: conversation(session, text=words).messages[0].id for words in texts}
        logo = "INSERT INTO attachment (message_id, part, filename, type, size, encoding, content_id, inline)"
        session.execute(
            text(f"{logo} VALUES (:id, '2.1', 'l.png', 'image/png', 1, 'base64', 'logo@x', true)"), {"id": ids["html"]}
        )
    engine = create_engine(database, poolclass=NullPool)
    schema.downgrade(engine, "0009")
    with engine.begin() as connection:
        for name, raw in (("html", HTML), ("tangled", TANGLED)):
            connection.execute(text("UPDATE body SET html = :h WHERE message_id = :id"), {"h": raw, "id": ids[name]})
    schema.upgrade(engine)
    with transaction() as session:
        assert [session.get_one(Body, id_).html_form for id_ in ids.values()] == ["raw"] * 4
        assert session.get_one(Body, ids["html"]).shown_html is None
    with MailParser() as parser:
        clean_stored(parser)
    with transaction() as session:
        html, quoted, tangled, plain = (session.get_one(Body, id_) for id_ in ids.values())
        assert html.shown_html == '<p>Hi</p><img data-part="2.1"><img data-remote="https://spy.example/p.gif">'
        assert html.has_remote_images
        assert (quoted.html_form, quoted.text[: quoted.quote_at]) == ("none", "Yes.\n\n")
        assert (tangled.html_form, tangled.html, tangled.text) == ("tangled", None, "tangled")
        assert (plain.html_form, plain.quote_at) == ("none", None)


def test_more_than_a_batch_is_done_in_one_go(cast: Cast, parser: MailParser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.worker.jobs.recleaning._SECONDS", 60.0)  # however busy the machine is
    with transaction() as session:
        for _ in range(120):
            conversation(session)
        session.execute(text("UPDATE body SET html_form = 'raw', html = '<b>x</b>'"))
    clean_stored(parser)
    with transaction() as session:
        assert set(session.execute(text("SELECT html_form, html FROM body"))) == {("shown", "<b>x</b>")}
