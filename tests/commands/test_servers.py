"""Connecting to secured servers, and to servers that can keep less than others."""

from __future__ import annotations

import json
from pathlib import Path

from app.db import transaction
from app.inbox.mailboxes.mailbox import Mode, find_mailbox
from app.mail.server import Security
from app.sync.connect import keyword_limit
from tests.commands.conftest import Run
from tests.dovecot import PASSWORD, Account, fresh_account
from tests.mail.test_probe import READ_AND_SEEN_ONLY, account_with_rights
from tests.mail.test_server import SecureDovecot, secure

__all__ = ["secure"]


def add(user: str, port: int, security: str, *more: str) -> list[str]:
    return [
        "mailbox", "add", "Help", "--address", "help@halden.test", "--imap", f"127.0.0.1:{port}",
        "--imap-security", security, "--user", user, "--password-stdin", *more,
    ]  # fmt: skip


def test_a_private_certificate_authority_is_trusted_where_it_is_given(
    run: Run, secure: SecureDovecot, tmp_path: Path
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text(secure.ca_pem)
    user = fresh_account(secure.dovecot).user
    refused = run(*add(user, secure.ports["tls"], "tls"), input=PASSWORD)
    assert refused.exit_code == 1
    assert "The certificate of 127.0.0.1 is not trusted" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    securities: tuple[Security, ...] = ("tls", "starttls")
    for security in securities:
        done = run(*add(user, secure.ports[security], security, "--imap-ca", str(ca), "--json"), input=PASSWORD)
        assert json.loads(done.stdout)["ok"], done.stderr
        with transaction() as session:
            mailbox = find_mailbox(session, "Help")
            assert mailbox is not None
            assert mailbox.imap_ca == secure.ca_pem
            mailbox.name = f"Help by {security}"


def test_a_server_that_keeps_no_keywords_is_connected_in_database_mode_and_said_so(run: Run) -> None:
    with account_with_rights(READ_AND_SEEN_ONLY) as account:
        done = run(*add(account.user, account.dovecot.port, "none"), input=PASSWORD)
    assert done.exit_code == 0, done.stderr
    assert "kept in Postgres only" in done.stdout
    with transaction() as session:
        mailbox = find_mailbox(session, "Help")
        assert mailbox is not None
        assert mailbox.mode == Mode.DATABASE
        assert mailbox.report["mode"] == "database"


def test_a_requested_folder_that_cannot_be_opened_is_reported(run: Run) -> None:
    with account_with_rights("lrwstipekxa\nLocked -owner r") as account:
        account.create_folder("Locked")
        asked = add(account.user, account.dovecot.port, "none")
        done = run(*asked, "--folder", "Locked", input=PASSWORD)
        assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
        assert "Locked" in done.stderr
        assert run(*asked, input=PASSWORD).exit_code == 0
        with transaction() as session:
            mailbox = find_mailbox(session, "Help")
            assert mailbox is not None
            [locked] = [folder for folder in mailbox.folders if folder.name == "Locked"]
            locked.watched = True
        done = run("mailbox", "check", "Help")
        assert (done.exit_code, "the folder Locked cannot be opened" in done.stdout) == (0, True)


def test_a_check_tells_of_a_watched_folder_that_is_gone_and_finds_new_ones(run: Run, account: Account) -> None:
    account.create_folder("Projects")
    asked = add(account.user, account.dovecot.port, "none")
    assert run(*asked, "--folder", "Projects", input=PASSWORD).exit_code == 0
    account.delete_folder("Projects")
    account.create_folder("New")
    done = run("mailbox", "check", "Help")
    assert (done.exit_code, "the folder Projects is watched but no longer on the server" in done.stdout) == (0, True)
    assert run("mailbox", "watch", "Help", "New").exit_code == 0
    with transaction() as session:
        mailbox = find_mailbox(session, "Help")
        assert mailbox is not None
        assert {folder.name for folder in mailbox.folders if folder.watched and folder.role is None} == {
            "New",
            "Projects",
        }
    assert run("mailbox", "watch", "Help", "New", "--stop").exit_code == 0
    assert run("mailbox", "watch", "Help", "INBOX", "--stop").exit_code == 1
    assert "Its folders: " in run("mailbox", "watch", "Help", "Nowhere").stderr


def test_a_folder_made_a_moment_ago_can_be_watched_at_once(run: Run, account: Account) -> None:
    assert run(*add(account.user, account.dovecot.port, "none"), input=PASSWORD).exit_code == 0
    account.create_folder("Fresh")
    done = run("mailbox", "watch", "Help", "Fresh")
    assert (done.exit_code, done.stdout) == (0, "Fresh is watched. Its mail will be imported soon.\n")


def test_a_server_that_may_keep_few_keywords_is_never_given_more() -> None:
    assert keyword_limit("Cyrus IMAPD") == 100
    assert keyword_limit("Dovecot") == keyword_limit("") == 24
