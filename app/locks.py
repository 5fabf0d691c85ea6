"""Advisory locks of Postgres: one number for each use. If a lock has two numbers, the second is the id of a mailbox.

Postgres separates locks with one number from locks with two.
"""

from __future__ import annotations

#: Two: the worker that serves a mailbox; held by a connection (worker/holder.py).
SERVE_MAILBOX = 5_319
#: One: only one process migrates (migrations/env.py).
MIGRATE = 5_319_001
#: One: transactions add their links to the chain of events in turn (migrations/versions/0001_first_tables.py).
CHAIN_EVENTS = 5_319_002
#: Two: one transaction at a time finds conversations for the mails of a mailbox (inbox/arriving/matching.py).
MATCH_MAIL = 5_319_002
#: Two: the meaning of keywords in a mailbox is read by many or changed by one (inbox/conversations/tag.py).
VOCABULARY = 5_319_003
