"""Work that waited before the queue existed waits in it afterwards, and results stay, in both directions."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.orm import Session

from app import db, schema
from app.inbox.admin.attempt import Attempt
from app.inbox.server import comparison, download
from app.inbox.server.comparison import Comparison, Difference, Outcome
from app.inbox.server.download import Download
from app.queue import take
from tests.cast import Cast, acting, conversation, mailbox

_BEFORE = "0030"
_LINE = {"conversation": None, "number": None, "folder": "INBOX", "uid": 7, "waiting": False, "what": "owner"}


def _ask(session: Session, cast: Cast) -> None:
    """One request of each kind exists, and a worker has each."""
    ana, box = acting(session, "ana"), mailbox(session)
    attempt = Attempt(member_id=cast.ana, name="Sales", address="sales@halden.example")
    attempt.imap_host, attempt.imap_port, attempt.imap_security = "localhost", 143, "none"
    attempt.imap_user, attempt.imap_secret = "sales", b"sealed"
    session.add(attempt)
    session.flush()
    attempt.ask(by=ana)
    comparison.ask(session, box, by=ana)
    found = take(session, Comparison)
    assert found is not None
    found.note_found([{**_LINE, "server": "carla", "ours": who, "sides": ["server", "ours"]} for who in ("ben", None)])
    session.flush()
    chosen, done = comparison.differences(session, box)
    comparison.choose(session, box, chosen.id, "ours", by=ana)
    done.note_outcome(Outcome.SAME)
    message = conversation(session).messages[0]
    for part in ("2", "3"):
        download.ask(session, message, part)
    for kind in (Attempt, Difference, Download):
        assert take(session, kind) is not None
    session.query(Download).filter_by(part="3").one().note_failed("gone")
    session.commit()
    session.close()


def test_waiting_jobs_and_results_are_kept(cast: Cast, session: Session) -> None:
    _ask(session, cast)
    engine = db.engine()
    with db.transaction() as current:
        expires_at = current.query(Attempt).one().expires_at
    schema.downgrade(engine, _BEFORE)
    with engine.begin() as connection:
        attempt = connection.execute(text("SELECT stage, tried_at, touched_at FROM attempt")).one()
        lines = connection.execute(text("SELECT waits, outcome FROM difference ORDER BY id")).all()
        files = connection.execute(text("SELECT part, state FROM download ORDER BY part")).all()
        connection.execute(text("UPDATE attempt SET stage = 'trying', tried_at = now()"))
        connection.execute(text("UPDATE comparison SET stage = 'comparing', tried_at = now()"))
    assert tuple(attempt) == ("asked", None, expires_at - dt.timedelta(minutes=15))
    assert [tuple(line) for line in lines] == [(True, None), (False, "same")]
    assert [tuple(file) for file in files] == [("2", "waiting"), ("3", "failed")]
    schema.upgrade(engine)
    with db.transaction() as current:
        jobs = [take(current, kind) for kind in (Attempt, Comparison, Difference, Download)]
        assert all(job is not None and job.tries == 1 for job in jobs)
        assert [take(current, kind) for kind in (Attempt, Comparison, Difference, Download)] == [None] * 4
        assert (current.query(Attempt).one().stage, current.query(Attempt).one().expires_at) == ("asked", expires_at)
        assert current.query(Comparison).one().stage == "asked"
        assert current.query(Download).filter_by(part="3").one().error == "gone"
