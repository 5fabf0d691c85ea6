"""Notes can be searched.

The table is small, because a team writes far fewer notes than it receives mails. So this step computes their vectors,
in batches."""

from __future__ import annotations

import re
import unicodedata

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0011"
down_revision = "0010"

_STEP = 1000
_SOME = sa.text("SELECT id, text FROM note WHERE id > :after ORDER BY id LIMIT :step")
_FILL = sa.text("UPDATE note SET search = to_tsvector('simple', :words) WHERE id = :id")


def upgrade() -> None:
    op.add_column("note", sa.Column("search", TSVECTOR, nullable=True))
    op.create_index("ix_note_search", "note", ["search"], postgresql_using="gin")
    connection, after = op.get_bind(), 0
    while rows := connection.execute(_SOME, {"after": after, "step": _STEP}).all():
        connection.execute(_FILL, [{"id": id_, "words": _plain(text)} for id_, text in rows])
        after = rows[-1][0]


def downgrade() -> None:
    op.drop_index("ix_note_search", "note")
    op.drop_column("note", "search")


def _plain(text: str) -> str:
    """Lower case, no accents, one space between words. In the form of the release of this step; editing a note brings
    the form of the running release."""
    letters = (c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", " ", "".join(letters))
