"""Grows a mailbox: copies what was imported within the tables again and again, older each time.

Mails keep their text, so a word is as frequent among a million as among ten thousand. Each mail also has one unique
word. Owners, statuses, stars and tags are assigned anew; three of five conversations are closed."""

from __future__ import annotations

from sqlalchemy import Connection, Table, text

from app import db
from app.db import Base, transaction
from app.inbox.actor import COMMAND
from app.inbox.admin import team
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.message import Attachment, Body, Message
from app.inbox.conversations.tag import ConversationTag, make_tag
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.permission import Role

MEMBERS = 30
#: One conversation in this many has the tag.
TAGS = {"often": 5, "seldom": 50, "rare": 1000}

_OLDER = "- k * interval '3 days'"
_DICE = "(abs(hashint8(id + k * :stride)) % 1000)"
_CHANGED: dict[type[Base], dict[str, str]] = {
    Conversation: {
        "number": "number + k * :numbers",
        **{at: f"{at} {_OLDER}" for at in ("created_at", "last_at", "last_in_at", "handled_at")},
        "waiting_since": f"CASE WHEN {_DICE} >= 770 THEN last_at {_OLDER} END",
        "status": f"(ARRAY['closed', 'pending', 'snoozed', 'spam', 'open'])"
        f"[1 + width_bucket({_DICE}, ARRAY[600, 700, 750, 770])]",
        "snoozed_until": f"CASE WHEN {_DICE} BETWEEN 700 AND 749 THEN now() + interval '1 year' END",
        "assignee_id": f"CASE WHEN {_DICE} % 3 > 0 THEN (:members ::int[])[1 + {_DICE} % {MEMBERS}] END",
        "assigned_name": "NULL",
        "starred": f"{_DICE} % 50 = 0",
        "push_needed": "false",
        "lacks_room": "false",
        "conflict": "NULL",
        "merged_into_id": "merged_into_id + k * :stride",
        "split_from_id": "split_from_id + k * :stride",
    },
    Message: {
        "conversation_id": "conversation_id + k * :stride",
        "identity": "sha256(identity || convert_to(k::text, 'UTF8'))",
        "message_id": "'<' || k || '.' || substr(message_id, 2)",
        "received_at": f"received_at {_OLDER}",
        "date": f"date {_OLDER}",
        "search": "search || to_tsvector('simple', 'mail' || (id + k * :stride))",
    },
    Body: {"message_id": "message_id + k * :stride"},
    Attachment: {"message_id": "message_id + k * :stride"},
    Copy: {"message_id": "message_id + k * :stride", "uid": "uid + k * :stride"},
}


class Crowd:
    """Grows the only mailbox from the imported mail."""

    def __init__(self, mailbox_id: int) -> None:
        with transaction() as session:
            mailbox = session.get_one(Mailbox, mailbox_id)
            for name in TAGS:
                make_tag(session, mailbox, name, by=COMMAND)
            self._members = []
            for n in range(MEMBERS):
                person = team.add_member(session, f"m{n}", f"Member {n}", f"m{n}@halden.example", by=COMMAND)
                team.grant(session, person, mailbox, Role.AGENT, by=COMMAND)
                self._members.append(person.id)
            ends = [
                session.scalar(text(f'SELECT max(id) FROM "{t}"'))
                for t in ("conversation", "message", "copy", "attachment")
            ]
            self._numbers = mailbox.next_number
        self._stride = max(ends) + 1
        self._times = 1

    def grow(self, times: int) -> None:
        """Copy until everything that was imported exists this many times."""
        with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("SET maintenance_work_mem = '256MB'"))
            connection.execute(text("DROP INDEX ix_message_search"))
            for entity, changed in _CHANGED.items():
                self._write(connection, entity, changed, times)
            connection.execute(text("UPDATE mailbox SET next_number = :next"), {"next": self._numbers * times})
            connection.execute(text("CREATE INDEX ix_message_search ON message USING gin (search)"))
            self._tag(connection)
            connection.execute(text("VACUUM ANALYZE"))
        self._times = times

    def _write(self, connection: Connection, entity: type[Base], changed: dict[str, str], times: int) -> None:
        table = entity.__table__
        assert isinstance(table, Table)
        changed = ({"id": "id + k * :stride"} if "id" in table.columns else {}) | changed
        key = "id" if "id" in table.columns else "message_id"
        columns = [column.name for column in table.columns]
        names = ", ".join(f'"{name}"' for name in columns)
        values = ", ".join(changed.get(name, f'"{name}"') for name in columns)
        statement = (
            f'INSERT INTO "{table.name}" ({names}) SELECT {values}'
            f' FROM "{table.name}", generate_series(CAST(:since AS int), CAST(:until AS int)) AS k'
            f" WHERE {key} < :stride"
        )
        statement = statement.replace(":members ::int[]", "CAST(:members AS int[])")
        known = {"since": self._times, "until": times - 1, "stride": self._stride}
        known |= {"members": self._members, "numbers": self._numbers}
        parameters = {name: value for name, value in known.items() if f":{name}" in statement}
        connection.execute(text(statement), parameters)
        if "id" in table.columns:
            last = f"(SELECT max(id) FROM {table.name})"
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {last})"))

    def _tag(self, connection: Connection) -> None:
        connection.execute(text("DELETE FROM conversation_tag"))
        for name, one_in in TAGS.items():
            connection.execute(
                text(
                    f"INSERT INTO {ConversationTag.__tablename__} (conversation_id, tag_id, last_at)"
                    " SELECT c.id, t.id, c.last_at FROM conversation AS c JOIN tag AS t ON t.name = :name"
                    " WHERE abs(hashint8(c.id * 7)) % :one_in = 0"
                ),
                {"name": name, "one_in": one_in},
            )
