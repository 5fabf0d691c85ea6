from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from app.clock import now
from app.db import transaction
from app.inbox.conversations.tag import find_tag
from app.inbox.history.event import Event, EventKind
from app.inbox.mailboxes.mailbox import Mailbox, find_mailbox
from app.mail.server import Server
from app.secrets import seal, unseal
from config import Config
from local.places import free_port
from tests import smtp
from tests.cast import Cast, conversation
from tests.commands.conftest import Run
from tests.conftest import Clock
from tests.dovecot import PASSWORD, Account, mail
from tests.smtp import StartSmtp, authority, start_smtp

__all__ = ["authority", "start_smtp"]


def arguments(account: Account, *more: str) -> list[str]:
    return [
        "mailbox", "add", "Help", "--address", "help@halden.test", "--imap", f"127.0.0.1:{account.dovecot.port}",
        "--imap-security", "none", "--user", account.user, "--password-stdin", *more,
    ]  # fmt: skip


def outgoing(server: Server) -> list[str]:
    place = f"{server.host}:{server.port}"
    return ["--smtp", place, "--smtp-security", server.security, "--smtp-user", server.user]


def connected() -> Mailbox:
    with transaction() as session:
        mailbox = find_mailbox(session, "help")
        assert mailbox is not None
        assert mailbox.folders
    return mailbox


def test_a_mailbox_is_connected_and_its_report_is_one_json_document(run: Run, account: Account) -> None:
    account.create_folder("Kunden/Süd")
    uid = account.append(mail())
    account.add_flags(uid, "important-one")
    done = run(*arguments(account, "--folder", "Kunden/Süd", "--json"), input=f"{PASSWORD}\n")
    assert (done.exit_code, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert report["ok"]
    assert report["mode"] == "keywords"
    assert report["capabilities"]["condstore"]
    watched = {folder["name"]: folder["role"] for folder in report["folders"] if folder["watched"]}
    usual = {"INBOX": "inbox", "Sent": "sent", "Junk": "junk", "Trash": "trash", "Archive": "archive"}
    assert watched == {**usual, "Kunden/Süd": None}
    inbox = next(folder for folder in report["folders"] if folder["name"] == "INBOX")
    assert "important-one" in inbox["keywords"]
    assert {folder.name for folder in connected().folders if folder.watched} == set(watched)


def test_a_name_that_only_contains_folders_is_not_a_folder(run: Run, account: Account) -> None:
    """`Public`, the parent of the shared folders, cannot be opened."""
    done = run(*arguments(account, "--folder", "Public/Team"), input=f"{PASSWORD}\n")
    assert "  watched      Public/Team\n" in done.stdout
    names = {folder.name for folder in connected().folders}
    assert ("Public/Team" in names, "Public" in names) == (True, False)
    checked = run("mailbox", "check", "Help").stdout
    assert ("  watched      Public/Team\n" in checked, " Public\n" in checked) == (True, False)
    told = json.loads(run("mailbox", "check", "Help", "--json").stdout)["folders"]
    assert "Public" not in {folder["name"] for folder in told}
    assert all(folder.keys() == {"name", "role", "watched", "keywords"} for folder in told)


def test_connecting_leaves_nothing_of_ours_in_the_mailbox(run: Run, account: Account) -> None:
    uid = account.append(mail())
    before = (account.folder_names(), account.uids(), account.flags(uid))
    run(*arguments(account), input=f"{PASSWORD}\n")
    assert (account.folder_names(), account.uids(), account.flags(uid) - {"\\Recent"}) == (
        *before[:2], before[2] - {"\\Recent"},
    )  # fmt: skip


def test_the_report_says_in_words_where_state_is_kept(run: Run, account: Account) -> None:
    said = run(*arguments(account), input=f"{PASSWORD}\n").stdout
    assert "Help is connected." in said
    assert "kept on the server as keywords" in said


def test_passwords_are_sealed_and_the_history_names_the_mailbox_only(
    run: Run, account: Account, start_smtp: StartSmtp, config: Config
) -> None:
    done = run(*arguments(account, *outgoing(start_smtp("none"))), input=f"{PASSWORD}\n{smtp.PASSWORD}\n")
    assert (done.exit_code, done.stderr) == (0, "")
    mailbox = connected()
    assert mailbox.smtp_secret is not None
    assert mailbox.password("imap", lambda secret: unseal(secret, config.seal_key)) == PASSWORD
    assert mailbox.password("smtp", lambda secret: unseal(secret, config.seal_key)) == smtp.PASSWORD
    with transaction() as session:
        event = session.scalars(select(Event).where(Event.kind == EventKind.MAILBOX_ADDED)).one()
    assert event.after == {"mailbox": "Help"}
    assert event.source == "command"


def test_without_a_second_line_smtp_has_the_imap_password(
    run: Run, account: Account, start_smtp: StartSmtp, config: Config
) -> None:
    account.dovecot.add_user(account.user, smtp.PASSWORD)
    run(*arguments(account, *outgoing(start_smtp("none"))), input=smtp.PASSWORD)
    assert connected().password("smtp", lambda secret: unseal(secret, config.seal_key)) == smtp.PASSWORD


def test_the_outgoing_server_is_tried_too_when_connecting_and_when_checking(
    run: Run, account: Account, start_smtp: StartSmtp, config: Config
) -> None:
    add = arguments(account, *outgoing(start_smtp("none")))
    refused = run(*add, input=f"{PASSWORD}\nwrong\n")
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"Error: The SMTP server rejected this password for {smtp.USER}.")
    assert refused.stderr.count("\n") == 1
    assert f"accepts {smtp.USER}" in run(*add, input=f"{PASSWORD}\n{smtp.PASSWORD}\n").stdout
    assert json.loads(run("mailbox", "check", "Help", "--json").stdout)["smtp"]["user"] == smtp.USER
    with transaction() as session:
        mailbox = session.get_one(Mailbox, connected().id)
        mailbox.smtp_port = free_port()
        mailbox.set_password("smtp", smtp.PASSWORD, lambda words: seal(words, config.seal_public_key))
    done = run("mailbox", "check", "Help")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "No SMTP server answers" in done.stderr


def test_importing_only_new_mail_draws_the_line_at_once(run: Run, account: Account) -> None:
    account.append(mail())
    run(*arguments(account, "--import", "new"), input=PASSWORD)
    inbox = connected().folder("inbox")
    assert inbox is not None
    assert (inbox.start_uid, inbox.uidnext, inbox.left_out) == (2, 2, 1)


def test_importing_since_a_day_counts_from_midnight_where_the_mailbox_is(run: Run, account: Account) -> None:
    run(*arguments(account, "--import", "since:2026-03-01", "--time-zone", "Europe/Madrid"), input=PASSWORD)
    mailbox = connected()
    assert mailbox.import_since is not None
    assert mailbox.import_since.isoformat() == "2026-02-28T23:00:00+00:00"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--user", "stranger@example.com"], "rejected this password for stranger@example.com"),
        (["--imap", "127.0.0.1:{closed}"], "No IMAP server answers at 127.0.0.1:{closed}"),
        (["--folder", "Nowhere"], "The server has no folder “Nowhere”"),
        (["--address", "nobody"], "not an email address"),
        (["--imap-security", "tls"], "No IMAP server answers"),
        (["--imap-security", "starttls"], "STARTTLS"),
    ],
)
def test_a_failure_is_reported_in_one_line_and_nothing_is_stored(
    run: Run, account: Account, more: list[str], words: str
) -> None:
    closed = str(free_port())
    more = [part.replace("{closed}", closed) for part in more]
    done = run(*arguments(account, *more), input=PASSWORD)
    assert done.exit_code == 1
    assert words.replace("{closed}", closed) in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    with transaction() as session:
        assert find_mailbox(session, "Help") is None


@pytest.mark.parametrize(
    ("words", "status", "error"),
    [
        (["add"], 1, "rejected this password"),
        (["add", "--imap", "nowhere"], 2, "not HOST:PORT"),
        (["add", "--imap", "mail.halden.test:143"], 2, "without encryption"),
        (["check", "Nowhere"], 1, "There is no mailbox “Nowhere”"),
        (["check"], 2, "Missing argument"),
    ],
)
def test_a_failure_with_json_is_a_document_in_the_shape_of_the_report(
    run: Run, account: Account, words: list[str], status: int, error: str
) -> None:
    first, *more = words
    done = run(*(arguments(account) if first == "add" else ("mailbox", first)), *more, "--json", input="wrong\n")
    report = json.loads(done.stdout)
    assert (done.exit_code, report["ok"], report["mode"], report["folders"]) == (status, False, None, [])
    assert error in report["error"]
    assert error in done.stderr


WRONG_USAGE = [
    ["--imap", "mail.halden.test:143"],
    ["--imap", "nowhere"],
    ["--imap", "127.0.0.1:99999"],
    ["--import", "some"],
    ["--import", "since:1.3.2026"],
    ["--import", "2026-03-01"],
    ["--close-older-than", "0"],
    ["--smtp-user", "sender"],
    ["--smtp", "smtp.halden.test:25", "--smtp-security", "none"],
    ["--imap-ca", "/nowhere.pem"],
]


def test_wrong_usage_exits_with_2_before_anything_is_tried(run: Run, account: Account) -> None:
    for more in WRONG_USAGE:
        done = run(*arguments(account, *more), input=PASSWORD)
        assert (done.exit_code, done.stdout) == (2, ""), more


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["mailbox", "pause", "No\nwhere"], 1, "There is no mailbox “No where”. `flask mailbox list`"),
        (["mailbox", "watch", "Support", "No\r\nwhere"], 1, "Support has no folder “No where”."),
        (["mailbox", "tag", "Support", "no\ntag"], 1, "“no tag” is not a valid tag. Use a-z"),
        (["mailbox", "drift", "Support", "--no\nway"], 2, "No such option"),
        (["mailbox", "drift", "Support", "no\nway"], 2, "Got unexpected extra argument"),
        (["mailbox", "--no\nway"], 2, "No such option"),
        (["mailbox", "no\nway"], 2, "No such command"),
        (["mailbox", "add", "Help", "--imap", "no\u2028way"], 2, "“no way” is not HOST:PORT."),
        (["audit", "export", "--since", "no\nway"], 2, "“no way” is not a date"),
        (["doctor", "no\nway"], 2, "Got unexpected extra argument"),
    ],
)
def test_a_line_break_in_an_argument_makes_no_second_line(
    run: Run, cast: Cast, words: list[str], status: int, told: str
) -> None:
    done = run(*words)
    why = done.stderr[done.stderr.index("Error: ") :]  # wrong usage prints the usage first
    assert (done.exit_code, len(why.splitlines())) == (status, 1)
    assert told in why


def test_a_group_alone_shows_its_help(run: Run) -> None:
    assert len(run("mailbox").output.splitlines()) > 10


def test_a_name_that_is_taken_is_refused(run: Run, account: Account) -> None:
    run(*arguments(account), input=PASSWORD)
    done = run(*arguments(account, "--json"), input=PASSWORD)
    assert (done.exit_code, done.stderr) == (1, "Error: A mailbox named “Help” already exists. Choose another name.\n")
    assert json.loads(done.stdout)["error"] == "A mailbox named “Help” already exists. Choose another name."


def test_the_name_under_which_the_server_checks_senders_is_proposed_and_can_be_trusted(
    run: Run, account: Account
) -> None:
    for number in range(3):
        account.append(b"Authentication-Results: MX.halden.example; spf=pass\r\n" + mail(f"Mail {number}"))
    done = run(*arguments(account), input=PASSWORD)
    assert "checks senders as mx.halden.example" in done.stdout
    done = run("mailbox", "trust", "Help", "MX.halden.example", "backup.halden.example")
    assert (done.exit_code, done.stderr) == (0, "")
    assert connected().authserv_ids == ["mx.halden.example", "backup.halden.example"]
    assert "trusts no server" in run("mailbox", "trust", "Help").stdout
    assert connected().authserv_ids == []


def test_a_name_that_no_mail_server_has_is_not_trusted(run: Run, cast: Cast) -> None:
    done = run("mailbox", "trust", "Support", "mx.example.com; dmarc=pass")
    assert done.exit_code == 1
    assert "such as mx.example.com" in done.stderr


def test_a_server_that_checks_no_senders_proposes_nothing(run: Run, account: Account) -> None:
    account.append(mail())
    assert json.loads(run(*arguments(account, "--json"), input=PASSWORD).stdout)["authserv_ids"] == []


def test_check_tries_a_connected_mailbox_again(run: Run, account: Account, config: Config) -> None:
    run(*arguments(account), input=PASSWORD)
    assert json.loads(run("mailbox", "check", "Help", "--json").stdout)["ok"]
    with transaction() as session:
        box = session.get_one(Mailbox, connected().id)
        box.set_password("imap", "no longer right", lambda document: seal(document, config.seal_public_key))
    done = run("mailbox", "check", "help", "--json")
    assert done.exit_code == 1
    assert "rejected this password" in json.loads(done.stdout)["error"]


def test_a_private_certificate_authority_can_be_trusted(run: Run, account: Account, tmp_path: Path) -> None:
    no_pem = tmp_path / "ca.pem"
    no_pem.write_text("no certificate")
    done = run(*arguments(account, "--imap-security", "tls", "--imap-ca", str(no_pem)), input=PASSWORD)
    assert done.exit_code == 1
    assert "not a PEM file" in done.stderr


def test_the_list_has_the_health_of_every_mailbox(run: Run, cast: Cast) -> None:
    shown = json.loads(run("mailbox", "list", "--json").stdout)
    assert [m["name"] for m in shown] == ["Billing", "Support"]
    assert shown[0]["health"] == {
        "state": "ok", "last_round_at": None, "missing": 0, "unmatched": 0, "left_out": 0, "unreadable": 0,
        "waiting_push": 0, "refused": 0, "no_room": 0, "queued_replies": 0, "held": [], "frozen": 0,
        "lost_folders": [], "refused_folders": [], "deferred": 0, "unwritable_folders": [], "behind": False,
        "waiting_read": 0, "waiting_read_since": None, "slow_mails": 0, "last_slow": None,
    }  # fmt: skip
    assert "Support" in run("mailbox", "list").stdout


def test_the_list_shows_unusual_facts_although_rounds_succeed(run: Run, cast: Cast, clock: Clock) -> None:
    assert "\n  " not in run("mailbox", "list").stdout
    with transaction() as session:
        archive = next(f for f in session.get_one(Mailbox, cast.support).folders if f.role == "archive")
        archive.lost_at, archive.unmatched = now(), 2
    clock.pass_(minutes=16)
    told = run("mailbox", "list").stdout
    assert told.count("No worker serves it") == 2
    assert "  The folder “Archive” is no longer on the server" in told
    assert "  2 messages are no longer in “Archive”." in told


def test_a_role_is_given_and_taken(run: Run, cast: Cast) -> None:
    assert run("mailbox", "grant", "support", "ana", "observer").exit_code == 0
    assert roles(run, "ana") == {"Support": "observer"}
    assert run("mailbox", "grant", "Support", "ana", "none").exit_code == 0
    assert roles(run, "ana") == {}
    assert run("mailbox", "grant", "Support", "ana", "king").exit_code == 2
    assert run("mailbox", "grant", "Nowhere", "ana", "agent").exit_code == 1
    assert run("mailbox", "grant", "Support", "nobody", "agent").exit_code == 1


def roles(run: Run, handle: str) -> dict[str, str]:
    people = json.loads(run("member", "list", "--json").stdout)
    found: dict[str, str] = next(person["roles"] for person in people if person["handle"] == handle)
    return found


def test_a_mailbox_is_paused_and_resumed(run: Run, cast: Cast) -> None:
    def state() -> str:
        return str(json.loads(run("mailbox", "list", "--json").stdout)[1]["health"]["state"])

    assert run("mailbox", "pause", "Support").exit_code == 0
    assert state() == "paused"
    assert run("mailbox", "resume", "Support").exit_code == 0
    assert state() == "ok"


def test_a_tag_is_made_with_its_colour_and_label(run: Run, account: Account) -> None:
    run(*arguments(account), input=f"{PASSWORD}\n")
    assert run("mailbox", "tag", "Help", "billing").exit_code == 0
    assert run("mailbox", "tag", "Help", "billing", "--label", "Invoices", "--hue", "4").exit_code == 0
    with transaction() as session:
        tag = find_tag(session, connected(), "billing")
        assert tag is not None
        assert (tag.name, tag.label, tag.hue, tag.adopted) == ("billing", "Invoices", 4, True)
    refused = run("mailbox", "tag", "Help", "assigned-carla")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)


def test_an_administrator_can_set_the_keyword_limit_of_folders(run: Run, account: Account) -> None:
    assert run(*arguments(account, "--keyword-limit", "none"), input=f"{PASSWORD}\n").exit_code == 0
    assert connected().keyword_limit is None
    for said, kept in (("100", 100), ("24", 24), ("none", None)):
        assert run("mailbox", "limit", "help", said).exit_code == 0
        assert connected().keyword_limit == kept
    assert run("mailbox", "limit", "help", "12").exit_code == 2
    with transaction() as session:
        told = session.scalars(select(Event).where(Event.kind == EventKind.MAILBOX_CHANGED).order_by(Event.id)).all()
        assert [event.after["keyword_limit"] for event in told if event.after] == [100, 24, None]


def test_the_list_says_where_a_folder_holds_more_keywords_than_assumed(run: Run, cast: Cast) -> None:
    with transaction() as session:
        inbox = session.get_one(Mailbox, cast.support).folder("inbox")
        assert inbox is not None
        inbox.keywords = [f"client-{number}" for number in range(37)]
    told = run("mailbox", "list").stdout
    assert "  The folder “INBOX” holds 37 keywords, above the assumed limit of 24" in told
    assert 'flask mailbox limit "Support"' in told
    assert run("mailbox", "limit", "Support", "none").exit_code == 0
    assert "assumed" not in run("mailbox", "list").stdout


def test_the_list_says_why_something_waits_though_rounds_go_well(run: Run, cast: Cast) -> None:
    with transaction() as session:
        box = session.get_one(Mailbox, cast.support)
        box.error_code, box.error_text = "over_quota", "The mail account is full (quota)."
    told = run("mailbox", "list").stdout
    assert "  ok, 0 missing, 0 on the way\n  Waiting changes are retried in every round. The mail account is" in told
    assert json.loads(run("mailbox", "list", "--json").stdout)[1]["health"]["error"] == box.error_text
    with transaction() as session:
        session.get_one(Mailbox, cast.support).failing_since = now()
    assert "  failing: The mail account is full (quota), 0 missing" in run("mailbox", "list").stdout


def test_the_list_says_how_many_conversations_have_names_without_room(run: Run, cast: Cast) -> None:
    assert "room" not in run("mailbox", "list").stdout
    with transaction() as session:
        conversation(session).lacks_room = True
    assert "  1 conversation with keywords that do not fit into a folder.\n" in run("mailbox", "list").stdout
    assert json.loads(run("mailbox", "list", "--json").stdout)[1]["health"]["no_room"] == 1


def test_the_aliases_of_a_mailbox_are_shown_and_said(run: Run, cast: Cast) -> None:
    assert run("mailbox", "addresses", "Support").stdout == "help@halden.example\n"
    done = run("mailbox", "addresses", "Support", "info@halden.example", "Sales@halden.example")
    assert done.stdout == "help@halden.example\ninfo@halden.example\nsales@halden.example\n"
    assert run("mailbox", "addresses", "Support", "info").exit_code == 1
    assert run("mailbox", "addresses", "Support", "a@halden.example", "--none").exit_code == 2
    assert run("mailbox", "addresses", "Support", "--none").stdout == "help@halden.example\n"
