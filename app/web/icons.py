"""Icons of statuses and views, by the names that Bootstrap Icons gives them."""

from __future__ import annotations

STATUS_ICONS = {
    "open": "bi-circle",
    "pending": "bi-circle-half",
    "snoozed": "bi-moon",
    "closed": "bi-check-circle",
    "spam": "bi-exclamation-octagon",
}
VIEW_ICONS = {
    **STATUS_ICONS,
    "unassigned": "bi-inbox",
    "mine": "bi-person",
    "open": "bi-envelope-open",
    "starred": "bi-star",
    "trash": "bi-trash3",
    "gone": "bi-cloud-minus",
    "all": "bi-collection",
}
