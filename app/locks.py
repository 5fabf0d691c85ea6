"""Advisory locks of Postgres: one number for each use. With two numbers the second is the id of a mailbox.

Postgres keeps locks of one number apart from locks of two.
"""

from __future__ import annotations

#: Two: which worker serves a mailbox; held by a connection (worker/holder.py).
SERVE_MAILBOX = 5_319
#: One: only one process migrates (migrations/env.py).
MIGRATE = 5_319_001
#: One: links of the chain of events take turns (migrations/versions/0001_first_tables.py).
CHAIN_EVENTS = 5_319_002
#: Two: mails of a mailbox find their conversations in one transaction at a time (inbox/arriving/matching.py).
MATCH_MAIL = 5_319_002
#: Two: what keywords mean in a mailbox is read by many or changed by one (inbox/conversations/tag.py).
VOCABULARY = 5_319_003
