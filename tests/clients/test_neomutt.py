"""A person works on the account with neomutt. Their acts count, and neomutt's own bookkeeping does not."""

from __future__ import annotations

import pytest

from app.inbox.conversations.conversation import Conversation
from tests.clients.neomutt import NeoMutt
from tests.clients.scene import Scene

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


CLOSED = ("assigned-carla", "state-closed")


@pytest.fixture(autouse=True)
def given(scene: Scene) -> None:
    """Carla closed hers, Ben owns and tagged his, and nobody has acted on the bare one."""
    scene.deliver("Hers", "His", "Bare")
    scene.stage.round()
    scene.act("Hers", Conversation.claim)
    scene.act("Hers", Conversation.close)
    scene.act("His", Conversation.claim, by="ben")
    scene.act("His", Conversation.tag, "billing", by="ben")
    scene.reckon()


def test_opening_the_mailbox_makes_no_tag(scene: Scene, neomutt: NeoMutt) -> None:
    neomutt.press("")
    found = scene.reckon()
    assert {subject: fate.tags for subject, fate in found.items()} == {"Hers": (), "His": ("billing",), "Bare": ()}
    assert found["Bare"].copies == (("INBOX", ("Old",)),)
    assert [kind for kind, _ in found["Bare"].history] == ["arrived"]


def test_a_flag_is_a_star(scene: Scene, neomutt: NeoMutt) -> None:
    neomutt.on("Hers", "<flag-message>")
    assert scene.reckon()["Hers"].starred
    neomutt.on("Hers", "<flag-message>")
    assert not scene.reckon()["Hers"].starred


def test_labels_are_keywords_both_ways(scene: Scene, neomutt: NeoMutt) -> None:
    neomutt.on("Bare", "<modify-labels>assigned-carla state-pending billing<enter>")
    found = scene.reckon()["Bare"]
    assert (found.owner, found.status, found.tags) == ("carla", "pending", ("billing",))
    neomutt.on("His", "<modify-labels><kill-line>assigned-ben state-closed<enter>")
    found = scene.reckon()["His"]
    assert (found.owner, found.status, found.tags) == ("ben", "closed", ())


def test_saving_to_a_folder_is_a_move(scene: Scene, neomutt: NeoMutt) -> None:
    for folder, to in (("INBOX", "Archive"), ("Archive", "INBOX")):
        neomutt.on("Hers", f"<save-message>={to}<enter>", folder=folder)
        found = scene.reckon()["Hers"]
        assert (found.owner, found.status) == ("carla", "closed")
        assert [(place, set(names) - {"Old"}) for place, names in found.copies] == [(to, set(CLOSED))]
        assert "moved" in dict(found.history)


def test_a_deleted_mail_is_gone(scene: Scene, neomutt: NeoMutt) -> None:
    neomutt.on("Hers", "<delete-message>")
    found = scene.reckon()["Hers"]
    assert (found.owner, found.status, found.copies) == ("carla", "closed", ())


def test_a_trash_is_a_place(scene: Scene, neomutt: NeoMutt) -> None:
    neomutt.on("Hers", "<delete-message>", settings="set trash = +Trash")
    found = scene.reckon()["Hers"]
    assert (found.owner, found.status, found.place) == ("carla", "closed", "trash")
    assert found.copies == (("Trash", CLOSED),)


def test_a_mail_marked_as_deleted_is_in_the_trash_until_it_is_unmarked(scene: Scene, neomutt: NeoMutt) -> None:
    neomutt.on("Hers", "<delete-message>", settings="set delete = no")
    assert scene.reckon()["Hers"].place == "trash"
    neomutt.on("Hers", "<undelete-message>")
    found = scene.reckon()["Hers"]
    assert (found.place, found.copies) == ("here", (("INBOX", ("Old", *CLOSED)),))


def test_a_mail_that_neomutt_uploads_again_with_a_label_is_the_same_mail(scene: Scene, neomutt: NeoMutt) -> None:
    neomutt.on("Hers", "<edit-label>urgent<enter>")
    found = scene.reckon()["Hers"]
    assert found.copies == (("INBOX", CLOSED),)
    assert found.history[-1] == ("moved", "mail client")
