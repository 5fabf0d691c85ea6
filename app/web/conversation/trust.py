"""Whether a mail comes from its stated sender, as far as a trusted mail server proved it."""

from __future__ import annotations

from dataclasses import dataclass

from app.inbox.arriving.own import OwnAddresses
from app.inbox.conversations.rows import MessageRow
from app.web.language import gettext as _


@dataclass(frozen=True)
class Trust:
    """A verdict on the sender, and its reason. `asks_first`: the reason is visible above the mail."""

    name: str
    why: str
    is_warning: bool
    asks_first: bool = False


class Senders:
    """Judges the senders of a mailbox's mail."""

    def __init__(self, own: OwnAddresses) -> None:
        self._own = own

    def trust(self, mail: MessageRow) -> Trust | None:
        """None without a verdict: our own mail, and strangers whom no server checked."""
        if mail.direction == "out":
            return None
        if mail.authentication == "pass":
            return Trust(_("Verified"), _("Your mail server confirmed that it comes from this domain."), False)
        if mail.from_address in self._own:
            return self._colleague(mail)
        if mail.authentication == "fail":
            why = _("Your mail server could not confirm this sender. Somebody else may have sent it.")
            return Trust(_("Not verified"), why, True)
        return None

    def _colleague(self, mail: MessageRow) -> Trust | None:
        if mail.authentication is not None:
            why = _(
                "The sender uses your team’s address, but your mail server did not confirm it. Check with your "
                "colleague before you act."
            )
            return Trust(_("Claims to be a colleague"), why, True, asks_first=True)
        if mail.own_address:
            return None  # it has a mark of its own
        why = _("The sender uses your team’s address. No trusted mail server is set up to confirm it.")
        return Trust(_("Unconfirmed"), why, True)
