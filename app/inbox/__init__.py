"""The domain: tables and their verbs, one noun per file. No Flask, no IMAP.

Verbs live on nouns (`conversation.claim(by=web(carla))`), take their actor as an argument, check what the actor
may do, and write their own history. Web, API, rules and sync call the same verbs: there is no second way to change
state. The read side, one function per list on screen, is apart in `lists.py`.

Importing this package loads every table, so that relationships between them can be resolved.
"""

from app.inbox import (  # noqa: F401  every table is known once the package is
    attempt,
    chain,
    comparison,
    conversation,
    copy,
    deferral,
    download,
    event,
    failure,
    folder,
    invitation,
    known_browser,
    known_id,
    mailbox,
    member,
    message,
    note,
    reading,
    session,
    sign_in_history,
    tag,
    throttle,
    token,
)
