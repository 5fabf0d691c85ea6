"""The shapes of the contract: requests and responses of calls. People are handles, tags are keywords, times RFC 3339 in
UTC.

Requests are strict: an unknown field or a wrong type is refused with the field's name.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.inbox.conversations.message import MACHINES
from app.inbox.replies.address_list import person_of
from app.inbox.server.health import Health
from app.web.ids import LARGEST_ID


def _storable(value: str) -> str:
    """Postgres stores neither NUL nor half a surrogate pair."""
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError("contains a character that cannot be stored")
    return value


def _moment(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("a time is text like 2026-11-02T09:00:00Z")
    try:
        at = dt.datetime.fromisoformat(value.replace(" ", "+"))  # "+" in an address means a space
        return at.astimezone(dt.UTC) if at.tzinfo else at
    except (ValueError, OverflowError) as error:
        raise ValueError("a time is text like 2026-11-02T09:00:00Z") from error


Text = Annotated[str, AfterValidator(_storable)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
#: A time in a response, already formatted.
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


def _recipient(value: str) -> str:
    if len(value) > 600:
        raise ValueError("is too long for a name and an address")
    return value


#: `ana@example.com` or `Ana Ruiz <ana@example.com>`.
Recipient = Annotated[Text, AfterValidator(_recipient)]


def pairs(recipients: list[str] | None) -> list[tuple[str, str]] | None:
    """Their names, possibly empty, and addresses."""
    return None if recipients is None else [person_of(one.strip()) for one in recipients]


class Body(BaseModel):
    """A request's JSON."""

    model_config = ConfigDict(extra="forbid", strict=True)


class QueryString(BaseModel):
    """The part of an address after the `?`. An empty value counts as missing."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _leave_out_empty(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if value != ""}


class Page(QueryString):
    cursor: Text | None = None
    limit: Annotated[int, Field(ge=1)] = 50  # more than LONGEST_PAGE counts as that number


class Person(BaseModel):
    """As written in the mail: a machine on a local network may use an address without a domain ("root"), or only a
    name."""

    name: str
    address: str


class Mailbox(BaseModel):
    id: int
    name: str
    address: str
    role: str
    mode: str
    health: Health


class Mailboxes(BaseModel):
    items: list[Mailbox]
    next: str | None


#: Kinds of machine that write mail (app/inbox/conversations/message.py).
Machine = Annotated[str, Field(json_schema_extra={"enum": list(MACHINES)})]


class Item(BaseModel):
    """A conversation in a list."""

    model_config = ConfigDict(populate_by_name=True)

    id: int
    number: int
    mailbox: int
    subject: str
    preview: str
    sender: Person = Field(alias="from")
    status: str
    assignee: str | None
    assigned_name: str | None
    tags: list[str]
    starred: bool
    message_count: int
    last_message_at: Time
    waiting_since: Time | None
    has_attachments: bool
    last_machine: Machine | None  # of the newest message
    revision: int


class Items(BaseModel):
    items: list[Item]
    next: str | None


class Attachment(BaseModel):
    id: int
    filename: str
    type: str
    size: int


class Copy(BaseModel):
    """`waiting`: the server does not show our state yet."""

    folder: str
    uid: int
    keywords: list[str]
    waiting: bool


class Undelivered(BaseModel):
    """The failed recipient of a bounce, and the reason. `others`: number of further recipients with the same result."""

    address: str
    status: str
    reason: str
    delayed: bool
    others: int


class Repetition(BaseModel):
    """Every `interval` units (hour, day, week, month, year), on `days` (0: Monday), until a day, `count` times."""

    unit: str
    interval: int
    days: list[int]
    until: str
    count: int


class Appointment(BaseModel):
    """A calendar event in the mail. Times are as written, in `zone`; unknown fields are empty."""

    kind: str
    title: str
    begins: str
    ends: str
    zone: str
    repeats: Repetition | None
    place: str
    organiser: str
    people: list[str]
    words: str


class Message(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    id: int
    message_id: str | None
    direction: str
    sender: Person = Field(alias="from")
    reply_to: list[Person]
    to: list[Person]
    cc: list[Person]
    subject: str
    date: Time
    text: str
    html: str | None
    authentication: str | None
    has_remote_images: bool
    truncated: bool
    appointments: list[Appointment]
    attachments: list[Attachment]
    copies: list[Copy]
    machine: Machine | None  # null: a person wrote it
    machine_sign: str | None  # the deciding sign: "Auto-Submitted: auto-replied"
    undelivered: Undelivered | None
    delivery: str | None  # of a reply that was written here: its state


class Note(BaseModel):
    id: int
    author: str
    text: str
    created_at: Time
    edited_at: Time | None


class Event(BaseModel):
    """`not_before` is set only for mail clients: a time before the act."""

    id: int
    at: Time
    mailbox: int | None
    conversation: int | None
    kind: str
    actor: str | None
    source: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    not_before: Time | None = None


class Events(BaseModel):
    items: list[Event]
    next: str | None


class Conversation(Item):
    snoozed_until: Time | None
    messages: list[Message]
    notes: list[Note]
    events: list[Event]


class Failure(BaseModel):
    model_config = ConfigDict(extra="allow")

    code: str
    message: str


class Error(BaseModel):
    error: Failure
