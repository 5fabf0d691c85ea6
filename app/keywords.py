"""Keywords as mail servers take them: one rule for what a vocabulary may hold and what may go into a command."""

from __future__ import annotations

import re

#: An atom of RFC 3501 without `]`, which some servers refuse; at most 50 bytes, Dovecot's limit.
KEYWORD = re.compile(r"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]{1,50}")
