"""A change on one side reaches the other, with its history: the core of the product, on a real Dovecot."""

from __future__ import annotations

from app.clock import now
from app.db import transaction
from app.inbox.conversations.conversation import Conversation
from app.inbox.history.event import EventKind
from tests.dovecot import mail
from tests.sync.stage import Stage, conversation, items, kinds, last_event


def test_a_new_mail_becomes_an_open_conversation_nobody_owns(stage: Stage) -> None:
    stage.round()
    stage.account.append(mail("A scale is broken"))
    stage.round()
    with transaction() as session:
        [item] = items(session, view="unassigned")
        assert (item.subject, item.status, item.assignee) == ("A scale is broken", "open", None)
        assert kinds(session, 1) == [EventKind.ARRIVED]


def test_existing_mail_is_imported_and_nothing_is_written(stage: Stage) -> None:
    uid = stage.account.append(mail("Old"))
    stage.account.add_flags(uid, "assigned-carla", "state-pending", "billing")
    stage.round()
    with transaction() as session:
        imported = conversation(session, 1)
        assert (imported.owner, imported.status) == ("carla", "pending")
        assert [tag.name for tag in imported.tags] == ["billing"]
        assert kinds(session, 1) == [EventKind.IMPORTED] * 2  # its arrival, with this owner and status
        assert not imported.mirrored
    assert stage.account.flags(uid) == {"assigned-carla", "state-pending", "billing"}


def test_a_mail_that_was_copied_to_a_new_server_keeps_the_time_of_its_delivery(stage: Stage) -> None:
    """A new mail has the time of the mail server, whatever the sender's clock or the header says."""
    received = b"Received: from a by b; Tue, 12 Mar 2019 09:20:00 +0100\r\n"
    old = mail("Copied", message_id="<copied@x>").replace(b"02 Nov 2026", b"12 Mar 2018")
    stage.account.append(received + old)
    stage.account.append(mail("Sent long ago", message_id="<sent@x>").replace(b"02 Nov 2026", b"12 Mar 2018"))
    stage.round()
    stage.account.append(received + old.replace(b"<copied@x>", b"<new@x>").replace(b"Copied", b"New"))
    stage.round()
    with transaction() as session:
        years = {item.subject: item.last_at.year for item in items(session)}
        assert years == {"Copied": 2019, "Sent long ago": 2018, "New": now().year}
        assert conversation(session, 1).waiting_since == conversation(session, 1).last_at


def test_a_claim_in_the_web_is_a_keyword_on_the_server(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.claim)
    stage.round()
    assert stage.shown() == {"assigned-carla"}
    stage.act(1, Conversation.close)
    stage.act(1, Conversation.star)
    stage.act(1, Conversation.tag, "billing", by="ben")
    stage.round()
    assert stage.shown() == {"assigned-carla", "state-closed", "\\Flagged", "billing"}
    stage.act(1, Conversation.release)
    stage.act(1, Conversation.reopen)
    stage.round()
    assert stage.shown() == {"\\Flagged", "billing"}
    with transaction() as session:
        done = conversation(session, 1)
        assert not done.push_needed
        assert done.agreed == done.state


def test_a_keyword_set_in_a_mail_client_is_an_act_with_its_line_in_the_history(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.account.add_flags(stage.uid(), "assigned-ben", "state-pending")
    stage.round()
    with transaction() as session:
        seen = conversation(session, 1)
        assert (seen.owner, seen.status) == ("ben", "pending")
        event = last_event(session, 1)
        assert event.source == "mail client"
        assert event.not_before is not None
        assert event.not_before < event.at
        assert kinds(session, 1)[1:] == [EventKind.ASSIGNED, EventKind.STATUS]
    stage.account.remove_flags(stage.uid(), "assigned-ben", "state-pending")
    stage.round()
    with transaction() as session:
        assert (conversation(session, 1).owner, conversation(session, 1).status) == (None, "open")


def test_an_outside_change_is_brought_to_the_other_copies(stage: Stage) -> None:
    stage.account.append(mail(message_id="<one@x>"))
    stage.account.append(mail(message_id="<two@x>", in_reply_to="<one@x>"))
    stage.round()
    first, second = stage.account.uids()
    stage.account.add_flags(second, "assigned-carla")
    stage.round()
    assert stage.account.flags(first) == stage.account.flags(second) == {"assigned-carla"}


def test_both_sides_changing_the_owner_is_a_conflict_that_ours_wins(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.claim)
    stage.account.add_flags(stage.uid(), "assigned-ben")
    stage.round()
    with transaction() as session:
        both = conversation(session, 1)
        assert both.owner == "carla"
        assert both.conflict is not None
        assert both.conflict["theirs"] == "ben"
        assert EventKind.CONFLICT in kinds(session, 1)
    stage.round()
    assert stage.shown() == {"assigned-carla"}


def test_a_reply_of_the_customer_opens_a_closed_conversation_and_gets_its_names(stage: Stage) -> None:
    stage.account.append(mail(message_id="<one@x>"))
    stage.round()
    stage.act(1, Conversation.claim)
    stage.act(1, Conversation.close)
    stage.round()
    second = stage.account.append(mail("Re: Hello", message_id="<two@x>", references="<one@x>"))
    stage.round()
    with transaction() as session:
        assert (conversation(session, 1).owner, conversation(session, 1).status) == ("carla", "open")
        assert kinds(session, 1)[-2:] == [EventKind.ARRIVED, EventKind.REOPENED]
    stage.round()
    assert stage.account.flags(second) == {"assigned-carla"}
    assert stage.shown() == {"assigned-carla"}


def test_a_client_that_moves_a_mail_releases_nobody(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.claim)
    stage.round()
    stage.account.move(stage.uid(), "Archive")
    stage.round()
    with transaction() as session:
        moved = conversation(session, 1)
        assert (moved.owner, moved.place) == ("carla", "here")
        assert kinds(session, 1)[-1] == EventKind.MOVED
    stage.round()
    assert stage.shown(folder="Archive") == {"assigned-carla"}


def test_spam_goes_to_junk_and_comes_back(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.mark_spam)
    stage.round()
    assert "$Junk" in stage.shown(folder="Junk")
    stage.act(1, Conversation.reopen)
    stage.round()
    assert "$NotJunk" in stage.shown(folder="INBOX")
    assert not stage.account.uids("Junk")


def test_a_client_moving_a_mail_into_junk_marks_it_as_spam(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.account.move(stage.uid(), "Junk")
    stage.round()
    with transaction() as session:
        assert conversation(session, 1).status == "spam"
    stage.round()
    stage.account.move(stage.uid(folder="Junk"), "INBOX", folder="Junk")
    stage.round()
    with transaction() as session:
        assert conversation(session, 1).status == "open"


def test_a_move_into_junk_that_is_seen_in_two_steps_marks_spam(stage: Stage) -> None:
    for step in ("expunged", "marked as deleted"):
        stage.account.append(mail(step))
        stage.round()
        uid = stage.account.uids()[-1]
        stage.account.copy(uid, "Junk")
        stage.round()
        if step == "expunged":
            stage.account.expunge(uid)
        else:
            stage.account.add_flags(uid, "\\Deleted")
        stage.round()
    with transaction() as session:
        assert {item.subject: item.status for item in items(session, view="spam")} == {
            "expunged": "spam",
            "marked as deleted": "spam",
        }


def test_a_copy_that_has_long_been_in_junk_makes_no_spam_when_the_original_goes(stage: Stage) -> None:
    uid = stage.account.append(mail())
    stage.round()
    stage.account.copy(uid, "Junk")
    for _ in range(3):
        stage.round()
    stage.account.expunge(uid)
    stage.round()
    with transaction() as session:
        assert conversation(session, 1).status == "open"
        assert EventKind.STATUS not in kinds(session, 1)


def test_trash_is_a_place_not_a_status(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.account.move(stage.uid(), "Trash")
    stage.round()
    with transaction() as session:
        assert conversation(session, 1).place == "trash"
        assert [item.number for item in items(session, view="trash")] == [1]
        assert items(session, view="open") == []


def test_a_deleted_mark_counts_as_trash_until_it_is_taken_off(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.account.add_flags(stage.uid(), "\\Deleted")
    stage.round()
    with transaction() as session:
        assert conversation(session, 1).place == "trash"
    stage.account.remove_flags(stage.uid(), "\\Deleted")
    stage.round()
    with transaction() as session:
        assert conversation(session, 1).place == "here"


def test_an_unknown_name_is_kept_and_the_conversation_can_be_claimed(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.account.add_flags(stage.uid(), "assigned-zoe")
    stage.round()
    with transaction() as session:
        [item] = items(session, view="unassigned")
        assert (item.assignee, item.assigned_name) == (None, "zoe")
    stage.act(1, Conversation.claim)
    stage.round()
    assert stage.shown() == {"assigned-carla"}


def test_an_observer_named_by_a_client_owns_nothing_and_the_conversation_can_be_claimed(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.account.add_flags(stage.uid(), "assigned-dora")
    stage.round()
    with transaction() as session:
        [item] = items(session, view="unassigned")
        assert (item.assignee, item.assigned_name) == (None, "dora")
    assert stage.shown() == {"assigned-dora"}
    stage.act(1, Conversation.claim)
    stage.round()
    assert stage.shown() == {"assigned-carla"}


def test_a_conflict_names_all_owners_that_the_server_shows(stage: Stage) -> None:
    uid = stage.account.append(mail("Old"))
    stage.account.add_flags(uid, "assigned-ben", "assigned-carla")
    stage.round()
    stage.account.append(mail("New"))
    stage.round()
    stage.account.add_flags(stage.uid(2), "assigned-zoe", "assigned-ben")
    stage.round()
    with transaction() as session:
        conflicts = [conversation(session, number).conflict for number in (1, 2)]
        assert [told and told["theirs"] for told in conflicts] == ["ben, carla", "ben, zoe"]
        assert last_event(session, 2).before == {"owner": "ben, zoe"}


def test_a_clients_own_tag_is_shown_and_left_alone_until_somebody_uses_it(stage: Stage) -> None:
    stage.account.append(mail(message_id="<one@x>"))
    stage.account.append(mail(message_id="<two@x>", references="<one@x>"))
    stage.round()
    first, second = stage.account.uids()
    stage.account.add_flags(first, "Urgent")
    stage.round()
    stage.act(1, Conversation.claim)
    stage.round()
    with transaction() as session:
        [tag] = conversation(session, 1).tags
        assert (tag.name, tag.adopted) == ("Urgent", False)
    assert stage.account.flags(second) == {"assigned-carla"}
    stage.act(1, Conversation.tag, "urgent")
    stage.round()
    assert stage.account.flags(first) == {"assigned-carla", "Urgent"}
    assert {flag.casefold() for flag in stage.account.flags(second)} == {"assigned-carla", "urgent"}
    stage.account.remove_flags(second, "Urgent")
    stage.round()
    assert stage.account.flags(first) == {"assigned-carla"}


def test_looking_is_shared_as_seen_and_a_client_may_take_it_back(stage: Stage) -> None:
    stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.mark_seen)
    stage.round()
    assert stage.shown() == {"\\Seen"}
    stage.account.remove_flags(stage.uid(), "\\Seen")
    stage.round()
    with transaction() as session:
        assert conversation(session, 1).unseen
    assert stage.shown() == set()


def test_mail_that_the_server_filters_into_junk_is_spam_at_the_import_and_later(stage: Stage) -> None:
    stage.account.append(mail("Old offer"), "Junk")
    stage.round()
    stage.account.append(mail("New offer"), "Junk")
    stage.account.append(mail("A question", message_id="<q@x>"))
    stage.round()
    stage.account.append(mail("Re: A question", references="<q@x>"), "Junk")
    stage.round()
    with transaction() as session:
        assert {item.subject for item in items(session, view="spam")} == {"Old offer", "New offer"}
        assert [item.subject for item in items(session, view="unassigned")] == ["A question"]


def test_a_copy_that_comes_back_from_an_unwatched_folder_tells_of_its_past_and_changes_nothing(stage: Stage) -> None:
    stage.account.create_folder("Private")
    uid = stage.account.append(mail())
    stage.round()
    stage.act(1, Conversation.claim)
    stage.act(1, Conversation.close)
    stage.round()
    stage.account.copy(uid, "Private")
    stage.act(1, Conversation.release)
    stage.act(1, Conversation.claim, by="ben")
    stage.act(1, Conversation.reopen)
    for _ in range(3):
        stage.round()
    stage.account.move(stage.account.uids("Private")[0], "Archive", folder="Private")
    stage.round()
    with transaction() as session:
        assert (conversation(session, 1).owner, conversation(session, 1).status) == ("ben", "open")
        assert kinds(session, 1)[-1] == EventKind.ARRIVED_OLDER
    stage.round()
    assert stage.shown(folder="Archive") == {"assigned-ben"}
