"""Responses are compressed: built files as the build left them, pages and documents when sent."""

from __future__ import annotations

import gzip
import re

import pytest

from app.web.assets import DIST
from tests.cast import Cast
from tests.web.conftest import Browser

_ANY = {"Accept-Encoding": "gzip, deflate, br"}


def stylesheet(nobody: Browser) -> str:
    found = re.search(r'href="(/static/[^"]+\.css)"', nobody.get("/sign-in").text)
    assert found
    return found[1]


@pytest.mark.parametrize(("accepted", "encoding", "ending"), [("gzip, br", "br", ".br"), ("gzip", "gzip", ".gz")])
def test_a_built_file_travels_as_the_build_compressed_it(
    nobody: Browser, accepted: str, encoding: str, ending: str
) -> None:
    address = stylesheet(nobody)
    answer = nobody.get(address, headers={"Accept-Encoding": accepted})
    assert answer.headers["Content-Encoding"] == encoding
    assert answer.mimetype == "text/css"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    assert answer.data == (DIST / (address.removeprefix("/static/") + ending)).read_bytes()
    answer.close()


def test_a_browser_that_takes_no_compression_gets_the_file_itself(nobody: Browser) -> None:
    answer = nobody.get(stylesheet(nobody), headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in answer.headers
    assert answer.data.startswith(b"@charset")
    answer.close()


def test_a_file_that_is_not_there_is_404_however_it_is_asked_for(nobody: Browser) -> None:
    for path in ("/static/nowhere.css", "/static/../config.py", "/static/manifest.json.br"):
        assert nobody.get(path, headers=_ANY).status_code == 404


def test_a_page_travels_compressed_and_is_the_same(carla: Browser, cast: Cast) -> None:
    path = f"/m/{cast.support}/open"
    packed = carla.get(path, headers=_ANY)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert {"Accept-Encoding", "Cookie"} <= set(packed.headers["Vary"].split(", "))
    assert int(packed.headers["Content-Length"]) == len(packed.data)
    plain = carla.get(path, headers={"Accept-Encoding": "identity"})
    shown = re.compile(r"(?s)<h1>.*?</h1>")
    assert shown.findall(gzip.decompress(packed.data).decode()) == shown.findall(plain.text)


def test_the_length_of_a_compressed_page_varies(carla: Browser, cast: Cast) -> None:
    """Otherwise a correct guess would show in the length (BREACH)."""
    lengths = {len(carla.get(f"/m/{cast.support}/open", headers=_ANY).data) for _ in range(20)}
    assert len(lengths) > 3


def test_short_responses_are_not_compressed(nobody: Browser) -> None:
    assert "Content-Encoding" not in nobody.get("/healthz", headers=_ANY).headers
