"""Words that several pages share, in the reader's language."""

from __future__ import annotations

from app.web.language import gettext as _
from app.web.where import view_names


def status_names() -> dict[str, str]:
    return {
        "open": _("Open"),
        "pending": _("Pending"),
        "snoozed": _("Snoozed"),
        "closed": _("Closed"),
        "spam": _("Spam"),
    }


def words_for_scripts() -> dict[str, str]:
    """What our modules may have to say by themselves."""
    return {
        "offline": _("The connection to Signalbox is lost. It is tried again by itself."),
        "unsent": _("Signalbox cannot be reached, and this may not have been done. Try again when it is back."),
        "fetching": _("Being fetched from the mail server"),
        "failed": _("The mail server did not give it. Try again later."),
        "position": _("%(n)s of %(all)s", n="{n}", all="{all}"),
    }


def keys_sheet() -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """The sheet of keys, grouped by what one is doing. The keys themselves stand on their verbs as `data-key`."""
    views = view_names()
    return [
        (
            _("Move around"),
            [
                (_("Next, previous"), ["J", "K"]),
                (_("Open the conversation"), ["O", "↵"]),
                (_("Back to the list"), ["U", "Esc"]),
            ],
        ),
        (
            _("Go to"),
            [
                (views["unassigned"], ["G", "U"]),
                (views["mine"], ["G", "M"]),
                (views["open"], ["G", "O"]),
                (views["pending"], ["G", "W"]),
                (views["snoozed"], ["G", "Z"]),
                (views["starred"], ["G", "S"]),
                (views["closed"], ["G", "C"]),
            ],
        ),
        (
            _("Own it"),
            [
                (_("Claim, or claim next"), ["C"]),
                (_("Take over"), ["⇧C"]),
                (_("Owner"), ["A"]),
                (_("Release"), ["⇧I"]),
            ],
        ),
        (
            _("Sort it"),
            [
                (_("Close"), ["E"]),
                (_("Reopen"), ["⇧E"]),
                (_("Status"), ["S"]),
                (_("Snooze"), ["Z"]),
                (_("Tag"), ["T"]),
                (_("Star"), ["*"]),
                (_("Move, merge and more"), ["V"]),
                (_("Spam"), ["!"]),
                (_("Trash"), ["#"]),
            ],
        ),
        (
            _("Everywhere"),
            [
                (_("Note for the team"), ["N"]),
                (_("Send the note"), ["Ctrl", "↵"]),
                (_("Search"), ["/"]),
                (_("This sheet"), ["?"]),
            ],
        ),
    ]
