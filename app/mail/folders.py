"""Finds the Sent, Junk and Trash folders by SPECIAL-USE (RFC 6154), or by their usual names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from app.mail.values import FolderInfo, Role

_SPECIAL_USE: dict[str, Role] = {
    "\\sent": "sent",
    "\\drafts": "drafts",
    "\\junk": "junk",
    "\\spam": "junk",
    "\\trash": "trash",
    "\\archive": "archive",
}
#: English, Spanish, German and French names as Thunderbird, Outlook, Apple Mail and webmails create them.
_KNOWN_NAMES: dict[Role, tuple[str, ...]] = {
    "sent": (
        "sent", "sent items", "sent messages", "sent mail", "enviados", "elementos enviados",
        "correo enviado", "mensajes enviados", "gesendet", "gesendete objekte", "gesendete elemente",
        "envoyés", "éléments envoyés", "messages envoyés",
    ),
    "drafts": (
        "drafts", "draft", "borradores", "borrador", "entwürfe", "entwurf", "brouillons", "brouillon",
    ),
    "junk": (
        "junk", "spam", "junk email", "junk e-mail", "bulk mail", "correo no deseado", "no deseado",
        "correo basura", "junk-e-mail", "spamverdacht", "unerwünscht", "courrier indésirable", "indésirables",
        "pourriel",
    ),
    "trash": (
        "trash", "deleted", "deleted items", "deleted messages", "bin", "papelera", "papelera de reciclaje",
        "elementos eliminados", "eliminados", "papierkorb", "gelöschte objekte", "gelöschte elemente",
        "corbeille", "éléments supprimés", "messages supprimés",
    ),
    "archive": ("archive", "archives", "archivo", "archivados", "archiv", "archivés"),
}  # fmt: skip
_NOBODY: Mapping[str, Role | None] = MappingProxyType({})
_ROLE_OF_NAME = {name: role for role, names in _KNOWN_NAMES.items() for name in names}


def with_roles(folders: Sequence[FolderInfo], held: Mapping[str, Role | None] = _NOBODY) -> list[FolderInfo]:
    """The same folders, with each role given to at most one; SPECIAL-USE wins over a name. `held`: folder -> its
    present role. The folder keeps it unless the server says otherwise, whatever the names of other folders."""
    taken: dict[Role, str] = {}
    for told_by in (_by_special_use, lambda folder: held.get(folder.name), _by_name):
        for folder in folders:
            role = told_by(folder)
            if role and folder.selectable and role not in taken and folder.name not in taken.values():
                taken[role] = folder.name
    role_of = {name: role for role, name in taken.items()}
    return [replace(folder, role=role_of.get(folder.name)) for folder in folders]


def _by_special_use(folder: FolderInfo) -> Role | None:
    if folder.name.upper() == "INBOX":
        return "inbox"
    return next((role for flag, role in _SPECIAL_USE.items() if flag in folder.flags), None)


def _by_name(folder: FolderInfo) -> Role | None:
    """`Sent`, `INBOX.Sent` and `[Gmail]/Sent Mail`, but not `Customers/Acme/Sent`."""
    path = folder.name.split(folder.delimiter) if folder.delimiter else [folder.name]
    if len(path) == 1 or (len(path) == 2 and path[0].upper() in ("INBOX", "[GMAIL]", "[GOOGLE MAIL]")):
        return _ROLE_OF_NAME.get(path[-1].casefold())
    return None
