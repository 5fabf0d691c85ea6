"""People as written: without domain, without address, with routes, comments and quotes in every place."""

from __future__ import annotations

import pytest

from app.mail.addresses import addresses
from app.mail.parse import parse


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("root (Cron Daemon)", [("Cron Daemon", "root")]),
        ("Scanner Lager <scanner>", [("Scanner Lager", "scanner")]),
        ("Telefonanlage", [("", "Telefonanlage")]),
        ("MAILER DAEMON", [("MAILER DAEMON", "")]),
        ("MAILER-DAEMON <>", [("", "MAILER-DAEMON")]),
        ("<>", []),
        ("otto at kunde.example", [("otto at kunde.example", "")]),
        ("Otto <otto at kunde.example>", [("Otto <otto at kunde.example>", "")]),
        ("Ana <ana@x.example>, Scanner <scanner>", [("Ana", "ana@x.example"), ("Scanner", "scanner")]),
        ("'Lamp & Co' Berlin <a@x.example>", [("'Lamp & Co' Berlin", "a@x.example")]),
        ("\"'Otto Klein' via Help\" <h@g.example>", [("'Otto Klein' via Help", "h@g.example")]),
        ("'Otto Klein' <o@x.example>", [("Otto Klein", "o@x.example")]),
        ("Tom O'Neil <o@x.example>", [("Tom O'Neil", "o@x.example")]),
        ("<@relay.example,@b.example:otto@x.example>", [("", "otto@x.example")]),
        ("<mailto:otto@x.example>", [("", "otto@x.example")]),
        ("Otto (das (ist) er) <otto@x.example>", [("Otto", "otto@x.example")]),
        ("otto@x.example (Otto (Klein) K.)", [("Otto (Klein) K.", "otto@x.example")]),
        ("Otto <otto(home)@x.example>", [("Otto", "otto@x.example")]),
        (
            'Friends: ana@x.example, Ben <b@x.example>;, "C, D" <c@x.example>',
            [("", "ana@x.example"), ("Ben", "b@x.example"), ("C, D", "c@x.example")],
        ),
        ("Otto <<otto@x.example>>", [("Otto", "otto@x.example")]),
        ('Otto <"otto klein"@x.example>', [("Otto", '"otto klein"@x.example')]),
        ("Otto < otto @ x.example >", [("Otto", "otto@x.example")]),
        ("[otto@x.example]", [("", "otto@x.example")]),
        ("Otto <otto@[192.0.2.1]>", [("Otto", "otto@[192.0.2.1]")]),
        ("undisclosed-recipients:;", []),
        ('"otto@x.example" <Otto@x.example>', [("", "Otto@x.example")]),
        ('"ceo@bank.example" <eve@evil.example>', [("ceo@bank.example", "eve@evil.example")]),
        ("=?utf-8?Q?Re:_M=C3=BCller?= <a@b.example>", [("Re: Müller", "a@b.example")]),
        ("=?utf-8?B?T3R0byA8b3R0b0B4Lm5ldD4=?=", [("Otto", "otto@x.net")]),
        ('"Müller" <o@x.example', [("Müller", "o@x.example")]),
        ("Anna \u202egnp.exe\u202c <a@x.example>", [("Anna gnp.exe", "a@x.example")]),
    ],
)
def test_a_person_is_read_as_they_were_written(field: str, expected: list[tuple[str, str]]) -> None:
    assert [(one.name, one.address) for one in addresses(field)] == expected


def test_a_from_without_anybody_to_write_to_gives_way_to_the_sender() -> None:
    mail = parse(b"From: MAILER DAEMON\r\nSender: <mail@x.example>\r\n\r\nx")
    assert [one.address for one in mail.from_] == ["mail@x.example"]
    alone = parse(b"From: MAILER DAEMON\r\n\r\nx")
    assert [(one.name, one.address) for one in alone.from_] == [("MAILER DAEMON", "")]


@pytest.mark.parametrize("junk", ['"\\', "(\\", "((a", "a,", "@,", "<@:", "a:", '"a"', "=?a?q?", "<a@b>", "(a)@:"])
def test_no_field_of_people_takes_for_ever(junk: str) -> None:
    """Half a megabyte of it; quadratic time would take hours."""
    assert len(addresses(junk * (500_000 // len(junk)))) <= 1000


@pytest.mark.parametrize(
    ("original", "reply_to", "expected"),
    [
        ("Mia <mia@x.example>", "help@halden.example", ["mia@x.example", "help@halden.example"]),
        ("Mia <mia@x.example>", "Mia <MIA@x.example>", ["MIA@x.example"]),
        ("Help <help@halden.example>", "", []),
    ],
)
def test_the_author_whom_a_group_replaced_is_named(original: str, reply_to: str, expected: list[str]) -> None:
    head = f"From: 'Mia' via Help <help@halden.example>\r\nX-Original-From: {original}\r\nReply-To: {reply_to}\r\n"
    assert [person.address for person in parse(f"{head}\r\nHi".encode()).reply_to] == expected


_LIST = "From: Talk <talk@lists.example>\r\nReply-To: talk@lists.example\r\nList-Id: Talk <talk.lists.example>\r\n"


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ("X-Original-Sender: mia@x.example", ["mia@x.example"]),
        ("Sender: Mia <mia@x.example>", ["mia@x.example"]),
        ("Sender: talk-bounces@lists.example", []),
        ("List-Post: <mailto:other@lists.example>", []),
    ],
)
def test_the_author_whom_a_list_replaced_is_named_by_fields_that_servers_use_too(field: str, named: list[str]) -> None:
    people = parse(f"{_LIST}{field}\r\n\r\nHi".encode()).reply_to
    assert [person.address for person in people] == [*named, "talk@lists.example"]
    plain = f"From: Mia <mia@x.example>\r\n{field}\r\nSender: root@host.example\r\n\r\nHi"
    assert parse(plain.encode()).reply_to == []
