"""A mailbox and its folders as pages and API read them: frozen dataclasses with the columns of Mailbox and Folder."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from app.db import first_row, rows
from app.inbox.errors import NotFound
from app.inbox.mailboxes.folder import FolderRules
from app.inbox.mailboxes.mailbox import MailboxRules

_MAILBOX = """
    SELECT id, name, address, other_addresses, mode, report ->> 'mode' AS probed_mode, assigned_prefix, state_prefix,
      keyword_limit, agents_assign, late_minutes, over_minutes, paused_at, imported_at, import_total, import_done,
      last_round_at, failing_since, error_code, error_text
    FROM mailbox WHERE id = %(id)s
"""
_FOLDERS = """
    SELECT id, name, role, watched, lost_at, refusal, read_only, permanent, keywords,
      missing, unmatched, left_out, waiting, waiting_since
    FROM folder WHERE mailbox_id = %(id)s ORDER BY name
"""


@dataclass(frozen=True)
class FolderRow(FolderRules):
    id: int
    name: str
    role: str | None
    watched: bool
    lost_at: dt.datetime | None
    refusal: str | None
    read_only: bool
    permanent: list[str] | None
    keywords: list[str]
    missing: int
    unmatched: int
    left_out: int
    waiting: int
    waiting_since: dt.datetime | None


@dataclass(frozen=True)
class MailboxRow(MailboxRules):
    """`probed_mode`: the mode that its server allows, as the probe found when the mailbox was connected."""

    id: int
    name: str
    address: str
    other_addresses: list[str]
    mode: str
    probed_mode: str | None
    assigned_prefix: str
    state_prefix: str
    keyword_limit: int | None
    agents_assign: bool
    late_minutes: int
    over_minutes: int
    paused_at: dt.datetime | None
    imported_at: dt.datetime | None
    import_total: int
    import_done: int
    last_round_at: dt.datetime | None
    failing_since: dt.datetime | None
    error_code: str | None
    error_text: str | None
    folders: list[FolderRow] = field(default_factory=list)

    def folder_by_id(self, folder_id: int) -> FolderRow:
        """One of its folders. Raises NotFound."""
        for folder in self.folders:
            if folder.id == folder_id:
                return folder
        raise NotFound


def read_mailbox(session: Session, mailbox_id: int) -> MailboxRow:
    """The mailbox with its folders, by name. Raises NotFound."""
    mailbox = first_row(session, _MAILBOX, MailboxRow, id=mailbox_id)
    if mailbox is None:
        raise NotFound
    return replace(mailbox, folders=rows(session, _FOLDERS, FolderRow, id=mailbox_id))
