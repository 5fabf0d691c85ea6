"""The media types of machines' reports (RFC 6522). Mail parses them; inbox and web do not show them as files."""

from __future__ import annotations

#: Not delivered, or not yet (RFC 3464, RFC 6533).
DELIVERY = frozenset({"message/delivery-status", "message/global-delivery-status"})
#: Read or delivered (RFC 8098, RFC 6533).
RECEIPTS = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
#: Complaints (RFC 5965).
FEEDBACK = frozenset({"message/feedback-report"})
#: The header of the mail that a report is about.
HEADERS = frozenset({"text/rfc822-headers", "message/global-headers"})
PARTS = DELIVERY | RECEIPTS | FEEDBACK | HEADERS
