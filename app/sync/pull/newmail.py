"""New mail: reads a folder beyond its bookmark, and compares its content with what we know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from app.db import session_of, transaction
from app.inbox.arriving import deferral
from app.inbox.mailboxes.folder import Folder
from app.inbox.mailboxes.mailbox import Mailbox
from app.inbox.server.retrying import push_what_lacked_room
from app.mail.values import Selected
from app.sync.link import Link
from app.sync.look.arrivals import Batch, arrivals
from app.sync.look.look import Look
from app.sync.pull.storing import store
from app.sync.pull.vanish import vanish
from app.sync.rights import note_rights

#: If at least this many new mails wait, health shows it.
_WORTH_TELLING = 50


def read_new_mail(link: Link, look: Look) -> None:
    folder, selected = look.folder, look.selected
    assert folder.uidnext is not None
    uids: list[int] = []
    if selected.uidnext > folder.uidnext or not selected.uidnext:  # without UIDNEXT, look
        _open(link, look)
        uids = link.imap.uids(folder.uidnext)
        _read(link, look, uids)
    if not folder.importing:
        _compare(link, look)
    with transaction() as session:
        saved = session.get_one(Folder, folder.id)
        saved.uidnext = max(selected.uidnext, folder.uidnext, max(uids, default=0) + 1)
        saved.highestmodseq, saved.server_count = selected.highestmodseq, selected.exists
        saved.wait_for(0)
        _know_keywords(saved, selected)
        note_rights(session, saved, selected)
        saved.show()
        link.check()


def _know_keywords(folder: Folder, selected: Selected) -> None:
    """Record the folder's keywords. If they changed, push keywords that had no room before: some may fit now."""
    known = sorted({keyword.casefold() for keyword in selected.keywords})
    if known != folder.keywords:
        folder.keywords = known
        push_what_lacked_room(folder.mailbox)


def _open(link: Link, look: Look) -> None:
    if link.imap.selected != look.folder.name:
        link.imap.select(look.folder.name)


def _read(link: Link, look: Look, uids: Sequence[int], *, importing: bool = False) -> None:
    left = len(uids)
    if left > _WORTH_TELLING:
        with transaction() as session:
            session.get_one(Folder, look.folder.id).wait_for(left)
    slow: dict[int, int] = {}
    for batch in arrivals(link, look.folder_at, uids, lightest_first=not importing):
        slow |= batch.slow
        if not batch.arrivals and not batch.done:
            continue  # postponed mails are recorded with the last batch of their step
        highest = max(batch.done, default=0)
        left -= len(batch.done)

        def bookmark(
            mailbox: Mailbox,
            folder: Folder,
            highest: int = highest,
            batch: Batch = batch,
            left: int = left,
            slow: Mapping[int, int] = slow,
        ) -> None:
            folder.uidnext = max(folder.uidnext or 1, highest + 1)
            folder.wait_for(left)
            numbering = (folder.id, look.selected.uidvalidity)
            deferral.defer(session_of(mailbox), mailbox.id, numbering, batch.refused, importing=importing)
            deferral.defer_slow(session_of(mailbox), mailbox.id, numbering, slow, importing=importing)
            link.check()

        store(link.mailbox_id, look.folder.id, batch.arrivals, bookmark, importing=importing, resetting=False)
        slow = {}
        link.between()  # after an outage there are thousands of mails; urgent work goes first
        _open(link, look)


def _compare(link: Link, look: Look) -> None:
    """The server's number of messages must equal ours. If it does not, compare UIDs one by one, read what is missing
    and record what is gone. This keeps promise 1 after every pull that changed something."""
    with transaction() as session:
        folder = session.get_one(Folder, look.folder.id)
        left_out, start = folder.left_out, folder.start_uid
        waiting = _waiting(session, look)
    if look.known_count() + left_out + len(waiting) == look.selected.exists and look.folder.missing == 0:
        return
    _open(link, look)
    there = link.imap.uids()
    ours = set(look.known_uids())
    gone = sorted(ours.difference(there))
    missing = [uid for uid in there if uid >= start and uid not in ours and uid not in waiting]
    if gone:
        vanish(link, look, gone)
    if missing:
        # After an import these are mails that it did not see. They are old and reopen nothing.
        _read(link, look, missing, importing=look.folder.server_count is None)
    with transaction() as session:
        deferral.forget(session, look.folder.id, look.selected.uidvalidity, waiting.difference(there))
        still = set(missing).difference(look.known_uids(), _waiting(session, look))
        folder = session.get_one(Folder, look.folder.id)
        folder.left_out = sum(1 for uid in there if uid < start)
        folder.missing = len(still)


def _waiting(session: Session, look: Look) -> set[int]:
    """UIDs that the server did not deliver. They are fetched again when they are due."""
    return deferral.waiting_uids(session, look.folder.id, look.selected.uidvalidity)
