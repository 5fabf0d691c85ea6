"""Keywords that every mail server accepts: one rule for the vocabulary and for commands."""

from __future__ import annotations

import re

#: An atom of RFC 3501 without `]`, which some servers reject; at most 50 bytes, Dovecot's limit.
KEYWORD = re.compile(r"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]{1,50}")
