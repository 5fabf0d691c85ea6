"""Search vectors equal those that Postgres makes of the same words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.mail.parse import parse
from app.searchable import PLACES_UNKNOWN, WEIGHTS, indexed
from app.vectors import vector
from tests.vectors import places_of

_AS_POSTGRES = " || ".join(
    f"setweight(to_tsvector('simple', :{kind}), '{weight or 'D'}')" for kind, weight in WEIGHTS.items()
)
_BOTH = text(f"SELECT ({_AS_POSTGRES} || strip(to_tsvector('simple', :rest)))::text, CAST(:ours AS tsvector)::text")
#: Postgres splits a word that begins like a number with an exponent: "12e5f" becomes "12e5" and "f".
_NUMBER = re.compile(r"\b\d+e\d+[^\s\d]\S*")
_LETTERS = "abcdeßøñŁ 0123456789 αβγ бжя שלום مرحبا 안녕 日本語 ไทย हिन्दी é🎂 -_.'@"
_MAILS = sorted((Path(__file__).parents[1] / "mails").glob("*.eml"))


def assert_alike(session: Session, rest: str = "", **texts: str) -> None:
    words = {kind: _NUMBER.sub(" ", texts.get(kind, "")) for kind in WEIGHTS}
    ours = vector([(words[kind], weight) for kind, weight in WEIGHTS.items()], rest)
    theirs, read = session.execute(_BOTH, {**words, "rest": rest, "ours": ours}).one()
    assert read == theirs


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(st.lists(st.text(_LETTERS, max_size=300), min_size=4, max_size=4))
def test_any_words_give_the_vector_that_postgres_makes(session: Session, texts: list[str]) -> None:
    assert_alike(session, **{kind: indexed(words, 1000) for kind, words in zip(WEIGHTS, texts, strict=True)})


@pytest.mark.parametrize("path", _MAILS, ids=lambda path: path.stem)
def test_odd_mails_give_the_same_vectors(session: Session, path: Path) -> None:
    parsed = parse(path.read_bytes())
    subject, words = indexed(parsed.subject, 5000), indexed(parsed.text, 150_000)
    assert_alike(session, subject=subject, words=words)
    assert session.scalar(text("SELECT CAST(:ours AS tsvector) IS NOT NULL"), {"ours": parsed.searched})


@pytest.mark.parametrize(
    "words",
    [
        " ".join(f"w{n}" for n in range(16_500)),
        "again " * 300,
        "again and " * 300,
        " ".join(f"w{n % 40}" for n in range(16_500)),
        "again " * 255,
        "x" * 2046 + " after",
        "x" * 2047 + " after",
        "ж" * 1023 + " after " + "ж" * 1024 + " last",
    ],
    ids=["places", "one word", "two words", "few words", "as often as kept", "long", "too long", "too many bytes"],
)
@pytest.mark.parametrize("kind", ["to", "words"])
def test_long_texts_and_words_are_cut_as_postgres_cuts_them(session: Session, kind: str, words: str) -> None:
    assert_alike(session, rest=f"again rest {PLACES_UNKNOWN}", **{"subject": "again w1 after", kind: words})
    assert_alike(session, subject="again again", to=words, words=words)


def test_a_word_that_begins_like_a_number_is_one_word() -> None:
    assert places_of(vector([("12e5f 3 12e5f", "A")])) == {"12e5f": [(1, "A"), (3, "A")], "3": [(2, "A")]}


def test_words_that_do_not_fit_into_a_vector_are_left_out(session: Session) -> None:
    words = " ".join(f"{number:0>2000}" for number in range(600))
    kept = places_of(vector([("subject", "A"), (words, "")]))
    assert 500 < len(kept) < 600
    assert "subject" in kept
    read = session.scalar(
        text("SELECT length(CAST(:ours AS tsvector))"), {"ours": vector([("subject", "A"), (words, "")])}
    )
    assert read == len(kept)
