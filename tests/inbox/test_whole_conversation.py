"""A conversation as pages read it equals the one that verbs lock."""

from __future__ import annotations

from dataclasses import fields

import pytest
from sqlalchemy.orm import Session

from app.inbox.actor import COMMAND
from app.inbox.arriving import thread
from app.inbox.arriving.arrival import File
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.goal import goals
from app.inbox.conversations.rows import AttachmentRow, ConversationRow, MessageRow, NoteRow
from app.inbox.conversations.tag import ConversationTag, client_tags, make_tag, merge_tags, vocabulary_of
from app.inbox.errors import NotFound
from app.inbox.lists.whole_conversation import html_of, whole_conversation
from app.inbox.mailboxes.mailbox import Mode
from app.inbox.mailboxes.rows import FolderRow, MailboxRow
from tests.cast import Cast, acting, arrival, arrive, conversation, member
from tests.statements import statements

_FILE = File("2", "offer.pdf", "application/pdf", 100, "base64", None, inline=False)
#: Fields with another name in the row, or combined ones.
_OTHERWISE = {
    ConversationRow: {"assignee_handle", "assignee_name"},
    MailboxRow: {"probed_mode", "folders"},
    MessageRow: {"text", "quote_at", "has_html", "tangled", "has_remote_images", "truncated", "appointments"}
    | {"attachments"},
    NoteRow: {"author_handle", "author_name"},
    FolderRow: set[str](),
    AttachmentRow: set[str](),
}


def _same(row: object, entity: object) -> None:
    names = [field.name for field in fields(type(row)) if field.name not in _OTHERWISE[type(row)]]  # type: ignore[arg-type]  # every row is a dataclass
    assert names
    assert {name: getattr(row, name) for name in names} == {name: getattr(entity, name) for name in names}


def _worked_on(session: Session) -> Conversation:
    """One with files, HTML, notes, tags and an owner, with pending changes."""
    c = conversation(session, html="<p>Hi</p>", files=(_FILE,), message_id="<first@x.example>")
    arrive(session, arrival(c.mailbox, references=("<first@x.example>",), folder="Sent"))
    ben = acting(session, "ben")
    c.tag("billing", by=ben)
    c.tag("urgent", by=ben)
    c.claim(by=ben)
    c.add_note("The scale is from 2019", by=ben)
    c.set_pending(by=ben)
    c.star(by=ben)
    todo = client_tags(session, c.mailbox_id, ["todo"])["todo"]
    session.add(ConversationTag(conversation_id=c.id, tag_id=todo.id, last_at=c.last_at))
    session.flush()
    session.expire_all()
    return c


def test_every_value_is_the_one_that_verbs_see(cast: Cast, session: Session) -> None:
    c = _worked_on(session)
    whole = whole_conversation(session, member(session, "carla"), c.id)
    for name in [one.name for one in fields(ConversationRow) if one.name not in _OTHERWISE[ConversationRow]]:
        assert getattr(whole, name) == getattr(c, name), name
    assert whole.assignee is not None
    assert c.assignee is not None
    assert (whole.assignee.id, whole.assignee.handle, whole.assignee.name) == (c.assignee.id, "ben", "Ben")
    _same(whole.mailbox, c.mailbox)
    assert (whole.mailbox.state, whole.mailbox.addresses) == (c.mailbox.state, c.mailbox.addresses)
    assert len(whole.messages) == len(c.messages) == 2
    for row, entity in zip(whole.messages, c.messages, strict=True):
        _same(row, entity)
        assert entity.body is not None
        assert (row.text, row.has_html) == (entity.body.text, entity.body.shown_html is not None)
        assert row.is_automatic_answer == entity.is_automatic_answer
        assert [one.filename for one in row.attachments] == [one.filename for one in entity.attachments]
    _same(whole.messages[0].attachments[0], c.messages[0].attachments[0])
    _same(whole.notes[0], c.notes[0])
    for folder in c.mailbox.folders:
        _same(whole.folders[folder.id], folder)
        assert whole.folders[folder.id].takes_names(c.mailbox.mode) == folder.takes_names(c.mailbox.mode)
    assert [tag.name for tag in whole.tags] == [tag.name for tag in c.tags] == ["billing", "todo", "urgent"]
    assert html_of(session, whole.messages) == {whole.messages[0].id: "<p>Hi</p>"}


@pytest.mark.parametrize("mode", [Mode.KEYWORDS, Mode.DATABASE])
@pytest.mark.parametrize("frozen", [[], ["owner"], ["*"]])
def test_goals_of_rows_and_copies_are_equal(cast: Cast, session: Session, mode: Mode, frozen: list[str]) -> None:
    c = _worked_on(session)
    c.mailbox.mode, c.frozen = mode, frozen
    session.flush()
    whole = whole_conversation(session, member(session, "carla"), c.id)
    assert (whole.owner, whole.state, whole.has_frozen) == (c.owner, c.state, c.has_frozen)
    vocabulary = vocabulary_of(session, c.mailbox)
    assert vocabulary_of(session, whole.mailbox) == vocabulary
    assert whole.unfrozen(vocabulary) == c.unfrozen(vocabulary)
    copies = [copy for message in c.messages for copy in message.copies]
    wanted = goals(copies, c.state, c.unfrozen(vocabulary), mirrored=c.mirrored)
    assert goals(whole.copies, whole.state, whole.unfrozen(vocabulary), mirrored=whole.mirrored) == wanted


def test_an_alias_means_its_tag(cast: Cast, session: Session) -> None:
    c = _worked_on(session)
    money = make_tag(session, c.mailbox, "money", by=COMMAND)
    merge_tags(session, c.mailbox, next(t for t in c.tags if t.name == "billing"), money, by=COMMAND)
    session.expire_all()
    assert vocabulary_of(session, c.mailbox).tags == {"billing": "money", "money": "money", "urgent": "urgent"}
    whole = whole_conversation(session, member(session, "carla"), c.id)
    assert [tag.name for tag in whole.tags] == ["money", "todo", "urgent"]
    assert {tag.name for tag in whole.mailbox_tags if tag.is_alias} == {"billing"}


def test_hidden_conversations_do_not_exist(cast: Cast, session: Session) -> None:
    c = _worked_on(session)
    for handle in ("ben", "carla", "dora"):
        assert whole_conversation(session, member(session, handle), c.id).id == c.id
    with pytest.raises(NotFound):
        whole_conversation(session, member(session, "ana"), c.id)


def test_one_that_was_merged_leads_to_where_its_messages_are(cast: Cast, session: Session) -> None:
    first, second, third = (conversation(session) for _ in range(3))
    thread.merge(first, second, by=acting(session, "carla"))
    thread.merge(second, third, by=acting(session, "carla"))
    session.flush()
    whole = whole_conversation(session, member(session, "carla"), first.id)
    assert (whole.id, len(whole.messages)) == (third.id, 3)
    assert {event.conversation_id for event in whole.events} == {first.id, second.id, third.id}


def test_the_newest_messages_are_read_and_of_them_everything(cast: Cast, session: Session) -> None:
    c = conversation(session, message_id="<first@x.example>")
    for _ in range(3):
        arrive(session, arrival(c.mailbox, references=("<first@x.example>",), files=(_FILE,)))
    carla = member(session, "carla")
    with statements() as for_one:
        [newest] = whole_conversation(session, carla, c.id, newest=1).messages
    with statements() as for_all:
        whole = whole_conversation(session, carla, c.id)
    assert newest == whole.messages[-1]
    assert [message.received_at for message in whole.messages] == sorted(m.received_at for m in whole.messages)
    assert len(for_one) == len(for_all) <= 10
    assert len(whole.messages) == len(whole.copies) == 4


def test_a_folder_that_is_found_meanwhile_is_known_with_the_copies_in_it(cast: Cast, session: Session) -> None:
    """Each statement sees what was committed before it, so folders are read after the copies that name them."""
    c = _worked_on(session)
    with statements() as sent:
        whole_conversation(session, member(session, "carla"), c.id)
    [copies] = [number for number, statement in enumerate(sent) if "FROM copy" in statement]
    [folders] = [number for number, statement in enumerate(sent) if "FROM folder" in statement]
    assert copies < folders
