"""The states of a copy, one test per transition. The diagrams are in `copy.py`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.inbox.conversations.copy import Copy

INBOX, ARCHIVE, JUNK = 1, 2, 3
APP = Path(__file__).parents[2] / "app"
#: Columns that only verbs change, here and in `registers.py`.
OWNED = (
    *("gone_at", "gone_pull", "unmatched_since", "beside_pull", "pushing", "earlier", "refuses", "moves_refused"),
    *("wanted_folder_id", "moving_folder_id", "left_behind", "came_from_folder_id", "push_needed", "lacks_room"),
)
#: Names that mean a copy's column only after a copy.
SHARED = ("shown", "held", "refused", "keywords", "folder_id", "uid", "uidvalidity")


def copy(**columns: object) -> Copy:
    """A copy at rest in the inbox, which shows that carla owns it."""
    rest = {
        "folder_id": INBOX,
        "uidvalidity": 7,
        "uid": 10,
        "keywords": ["\\Seen", "assigned-carla"],
        "shown": ["assigned-carla"],
        "earlier": [],
        "refused": 0,
        "refuses": [],
        "held": [],
        "moves_refused": 0,
        "left_behind": False,
    }
    return Copy(**(rest | columns))


def presence(one: Copy) -> tuple[bool, bool, int | None]:
    """Whether it exists, whether it is unmatched, and in which pull it disappeared."""
    return one.live, one.unmatched_since is not None, one.gone_pull


def writing(one: Copy) -> list[str] | None:
    return one.pushing


def place(one: Copy) -> tuple[int, int | None, int | None, bool]:
    """Its folder, wanted folder and move target, and whether it was left behind."""
    return one.folder_id, one.wanted_folder_id, one.moving_folder_id, one.left_behind


def test_a_copy_that_is_gone_keeps_what_it_showed_and_was_to_show() -> None:
    one = copy(pushing=["state-closed"], wanted_folder_id=ARCHIVE)
    one.went(5)
    assert presence(one) == (False, False, 5)
    assert place(one) == (INBOX, None, None, False)
    assert (one.shown, one.pushing) == (["assigned-carla"], ["state-closed"])


def test_an_unmatched_copy_is_there_until_it_is_found_or_gone() -> None:
    one = copy(pushing=["state-closed"], refused=2, refuses=["tag-a"])
    one.unmatch()
    assert (presence(one), writing(one)) == ((True, True, None), None)
    one.matched()
    assert (presence(one), one.refused, one.refuses) == ((True, False, None), 0, [])
    one.unmatch()
    one.went(None)
    assert presence(one) == (False, False, None)


def test_a_write_ends_with_the_keywords_that_the_server_accepted() -> None:
    one = copy()
    one.begin_write({"state-closed", "tag-new"})
    assert writing(one) == ["state-closed", "tag-new"]
    one.wrote({"state-closed", "tag-new"}, added=["state-closed"], removed={"assigned-carla"}, pull=3)
    assert writing(one) is None
    assert one.shown == ["state-closed"]
    assert one.keywords == ["\\Seen", "state-closed"]
    assert one.earlier == [[3, ["assigned-carla"]], [3, ["state-closed", "tag-new"]]]


def test_a_flag_that_is_not_ours_is_written_but_not_shown() -> None:
    one = copy()
    one.begin_write({"assigned-carla"})
    one.wrote({"assigned-carla"}, added=["\\Answered"], removed=set(), pull=3)
    assert one.shown == ["assigned-carla"]
    assert one.keywords == ["\\Seen", "assigned-carla", "\\Answered"]


def test_a_write_that_never_came_is_forgotten() -> None:
    one = copy(pushing=["state-closed"])
    one.end_write()
    assert (writing(one), one.shown) == (None, ["assigned-carla"])


def test_names_refused_three_times_in_a_row_are_given_up() -> None:
    one = copy()
    for _ in range(2):
        one.count_refused({"tag-a"}, most=3)
    one.count_refused(set(), most=3)
    assert (one.refused, one.refuses) == (0, [])
    for _ in range(3):
        one.count_refused({"tag-a"}, most=3)
    assert (one.refused, one.refuses) == (0, ["tag-a"])


def test_a_look_ends_a_write_and_is_remembered() -> None:
    one = copy(pushing=["state-closed"])
    one.saw(["\\Recent", "state-closed"], shown={"state-closed"}, held=[], pull=4)
    assert (one.keywords, one.shown, one.pushing) == (["state-closed"], ["state-closed"], None)
    assert one.earlier == [[4, ["assigned-carla"]], [4, ["state-closed"]]]
    one.saw([], shown={"assigned-carla"}, held={"assigned-carla"}, pull=6)
    assert (one.shown, one.held) == (["assigned-carla"], ["assigned-carla"])
    assert one.earlier == [[6, ["state-closed"]]], "of the last two pulls"


@pytest.mark.parametrize(("lost", "shown"), [(True, []), (False, ["assigned-carla"])])
def test_a_name_that_waits_for_nobody_is_let_go_or_stays_shown(lost: bool, shown: list[str]) -> None:
    one = copy(held=["assigned-carla"])
    one.stop_holding(["assigned-carla"], lost=lost)
    assert (one.held, one.shown) == ([], shown)


def test_a_pending_decision_follows_the_mail() -> None:
    one = copy(shown=[])
    one.take_held(copy(held=["assigned-carla"]))
    assert (one.held, one.shown) == (["assigned-carla"], ["assigned-carla"])


def test_a_new_wish_is_for_another_folder_and_forgets_rejections() -> None:
    one = copy(moves_refused=2)
    one.want_in(ARCHIVE)
    assert place(one) == (INBOX, ARCHIVE, None, False)
    assert (one.destination_id, one.is_to_move, one.moves_refused) == (ARCHIVE, True, 0)
    one.want_in(INBOX)
    assert place(one) == (INBOX, None, None, False)
    assert (one.destination_id, one.is_to_move) == (INBOX, False)


def test_a_move_that_the_server_made_settles_the_wish() -> None:
    one = copy()
    one.want_in(ARCHIVE)
    one.begin_move()
    assert place(one) == (INBOX, ARCHIVE, ARCHIVE, False)
    one.moved_to(ARCHIVE, 9, 20)
    assert (one.uidvalidity, one.uid) == (9, 20)
    assert place(one) == (ARCHIVE, None, None, False)
    assert writing(one) == [], "until a pull has seen which names came along"


def test_a_copy_called_back_while_it_moved_is_wanted_where_it_was() -> None:
    one = copy()
    one.want_in(ARCHIVE)
    one.begin_move()
    one.want_in(INBOX)
    one.moved_to(ARCHIVE, 9, 20)
    assert place(one) == (ARCHIVE, INBOX, None, False)


def test_a_copy_wanted_elsewhere_while_it_moved_goes_on() -> None:
    one = copy()
    one.want_in(ARCHIVE)
    one.begin_move()
    one.want_in(JUNK)
    one.moved_to(ARCHIVE, 9, 20)
    assert place(one) == (ARCHIVE, JUNK, None, False)


def test_a_move_that_never_came_is_still_wanted() -> None:
    one = copy(wanted_folder_id=ARCHIVE)
    one.begin_move()
    one.move_ended()
    assert place(one) == (INBOX, ARCHIVE, None, False)


def test_a_move_is_given_up_unless_the_wish_is_another_by_now() -> None:
    one = copy(wanted_folder_id=ARCHIVE, moves_refused=3, left_behind=True)
    assert not one.give_up_move(JUNK)
    assert place(one) == (INBOX, ARCHIVE, None, False)
    one.count_refused_move()
    assert one.give_up_move(ARCHIVE)
    assert (place(one), one.moves_refused) == ((INBOX, None, None, False), 0)


def test_half_a_move_leaves_the_original_behind_until_it_is_deleted() -> None:
    original, new = copy(wanted_folder_id=ARCHIVE), copy(folder_id=ARCHIVE, uid=20, came_from_folder_id=None)
    original.begin_move()
    new.finish_move_of(original)
    assert (place(original), place(new)) == ((INBOX, ARCHIVE, ARCHIVE, True), (ARCHIVE, None, None, False))
    original.move_ended()
    original.begin_move()
    assert place(original) == (INBOX, ARCHIVE, None, True), "no second COPY is begun"
    original.deleted()
    assert (place(original), original.keywords[-1]) == ((INBOX, None, None, False), "\\Deleted")


def test_the_wish_follows_a_move_whose_answer_was_lost() -> None:
    original, new = copy(wanted_folder_id=JUNK, moving_folder_id=ARCHIVE), copy(folder_id=ARCHIVE, uid=20)
    new.finish_move_of(original)
    assert place(new) == (ARCHIVE, JUNK, None, False)
    original.went(4)
    new = copy(folder_id=ARCHIVE, uid=21)
    new.finish_move_of(original)
    assert (place(new), place(original)) == ((ARCHIVE, None, None, False), (INBOX, None, None, True))


def test_the_only_copy_of_a_mail_is_kept() -> None:
    one = copy(left_behind=True)
    one.keep()
    assert not one.is_to_move


def test_after_a_reset_the_new_copy_takes_the_place_of_the_old() -> None:
    old, new = copy(wanted_folder_id=ARCHIVE, came_from_folder_id=JUNK, held=["x"], left_behind=True), copy(uid=11)
    new.replace(old)
    state = (new.wanted_folder_id, new.came_from_folder_id, new.held, new.left_behind)
    assert state == (ARCHIVE, JUNK, ["x"], True)


def test_only_conversations_assign_their_columns() -> None:
    owned = rf"\.(?:{'|'.join(OWNED)})\b[^=\n]*[^=!<>]=(?!=)"
    shared = rf"\b(?:copy|copies\[[^\]]*\]|old|went|original|one)\.(?:{'|'.join(SHARED)})\b[^=\n(]*[^=!<>]=(?!=)"
    statements = r"UPDATE (?:copy|conversation) SET.*?(?:WHERE|FROM)|update\((?:Copy|Conversation)\).*?\.values\(.*?\)"
    found: list[str] = []
    for path in (path for path in APP.rglob("*.py") if "conversations" not in path.parts):
        code = path.read_text(encoding="utf-8")
        lines = re.findall(rf"^\s+[\w.]*(?:{owned}|{shared}).*", code, re.MULTILINE)
        sql = [s for s in re.findall(statements, code, re.DOTALL) if re.search(rf"\b(?:{'|'.join(OWNED)})\s*=", s)]
        found += [f"{path.relative_to(APP)}: {line.strip()}" for line in (*lines, *sql)]
    assert found == []
