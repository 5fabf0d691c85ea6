from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.mail.child import MailParser
from local.dovecot import LocalDovecot
from tests.cast import Cast
from tests.clients.mbsync import Mbsync
from tests.clients.neomutt import NeoMutt
from tests.clients.offlineimap import OfflineImap
from tests.clients.scene import Scene
from tests.dovecot import fresh_account
from tests.faults.conftest import LONG
from tests.proxy import proxied
from tests.sync.stage import connected


@pytest.fixture(scope="session")
def parser() -> Iterator[MailParser]:
    with MailParser() as parser:
        yield parser


@pytest.fixture(params=["sdbox", "maildir"] if LONG else ["sdbox"])
def scene(request: pytest.FixtureRequest, parser: MailParser, cast: Cast) -> Iterator[Scene]:
    """A connected mailbox without mail."""
    server: LocalDovecot = request.getfixturevalue(f"{request.param}_server")
    with connected(fresh_account(server), parser) as stage:
        stage.round()  # there is nothing to import
        yield Scene(stage)


@pytest.fixture
def mbsync(scene: Scene, tmp_path: Path) -> Mbsync:
    return Mbsync.of(tmp_path / "mbsync", scene.account.server)


@pytest.fixture
def offlineimap(scene: Scene, tmp_path: Path) -> OfflineImap:
    return OfflineImap.of(tmp_path / "offlineimap", scene.account.server)


@pytest.fixture
def neomutt(scene: Scene, tmp_path: Path) -> NeoMutt:
    return NeoMutt.of(tmp_path / "neomutt", scene.account.server)


@pytest.fixture
def offlineimap_without_uidplus(scene: Scene, tmp_path: Path) -> Iterator[OfflineImap]:
    """It finds its uploads by an `X-OfflineIMAP` line that it adds."""
    server = scene.account.server
    with proxied(server.port, hides=["UIDPLUS"]) as proxy:
        yield OfflineImap.of(tmp_path / "offlineimap", replace(server, port=proxy.port))
