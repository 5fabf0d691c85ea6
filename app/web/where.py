"""Where the reader is: the list from which a conversation was opened. It is in the address of every page, so that both
panes can be drawn from it alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar
from urllib.parse import urlencode

from flask import request, url_for

from app.inbox.lists.lists import Filter
from app.inbox.lists.views import VIEWS
from app.inbox.mailboxes.rows import FolderRow
from app.web.language import gettext as _
from app.web.language import per_language, pgettext
from app.web.pictures import permission

DEFAULT_VIEW = "unassigned"
#: The second key of "g, then …".
VIEW_KEYS = {"unassigned": "u", "mine": "m", "open": "o", "pending": "w", "snoozed": "z", "starred": "s", "closed": "c"}
#: Views in which all conversations have the same status do not show it in each row.
_ONE_STATUS = {"unassigned", "mine", "open", "pending", "snoozed", "closed", "spam"}


#: The longest text of the search field. In any script its address, quoted again for the sign-in, is short enough for
#: gunicorn and the usual proxies (8 kB).
LONGEST_SEARCH = 500


@dataclass(frozen=True)
class Where:
    mailbox_id: int
    view: str = DEFAULT_VIEW
    tag: str | None = None
    folder: FolderRow | None = None
    q: str = ""
    tag_label: str = ""
    count: str = ""
    longest_search: ClassVar[int] = LONGEST_SEARCH
    earlier: bool = False  # all messages of the open conversation, not only the newest
    images: int | None = None  # the mail whose remote pictures are shown while its conversation is open

    @property
    def criteria(self) -> Filter:
        return Filter(
            view=self.view,
            mailbox_id=self.mailbox_id,
            tag=self.tag,
            folder_id=self.folder_id,
            q=self.q,
        )

    @property
    def folder_id(self) -> int | None:
        return self.folder.id if self.folder else None

    @property
    def narrowed(self) -> bool:
        return bool(self.tag or self.folder or self.q)

    @property
    def shows_status(self) -> bool:
        return self.narrowed or self.view not in _ONE_STATUS

    @property
    def args(self) -> dict[str, str | int]:
        """For the address of a conversation opened from here."""
        args = {"view": self.view, "tag": self.tag, "folder": self.folder_id, "q": self.q}
        return {name: value for name, value in args.items() if value}

    @property
    def here(self) -> dict[str, str | int]:
        """For the addresses of the open conversation and its verbs, so that their responses show the same list."""
        images = {"images": permission(self.images)} if self.images else {}
        return self.args | images | ({"earlier": 1} if self.earlier else {})

    @cached_property
    def tail(self) -> str:
        """The part after `/conversations/7` in an address opened from here, built once for all rows of a list."""
        return f"?{urlencode(self.args)}" if self.args else ""

    @property
    def address(self) -> str:
        if self.folder_id is not None:
            return url_for("lists.folder", mailbox_id=self.mailbox_id, folder_id=self.folder_id)
        return url_for("lists.show", mailbox_id=self.mailbox_id, view=self.view, tag=self.tag, q=self.q or None)

    def page(self, cursor: str) -> str:
        return f"{self.address}{'&' if '?' in self.address else '?'}{urlencode({'cursor': cursor})}"

    def is_view(self, name: str) -> bool:
        return name == self.view and not self.narrowed

    @property
    def title(self) -> str:
        if self.q:
            return _("Found: %(words)s", words=self.q)
        if self.folder:
            return self.folder.name
        return self.tag_label or self.tag or view_names()[self.view]

    @property
    def order(self) -> str:
        return _("Oldest first") if self.view == "unassigned" and not self.narrowed else _("Newest first")

    @property
    def empty_title(self) -> str:
        if self.q:
            return _("Nothing found")
        return _("All caught up") if self.view in ("unassigned", "mine", "open") else _("Nothing here")

    @property
    def empty_text(self) -> str:
        if self.q:
            return _(
                "No conversation matches. Words match from their start. Add “in:anywhere” to include spam and trash."
            )
        texts = {
            "unassigned": _("Every open conversation has an owner."),
            "mine": _("You have no open conversations. Claim one from Unassigned."),
            "gone": _("Every conversation still has a copy on the mail server."),
        }
        return texts.get(self.view, _("New conversations appear automatically."))


def from_request(mailbox_id: int, folder: FolderRow | None = None) -> Where:
    """Where the address says the reader is; an unknown view becomes the default one."""
    view = request.args.get("view", "")
    tag, q = request.args.get("tag") or None, request.args.get("q", "").strip()[:LONGEST_SEARCH]
    everywhere = "all" if (tag or q or folder) else DEFAULT_VIEW
    return Where(mailbox_id, view if view in VIEWS else everywhere, tag, folder, q)


@per_language
def view_names() -> dict[str, str]:
    return {
        "unassigned": pgettext("view", "Unassigned"),
        "mine": pgettext("view", "Mine"),
        "open": pgettext("view", "All open"),
        "pending": pgettext("view", "Pending"),
        "snoozed": pgettext("view", "Snoozed"),
        "starred": pgettext("view", "Starred"),
        "closed": pgettext("view", "Closed"),
        "spam": pgettext("view", "Spam"),
        "trash": pgettext("view", "Trash"),
        "gone": pgettext("view", "Gone from the server"),
        "all": pgettext("view", "Everything"),
    }
