"""A corpus of conversations and traps: no conversation has strangers, and none is split, in any order of arrival."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.inbox.arriving.arrival import Arrival
from app.inbox.arriving.receive import receive
from app.inbox.conversations.message import Message
from app.inbox.mailboxes.mailbox import Mailbox
from tests.cast import Cast, add_mailbox, arrival

_START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
_SUBJECTS = ("Question", "Order", "Invoice", "Contact form", "")
_HELP = "help@halden.example"
_boxes = itertools.count(1)


class Corpus:
    """Mails, each labelled with its talk."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.mails: list[dict[str, Any]] = []
        self._ids = itertools.count(1)
        self._people = itertools.count(1)
        self._talks = itertools.count(1)

    def new_talk(self) -> int:
        return next(self._talks)

    def person(self) -> str:
        return f"p{next(self._people)}@{self.dice.choice(('customer', 'elsewhere', 'mail'))}.example"

    def say(self, talk: int, sender: str, /, *receivers: str, names: Sequence[str] = (), **told: Any) -> str:
        """A mail of this talk; returns its id. `lost`: we never received it."""
        at = _START + dt.timedelta(minutes=7 * len(self.mails), seconds=self.dice.randrange(60))
        id_ = told.pop("id", None) or f"<{next(self._ids)}.{self.dice.randrange(10**9)}@x.example>"
        mail = {
            "talk": talk, "message_id": id_, "sender": ("", sender), "to": [("", r) for r in receivers],
            "references": tuple(names), "subject": "Question", "received_at": at, "date": at,
            "folder": "Sent" if sender == _HELP else "INBOX",
        }  # fmt: skip
        if not told.pop("lost", False):
            self.mails.append(mail | told)
        return str(id_)


def _answers(corpus: Corpus) -> None:
    """A customer and the team, back and forth. Some programs name the whole chain, some only the last mail."""
    talk, customer = corpus.new_talk(), corpus.person()
    subject, chain = corpus.dice.choice(_SUBJECTS), list[str]()
    for turn in range(corpus.dice.randint(2, 6)):
        ours = turn % 2 == 1
        sides = (_HELP, customer) if ours else (customer, _HELP)
        names = chain[-1:] if corpus.dice.random() < 0.4 else chain
        changed = f"Something else {turn}" if corpus.dice.random() < 0.2 else f"Re: {subject}" if turn else subject
        chain = [*chain, corpus.say(talk, *sides, names=names, subject=changed)]


def _colleagues(corpus: Corpus) -> None:
    """A colleague in Cc answers under another subject, and one who got the mail forwarded under the same subject."""
    talk, customer, colleague, other = corpus.new_talk(), corpus.person(), corpus.person(), corpus.person()
    root = corpus.say(talk, customer, _HELP, cc=[("", colleague)], subject="Delivery")
    corpus.say(talk, colleague, _HELP, names=[root], subject="One more thing")
    corpus.say(talk, other, _HELP, names=[root], subject="WG: Delivery")


def _lost_root(corpus: Corpus) -> None:
    """Answers to a mail that we never had."""
    talk, customer = corpus.new_talk(), corpus.person()
    colleague = f"colleague.of.{customer}"
    root = corpus.say(talk, customer, colleague, lost=True)
    corpus.say(talk, customer, _HELP, names=[root], subject="AW: Offer")
    corpus.say(talk, colleague, _HELP, names=[root], subject="Re: [sales] Offer")
    corpus.say(talk, customer, _HELP, names=[root], subject="Re: Offer, now with a picture")


def _mailing_list(corpus: Corpus) -> None:
    talk, address = corpus.new_talk(), "talk@lists.example"
    root = corpus.say(talk, corpus.person(), address, lost=corpus.dice.random() < 0.5)
    for turn in range(4):
        corpus.say(talk, corpus.person(), address, names=[root], subject=f"[talk] thing {turn}")


def _bounced(corpus: Corpus) -> None:
    talk = corpus.new_talk()
    ours = corpus.say(talk, _HELP, corpus.person(), subject="Your order")
    corpus.say(talk, "mailer-daemon@relay.example", _HELP, names=[ours], subject="Undelivered mail", machine="bounce")


def _between_colleagues(corpus: Corpus) -> None:
    talk = corpus.new_talk()
    asked = corpus.say(talk, "carla@halden.example", _HELP, subject="Where is the key?")
    corpus.say(talk, _HELP, "carla@halden.example", names=[asked], subject="Re: Where is the key?")


def _through_a_list(corpus: Corpus) -> None:
    """A list that rewrites From delivers the customer's mail and our own answer; its copy in Sent never arrives."""
    talk, customer, address = corpus.new_talk(), corpus.person(), "lamps@lists.example"
    asked = corpus.say(talk, customer, address, reply_to=[("Mia", customer)], subject="[lamps] Lamp")
    via: dict[str, Any] = {"sender": ("Help via Lamps", address), "reply_to": [("Help", _HELP)], "machine": "list"}
    ours = corpus.say(talk, address, address, names=[asked], subject="Re: [lamps] Lamp", **via)
    corpus.say(talk, customer, _HELP, names=[asked, ours], subject="Re: Lamp")


def _through_our_group(corpus: Corpus) -> None:
    """Our own group puts itself into From; some groups name the author only in Cc."""
    for _ in range(3):
        talk, customer, group = corpus.new_talk(), corpus.person(), "support@halden.example"
        named: dict[str, Any] = {"reply_to": [("", customer)]}
        if corpus.dice.random() < 0.5:
            named = {"reply_to": [("", group)], "cc": [("Mia", customer)]}
        via: dict[str, Any] = {"sender": ("Mia via Support", group), **named}
        asked = corpus.say(talk, group, group, subject="Question", **via)
        ours = corpus.say(talk, _HELP, customer, names=[asked], subject="Re: Question")
        corpus.say(talk, group, group, names=[asked, ours], subject="Re: Question", **via)


def _forged_member(corpus: Corpus) -> None:
    """A stranger writes in a member's name, and names an id that no mail has, or our address."""
    for names in ([], ["<unknown@x.example>"], [f"<{_HELP}>"]):
        corpus.say(corpus.new_talk(), "carla@halden.example", _HELP, names=names, subject="Re: Question")


def _bounces_of_a_circular(corpus: Corpus) -> None:
    """They name no mail of ours, and the recipient got several: each is its own conversation."""
    for _ in range(3):
        told: dict[str, Any] = {"machine": "bounce", "undelivered": {"address": f"gone.{corpus.person()}"}}
        corpus.say(corpus.new_talk(), "mailer-daemon@relay.example", _HELP, subject="Undelivered mail", **told)


def _constant_reference(corpus: Corpus) -> None:
    """A shop names one id in all its notices."""
    for _ in range(4):
        talk, customer = corpus.new_talk(), corpus.person()
        notice = corpus.say(talk, customer, _HELP, names=["<shop-notification@shop.example>"], subject="New order")
        ours = corpus.say(
            talk, _HELP, customer, names=["<shop-notification@shop.example>", notice], subject="Re: New order"
        )
        corpus.say(talk, customer, _HELP, names=["<shop-notification@shop.example>", notice, ours], subject="Thanks")


def _shop_with_reply_to(corpus: Corpus) -> None:
    for number in range(4):
        customer = ("", corpus.person())
        corpus.say(
            corpus.new_talk(), "shop@shop.example", _HELP, "orders@halden.example", names=["<orders@pos.example>"],
            subject=f"Order {number}", reply_to=[customer],
        )  # fmt: skip


def _constant_message_id(corpus: Corpus) -> None:
    """A form gives one id to all its mails, which are answered."""
    for number in range(4):
        talk, customer = corpus.new_talk(), corpus.person()
        corpus.say(talk, customer, _HELP, id="<contactform@shop.example>", subject=f"Form {number}")
        names = ["<contactform@shop.example>"]
        ours = corpus.say(talk, _HELP, customer, names=names, subject=f"Re: Form {number}")
        corpus.say(talk, customer, _HELP, names=[*names, ours], subject=f"Re: Form {number}")


def _script(corpus: Corpus) -> None:
    """A script gives one id to all its mails."""
    for _ in range(3):
        corpus.say(corpus.new_talk(), "cron@host.example", _HELP, id="<cron@host.example>", subject="Backup")


def _our_address(corpus: Corpus) -> None:
    for _ in range(3):
        corpus.say(corpus.new_talk(), corpus.person(), _HELP, names=[f"<{_HELP}>"], subject="Re: Question")


def _circular(corpus: Corpus) -> None:
    """We wrote to many by Bcc; each of them answers."""
    ours = corpus.say(corpus.new_talk(), _HELP, subject="Our news")
    for _ in range(3):
        talk, customer = corpus.new_talk(), corpus.person()
        first = corpus.say(talk, customer, _HELP, names=[ours], subject="Thanks for the news")
        again = corpus.say(talk, _HELP, customer, names=[ours, first], subject="Re: Thanks for the news")
        corpus.say(talk, customer, _HELP, names=[ours, first, again], subject="Re: Thanks for the news")


def _answered_circular(corpus: Corpus) -> None:
    """Each answers under our subject; we never received the circular that a newsletter service sent."""
    for lost in (False, True):
        ours = corpus.say(corpus.new_talk(), _HELP, subject="Our prices", lost=lost)
        for domain in ("a.example", "b.example", "gmail.com", "gmail.com"):
            person = f"{corpus.person().partition('@')[0]}@{domain}"
            corpus.say(corpus.new_talk(), person, _HELP, names=[ours], subject="Re: Our prices")


def _same_subject(corpus: Corpus) -> None:
    for _ in range(3):
        corpus.say(corpus.new_talk(), corpus.person(), _HELP, subject="Re: Question")


_HONEST = (
    _answers, _answers, _answers, _colleagues, _lost_root, _mailing_list, _bounced, _between_colleagues,
    _through_a_list, _through_our_group,
)  # fmt: skip
#: Each has its own id, because a second one in the same mailbox would be the same trap.
_TRAPS = (
    _constant_reference,
    _shop_with_reply_to,
    _constant_message_id,
    _script,
    _our_address,
    _circular,
    _answered_circular,
    _same_subject,
    _forged_member,
    _bounces_of_a_circular,
)


def _corpus(seed: int) -> Corpus:
    corpus = Corpus(seed)
    kinds: list[Callable[[Corpus], None]] = [*_HONEST * 20, *_TRAPS]
    corpus.dice.shuffle(kinds)
    for kind in kinds:
        kind(corpus)
    return corpus


def _as_they_were_written(mails: list[dict[str, Any]], dice: random.Random) -> list[dict[str, Any]]:
    return mails


def _newest_first(mails: list[dict[str, Any]], dice: random.Random) -> list[dict[str, Any]]:
    return mails[::-1]


def _shuffled(mails: list[dict[str, Any]], dice: random.Random) -> list[dict[str, Any]]:
    return dice.sample(mails, len(mails))


@pytest.mark.parametrize("order", [_as_they_were_written, _newest_first, _shuffled])
@pytest.mark.parametrize("batch", [1000, 40, 3])
def test_no_conversation_holds_strangers_and_none_is_torn(
    cast: Cast, session: Session, order: Callable[..., list[dict[str, Any]]], batch: int
) -> None:
    corpus = _corpus(batch)
    mails = order(corpus.mails, random.Random(batch))
    assert _partition(session, mails, batch) == (0, 0, len({mail["talk"] for mail in mails}))


def _partition(session: Session, mails: Sequence[dict[str, Any]], size: int) -> tuple[int, int, int]:
    """(conversations with strangers, talks that were split, conversations) after these mails arrived."""
    box = add_mailbox(session, f"Corpus {next(_boxes)}", _HELP)
    talks = dict[int, int]()
    for batch in _batches(mails, size):
        received = receive(session, box, [_arrival(box, mail) for mail in batch], importing=True)
        talks |= {r.message_id: mail["talk"] for r, mail in zip(received, batch, strict=True)}
    rows = session.execute(select(Message.id, Message.conversation_id).where(Message.mailbox_id == box.id)).all()
    held, lies = defaultdict[int, set[int]](set), defaultdict[int, set[int]](set)
    for message, conversation in rows:
        held[conversation].add(talks[message])
        lies[talks[message]].add(conversation)
    assert len(rows) == len(mails)
    return sum(len(t) > 1 for t in held.values()), sum(len(c) > 1 for c in lies.values()), len(held)


def _batches(mails: Sequence[dict[str, Any]], size: int) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(mails), size):
        yield mails[start : start + size]


def _arrival(box: Mailbox, mail: dict[str, Any]) -> Arrival:
    told = {name: value for name, value in mail.items() if name != "talk"}
    return arrival(box, identity=repr(sorted(told.items(), key=str)).encode(), **told)


def test_a_form_that_gives_one_id_and_one_subject_to_all_keeps_its_customers_apart(
    cast: Cast, session: Session
) -> None:
    """As mails arrive, and as an import reads them."""
    corpus = Corpus(1)
    customers = [(corpus.new_talk(), corpus.person()) for _ in range(5)]
    for talk, customer in customers:
        corpus.say(talk, customer, _HELP, id="<form@shop.example>", subject="Contact form")
    for talk, customer in customers:
        names = ["<form@shop.example>"]
        names.append(corpus.say(talk, _HELP, customer, names=names, subject="Re: Contact form"))
        corpus.say(talk, customer, _HELP, names=names, subject="Re: Contact form")
    for mails in (corpus.mails, corpus.mails[::-1]):
        assert _partition(session, mails, 1000) == (0, 0, 5)
        assert _partition(session, mails, 1) == (0, 0, 5)
