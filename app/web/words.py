"""Words that several pages share, in the reader's language."""

from __future__ import annotations

from app.web.language import gettext as _
from app.web.language import per_language
from app.web.where import VIEW_KEYS, view_names


def N_(words: str) -> str:  # noqa: N802  the name by which the catalogue finds words that are said later
    return words


#: The keys themselves are in `data-key` of their buttons.
_SHEET = {
    N_("Move around"): {
        N_("Next, previous"): "J K",
        N_("Open the conversation"): "O ↵",
        N_("Back to list"): "U Esc",
    },
    N_("Ownership"): {
        N_("Claim, or claim next"): "C",
        N_("Take over"): "⇧C",
        N_("Owner"): "A",
        N_("Release"): "⇧I",
    },
    N_("Organize"): {
        N_("Close"): "E",
        N_("Reopen"): "⇧E",
        N_("Status"): "S",
        N_("Snooze"): "Z",
        N_("Tag"): "T",
        N_("Star"): "*",
        N_("Move, merge and more"): "V",
        N_("Spam"): "!",
        N_("Trash"): "#",
    },
    N_("Answer"): {
        N_("Reply"): "R",
    },
    N_("Everywhere"): {
        N_("Note for the team"): "N",
        N_("Send the note"): "Ctrl ↵",
        N_("Search"): "/",
        N_("This sheet"): "?",
    },
}

#: Operators for the search field; they are the same in every language.
_SEARCH = {
    "inv sca": N_("Matches the start of words, all in one message"),
    '"new scale"': N_("These exact words, in this order"),
    "-paid": N_("Not this word; also works before an operator"),
    "from:mia": N_("Sender"),
    "to:otto": N_("Recipient"),
    "subject:invoice": N_("Subject"),
    "assignee:carla": N_("Owner; also “me” and “none”"),
    "status:closed": "open, pending, snoozed, closed, spam",
    "tag:billing": N_("Tag"),
    "in:archive": N_("Folder; “anywhere” includes spam and trash"),
    "after:2026-11": N_("With mail from that day, month or year onwards"),
    "before:2026-11-24": N_("With mail from before that day, month or year"),
    "has:attachment": N_("With a file"),
    "#32": N_("The conversation with this number"),
    "is:unread": N_("Not read by you; also “starred”"),
}


@per_language
def status_names() -> dict[str, str]:
    return {
        "open": _("Open"),
        "pending": _("Pending"),
        "snoozed": _("Snoozed"),
        "closed": _("Closed"),
        "spam": _("Spam"),
    }


@per_language
def reply_states() -> dict[str, str]:
    return {
        "draft": _("Draft"),
        "scheduled": _("Scheduled"),
        "queued": _("Sending"),
        "connecting": _("Sending"),
        "handed": _("Sending"),
        "sent": _("Sent"),
        "failed": _("Not sent"),
        "unknown": _("Possibly sent"),
    }


@per_language
def composer_tools() -> list[tuple[str, str, str]]:
    """The tools of the editor: what a script calls them, their icons, and their names."""
    return [
        ("bold", "bi-type-bold", _("Bold")),
        ("italic", "bi-type-italic", _("Italic")),
        ("bullets", "bi-list-ul", _("List")),
        ("link", "bi-link-45deg", _("Link")),
        ("attach", "bi-paperclip", _("Attach files")),
    ]


@per_language
def words_for_scripts() -> dict[str, str]:
    """Words that our scripts may show."""
    return {
        "offline": _("The connection to Signalbox was lost. Reconnecting automatically."),
        "unsent": _("Signalbox cannot be reached. Your change may not be saved. Try again when it is back."),
        "fetching": _("Loading from the mail server"),
        "failed": _("The mail server did not deliver it. Try again later."),
        "saved": _("Draft saved at %(time)s", time="{time}"),
        "unsaved": _("Not saved yet: Signalbox cannot be reached. Your text stays here."),
        "uploading": _("A file is still being uploaded. Send when it is there."),
        "tooLarge": _("Too large: at most %(size)s MB", size="{size}"),
        "link": _("Address of the link"),
        "position": _("%(n)s of %(all)s", n="{n}", all="{all}"),
    }


@per_language
def keys_sheet() -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """The sheet of keys, grouped by activity, in the reader's language."""
    views = view_names()
    go_to = [(views[view], ["G", key.upper()]) for view, key in VIEW_KEYS.items()]
    sheet = [(_(group), [(_(words), keys.split()) for words, keys in lines.items()]) for group, lines in _SHEET.items()]
    return [*sheet[:1], (_("Go to"), go_to), *sheet[1:]]


@per_language
def search_help() -> list[tuple[str, str]]:
    return [(example, _(words)) for example, words in _SEARCH.items()]


@per_language
def role_names() -> dict[str, str]:
    return {
        "": _("No role"),
        "observer": _("Observer: reads"),
        "agent": _("Agent: works on conversations"),
        "manager": _("Manager: assigns and creates tags"),
    }
