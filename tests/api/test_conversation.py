from __future__ import annotations

import datetime as dt

from app.clock import rfc3339
from app.db import transaction
from app.inbox.actor import COMMAND, mail_client
from app.inbox.arriving import thread
from app.inbox.arriving.arrival import File
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.message import Body, Message
from app.inbox.server import download
from app.inbox.server.download import Download
from app.queue import take
from tests.api.conftest import Caller
from tests.cast import Cast, arrival, arrive, conversation, mailbox

HTML = (
    '<p onclick="x()">Hello<script>alert(1)</script><img src="https://spy.example/p.gif"><img src="cid:logo@x">'
    '<a href="javascript:x">y</a></p>'
)
FILES = (
    File("2", "invoice.pdf", "application/pdf", 3000, "base64", None, False),
    File("3", "logo.png", "image/png", 20, "base64", "logo@x", True),
)


def test_a_conversation_has_its_messages_notes_and_history(carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        one = conversation(
            session,
            html=HTML,
            files=FILES,
            cc=(("Ann", "ann@customer.example"),),
            date=dt.datetime(2026, 11, 1, 8, tzinfo=dt.UTC),
            keywords=("\\Seen", "urgent"),
        )
        one_id, first = one.id, one.messages[0].message_id
        arrive(session, arrival(mailbox(session), folder="Sent", references=(first,), subject="Re: The scale"))
    carla.post(f"/conversations/{one_id}/notes", {"text": "Called."})
    whole = carla.get(f"/conversations/{one_id}").json
    listed = carla.get("/conversations").json["items"][0]
    assert {name: whole[name] for name in listed} == listed
    mail, sent = whole["messages"]
    assert mail["from"] == {"name": "Mia Kunze", "address": "mia@customer.example"}
    assert mail["to"] == [{"name": "", "address": "help@halden.example"}]
    assert mail["cc"] == [{"name": "Ann", "address": "ann@customer.example"}]
    assert (mail["direction"], sent["direction"]) == ("in", "out")
    assert mail["date"] == "2026-11-01T08:00:00Z"
    assert mail["message_id"] == first
    assert [f | {"id": 0} for f in mail["attachments"]] == [
        {"id": 0, "filename": "invoice.pdf", "type": "application/pdf", "size": 3000},
        {"id": 0, "filename": "logo.png", "type": "image/png", "size": 20},
    ]
    [copy] = mail["copies"]
    assert (copy["folder"], copy["keywords"], copy["waiting"]) == ("INBOX", ["\\Seen", "urgent"], False)
    assert sent["copies"][0]["folder"] == "Sent"
    assert [note["text"] for note in whole["notes"]] == ["Called."]
    assert [event["kind"] for event in whole["events"]] == ["arrived", "arrived", "noted"]


def test_html_is_given_clean_with_its_own_pictures_only(carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        one = conversation(session, html=HTML, files=FILES)
        one_id, logo = one.id, one.messages[0].attachments[1].id
    [mail] = carla.get(f"/conversations/{one_id}").json["messages"]
    for bad in ("script", "onclick", "javascript:", "spy.example", "cid:"):
        assert bad not in mail["html"]
    assert f"/api/v1/attachments/{logo}" in mail["html"]
    assert mail["has_remote_images"]
    assert mail["truncated"] is False
    assert mail["appointments"] == []


def test_an_invitation_is_given_as_values(carla: Caller, cast: Cast) -> None:
    event = {
        "kind": "invitation", "title": "Tea", "begins": "2026-12-02T14:00", "ends": "", "zone": "UTC", "place": "",
        "repeats": {"unit": "week", "interval": 1, "days": [0], "until": "", "count": 0}, "organiser": "",
        "people": ["ana@halden.example"], "words": "",
    }  # fmt: skip
    with transaction() as session:
        one_id = conversation(session, appointments=(event,)).id
        bare_id = conversation(session, appointments=(event,), text="").id
    [mail] = carla.get(f"/conversations/{one_id}").json["messages"]
    assert mail["appointments"] == [event]
    assert mail["text"].startswith("Good morning")
    [bare] = carla.get(f"/conversations/{bare_id}").json["messages"]
    assert bare["text"] == "Tea\n2026-12-02T14:00\nana@halden.example"


def test_a_copy_waits_until_the_server_shows_our_state(carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        one = conversation(session)
        one_id = one.id
    assigned = carla.put(f"/conversations/{one_id}/assignment", {"assignee": "carla"}).json
    assert assigned["messages"][0]["copies"][0]["waiting"]
    with transaction() as session:
        for copy in session.get_one(Conversation, one_id).messages[0].copies:
            copy.shown, copy.keywords = ["assigned-carla"], ["assigned-carla"]
    [copy_now] = carla.get(f"/conversations/{one_id}").json["messages"][0]["copies"]
    assert copy_now["keywords"] == ["assigned-carla"]
    assert not copy_now["waiting"]


# history --------------------------------------------------------------------------------------------------------------


def test_history_is_filtered_by_actor_kind_place_and_time(carla: Caller, ben: Caller, cast: Cast) -> None:
    with transaction() as session:
        one, two = conversation(session), conversation(session, name="Billing")
        one_id, two_id = one.id, two.id
    carla.put(f"/conversations/{one_id}/star")
    ben.put(f"/conversations/{two_id}/status", {"status": "closed"})

    def kinds(caller: Caller, **query: object) -> list[str]:
        return [event["kind"] for event in caller.get("/events", **query).json["items"]]

    assert kinds(ben, mailbox=cast.billing, limit=2) == ["status", "arrived"]
    assert kinds(ben, conversation=one_id) == ["starred", "arrived"]
    assert kinds(ben, actor="carla") == ["starred"]
    assert kinds(ben, kind="status") == ["status"]
    assert kinds(carla, kind="status") == []
    assert carla.get("/events", conversation=two_id).status_code == 404
    at = ben.get("/events", kind="status").json["items"][0]["at"]
    assert kinds(ben, since=at) == ["status"]
    assert "status" not in kinds(ben, until=at)
    assert kinds(ben, since="2099-01-01T00:00:00+00:00") == []


def test_the_history_of_a_conversation_has_that_of_those_merged_into_it(carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        oldest, older, one = (conversation(session).id for _ in range(3))
    for source, target in ((oldest, older), (older, one)):
        carla.put(f"/conversations/{source}/star")
        assert carla.post(f"/conversations/{source}/merge", {"into": target}).status_code == 200
    whole = carla.get(f"/conversations/{one}").json["events"]
    assert {event["conversation"] for event in whole} == {oldest, older, one}
    for asked in (one, oldest):
        assert carla.get("/events", conversation=asked, limit=200).json["items"] == whole[::-1]
    first = carla.get("/events", conversation=one, limit=4).json
    rest = carla.get("/events", conversation=one, limit=200, cursor=first["next"]).json
    assert first["items"] + rest["items"] == whole[::-1]


def test_an_administrator_reads_all_history_and_nothing_else(ana: Caller, cast: Cast) -> None:
    with transaction() as session:
        old, one = conversation(session, subject="The scale").id, conversation(session).id
        thread.merge(session.get_one(Conversation, old), session.get_one(Conversation, one), by=COMMAND)
    for query in ({"conversation": one}, {"conversation": old}, {"mailbox": cast.support}, {}):
        answer = ana.get("/events", limit=4, **query)
        assert [event["kind"] for event in answer.json["items"]] == ["merged", "merged", "arrived", "arrived"]
        assert b"scale" not in answer.data
    assert ana.get("/events", mailbox=cast.billing + 1000).status_code == 404
    assert ana.get("/events", conversation=one + 1000).status_code == 404
    for path in (f"/conversations/{one}", f"/conversations?mailbox={cast.support}"):
        assert ana.call("GET", path).status_code == 404


def test_history_is_read_in_pages(carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        for _ in range(5):
            conversation(session)
    everything = carla.get("/events", limit=200).json["items"]
    first = carla.get("/events", limit=3).json
    rest = carla.get("/events", limit=200, cursor=first["next"]).json
    assert first["items"] + rest["items"] == everything
    assert rest["next"] is None


def test_a_mail_client_is_known_with_the_time_before_which_it_had_not_acted(carla: Caller, cast: Cast) -> None:
    not_before = dt.datetime(2026, 11, 2, 10, 41, tzinfo=dt.UTC)
    with transaction() as session:
        conversation(session).assign_name("zoe", by=mail_client(not_before))
    event = carla.get("/events", limit=1).json["items"][0]
    assert (event["source"], event["actor"]) == ("mail client", None)
    assert event["not_before"] == rfc3339(not_before)


def test_wrong_parameters_of_the_history_name_the_field(carla: Caller, cast: Cast) -> None:
    for query, field in (
        ({"since": "yesterday"}, "since"),
        ({"until": "2026-11-02T09:00:00"}, "until"),
        ({"since": "0001-01-01T00:00:00+12:00"}, "since"),
        ({"conversation": "x"}, "conversation"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"actor": "\0"}, "actor"),
    ):
        answer = carla.get("/events", **query)
        assert answer.status_code == 422
        assert answer.json["error"]["field"] == field


# files ----------------------------------------------------------------------------------------------------------------


def test_an_attachment_is_asked_for_then_given_as_a_download(carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        one = conversation(session, files=(File("2", "../bad\nname.html", "text/html", 8, "7bit", None, False),))
        file_id = one.messages[0].attachments[0].id
    first = carla.get(f"/attachments/{file_id}")
    assert first.status_code == 202
    assert int(first.headers["Retry-After"]) >= 1
    with transaction() as session:
        asked = take(session, Download)
        assert asked is not None
        download.store(session, asked, b"<p>x</p>" * 100_000)
    given = carla.get(f"/attachments/{file_id}")
    assert given.status_code == 200
    assert given.data == b"<p>x</p>" * 100_000
    assert given.headers["Content-Disposition"].startswith("attachment")
    assert "\n" not in given.headers["Content-Disposition"]
    assert "/" not in given.headers["Content-Disposition"]
    assert given.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in given.headers["Content-Security-Policy"]


def test_a_failed_download_is_reported(carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        message_id = conversation(session).messages[0].id
    for failure, status in (("gone", 404), ("refused", 503)):
        assert carla.get(f"/messages/{message_id}/source").status_code == 202
        with transaction() as session:
            asked = take(session, Download)
            assert asked is not None
            asked.note_failed(failure)
        told = carla.get(f"/messages/{message_id}/source")
        assert told.status_code == status
        assert told.json["error"]["message"]
        assert ("Retry-After" in told.headers) == (status == 503)
        with transaction() as session:
            session.get_one(download.Download, asked.id).asked_at -= dt.timedelta(minutes=5)


def test_the_source_of_an_unreadable_mail_is_given_at_once(carla: Caller, cast: Cast) -> None:
    with transaction() as session:
        message = conversation(session, unreadable=True, source=b"Broken: mail\r\n\r\n\xff").messages[0]
        assert isinstance(message.body, Body)
        message_id = message.id
    given = carla.get(f"/messages/{message_id}/source")
    assert (given.status_code, given.data) == (200, b"Broken: mail\r\n\r\n\xff")
    assert given.headers["Content-Type"] == "message/rfc822"
    with transaction() as session:
        assert session.get_one(Message, message_id).unreadable


def test_a_machines_mail_names_its_kind_and_the_deciding_sign(carla: Caller, cast: Cast) -> None:
    failed = {"address": "otto@kunde.example", "status": "5.1.1", "reason": "unknown", "delayed": False, "others": 0}
    with transaction() as session:
        id_ = conversation(session, machine="bounce", machine_sign="From: MAILER-DAEMON", undelivered=failed).id
        person = conversation(session).id
    whole = carla.get(f"/conversations/{id_}").json
    mail = whole["messages"][0]
    assert (mail["machine"], mail["machine_sign"], mail["undelivered"]) == ("bounce", "From: MAILER-DAEMON", failed)
    assert whole["last_machine"] == "bounce"
    assert [item["last_machine"] for item in carla.get("/conversations", view="unassigned").json["items"]] == [
        "bounce",
        None,
    ]
    mail = carla.get(f"/conversations/{person}").json["messages"][0]
    assert (mail["machine"], mail["machine_sign"], mail["undelivered"]) == (None, None, None)


def test_whom_an_answer_should_reach_and_a_sender_without_an_address(carla: Caller, cast: Cast) -> None:
    marta = ("Marta", "marta@x.example")
    with transaction() as session:
        talk = conversation(session, sender=("MAILER DAEMON", ""), reply_to=(marta,)).id
    mail = carla.get(f"/conversations/{talk}").json["messages"][0]
    assert mail["from"] == {"name": "MAILER DAEMON", "address": ""}
    assert mail["reply_to"] == [{"name": "Marta", "address": "marta@x.example"}]
