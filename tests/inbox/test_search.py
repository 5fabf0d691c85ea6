"""Search: words in every language, operators, minus; only what the member may see, and never an error."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from app.inbox.actor import COMMAND, SYSTEM, mail_client
from app.inbox.arriving import thread
from app.inbox.arriving.arrival import File
from app.inbox.conversations import tag
from app.inbox.conversations.conversation import Conversation
from app.inbox.conversations.copy import Copy
from app.inbox.conversations.reading import mark_read
from app.inbox.lists import lists, search
from app.inbox.lists.lists import Filter
from app.inbox.lists.query import Term, day, parse
from app.inbox.status import Status
from app.joined import joined
from app.searchable import folded
from tests.cast import Cast, acting, arrival, arrive, conversation, mailbox, member


def _ids(session: Session, q: str, handle: str = "carla", **query: Any) -> list[int]:
    session.flush()
    page = lists.conversations(session, member(session, handle), Filter(q=q, **query), limit=200)
    return [item.id for item in page.items]


@pytest.fixture(params=[search.STEPS, (1,), (3, 6, 7)], ids=["newest first", "index of words", "step by step"])
def every_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many conversations are scanned before the index is used, the result is the same."""
    monkeypatch.setattr(search, "STEPS", request.param)


# the query -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "terms"),
    [
        ("scale dark", [Term("words", "scale"), Term("words", "dark")]),
        ('"two words" "open end', [Term("words", "two words", quoted=True), Term("words", "open end", quoted=True)]),
        ("“two words”", [Term("words", "two words", quoted=True)]),
        ("-from:mia", [Term("from", "mia", negated=True)]),
        ('SUBJECT:"new scale"', [Term("subject", "new scale", quoted=True)]),
        ("status:OPEN", [Term("status", "OPEN")]),
        ("status:urgent", [Term("words", "status urgent")]),
        ("after:yesterday", [Term("words", "after yesterday")]),
        ("re:invoice", [Term("words", "re:invoice")]),
        ("from: mia", [Term("words", "from:"), Term("words", "mia")]),
        ('tag:""', [Term("words", "tag ", quoted=True)]),
        (
            'in:"Quote "Q"" -tag:"a b" c',
            [Term("in", 'Quote "Q"', quoted=True), Term("tag", "a b", quoted=True, negated=True), Term("words", "c")],
        ),
        ("#32", [Term("hash", "#32")]),
        ("#32 scale", [Term("words", "#32"), Term("words", "scale")]),
        ("number:32 number:#4", [Term("number", "32"), Term("number", "#4")]),
        ("number:x", [Term("words", "number x")]),
        ("-", [Term("words", "-")]),
        ("", []),
    ],
)
def test_a_query_is_parsed_into_terms(q: str, terms: list[Term]) -> None:
    assert parse(q) == terms


@pytest.mark.parametrize(
    ("value", "first"),
    [
        ("2026-11-02", dt.date(2026, 11, 2)),
        ("2026/1/2", dt.date(2026, 1, 2)),
        ("2026-11", dt.date(2026, 11, 1)),
        ("2026", dt.date(2026, 1, 1)),
        ("2026-02-30", None),
        ("0000", None),
        ("soon", None),
    ],
)
def test_a_month_or_a_year_begins_with_its_first_day(value: str, first: dt.date | None) -> None:
    assert day(value) == first


# words -----------------------------------------------------------------------------------------------------------

TEXTS = {
    "english": "Invoice INV-2026-0017 for the scale, sent to the CAFÉ.",
    "german": "Die Straße nach Köln ist gesperrt, schöne Grüße",
    "danish": "Smørrebrød på Østerbro, Łódź, Ærø",
    "russian": "Весы ничего не показывают, счёт за октябрь",
    "greek": "Ο Οδυσσέας: η ζυγαριά δεν δείχνει τίποτα",
    "arabic": "الميزان لا يُظهر شيئًا",
    "hebrew": "המאזניים אינם מראים דבר",
    "hindi": "तराजू कुछ नहीं दिखाता, हिन्दी में",
    "chinese": "我们的电子秤不显示，请退款。订单号4711",
    "japanese": "はかりが表示されません。ガソリン代の請求書",
    "korean": "저울에 아무것도 표시되지 않습니다",
    "thai": "เครื่องชั่งไม่แสดงผล",
    "turkish": "IĞDIR'da TERAZİ bozuldu",
}


FOUND = {
    "english": ["invo", "SCAL", "scalé sent", "INV-2026-0017", "inv-2026-00", "0017", "cafe!", '"for the scale"'],
    "german": ["strasse", "koln GRUSSE"],
    "danish": ["smorrebrod", "lodz aero"],
    "russian": ["ничег счет"],
    "greek": ["ΖΥΓΑΡΙΑ ΟΔΥΣΣΕΑΣ"],
    "arabic": ["يظهر"],
    "hebrew": ["המאז"],
    "hindi": ["हिन्दी", "दिखा"],
    "chinese": ["退款", "订单号4711"],
    "japanese": ["請求書", "ガソリン"],
    "korean": ["표시"],
    "thai": ["ชั่ง"],
    "turkish": ["igdir terazi"],
}


def test_words_are_found_in_every_language(cast: Cast, session: Session) -> None:
    talks = {name: conversation(session, subject="", text=words).id for name, words in TEXTS.items()}
    wanted = {q: [talks[language]] for language, queries in FOUND.items() for q in queries}
    assert {q: _ids(session, q) for q in wanted} == wanted


SPELT = {
    "Müller": ["mueller", "MÜLLER", "muller", "muelle", '"herr mueller"', "mueller-lüdenscheidt", "luede"],
    "Mueller": ["müller", "mueller", '"herr müller"', "Müll"],
    "Ærø Ålesund": ["aeroe", "aalesund", "Ålesund", "alesund", "ærø"],
    "Aalesund Malmoe": ["ålesund", "malmö", "Aalesund"],
    "Steuerprüfung": ["steuerpruefung", "steuerprüfung", "steuerp"],
    "Der Müll": ["muell", "müll"],
    "Strasse Größe": ["straße", "groesse", "grösse"],
}


def test_both_spellings_of_an_umlaut_find_each_other(cast: Cast, session: Session) -> None:
    talks = {
        "Müller": conversation(session, subject="", text="Herr Müller-Lüdenscheidt kommt"),
        "Mueller": conversation(session, subject="", text="Herr Mueller kommt"),
        **{words: conversation(session, subject="", text=words) for words in list(SPELT)[2:]},
    }
    for words, queries in SPELT.items():
        for q in queries:
            assert talks[words].id in _ids(session, q), (words, q)


def test_a_short_word_with_an_e_does_not_match_words_without_it(cast: Cast, session: Session) -> None:
    conversation(session, subject="", text="Tanks full during the quick run, dumb postal drums")
    for q in ("fuel", "due", "que", "queue", "poe", "drue"):
        assert (q, _ids(session, q)) == (q, [])


def test_every_word_of_a_long_text_is_found_and_no_text_is_too_long_for_the_index(cast: Cast, session: Session) -> None:
    prose = "All is quiet here today. " * 20_000
    letters = "".join(map(chr, range(0x4E00, 0x9FA5)))
    texts = {
        "zebulon": f"{prose} the end is near Zebulon",
        "müllerstraße": f"{'Grüße aus Köln. ' * 20_000} Müllerstraße",
        "x1a9f": " ".join(f"x{n:x}" for n in range(200_000)),
        "quokka": letters * 30 + " quokka " + "\U0001f984\U00020000 a\u0301é" * 100_000,
    }
    talks = {word: conversation(session, subject="", text=words).id for word, words in texts.items()}
    assert {word: _ids(session, word) for word in texts} == {word: [id_] for word, id_ in talks.items()}


LONG = {
    "order of 16,000 words": "All is quiet here today. " * 4_000 + "Ask zoe@werk.example about 'blue lamps' now",
    "one word very often": "the lamp and the key. " * 400 + "Ask zoe@werk.example about the blue lamps",
    "signs without spaces": "本日は晴天なり。" * 4_000 + "返金を希望 zoe@werk.example blue lamps",
    "beyond what is kept in order": "All is quiet here today. " * 20_000 + "Ask zoe@werk.example about blue lamps",
}


@pytest.mark.parametrize("name", LONG)
def test_words_that_belong_together_are_found_late_in_a_long_text(cast: Cast, session: Session, name: str) -> None:
    c = conversation(session, subject="", text=LONG[name])
    other = conversation(session, subject="", text="zoe, werk: an example of lamps that are blue. " * 5)
    wanted = {q: [c.id] for q in ("zoe@werk.example", '"blue lamps"', "blue-lam", '"blue lamps" -paid')}
    assert {q: _ids(session, q) for q in wanted} == wanted
    assert _ids(session, "-zoe@werk.example") == [other.id]
    if "signs" in name:
        assert _ids(session, "返金") == _ids(session, "希望") == [c.id]
        assert _ids(session, "退款") == []


HIDDEN_WITHIN = {
    "soft hyphens": "Rech\u00adnungs\u00adnummer",
    "zero-width space": "Rechnungs\u200bnummer",
    "joiners": "Rechnungs\u200c\u200d\u2060nummer",
    "byte order mark": "\ufeffRechnungs\ufeffnummer",
    "marks of direction": "\u200eRechnungs\u202anummer\u202c",
    "grapheme joiner": "Rechnungs\u034fnummer",
}


@pytest.mark.parametrize("name", HIDDEN_WITHIN)
def test_invisible_characters_inside_a_word_do_not_hide_it(cast: Cast, session: Session, name: str) -> None:
    c = conversation(session, subject="", text=HIDDEN_WITHIN[name])
    assert _ids(session, "rechnungsnummer") == [c.id]
    assert _ids(session, HIDDEN_WITHIN[name]) == [c.id]


# apart and together ----------------------------------------------------------------------------------------------

#: The text of a mail, searches that find it, and searches that do not.
WRITTEN: dict[str, tuple[list[str], list[str]]] = {
    "I don't know, we can’t pay": (
        ["dont", "don't", "don’t know", "DONT", '"don\'t know"', "cant", "donʼt"],
        ["do n't"],
    ),
    "I dont know": (["don't", "don’t", "dont"], []),
    "Le mot de l’hôtel d'Orsay et O’Brien": (["hotel", "lhotel", "l'hôtel", "orsay", "obrien", "o'brien"], []),
    "П’ять пʼятниць": (["пять", "п'ять", "п’ять", "пятниць"], []),
    "My E-Mail about a Wi-Fi check‑in": (["email", "e-mail", "e mail", "wifi", "wi-fi", "checkin", "check-in"], []),
    "Meine Emailadresse": (["E-Mail-Adresse", "e-mailadresse", "emailadresse"], []),
    "Call +49 30 1234567 today": (
        [
            *("+49 30 1234567", "0049301234567", "+49301234567", "49301234567", "030/123 45 67", "030 1234567"),
            *("(030) 1234567", "030-12 34 567", "+49 (0)30 / 123 45 67", "1234567", "from:mia 030 123 45 67"),
            *('"+49 30 1234567"', "030 12345"),
        ],
        ["040 1234567", "+49 40 1234567", "030 1234568", "from:otto 030 123 45 67"],
    ),
    "Tel. 030/123 45 67": (["+49 30 1234567", "0049301234567", "0301234567", "030 1234567"], ["+49 89 1234567"]),
    "Call 0301234567": (["+49 30 1234567", "030/123 45 67"], []),
    "Call +1 (555) 010-4477": (["555-010-4477", "5550104477", "1-555-010-4477", "001 555 0104477"], ["555-010-4478"]),
    "Звоните: 8 (495) 123-45-67": (["+7 495 1234567", "84951234567", "4951234567"], []),
    "Order AB-1234-X is late": (
        ["ab1234x", "AB-1234-X", "AB 1234 X", "ab1234-x", "AB-12", "1234"],
        ["ab1235x", "ab1234y"],
    ),
    "Order AB1234X is late": (["ab1234x", "AB-1234-X", "AB 1234 X", "1234"], ["AB-1235-X"]),
    "Order AB 1234 X is late": (["ab1234x", "AB-1234-X", "AB/1234/X"], ["ab1234y"]),
    "Bill INV 2026/0815": (
        ["inv20260815", "INV-2026-0815", "INV 2026 0815", "20260815", "2026/0815", "inv2026"],
        ["2026/0816"],
    ),
    "Bill RE-2026-04-4711": (["re2026044711", "RE 2026 04 4711", "RE.2026.04.4711", "4711"], []),
    "Bill RE4711b": (["4711", "RE 4711", "re-4711b"], ["711"]),
    "To DE89 3704 0044 0532 0130 00": (["DE89370400440532013000", "de89 3704 0044 0532 0130 00", "DE89 3704"], []),
    "To GB29NWBK60161331926819": (["GB29 NWBK 6016 1331 9268 19", "gb29nwbk60161331926819"], []),
    "To GB29 NWBK 6016 1331 9268 19": (["GB29NWBK60161331926819"], ["GB29NWBK60161331926818"]),
    "It costs 1.234.567,89 EUR": (["1234567,89", "1,234,567.89", "1 234 567,89", "1234567"], ["1234568"]),
    "It costs 1,234 EUR, not 56.78": (["1234", "1.234", "1 234", "56.78", "56,78"], ["5678"]),
    "It costs 1234.50 EUR": (["1,234.50", "1.234,50", "1234,50"], []),
    "See invoice_2026.pdf": (["invoice", "2026", "invoice_2026.pdf", "invoice_2026", "invoice2026"], []),
    "See https://www.shop.example/track?id=4711": (
        [
            "shop.example",
            "www.shop.example",
            "http://shop.example/track",
            "track",
            "https://www.shop.example/track?id=4711",
        ],
        ["shop.example/order"],
    ),
    "Write to m.huber+shop@customer.example": (
        [
            "m.huber",
            "huber",
            "@customer.example",
            "m.huber+shop@customer.example",
            "mailto:m.huber+shop@customer.example",
        ],
        ["hub@", "@customer.examples"],
    ),
    "#SummerSale starts, #2026goals": (["#summersale", "summersale", "#2026goals", "#2026"], []),
    "الطلب ٤٧١١٠٨١٥ والرقم ۱۲۳۴": (["47110815", "٤٧١١٠٨١٥", "1234", "١٢٣٤"], []),
    "Order 47110815, ref 1234": (["٤٧١١٠٨١٥", "۱۲۳۴", "４７１１０８１５", "४७११०८१५"], []),
    "注文番号４７１１‐０８１５、ﾌﾟﾘﾝﾀｰ": (["47110815", "4711-0815", "プリンター", "注文番号4711"], []),
    "سلام علی، یک کتاب": (["علي", "كتاب", "علی"], []),
    "Happy 🎂 from us 👍🏽 ☀️": (["🎂", "👍", "👍🏿", "☀", "happy 🎂", '"happy 🎂 from"'], ["🎉", "👎"]),
    "straße STRASSE naïve Þór": (["STRASSE", "straße", "naive", "naïve", "thor", "Þór"], []),
    "İstanbul ılık ISPARTA": (["istanbul", "İSTANBUL", "ILIK", "ilik", "ısparta"], []),
    "> the new\n> scale is\nbroken": (['"the new scale is broken"'], ['"new is"']),
    f"key {'a1' * 50}.pem": (["a1" * 50, f"{'a1' * 50}.pem"], ["a1" * 20 + "b"]),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_it_is_found_however_it_is_written(cast: Cast, session: Session, text: str) -> None:
    c = conversation(session, subject="", text=text)
    finds, finds_not = WRITTEN[text]
    wanted = {q: [c.id] for q in finds} | {q: [] for q in finds_not}
    assert {q: _ids(session, q) for q in wanted} == wanted


def test_numbers_are_found_in_subjects_names_files_and_notes(cast: Cast, session: Session) -> None:
    pdf = File(*("2", "MahnungMüller2026-4711.pdf", "application/pdf", 9, "base64"), content_id=None, inline=False)
    c = conversation(
        session, subject="AB-1234-X", sender=("Anne-Marie O’Hara", "a@xn--mller-kva.example"), files=(pdf,)
    )
    c.add_note("Ring 030/765 43 21", by=acting(session, "carla"))
    for q in (
        *("subject:ab1234x", "from:annemarie", "from:ohara", "from:müller.example", "from:xn--mller-kva.example"),
        *("mahnung", "mueller", "20264711", "MahnungMüller2026-4711.pdf", "+49 30 7654321"),
    ):
        assert (q, _ids(session, q)) == (q, [c.id])
    for q in ("from:ab1234x", "subject:annemarie", "subject:4711", "-subject:ab1234x", "-ab1234x"):
        assert (q, _ids(session, q)) == (q, [])


def test_a_number_late_in_a_long_text_is_found_joined(cast: Cast, session: Session) -> None:
    c = conversation(session, subject="", text=f"{'All is quiet here today. ' * 20_000} AB-1234-X and E-Mail")
    assert {q: _ids(session, q) for q in ("ab1234x", "email", "AB-1235-X")} == {
        "ab1234x": [c.id],
        "email": [c.id],
        "AB-1235-X": [],
    }


@pytest.mark.parametrize(
    "text", ["1 " * 75_000, "a-" * 75_000, "0" * 150_000, "1.234" * 30_000, "x'" + "y" * 150_000, "(0)" * 50_000]
)
def test_joined_forms_stay_small(text: str) -> None:
    assert sum(map(len, joined(folded(text)))) < len(text)


# notes and numbers -----------------------------------------------------------------------------------------------


def test_the_words_of_notes_are_found_as_those_of_mails_are(cast: Cast, session: Session, every_way: None) -> None:
    talk = conversation(session, subject="lamp", text="apple")
    other = conversation(session, subject="lamp", text="apple")
    note = talk.add_note("Ask Müller about the crème", by=acting(session, "carla"))
    for q in ("mueller", "creme", '"ask muller"', "lamp", "-nothing"):
        assert talk.id in _ids(session, q), q
    assert _ids(session, "lamp -müller") == [other.id]
    for q in ("muller apple", "from:muller", "subject:muller", "muller has:attachment", "muller after:2000"):
        assert (q, _ids(session, q)) == (q, [])
    note.edit("Ask Otto", by=acting(session, "carla"))
    assert _ids(session, "muller") == []
    assert _ids(session, "otto") == [talk.id]


def test_a_note_is_found_only_by_members_who_may_see_it(cast: Cast, session: Session, every_way: None) -> None:
    foreign = conversation(session, name="Billing", text="secret")
    foreign.add_note("hush", by=acting(session, "ben"))
    number = f"#{foreign.number}"
    assert [_ids(session, q) for q in ("hush", "number:" + number, number)] == [[], [], []]
    assert [_ids(session, q, "ben") for q in ("hush", "number:" + number)] == [[foreign.id], [foreign.id]]


def test_a_number_finds_its_conversation_and_where_it_was_merged_to(
    cast: Cast, session: Session, every_way: None
) -> None:
    by = acting(session, "ben")
    first, second, third = (conversation(session, text="apple") for _ in range(3))
    named = conversation(session, text=f"Order no. {third.number}")
    binned = conversation(session, text="apple", folder="Trash")
    assert _ids(session, f"#{second.number}") == [second.id]
    assert _ids(session, f"number:{third.number}") == [third.id]
    assert _ids(session, f"#{third.number}") == [named.id, third.id]
    assert _ids(session, f"#{binned.number}") == [binned.id]
    assert _ids(session, f"apple -number:{third.number}") == [second.id, first.id]
    assert _ids(session, "#999999999") == []
    thread.merge(second, first, by=by)
    thread.merge(third, second, by=by)
    assert _ids(session, f"number:{third.number}") == _ids(session, f"#{second.number}") == [first.id]


def test_a_folder_a_tag_and_a_name_with_quotes_can_be_asked_for(cast: Cast, session: Session) -> None:
    folder = mailbox(session).folder("archive")
    assert folder is not None
    folder.name = 'Old "2025" stuff'
    tag.make_tag(session, mailbox(session), "so-called", by=COMMAND, label='The "big" one')
    c = conversation(session, folder='Old "2025" stuff')
    c.tag("so-called", by=SYSTEM)
    for q in ('in:"Old "2025" stuff"', 'in:"old 2025 stuff"', "in:“Old “2025” stuff”", 'tag:"The "big" one"'):
        assert (q, _ids(session, q)) == (q, [c.id])


NOT_FOUND = [
    "scale pears",
    "foo & ( bar",
    "x" * 5000,
    '"scale the"',
    '"invo"',
    "2026-inv",
    "hind",
    "款退",
    "-scale",
    "scale -sent",
]


def test_a_word_in_no_mail_is_not_found(cast: Cast, session: Session) -> None:
    conversation(session, text=TEXTS["english"], subject="scale")
    conversation(session, text="हिन्दी 退款 scale sent", subject="scale")
    assert {q: _ids(session, q) for q in NOT_FOUND} == {q: [] for q in NOT_FOUND}


NO_WORD = ["", "()&|!:*'\\", "\0scale\ud800", "- _ ... ---", '""', "-", '-"', "from:", ":", "@", "+"]


def test_a_term_without_words_is_ignored(cast: Cast, session: Session) -> None:
    c = conversation(session, text="from our scale")
    assert {q: _ids(session, q) for q in NO_WORD} == {q: [c.id] for q in NO_WORD}


@given(st.one_of(st.text(max_size=60), st.text("ab -:\"'&|!()<>*\\from:tagisin2026", max_size=60)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_typed_is_an_error(cast: Cast, session: Session, q: str) -> None:
    assert isinstance(_ids(session, q), list)


def test_words_belong_to_one_mail_and_a_minus_counts_for_all_of_them(
    cast: Cast, session: Session, every_way: None
) -> None:
    talk = conversation(session, message_id="<a@x.example>", text="apple")
    arrive(session, arrival(talk.mailbox, references=("<a@x.example>",), text="pear"))
    other = conversation(session, text="apple")
    assert _ids(session, "apple") == [other.id, talk.id]
    assert _ids(session, "apple pear") == []
    assert _ids(session, "apple -pear") == [other.id]
    assert _ids(session, "-pear") == [other.id]


# operators -------------------------------------------------------------------------------------------------------


@pytest.fixture
def talks(cast: Cast, session: Session) -> dict[str, Conversation]:
    carla = acting(session, "carla")
    tag.make_tag(session, mailbox(session), "vip", by=COMMAND, label="Good customer")
    sheet = File(
        part="2",
        filename="Kosten.pdf",
        type="application/pdf",
        size=9,
        encoding="base64",
        content_id=None,
        inline=False,
    )
    noon = dt.datetime(2026, 10, 5, 12, tzinfo=dt.UTC)
    told: dict[str, dict[str, Any]] = {
        "ines": {"sender": ("Inés Prado", "ines@norte.example"), "subject": "About the lamp", "files": (sheet,)},
        "lamp": {"subject": "Lamp", "text": "Ask Ines.", "cc": (("Otto", "otto@werk.example"),)},
        "mine": {"subject": "Mine"},
        "ben's": {"subject": "Taken"},
        "zoe's": {"subject": "Named"},
        "closed": {"subject": "Closed"},
        "spam": {"subject": "Win", "folder": "Junk"},
        "archived": {"subject": "Old", "folder": "Archive"},
        "trash": {"subject": "Bin", "folder": "Trash"},
    }
    made = {
        name: conversation(session, received_at=noon + dt.timedelta(days=n), **told)
        for n, (name, told) in enumerate(told.items())
    }
    made["mine"].claim(by=carla)
    made["ben's"].claim(by=acting(session, "ben"))
    made["zoe's"].assign_name("zoe", by=mail_client(None))
    made["closed"].close(by=carla)
    made["closed"].tag("vip", by=SYSTEM)
    made["mine"].tag("vip", by=SYSTEM)
    made["mine"].star(by=carla)
    made["spam"].change_status(Status.SPAM, by=SYSTEM)
    mark_read(session, cast.carla, made["lamp"].id)
    return made


NARROWED = {
    "from:ines": ["ines"],
    "from:ines@norte.example": ["ines"],
    'from:"prado mia"': [],
    "ines": ["lamp", "ines"],
    "to:otto": ["lamp"],
    "-to:otto lamp": ["ines"],
    "subject:lamp": ["lamp", "ines"],
    'subject:"the lamp"': ["ines"],
    "subject:lamp from:mia": ["lamp"],
    "has:attachment": ["ines"],
    "kosten": ["ines"],
    "lamp -has:attachment": ["lamp"],
    "assignee:me": ["mine"],
    "assignee:BEN": ["ben's"],
    "assignee:zoe": ["zoe's"],
    "assignee:none": ["archived", "closed", "zoe's", "lamp", "ines"],
    "-assignee:none": ["ben's", "mine"],
    "-assignee:ben subject:taken": [],
    "-assignee:ben subject:lamp": ["lamp", "ines"],
    "assignee:nobody-here": [],
    "status:closed": ["closed"],
    "status:spam": ["spam"],
    "-status:open": ["closed"],
    "tag:vip": ["closed", "mine"],
    'tag:"good customer"': ["closed", "mine"],
    "tag:vip is:starred": ["mine"],
    "tag:vip tag:nothing": [],
    "-tag:vip is:starred": [],
    "tag:nothing": [],
    "is:starred": ["mine"],
    "is:unread subject:lamp": ["ines"],
    "-is:unread": ["lamp"],
    "in:archive": ["archived"],
    "in:junk": ["spam"],
    "in:spam win": ["spam"],
    "in:trash": ["trash"],
    "in:inbox in:archive": [],
    "in:anywhere bin": ["trash"],
    "bin": [],
    "in:gone": [],
    "-in:inbox": ["archived"],
    "in:nowhere": [],
    "before:2026-10-06": ["ines"],
    "before:2026-10-06 after:2026-10-05": ["ines"],
    "after:2026-10-12": ["archived"],
    "after:2026-11": [],
    "before:2026-10": [],
    "-after:2026-10-06": ["ines"],
    "before:2026-10-07 lamp -from:ines": ["lamp"],
}


def test_operators_narrow_a_search(talks: dict[str, Conversation], session: Session, every_way: None) -> None:
    names = {c.id: name for name, c in talks.items()}
    assert {q: [names[id_] for id_ in _ids(session, q)] for q in NARROWED} == NARROWED


def test_operators_narrow_whatever_view_and_tag_are_open(talks: dict[str, Conversation], session: Session) -> None:
    assert _ids(session, "tag:vip", view="mine") == [talks["mine"].id]
    assert _ids(session, "status:closed", view="mine") == []
    assert _ids(session, "is:starred", tag="vip") == [talks["mine"].id]
    assert _ids(session, "lamp", view="unassigned") == [talks["ines"].id, talks["lamp"].id]


def test_a_day_begins_where_the_member_lives(cast: Cast, session: Session) -> None:
    c = conversation(session, received_at=dt.datetime(2026, 10, 5, 23, tzinfo=dt.UTC))
    assert _ids(session, "after:2026-10-06") == []
    member(session, "carla").time_zone = "Europe/Madrid"
    assert _ids(session, "after:2026-10-06") == [c.id]
    assert _ids(session, "before:2026-10-06") == []


def test_hidden_conversations_are_never_found(cast: Cast, session: Session, every_way: None) -> None:
    foreign = conversation(session, name="Billing", text="secret", folder="Archive")
    tag.make_tag(session, mailbox(session, "Billing"), "hidden", by=COMMAND)
    foreign.tag("hidden", by=SYSTEM)
    foreign.claim(by=acting(session, "ben"))
    for q in (
        "secret",
        "tag:hidden",
        "assignee:ben",
        "in:archive",
        "in:anywhere",
        "after:2000",
        "-unheard",
        "from:mia",
    ):
        assert (q, _ids(session, q), _ids(session, q, "ben")) == (q, [], [foreign.id])


def test_gone_conversations_are_found_in_their_view(cast: Cast, session: Session) -> None:
    c = conversation(session)
    c.place = "gone"
    session.execute(update(Copy).values(gone_at=text("now()")))
    assert _ids(session, "in:gone scale") == [c.id]
    assert _ids(session, "scale") == []


def test_pages_of_a_search_follow_each_other(cast: Cast, session: Session, every_way: None) -> None:
    for name in ("Support", "Billing"):
        tag.make_tag(session, mailbox(session, name), "fruit", by=COMMAND)
    made = []
    for n in range(24):
        c = conversation(session, name="Billing" if n % 3 else "Support", text="apple" if n % 4 else "pear")
        if n % 4:
            c.tag("fruit", by=SYSTEM)
            made.append(c.id)
        else:
            mark_read(session, cast.ben, c.id)
    session.flush()
    for q in ("apple", "tag:fruit", "tag:fruit apple", "is:unread", "after:2026 apple"):
        assert (q, _page_by_page(session, Filter(q=q))) == (q, made[::-1])


def test_the_longest_waiting_is_found_first(cast: Cast, session: Session, every_way: None) -> None:
    made = [conversation(session, text="apple" if n % 5 else "pear") for n in range(20)]
    for one in made[:4]:
        one.waiting_since = None
    for one, other in itertools.pairwise(made[10:14]):
        other.waiting_since = one.waiting_since
    session.flush()
    apples = [one for n, one in enumerate(made) if n % 5]
    waiting = [one for one in apples if one.waiting_since is not None]  # one that does not wait comes last
    waiting.sort(key=lambda one: (one.waiting_since, one.id))
    longest_first = [one.id for one in (*waiting, *(one for one in apples if one.waiting_since is None))]
    assert _page_by_page(session, Filter(q="apple", view="unassigned")) == longest_first


def _page_by_page(session: Session, query: Filter) -> list[int]:
    found, cursor = [], None
    while True:
        page = lists.conversations(session, member(session, "ben"), query, cursor=cursor, limit=5)
        found += [item.id for item in page.items]
        cursor = page.next
        if cursor is None:
            return found
