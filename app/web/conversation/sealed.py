"""Describes mails that are encrypted, signed or packed, because we do not open them."""

from __future__ import annotations

from app.inbox.conversations.rows import MessageRow
from app.web.language import gettext as _

_PGP = frozenset({"application/pgp-encrypted"})
_S_MIME = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_SIGNATURES = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_ARMOUR = "-----BEGIN PGP MESSAGE-----"
_SIGNED_ARMOUR = "-----BEGIN PGP SIGNED MESSAGE-----"


def seal(mail: MessageRow) -> tuple[str, str] | None:
    """(icon, explanation for the reader); None for an ordinary mail."""
    types = {attachment.type.lower() for attachment in mail.attachments}
    begins = mail.text.lstrip()[: len(_SIGNED_ARMOUR)]
    if types & _PGP or begins.startswith(_ARMOUR):
        return "bi-lock", _("This message is encrypted with PGP. A mail client that has the key can open it.")
    if types & _S_MIME:
        return "bi-lock", _("This message is encrypted with S/MIME. A mail client that has the key can open it.")
    if types & _TNEF or any(a.filename.lower() == "winmail.dat" for a in mail.attachments):
        return "bi-box-seam", _(
            "Outlook packed the attachments of this message into one file that only Outlook can open."
        )
    if types & _SIGNATURES or begins == _SIGNED_ARMOUR:
        return "bi-patch-question", _("This message is signed. Signalbox does not check the signature.")
    return None
