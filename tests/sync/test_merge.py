"""The merge, case by case: what a copy showed and shows, our value and the agreed value -> the verdict. Pure."""

from __future__ import annotations

import pytest

from app.inbox.mailboxes.vocabulary import STAR, State, Vocabulary
from app.inbox.status import Status
from app.sync.meaning.merge import MANY, Many, News, Sight, Verdict, merge, read

WORDS = Vocabulary(
    owners={"todo-ben": "ben"},
    statuses={"waiting": Status.PENDING},
    tags={"billing": "billing", "invoice": "billing", "vip": "vip"},
)
NOBODY = State()
CARLA = State(owner="carla")
BEN = State(owner="ben")
BILLED = State(tags=frozenset({"billing"}))


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def judged(shown: str, now: str, ours: State, agreed: State, **told: object) -> list[News]:
    pushing = told.get("pushing")
    sight = Sight(
        names(now), names(shown), None if pushing is None else names(str(pushing)), fading=bool(told.get("fading"))
    )
    return merge(sight, ours, agreed, WORDS)


def owner(verdict: Verdict, value: str | None) -> list[News]:
    return [News("owner", verdict, value)]


def status(verdict: Verdict, value: Status) -> list[News]:
    return [News("status", verdict, value)]


@pytest.mark.parametrize(
    ("now", "shown", "ours", "value"),
    [
        ("", "", "carla", None),
        ("", "carla", "carla", None),
        ("ben", "", None, "ben"),
        ("ben", "carla", "carla", "ben"),
        ("ben", "ben", "carla", "ben"),
        ("ben carla", "carla", "carla", "ben"),
        ("ben carla", "ben carla", "carla", "carla"),
        ("ben carla", "ben carla", "zoe", MANY),
        ("ben carla", "", None, MANY),
        ("ben carla zoe", "carla", "carla", MANY),
        ("ben zoe", "ben carla zoe", "ben", "ben"),
    ],
)
def test_one_value_is_read_from_several_names(now: str, shown: str, ours: str | None, value: str | Many | None) -> None:
    assert read(names(now), names(shown), ours) == value


@pytest.mark.parametrize(
    ("case", "shown", "now", "ours", "agreed", "news"),
    [
        ("nothing changed", "assigned-carla", "assigned-carla", CARLA, CARLA, []),
        ("nothing changed here, ours did", "assigned-carla", "assigned-carla", BEN, CARLA, []),
        ("claimed outside", "", "assigned-carla", NOBODY, NOBODY, owner(Verdict.ADOPT, "carla")),
        ("claimed on both sides alike", "", "assigned-carla", CARLA, NOBODY, owner(Verdict.AGREE, "carla")),
        ("claimed on both sides", "", "assigned-ben", CARLA, NOBODY, owner(Verdict.CONFLICT, "ben")),
        ("released outside", "assigned-carla", "", CARLA, CARLA, owner(Verdict.ADOPT, None)),
        ("released outside, ours changed", "assigned-carla", "", BEN, CARLA, owner(Verdict.CONFLICT, None)),
        ("one more name", "assigned-carla", "assigned-carla assigned-ben", CARLA, CARLA, owner(Verdict.ADOPT, "ben")),
        ("two new names", "", "assigned-zoe assigned-ben", NOBODY, NOBODY, owner(Verdict.CONFLICT, "ben, zoe")),
        ("an unknown name", "", "assigned-zoe", NOBODY, NOBODY, owner(Verdict.ADOPT, "zoe")),
        ("a mapped name", "", "todo-ben", NOBODY, NOBODY, owner(Verdict.ADOPT, "ben")),
        ("default beside mapped", "assigned-ben", "assigned-ben todo-ben", BEN, BEN, owner(Verdict.AGREE, "ben")),
        ("a prefix alone is no name of ours", "", "assigned-", NOBODY, NOBODY, []),
    ],
)  # fmt: skip
def test_owners_are_merged(case: str, shown: str, now: str, ours: State, agreed: State, news: list[News]) -> None:
    assert judged(shown, now, ours, agreed) == news


@pytest.mark.parametrize(
    ("case", "shown", "now", "ours", "agreed", "news"),
    [
        ("closed outside", "", "state-closed", "open", "open", status(Verdict.ADOPT, Status.CLOSED)),
        ("opened outside", "state-closed", "", "closed", "closed", status(Verdict.ADOPT, Status.OPEN)),
        ("a client's spelling of spam", "", "junk", "open", "open", status(Verdict.ADOPT, Status.SPAM)),
        ("a mapped name", "", "waiting", "open", "open", status(Verdict.ADOPT, Status.PENDING)),
        ("both changed it", "", "state-pending", "closed", "open", status(Verdict.CONFLICT, Status.PENDING)),
        ("both alike", "", "state-closed", "closed", "open", status(Verdict.AGREE, Status.CLOSED)),
        ("no state of ours", "", "state-open", "open", "open", []),
    ],
)  # fmt: skip
def test_statuses_are_merged(case: str, shown: str, now: str, ours: str, agreed: str, news: list[News]) -> None:
    assert judged(shown, now, State(status=Status(ours)), State(status=Status(agreed))) == news


@pytest.mark.parametrize(
    ("now", "ours", "agreed", "verdict", "first", "other"),
    [
        ("state-closed state-pending", "open", "open", Verdict.ADOPT, Status.PENDING, Status.CLOSED),
        ("$junk state-closed", "open", "open", Verdict.ADOPT, Status.CLOSED, Status.SPAM),
        ("state-closed $junk", "closed", "open", Verdict.AGREE, Status.CLOSED, Status.SPAM),
        ("state-closed $junk", "pending", "open", Verdict.CONFLICT, Status.CLOSED, Status.SPAM),
    ],
)
def test_of_two_new_statuses_the_more_open_one_counts_and_the_other_is_seen(
    now: str, ours: str, agreed: str, verdict: Verdict, first: Status, other: Status
) -> None:
    news = judged("", now, State(status=Status(ours)), State(status=Status(agreed)))
    assert news == [*status(verdict, first), *status(Verdict.CONFLICT, other)]


@pytest.mark.parametrize(
    ("case", "shown", "now", "ours", "news"),
    [
        ("tagged outside", "", "vip", NOBODY, [News("tag", Verdict.ADOPT, True, "vip")]),
        ("untagged outside", "vip", "", State(tags=names("vip")), [News("tag", Verdict.ADOPT, False, "vip")]),
        ("tagged by an alias", "", "invoice", NOBODY, [News("tag", Verdict.ADOPT, True, "billing")]),
        ("an alias for it", "billing", "invoice", BILLED, [News("tag", Verdict.AGREE, True, "billing")]),
        ("no tag of ours", "", "urgent", NOBODY, []),
        ("starred outside", "", STAR, NOBODY, [News("star", Verdict.ADOPT, True)]),
        ("unstarred outside", STAR, "", State(star=True), [News("star", Verdict.ADOPT, False)]),
    ],
)  # fmt: skip
def test_tags_and_stars_never_conflict(case: str, shown: str, now: str, ours: State, news: list[News]) -> None:
    assert judged(shown, now, ours, State(star=not ours.star)) == news


def test_registers_are_merged_one_by_one() -> None:
    news = judged("assigned-carla", "assigned-carla state-closed vip", BEN, CARLA)
    assert news == [*status(Verdict.ADOPT, Status.CLOSED), News("tag", Verdict.ADOPT, True, "vip")]


@pytest.mark.parametrize(
    ("case", "shown", "pushing", "now", "news"),
    [
        ("nothing written yet", "assigned-ben", "assigned-carla", "assigned-ben", []),
        ("added, not yet removed", "assigned-ben", "assigned-carla", "assigned-ben assigned-carla", []),
        ("all written", "assigned-ben", "assigned-carla", "assigned-carla", []),
        ("release written", "assigned-ben", "", "", []),
        ("a client wrote in between", "assigned-ben", "assigned-carla", "assigned-zoe", owner(Verdict.CONFLICT, "zoe")),
    ],
)
def test_the_result_of_our_own_write_is_an_echo(
    case: str, shown: str, pushing: str, now: str, news: list[News]
) -> None:
    assert judged(shown, now, CARLA, BEN, pushing=pushing) == news


def test_names_falling_off_an_old_copy_are_no_news_but_the_star_is() -> None:
    held = State("carla", Status.CLOSED, True, names("vip"))
    shown = f"assigned-carla state-closed vip {STAR}"
    assert judged(shown, "", held, held, fading=True) == [News("star", Verdict.ADOPT, False)]
    assert judged(shown, f"assigned-ben state-closed vip {STAR}", held, held, fading=True) == owner(
        Verdict.ADOPT, "ben"
    )
