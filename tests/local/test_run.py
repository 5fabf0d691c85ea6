"""`make run` prints a link for the first administrator, until there is one."""

from __future__ import annotations

from app import db
from app.inbox import team
from app.inbox.actor import COMMAND
from app.inbox.invitation import find_invitation
from app.local import parts


def test_the_link_is_printed_until_somebody_administers(database: str) -> None:
    first, second = parts.first_key(database), parts.first_key(database)
    assert first is not None
    assert second is not None
    assert first != second
    engine = db.connect(database)
    with db.transaction() as session:
        assert find_invitation(session, second).member is None
        team.add_member(session, "ana", "Ana", "ana@halden.example", by=COMMAND, admin=True)
    engine.dispose()
    assert parts.first_key(database) is None
