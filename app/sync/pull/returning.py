"""Returning: moves a mailbox from mode `database` back to keywords.

An administrator asks for it (`change_mode`). The worker tests the server before its next round. It waits while mails
are still to be read, for example after a reset, because their keywords are unknown. If the server keeps keywords, the
pull of that round looks at every mail. Then every conversation is frozen, in batches, which changes nothing in mode
`database`. The last transaction switches the mode to `keywords` and freezes the rest. Push unfreezes conversations on
which both sides agree (app/sync/compare/frozen.py). After a crash before the switch, the next round does everything
again. After one later, the next push continues.
"""

from __future__ import annotations

from app.db import retried, transaction
from app.inbox.mailboxes.mailbox import Mailbox, Mode
from app.inbox.server.mode import freeze_some, return_to_keywords, stay_in_database
from app.mail.probe import probe
from app.sync.account import server_of
from app.sync.link import Link

#: Number of conversations frozen in one transaction, which limits how long a claim waits.
_CONVERSATIONS = 500


def try_to_return(mailbox_id: int, private_key: bytes | None) -> None:
    """If an administrator asked for it, test whether the server keeps keywords, and record the result. Raises
    MailError, SecretError."""
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id)
        if not mailbox.returning or not mailbox.read_whole:
            return
        server = server_of(mailbox, private_key)
    probed = probe(server)
    with transaction() as session:
        mailbox = session.get_one(Mailbox, mailbox_id, with_for_update={"key_share": True})
        report = {"mode": probed.mode, "capabilities": probed.capabilities, "warnings": list(probed.warnings)}
        mailbox.report = {**mailbox.report, **report}
        if mailbox.returning and Mode(probed.mode) is not Mode.KEYWORDS:
            stay_in_database(mailbox)


def is_tried(mailbox: Mailbox) -> bool:
    """Whether the pull may end the return after looking at every mail. A request between the test and the pull waits
    for the next round."""
    return mailbox.returning and mailbox.read_whole and mailbox.report.get("mode") == Mode.KEYWORDS


def end_return(link: Link) -> None:
    """Every mail was looked at since the request, so the mailbox keeps its state on the server from now on."""
    last: int | None = 0
    while last is not None:
        last = _freeze_some(link, last)
    _change_mode(link)


@retried
def _freeze_some(link: Link, last: int) -> int | None:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, link.mailbox_id)
        frozen = freeze_some(mailbox, last, _CONVERSATIONS) if mailbox.returning else None
        link.check()
        return frozen


@retried
def _change_mode(link: Link) -> None:
    with transaction() as session:
        mailbox = session.get_one(Mailbox, link.mailbox_id, with_for_update={"key_share": True})
        if mailbox.returning:  # nobody has cancelled the request
            return_to_keywords(mailbox)
        link.check()
