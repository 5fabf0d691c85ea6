"""The local Postgres starts anywhere, keeps committed data, and does not mistake another server for its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local import postgres_programs
from local.places import LocalPartError, socket_folder
from local.postgres import LocalPostgres


@pytest.fixture
def server(home: Path) -> Iterator[LocalPostgres]:
    server = LocalPostgres(home, fast=True)
    yield server
    server.stop()
    server.remove()


def run(server: LocalPostgres, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.url().replace("+psycopg", ""), autocommit=True) as connection:
        answer = connection.execute(statement)
        return answer.fetchall() if answer.description else []


def test_a_new_home_gets_a_server_with_our_database(server: LocalPostgres) -> None:
    assert server.start() is True
    server.ensure_database()
    server.ensure_database()
    assert run(server, "SELECT current_database(), current_user") == [("signalbox", "postgres")]


def test_it_listens_on_no_network_address(server: LocalPostgres) -> None:
    server.start()
    server.ensure_database()
    assert run(server, "SHOW listen_addresses") == [("",)]


def test_committed_rows_survive_a_killed_server(server: LocalPostgres) -> None:
    server.start()
    server.ensure_database()
    run(server, "CREATE TABLE kept (word text)")
    run(server, "INSERT INTO kept VALUES ('still here')")
    os.kill(postmaster(server), signal.SIGKILL)
    assert server.start() is True
    assert run(server, "SELECT word FROM kept") == [("still here",)]


def test_a_second_process_finds_the_server_that_runs(server: LocalPostgres, home: Path) -> None:
    server.start()
    second = LocalPostgres(home)
    assert second.start() is False
    second.stop()
    assert server.ready(), "who did not start it does not stop it"


def test_a_lock_file_with_a_foreign_process_number_is_not_a_server(server: LocalPostgres) -> None:
    server.start()
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n")
    assert server.start() is True


def test_a_foreign_server_on_our_data_is_recognised(server: LocalPostgres, home: Path) -> None:
    command = server.prepare()
    elsewhere = socket_folder(home / "elsewhere", server.account, 20)
    foreign = subprocess.Popen(
        [*command, "-c", f"unix_socket_directories={elsewhere}"],
        env=server.environment,
        stderr=subprocess.DEVNULL,
        cwd="/",
        **server.account.switch(),
    )
    try:
        while not (elsewhere / ".s.PGSQL.5432").exists():
            assert foreign.poll() is None
        with pytest.raises(LocalPartError, match=f"Another Postgres .process {foreign.pid}"):
            server.start()
    finally:
        foreign.send_signal(signal.SIGINT)
        foreign.wait(30)


def test_data_of_another_version_is_refused_with_advice_what_to_install(server: LocalPostgres) -> None:
    server.account.owns(server.data)
    (server.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(LocalPartError, match="Install postgresql-9"):
        server.start()


def test_a_folder_that_is_not_a_database_is_left_alone(server: LocalPostgres) -> None:
    server.account.owns(server.data)
    (server.data / "thesis.odt").write_text("years of work")
    with pytest.raises(LocalPartError, match=r"is not a Postgres database\. Move it away"):
        server.start()
    assert (server.data / "thesis.odt").read_text() == "years of work"


def test_without_a_postgres_on_the_machine_the_wheel_serves(
    server: LocalPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = [folder / "bin" for folder in postgres_programs._wheel_folders()]
    monkeypatch.setattr(postgres_programs, "_candidates", lambda: iter(wheel))
    assert server.start() is True
    server.ensure_database()
    assert run(server, "SELECT to_tsvector('spanish', 'bicicletas') @@ to_tsquery('spanish', 'bicicleta')") == [(True,)]


def test_a_copy_of_the_wheel_is_removed_when_no_server_runs_from_it(
    server: LocalPostgres, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_programs, "SYSTEM_HOME", home / "system")
    install, *_ = postgres_programs._wheel_folders()
    copied = postgres_programs._copy_of_wheel(install) / "bin"
    monkeypatch.setattr(postgres_programs, "_candidates", lambda: iter([copied]))
    server.start()
    postgres_programs.remove_copies()
    assert (copied / "postgres").exists()
    server.stop()
    postgres_programs.remove_copies()
    assert list((home / "system").iterdir()) == []


def test_a_home_with_a_very_long_name_still_has_a_socket(home: Path) -> None:
    server = LocalPostgres(home / ("long" * 30), fast=True)
    try:
        assert server.start() is True
    finally:
        server.stop()
        server.remove()


def postmaster(server: LocalPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().splitlines()[0])
