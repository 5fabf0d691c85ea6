"""Words that several pages of the administration share, in the reader's language."""

from __future__ import annotations

from app.inbox.admin.attempt import AGES
from app.web.language import gettext as _
from app.web.language import ngettext


def age_names() -> dict[int, str]:
    return {days: _age(days) for days in AGES}


def keyword_limits() -> dict[str, str]:
    return {
        "24": _("24: safe on every server"),
        "100": _("100: Cyrus"),
        "none": _("Unlimited: Dovecot with sdbox or mdbox"),
    }


def _age(days: int) -> str:
    if days % 365 == 0:
        return ngettext("%(num)d year", "%(num)d years", days // 365) % {"num": days // 365}
    if days % 30 == 0:
        return ngettext("%(num)d month", "%(num)d months", days // 30) % {"num": days // 30}
    return ngettext("%(num)d day", "%(num)d days", days) % {"num": days}
