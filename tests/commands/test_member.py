from __future__ import annotations

import json

from app.db import transaction
from app.inbox.lists import find
from app.inbox.people.member import check_password
from app.inbox.people.token import valid_token
from tests.cast import Cast, member, token_member
from tests.commands.conftest import Run


def test_a_member_is_added_with_the_password_from_stdin(run: Run) -> None:
    done = run(
        "member", "add", "zoe", "--name", "Zoe Ho", "--email", "zoe@halden.test", "--admin", "--password-stdin",
        input="a password of stdin\n",
    )  # fmt: skip
    assert (done.exit_code, done.stderr) == (0, "")
    with transaction() as session:
        zoe = find.member_by_handle(session, "zoe")
        assert zoe is not None
        assert zoe.is_admin
        assert zoe.name == "Zoe Ho"
        assert check_password(zoe, "a password of stdin")


def test_a_name_is_one_line_and_a_password_is_text(run: Run, cast: Cast) -> None:
    assert run("member", "add", "zoe", "--name", "Zoe\n Ho", "--email", "zoe@halden.test").exit_code == 0
    assert "Zoe Ho <zoe@halden.test>" in run("member", "list").stdout
    refused = run("member", "password", "zoe", "--password-stdin", input=b"ten \xff\xfe letters\n")
    assert (refused.exit_code, "UTF-8 text" in refused.stderr) == (2, True)


def test_without_a_password_the_member_is_added_and_the_command_names_the_next_step(run: Run) -> None:
    done = run("member", "add", "zoe", "--name", "Zoe", "--email", "zoe@localhost")
    assert done.exit_code == 0
    assert "No password was set" in done.stdout


def test_a_member_that_cannot_be_added_is_one_line_of_reason(run: Run, cast: Cast) -> None:
    for args, words in (
        (["Zoe!", "--name", "Zoe", "--email", "zoe@halden.example"], "is not a valid handle"),
        (["zoe", "--name", " ", "--email", "zoe@halden.example"], "needs a name"),
        (["zoe", "--name", "Zoe", "--email", "zoe"], "not an email address"),
        (["carla", "--name", "Carla", "--email", "c@halden.example"], "taken"),
        (["zoe", "--name", "Zoe", "--email", "CARLA@halden.example"], "exists"),
    ):
        done = run("member", "add", *args)
        assert done.exit_code == 1
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert done.stdout == ""


def test_a_short_password_adds_nobody(run: Run) -> None:
    done = run("member", "add", "zoe", "--name", "Zoe", "--email", "z@x.test", "--password-stdin", input="short\n")
    assert (done.exit_code, done.stderr) == (1, "Error: The password needs at least 12 characters.\n")
    with transaction() as session:
        assert find.member_by_handle(session, "zoe") is None


def test_wrong_usage_exits_with_2(run: Run) -> None:
    assert run("member", "add", "zoe").exit_code == 2
    assert run("member", "add", "z", "--name", "Z", "--email", "z@x.test", "--password-stdin", input="").exit_code == 2
    assert run("member", "dismiss", "zoe").exit_code == 2


def test_the_list_is_one_json_document(run: Run, cast: Cast) -> None:
    people = {person["handle"]: person for person in json.loads(run("member", "list", "--json").stdout)}
    assert set(people) == {"ana", "ben", "carla", "dora"}
    assert people["ana"]["admin"]
    assert people["ben"]["roles"] == {"Billing": "manager", "Support": "manager"}
    assert "carla" in run("member", "list").stdout


def test_a_token_is_alone_on_the_last_line_and_gives_access_to_the_api(run: Run, cast: Cast) -> None:
    key = run("member", "token", "carla").stdout.splitlines()[-1]
    with transaction() as session:
        assert token_member(session, key) == member(session, "carla")


def test_revoked_tokens_open_nothing_and_a_new_one_does(run: Run, cast: Cast) -> None:
    old = [run("member", "token", "carla").stdout.splitlines()[-1] for _ in range(2)]
    bens = run("member", "token", "ben").stdout.splitlines()[-1]
    assert "Ended 2 tokens" in run("member", "token", "carla", "--revoke").stdout
    assert "Ended 0 tokens" in run("member", "token", "carla", "--revoke").stdout
    new = run("member", "token", "carla").stdout.splitlines()[-1]
    with transaction() as session:
        carla, ben = member(session, "carla"), member(session, "ben")
        assert [token_member(session, key) for key in (*old, new, bens)] == [None, None, carla, ben]


def test_a_disabled_member_has_no_token_and_no_second_life(run: Run, cast: Cast) -> None:
    key = run("member", "token", "carla").stdout.splitlines()[-1]
    assert run("member", "disable", "carla").exit_code == 0
    with transaction() as session:
        assert valid_token(session, key) is None
    assert "disabled" in run("member", "token", "carla").stderr
    assert "taken" in run("member", "add", "carla", "--name", "C", "--email", "new@halden.example").stderr


def test_a_new_password_replaces_the_old_one(run: Run, cast: Cast) -> None:
    assert run("member", "password", "carla", "--password-stdin", input="quite another one\n").exit_code == 0
    with transaction() as session:
        assert check_password(find.member_by_handle(session, "carla"), "quite another one")


def test_an_unknown_member_is_named(run: Run) -> None:
    for command in ("disable", "token"):
        done = run("member", command, "zoe")
        assert done.exit_code == 1
        assert "There is no member “zoe”" in done.stderr
