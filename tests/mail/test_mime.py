"""Our MIME parser, compared with the standard library's parser and with Dovecot's BODYSTRUCTURE."""

from __future__ import annotations

import email
from email.message import Message
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mail.headers import Headers
from app.mail.mime import Node, described, split_header, tree
from app.mail.parse import parse
from app.mail.rows import rows
from app.mail.transfer import decoded_part
from tests.dovecot import Account
from tests.mail.letters import letter

MAILS = Path(__file__).parents[1] / "mails"
#: We differ from the library on purpose: limits, headers that it gives up on, and lost parts, which are text.
LIBRARY_DIFFERS = {
    "multipart-in-itself-sixty-deep", "two-thousand-parts", "mbox-from-line", "header-line-without-colon",
    "boundary-missing", "boundary-never-used",
}  # fmt: skip
#: Dovecot reads an unquoted file name up to the first space, has no depth limit of 50, and accepts no empty mail.
DOVECOT_DIFFERS = {"filename-in-every-spelling", "multipart-in-itself-sixty-deep", "empty"}
NAMES = sorted(path.stem for path in MAILS.glob("*.eml"))


def ours(raw: bytes) -> Node:
    head, body = split_header(raw)
    return tree(Headers(head), body)


def leaves(node: Node) -> list[tuple[str, str, bytes]]:
    """Number, type and decoded content of every leaf."""
    return [(leaf.number, leaf.type, decoded_part(leaf.raw or b"", leaf.encoding)) for leaf in node.leaves()]


def library_leaves(message: Message, number: str = "") -> list[tuple[str, str, bytes]]:
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        parts = enumerate(message.get_payload(), 1)
        return [
            leaf
            for at, part in parts
            if isinstance(part, Message)
            for leaf in library_leaves(part, f"{number}.{at}" if number else str(at))
        ]
    if message.get_content_type() == "message/rfc822":
        return [(number or "1", "message/rfc822", b"")]
    content = message.get_payload(decode=True)
    return [(number or "1", message.get_content_type(), content if isinstance(content, bytes) else b"")]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LIBRARY_DIFFERS])
def test_it_finds_the_parts_that_the_standard_library_finds(name: str) -> None:
    raw = (MAILS / f"{name}.eml").read_bytes()
    assert _comparable(leaves(ours(raw))) == _comparable(library_leaves(email.message_from_bytes(raw)))


def _comparable(found: list[tuple[str, str, bytes]]) -> list[tuple[str, str, bytes]]:
    """Without what the library cannot provide: it parses enclosed mails, and leaves undecodable ones unchanged."""
    return [
        (number, kind, b"" if kind.startswith("message/") else content.replace(b"\r\n", b"\n").strip())
        for number, kind, content in found
    ]


BODIES = st.binary(max_size=60).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b"."))
LEAVES = st.builds(
    lambda body, how: letter("application/x-thing", body, how=how),
    BODIES,
    st.sampled_from(["base64", "quoted-printable"]),
)
PARTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, min_size=1, max_size=4).map(lambda parts: letter("multipart/mixed", *parts)),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(PARTS)
def test_any_tree_that_is_put_together_is_found_again(raw: bytes) -> None:
    assert _comparable(leaves(ours(raw))) == _comparable(library_leaves(email.message_from_bytes(raw)))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=500))
def test_header_and_body_are_never_lost(raw: bytes) -> None:
    head, body = split_header(raw)
    assert raw.startswith(head)
    assert raw.endswith(body)
    assert raw[len(head) : len(raw) - len(body)] in (b"", b"\n", b"\r\n")


def test_dovecot_describes_the_same_parts(account: Account) -> None:
    names = [name for name in NAMES if name not in DOVECOT_DIFFERS]
    raws = [(MAILS / f"{name}.eml").read_bytes() for name in names]
    with account.open() as session:
        for raw in raws:
            session.append("INBOX", raw)
        session.select("INBOX")
        answer = session._wire.command("show messages", b"UID FETCH 1:* (UID BODYSTRUCTURE)")
    for name, raw, row in zip(names, raws, rows(answer.untagged), strict=True):
        theirs = described(row.structure)
        assert theirs is not None, name
        assert _shape(theirs) == _shape(ours(raw)), name


def _shape(node: Node) -> list[tuple[str, str, str, str | None]]:
    return [(leaf.number, leaf.type, leaf.filename, leaf.content_id) for leaf in node.leaves()]


TEXT = b"Content-Type: text/plain\r\n\r\nWhere is my lamp?\r\n"
FILE = b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQ=\r\n"
MIXED = b"Content-Type: multipart/mixed; boundary="


@pytest.mark.parametrize(
    "raw",
    [
        MIXED + b"abc\r\n\r\n--abc\r\n" + TEXT + b"--abc\r\n" + FILE,
        MIXED + b"abc\r\n\r\n--abc\r\n" + TEXT + b"--abc\r\n" + FILE + b"--abd--\r\n",
        MIXED + b"abc\r\n\r\n--xyz\r\n" + TEXT + b"--xyz\r\n" + FILE + b"--xyz--\r\n",
        MIXED + b"ABC\r\n\r\n--abc\r\n" + TEXT + b"--abc\r\n" + FILE + b"--abc--\r\n",
        MIXED + b"abc\r\n\r\n--abc_001\r\n" + TEXT + b"--abc_001\r\n" + FILE + b"--abc_001--\r\n",
        MIXED + b"\r\n\r\nA preamble.\r\n--=_x\r\n" + TEXT + b"--=_x\r\n" + FILE + b"--=_x--\r\n",
        b"Content-Type: multipart/mixed\r\n\r\n--x\r\n" + TEXT + b"--x\r\n" + FILE + b"--x--\r\n",
        b"MIME-Version: 1.0\r\n\r\n--x\r\n" + TEXT + b"--x\r\n" + FILE + b"--x--\r\n",
        b"Subject: x\r\n\r\nThis is a multi-part message in MIME format.\r\n\r\n--x\r\n" + TEXT + b"--x\r\n" + FILE,
        MIXED + b"abc\r\n\r\n--abc\r\n" + TEXT + b"--abc--\r\n--abc\r\n" + FILE + b"--abc--\r\n",
        MIXED + b"abc\r\n\r\n--abc\r\n" + TEXT + b"--abc--\r\nA footer.\r\n--abc\r\n" + FILE,
    ],
)
def test_no_part_is_lost_where_the_boundary_is_wrong(raw: bytes) -> None:
    found = [(kind, content.strip()[:8]) for _, kind, content in leaves(ours(raw))]
    assert found == [("text/plain", b"Where is"), ("application/pdf", b"%PDF-1.4")]


def test_a_text_that_shows_parts_of_a_mail_stays_a_text() -> None:
    raw = b"Subject: x\r\n\r\nYour mail came back:\r\n--x\r\n" + TEXT + b"--x--\r\n"
    assert [(number, kind) for number, kind, _ in leaves(ours(raw))] == [("1", "text/plain")]


@pytest.mark.parametrize(
    "junk", [b"--x\r\n", b"--", b"--x\r\nContent-Type: a\r\n", b"-", b"\r\n--", b"--a b\r\ncontent"]
)
def test_no_boundary_takes_for_ever(junk: bytes) -> None:
    for head in (MIXED + b"abc\r\n\r\n", MIXED + b"x\r\n\r\n", b"\r\n"):
        assert ours(head + junk * (1_000_000 // len(junk))).leaves()


_FIELDS = [
    b"From: Mia <mia@roth.example>", b"Subject: Lamp", b"Date: Mon, 02 Nov 2026 10:00:00 +0000",
    b"Message-ID: <1@roth.example>", b"MIME-Version: 1.0", b"Content-Type: multipart/mixed; boundary=b",
]  # fmt: skip
_PARTS = b"--b\r\n\r\nHello\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\nx\r\n--b--\r\n"


@pytest.mark.parametrize("before", range(1, len(_FIELDS)))
def test_the_rest_of_a_header_that_broke_off_at_a_line_without_colon_is_put_back(before: int) -> None:
    lines = [*_FIELDS[:before], b"X-Uploaded: yes", b"", b"A line without colon", *_FIELDS[before:], b"", _PARTS]
    mail, whole = parse(b"\r\n".join(lines)), parse(b"\r\n".join([*_FIELDS, b"", _PARTS]))
    assert (mail.subject, mail.message_id, mail.text) == ("Lamp", "<1@roth.example>", "Hello")
    assert [part.filename for part in mail.attachments] == ["a.pdf"]
    assert mail.identity == whole.identity


@pytest.mark.parametrize(
    "body",
    [
        "Original\nFrom: Otto <o@x.example>\nSubject: Lamp\nDate: Monday\n\nHello",
        "Booking\nDate: 3 May\n\nHello",
        "Your message\nMessage-ID: <2@roth.example>\n\nwas refused.",
        "Name: Mia\nSubject: Lamp\n\nHello",
        "One\nTwo: three\nMIME-Version: 1.0",
    ],
)
@pytest.mark.parametrize("head", ["From: mia@roth.example\nSubject: x\n", "From: mia@roth.example\n"])
def test_fields_that_somebody_wrote_into_a_text_stay_there(head: str, body: str) -> None:
    assert parse(f"{head}\n{body}".encode()).text == body


def test_the_line_ends_of_old_macs_are_line_ends() -> None:
    mail = parse(b"From: mia@roth.example\rSubject: Lamp\r\rHello\rMia")
    assert (mail.subject, mail.text) == ("Lamp", "Hello\nMia")
