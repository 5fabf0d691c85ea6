"""The probe finds out what a server keeps and leaves nothing behind. Dovecot is configured to lack what other servers
lack."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import SimpleNamespace

import pytest

from app.mail.errors import LoginRefused, Refused, Unreachable
from app.mail.probe import probe
from app.mail.server import Server
from tests.dovecot import Account, fresh_account, mail, running_dovecot

NO_UIDPLUS = "imap_capability = IMAP4rev1 CONDSTORE ENABLE IDLE\n"
EVERYTHING = "lrwstipekxa"
EVERYTHING_BUT_FOLDERS = "lrwstipea"
READ_AND_SEEN_ONLY = "lrstiekxa"


@contextmanager
def account_with_rights(rights: str, config: str = "", **taken: str) -> Iterator[Account]:
    """An account whose owner has only these rights (RFC 4314) in every folder, and without those in `taken` in the
    named folder."""
    with NamedTemporaryFile("w", prefix="signalbox-acl-") as file:
        file.write(f"* owner {rights}\n")
        file.writelines(f"{name} -owner {lost}\n" for name, lost in taken.items())
        file.flush()
        Path(file.name).chmod(0o644)
        plugins = (
            "mail_plugins = acl\nprotocol imap {\n  mail_plugins = acl imap_acl\n}\n"
            f"plugin {{\n  acl = vfile:{file.name}\n}}\n"
        )
        with running_dovecot("sdbox", extra_config=plugins + config) as dovecot:
            yield fresh_account(dovecot)


def test_keywords_are_proved_by_writing_moving_and_reading_them_again(any_account: Account) -> None:
    uid = any_account.append(mail())
    any_account.add_flags(uid, "todo-ben")
    before = any_account.folder_names()
    report = probe(any_account.server)
    assert (report.mode, report.proved) == ("keywords", True)
    assert report.warnings == ()
    assert report.capabilities["keywords_travel"]
    assert report.capabilities["qresync"]
    assert report.keywords["INBOX"] == ("todo-ben",)
    assert any_account.folder_names() == before
    assert any_account.uids() == [uid]
    assert any_account.flags(uid) == {"todo-ben"}


def test_without_the_right_to_make_folders_inbox_is_used_and_left_as_it_was() -> None:
    with account_with_rights(EVERYTHING_BUT_FOLDERS) as account:
        kept = account.append(mail())
        account.add_flags(kept, "\\Deleted")
        report = probe(account.server)
        assert (report.mode, report.proved) == ("keywords", True)
        assert account.uids() == [kept]
        assert account.flags(kept) == {"\\Deleted"}


def test_untested_claims_are_believed_and_marked() -> None:
    with account_with_rights(EVERYTHING_BUT_FOLDERS, NO_UIDPLUS) as account:
        report = probe(account.server)
        assert (report.mode, report.proved) == ("keywords", False)
        assert set(report.warnings) == {"not_proved", "no_move", "no_uidplus"}
        assert account.uids() == []


def test_a_server_that_keeps_no_keywords_means_database_mode() -> None:
    with account_with_rights(READ_AND_SEEN_ONLY) as account:
        before = account.folder_names()
        report = probe(account.server)
        assert (report.mode, report.proved) == ("database", True)
        assert "no_keywords" in report.warnings
        assert account.folder_names() == before


def test_a_folder_that_cannot_be_opened_is_reported_and_stops_nothing() -> None:
    with account_with_rights(EVERYTHING, Sent="rwstipekxa") as account:
        report = probe(account.server)
        assert (report.mode, report.proved) == ("keywords", True)
        assert report.warnings == ("unreadable:Sent",)
        assert "INBOX" in report.keywords
        assert "Sent" not in report.keywords
    with account_with_rights(EVERYTHING, INBOX="rwstipekxa") as account, pytest.raises(Refused):
        probe(account.server)


def test_remains_of_a_killed_test_are_named_and_are_not_a_team_folder(account: Account) -> None:
    left = "signalbox-probe-0badcafe-a"
    with account.open() as imap:
        imap.create_folder(left)
    report = probe(account.server)
    assert f"left_behind:{left}" in report.warnings
    assert left not in {folder.name for folder in report.folders}


def test_a_server_without_move_is_probed_by_copying(account: Account) -> None:
    with running_dovecot("maildir", extra_config=NO_UIDPLUS) as dovecot:
        poor = fresh_account(dovecot)
        report = probe(poor.server)
        assert (report.mode, report.proved) == ("keywords", True)
        assert set(report.warnings) == {"no_move", "no_uidplus"}
        assert [name for name in poor.folder_names() if "probe" in name] == []


def test_an_unusable_server_is_reported_as_such(account: Account) -> None:
    with pytest.raises(Unreachable):
        probe(Server("127.0.0.1", 9, "none", "x", "y"))
    with pytest.raises(LoginRefused):
        probe(Server("127.0.0.1", account.dovecot.port, "none", account.user, "wrong"))


def test_keywords_that_are_forgotten_a_moment_after_a_move_do_not_travel(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(_: float) -> None:
        [there] = [name for name in account.folder_names() if name.startswith("signalbox-probe-") and name[-2:] == "-b"]
        account.remove_flags(1, "state-closed", folder=there)

    monkeypatch.setattr("app.mail.probe.time", SimpleNamespace(sleep=forget))
    report = probe(account.server)
    assert (report.mode, report.capabilities["keywords_travel"]) == ("keywords", False)
    assert "keywords_stay_behind" in report.warnings
