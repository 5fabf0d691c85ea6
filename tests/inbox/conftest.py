"""Tests of the domain share one cast, each in a transaction that is rolled back at the end.

A test with several sessions uses `database`, which is its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app import db
from app.inbox.actor import Actor
from app.inbox.conversations.conversation import Conversation
from local.postgres import LocalPostgres
from tests.cast import Cast, acting, bring_eva_and_sales, bring_on_stage, conversation
from tests.database import Scenes, new_database


@pytest.fixture(scope="session")
def _stage(postgres: LocalPostgres, template: str) -> Iterator[tuple[Engine, Cast]]:
    with new_database(postgres, template) as url:
        engine = db.connect(url)
        with db.transaction() as session:
            cast = bring_on_stage(session)
        yield engine, cast
        engine.dispose()


@pytest.fixture
def cast(request: pytest.FixtureRequest) -> Cast:
    if "database" in request.fixturenames:
        request.getfixturevalue("database")
        scenes: Scenes = request.getfixturevalue("scenes")
        return scenes.bring(bring_on_stage)
    stage: tuple[Engine, Cast] = request.getfixturevalue("_stage")
    return stage[1]


@pytest.fixture
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    if "database" in request.fixturenames:
        request.getfixturevalue("database")
        with Session(db.engine(), expire_on_commit=False) as session:
            yield session
        return
    engine, _ = request.getfixturevalue("_stage")
    with engine.connect() as connection, connection.begin() as everything:
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            yield session
        everything.rollback()


@pytest.fixture
def whole_cast(cast: Cast, session: Session) -> Cast:
    bring_eva_and_sales(session)
    return cast


@pytest.fixture
def c(cast: Cast, session: Session) -> Conversation:
    return conversation(session)


@pytest.fixture
def carla(cast: Cast, session: Session) -> Actor:
    return acting(session, "carla")


@pytest.fixture
def ben(cast: Cast, session: Session) -> Actor:
    return acting(session, "ben")
