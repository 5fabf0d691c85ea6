"""The pages for monitors: without a sign-in, and figures with a separate token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import make_url

from app.clock import now
from app.db import transaction
from app.inbox.mailboxes.failure import count_failure
from app.inbox.mailboxes.mailbox import Mailbox
from tests.cast import Cast, acting, arrival, arrive, conversation, mailbox
from tests.web.conftest import Browser

TOKEN = {"Authorization": "Bearer a-token-for-metrics"}


@pytest.fixture
def monitor(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    config = replace(app.config["SIGNALBOX"], metrics_token="a-token-for-metrics")
    monkeypatch.setitem(app.config, "SIGNALBOX", config)
    with app.test_client() as client:
        yield client


def figures(monitor: FlaskClient) -> dict[str, str]:
    """Each sample by its name and labels, in a document that follows Prometheus's text format exactly."""
    answer = monitor.get("/metrics", headers=TOKEN)
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    found: dict[str, str] = {}
    announced = ""
    for line in answer.text.splitlines():
        if about := re.fullmatch(r"# (?:HELP|TYPE) (signalbox_\w+) .+", line):
            announced = about[1]
            continue
        sample = re.fullmatch(r'((\w+)\{\w+="(?:[^"\\]|\\.)*"(?:,\w+="(?:[^"\\]|\\.)*")*\}) (-?\d+(?:\.\d+)?)', line)
        assert sample, line
        assert sample[2] == announced
        found[sample[1]] = sample[3]
    return found


def test_without_a_token_in_the_settings_there_are_no_metrics(nobody: Browser, cast: Cast) -> None:
    assert nobody.get("/metrics", headers=TOKEN).status_code == 404
    assert nobody.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Bearer wrong", "Bearer a-token-for-metric", "Basic YTpi", "é"]
)
def test_without_the_token_there_are_no_figures(monitor: FlaskClient, given: str) -> None:
    answer = monitor.get("/metrics", headers={"Authorization": given})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "signalbox_" not in answer.text


def test_a_sign_in_or_a_token_of_the_api_opens_no_metrics(monitor: FlaskClient, carla: Browser) -> None:
    assert carla.get("/metrics").status_code == 401


def test_the_figures_are_those_of_each_mailbox(monitor: FlaskClient, cast: Cast) -> None:
    with transaction() as session:
        box = mailbox(session)
        first = conversation(session)
        arrive(session, arrival(box, references=(first.messages[0].message_id,)), arrival(box))
        conversation(session).claim(by=acting(session, "carla"))
        box.pulls, box.last_round_at, box.holder_beat_at = 7, now(), now()
        for kind in ("unreachable", "unreachable", "refused"):
            count_failure(session, box.id, kind)
    found = figures(monitor)
    expected = {
        'signalbox_mailbox_state{mailbox="Support",state="ok"}': "1",
        'signalbox_mailbox_state{mailbox="Support",state="failing"}': "0",
        'signalbox_mailbox_served{mailbox="Support"}': "1",
        'signalbox_mailbox_served{mailbox="Billing"}': "0",
        'signalbox_rounds_total{mailbox="Support"}': "7",
        'signalbox_failures_total{mailbox="Support",kind="unreachable"}': "2",
        'signalbox_failures_total{mailbox="Support",kind="refused"}': "1",
        'signalbox_messages{mailbox="Support"}': "4",
        'signalbox_messages{mailbox="Billing"}': "0",
        'signalbox_waiting_push{mailbox="Support"}': "1",
        'signalbox_unassigned_conversations{mailbox="Support"}': "2",
        'signalbox_late_conversations{mailbox="Support",level="late"}': "2",
        'signalbox_late_conversations{mailbox="Support",level="over"}': "2",
        'signalbox_longest_wait_seconds{mailbox="Billing"}': "0",
        'signalbox_sign_ins_total{outcome="refused"}': "0",
    }
    assert {name: found.get(name) for name in expected} == expected
    assert float(found['signalbox_lag_seconds{mailbox="Support"}']) >= 0
    assert 'signalbox_lag_seconds{mailbox="Billing"}' not in found  # there was no round yet
    assert float(found['signalbox_longest_wait_seconds{mailbox="Support"}']) > 0


def test_whatever_a_mailbox_is_called_the_format_holds(monitor: FlaskClient, cast: Cast) -> None:
    with transaction() as session:
        session.get_one(Mailbox, cast.support).name = 'back\\slash "quoted" ünd\nmore'
    assert 'signalbox_rounds_total{mailbox="back\\\\slash \\"quoted\\" ünd\\nmore"}' in figures(monitor)


def test_figures_of_a_database_that_is_away_are_a_503(monitor: FlaskClient, database: str, cast: Cast) -> None:
    name = make_url(database).database
    admin = make_url(database).set(drivername="postgresql", database="postgres")
    with psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false".encode())
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        answer = monitor.get("/metrics", headers=TOKEN)
        connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true".encode())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
