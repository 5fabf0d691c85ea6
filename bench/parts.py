"""The parts of a run, each with its own account, mail server and database."""

from __future__ import annotations

from app.mail.child import MailParser
from app.worker.process import PARSERS
from bench.crowd import Crowd
from bench.live import live
from bench.measures import Measurement, first_import, quiet_round, raw_fetch
from bench.place import fill, place
from bench.reads import reads
from bench.streams import streams


def inbox(mails: int, times: tuple[int, ...]) -> list[Measurement]:
    """Import an account and work with it; then grow its mailbox."""
    with place() as here, MailParser(processes=PARSERS) as parser:
        size = fill(here, mails)
        rows = [Measurement(f"{mails:,} sample mails, on average", size / mails / 1000, "kB"), *raw_fetch(here)]
        mailbox_id = here.connect_mailbox()
        rows += first_import(here, mailbox_id, parser, mails)
        rows += quiet_round(here, mailbox_id, parser, mails)
        rows += live(here, mailbox_id)
        rows += streams(here, mailbox_id)
        crowd = Crowd(mailbox_id)
        rows += reads(here, mailbox_id)
        for often in times:
            crowd.grow(often)
            rows += reads(here, mailbox_id)
        return rows


def large_account(mails: int) -> list[Measurement]:
    """Import a larger account, then double it."""
    with place() as here, MailParser(processes=PARSERS) as parser:
        fill(here, mails)
        raw = raw_fetch(here)
        mailbox_id = here.connect_mailbox()
        rows = [*raw, *first_import(here, mailbox_id, parser, mails)]
        fill(here, mails, seed=8)
        return rows + quiet_round(here, mailbox_id, parser, 2 * mails)
