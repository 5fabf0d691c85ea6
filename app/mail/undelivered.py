"""The failed recipient and the reason in a bounce, from the report (RFC 3464) or from its text. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from app import reports
from app.mail.charset import clean, decoded
from app.mail.headers import Headers
from app.mail.html import text_from_html
from app.mail.mime import Node
from app.mail.transfer import content_of

_LONGEST_REPORT = 64 * 1024
_LONGEST_TEXT = 20_000
_LONGEST_PROSE = 4000
_LONGEST_ADDRESS = 330
_LONGEST_REASON = 300
_MOST_RECIPIENTS = 200
#: The worst comes first. The last three mean that the mail arrived, or was passed on.
_ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")
_BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")
_STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
#: `smtp; 550 5.1.1 unknown`: the words begin after these.
_CODES = re.compile(r"(?:\(?reason: )?(?:[245]\d\d[-\s]+)?(?:\(?#?[245]\.\d{1,3}\.\d{1,3}\)?[-:\s]*)?", re.IGNORECASE)
#: qmail, Postfix and sendmail put the address in brackets at the beginning of a line; Exim indents it.
_IN_WORDS = re.compile(
    r"^[ \t]{0,8}<?([^<>\s@:,]{1,100}@[^<>\s@:,]{1,200})>?:?[ \t]{0,8}\r?\n?[ \t]{0,8}(\S[^\r\n]{0,400})", re.MULTILINE
)

_ADDRESS = re.compile(r"(?<![\w.+=@<-])<?([\w.+=-]{1,64}@[\w-]{1,60}(?:\.[\w-]{1,60}){1,8})")
#: Where the returned mail or its header begins.
_RETURNED = re.compile(
    r"^[ \t>-]{0,20}(?:message-id|received|return-path|from|von|de|date)[ \t]{0,3}:", re.I | re.MULTILINE
)
#: Addresses to which mail systems refer the reader.
_SERVANT = re.compile(r"postmaster@|mailer-daemon@|abuse@|support@|help-?desk@|admin(?:istrator)?@|no-?reply@")


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One recipient of a delivery report. `status` is RFC 3463's: 5.1.1; `action` RFC 3464's: failed, delayed …
    `others`: the number of further recipients with the same result. Unknown fields are empty."""

    address: str
    status: str = ""
    reason: str = ""
    action: str = "failed"
    others: int = 0

    @property
    def arrived(self) -> bool:
        return self.action not in ("failed", "delayed")

    def shape(self) -> dict[str, Any]:
        return {
            "address": self.address,
            "status": self.status,
            "reason": self.reason,
            "delayed": self.action == "delayed",
            "others": self.others,
        }


def undelivered(root: Node, named: str | None = None, people: str = "") -> Undelivered | None:
    """The recipient with the worst result. `named`: the addresses of X-Failed-Recipients. `people`: From and To of the
    bounce, which are not failed recipients. None if the bounce names no recipient."""
    leaves = root.leaves()
    for leaf in leaves:
        if leaf.type in reports.DELIVERY:
            found = _in_report(content_of(leaf, _LONGEST_REPORT))
            if found is not None:
                return found
    text = next((leaf for leaf in leaves if leaf.type in ("text/plain", "text/html") and leaf.is_here), None)
    found = _in_words(text, people) if text is not None else None
    if named and (address := clean(named.partition(",")[0].strip("<> \t"))[:_LONGEST_ADDRESS]):
        same = found is not None and found.address.lower() == address.lower()
        return found if same else Undelivered(address, others=min(named.count(","), _MOST_RECIPIENTS))
    return found


def _in_report(report: bytes) -> Undelivered | None:
    blocks = _BLANK_LINE.split(report.strip(), _MOST_RECIPIENTS)[:_MOST_RECIPIENTS]
    found = [said for block in blocks if (said := _recipient(Headers(block))) is not None]
    if not found:
        return None
    worst = min(found, key=lambda said: _ACTIONS.index(said.action))
    others = sum(said.action == worst.action and said.address != worst.address for said in found)
    return Undelivered(worst.address, worst.status, worst.reason, worst.action, others)


def _recipient(fields: Headers) -> Undelivered | None:
    address = _typed(fields, "original-recipient") or _typed(fields, "final-recipient")
    if not address:
        return None
    action = (fields.get("action") or "").partition(";")[0].strip().lower()
    status = _STATUS.search(fields.get("status") or "")
    reason = _typed(fields, "diagnostic-code")
    if action not in _ACTIONS:
        action = "delayed" if status and status[0].startswith("4") else "failed"
    return Undelivered(address[:_LONGEST_ADDRESS], status[0] if status else "", _reason(reason), action)


def _typed(fields: Headers, name: str) -> str:
    """`rfc822; gone@customer.example`: the text after the type (RFC 3464 2.1.2)."""
    kind, mark, value = fields.text(name).partition(";")
    return clean((value if mark else kind).strip().strip("<>"))


def _in_words(leaf: Node, people: str) -> Undelivered | None:
    text = decoded(content_of(leaf, _LONGEST_TEXT), leaf.charset)
    text = text_from_html(text) if leaf.type == "text/html" else text
    match = _IN_WORDS.search(text)
    if match is None:
        return _only_address(text, people.lower())
    status = _STATUS.search(match[2])
    return Undelivered(match[1], status[0] if status else "", _reason(match[2]))


def _only_address(text: str, people: str) -> Undelivered | None:
    """The one address in a sentence: "Your message wasn't delivered to otto@kunde.example because …"."""
    words = _RETURNED.split(text[:_LONGEST_PROSE], maxsplit=1)[0]
    found = {address.lower(): address for address in _ADDRESS.findall(words)}
    others = [address for low, address in found.items() if low not in people and not _SERVANT.match(low)]
    return Undelivered(others[0]) if len(others) == 1 else None


def _reason(words: str) -> str:
    words = " ".join(words.split())
    if words.startswith("(reason:"):
        words = words.removesuffix(")")
    return clean(words[_matched(words) :])[:_LONGEST_REASON]


def _matched(words: str) -> int:
    match = _CODES.match(words)
    return match.end() if match else 0
