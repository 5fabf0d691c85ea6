"""The media types of machines' reports (RFC 6522): what mail reads in them, inbox and web do not show as files."""

from __future__ import annotations

#: Could not be delivered, or not yet (RFC 3464, RFC 6533).
DELIVERY = frozenset({"message/delivery-status", "message/global-delivery-status"})
#: Was read, or was delivered (RFC 8098, RFC 6533).
RECEIPTS = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
#: Complaints (RFC 5965).
FEEDBACK = frozenset({"message/feedback-report"})
#: The header of the mail that a report tells of.
HEADERS = frozenset({"text/rfc822-headers", "message/global-headers"})
PARTS = DELIVERY | RECEIPTS | FEEDBACK | HEADERS
