"""Compares the configurations for proxies with the code: their limits and headers are those of the web."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.web.live import HEARTBEAT_SECONDS
from config import Config
from tests.docs.test_docs import text

UNITS = {"m": 1024 * 1024, "MiB": 1024 * 1024}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    environment = {"SIGNALBOX_HOME": str(tmp_path)}
    Config.from_env(environment, opens_secrets=True)  # creates the keys, as `flask migrate` does
    return create_app(Config.from_env(environment))


@pytest.mark.parametrize(
    ("file", "setting"),
    [
        ("nginx.conf", r"client_max_body_size (\d+)(m);"),
        ("Caddyfile", r"max_size (\d+)(MiB)\n"),
        ("Caddyfile", r"request_buffers (\d+)(MiB)\n"),
    ],
)
def test_a_proxy_takes_and_keeps_the_largest_request_of_the_web(app: Flask, file: str, setting: str) -> None:
    [(number, unit)] = re.findall(setting, text(f"docs/{file}"))
    assert int(number) * UNITS[unit] == app.config["MAX_CONTENT_LENGTH"]


@pytest.mark.parametrize("file", ["nginx.conf", "Caddyfile"])
def test_a_proxy_knows_every_stream_and_waits_longer_than_its_heartbeat(app: Flask, file: str) -> None:
    streams = [rule.rule for rule in app.url_map.iter_rules() if rule.rule.endswith("/stream")]
    assert sorted(streams) == ["/api/v1/stream", "/stream"]
    known = {"nginx.conf": "location ~ ^(/api/v1)?/stream$ {", "Caddyfile": "@stream path /stream /api/v1/stream\n"}
    words = text(f"docs/{file}").split(known[file])[1]
    [minutes] = re.findall(r"read_timeout (\d+)m", words)
    assert int(minutes) * 60 > 2 * HEARTBEAT_SECONDS
    assert f"every {HEARTBEAT_SECONDS} seconds" in text(f"docs/{file}")
