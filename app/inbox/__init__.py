"""The domain: tables and their verbs, one noun per file. No Flask, no IMAP.

Verbs live on nouns (`conversation.claim(by=web(carla))`), take their actor as an argument, check what the actor
may do, and write their own history. Web, API, rules and sync call the same verbs. There is no second way to change
state. The read side is separate, in `lists/`: one function per list on screen.

Importing this package loads every table, so that relationships between them can be resolved.
"""

# Not used here: importing them makes every table known with the package.
from app.inbox.admin import attempt, invitation
from app.inbox.arriving import deferral, known_id
from app.inbox.conversations import conversation, copy, message, note, reading, tag
from app.inbox.history import chain, event, feed
from app.inbox.mailboxes import failure, folder, mailbox
from app.inbox.people import known_browser, member, session, sign_in_history, throttle, token
from app.inbox.replies import reply, upload
from app.inbox.server import comparison, download
