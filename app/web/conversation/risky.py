"""Recognises files that are programs, and files that look like something else: `invoice.pdf.exe`."""

from __future__ import annotations

import re

from app.web.language import gettext as _

_PROGRAM = re.compile(
    r"\.(?:apk|app|bat|chm|cmd|com|cpl|dll|exe|hta|inf|iso|img|jar|jse?|lnk|msi|msp|pif|ps1|reg|scr|sh|url|vb[es]?|vhdx?"
    r"|ws[fh])$",
    re.IGNORECASE,
)
_KIND_BEFORE = re.compile(
    r"\.(pdf|docx?|xlsx?|pptx?|odt|ods|csv|txt|rtf|jpe?g|png|gif|webp|mp[34]|html?|eml|zip)[\s_.-]*$", re.IGNORECASE
)


def risk(filename: str) -> str | None:
    """The warning beside the name; None for a file that no computer runs."""
    ending = _PROGRAM.search(filename)
    if ending is None:
        return None
    posed = _KIND_BEFORE.search(filename[max(ending.start() - 40, 0) : ending.start()].rstrip(" _.-"))
    return _("Program, not %(kind)s", kind=posed[1].upper()) if posed else _("Program")
