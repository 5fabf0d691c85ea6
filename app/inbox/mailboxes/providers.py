"""Guesses the servers of an address: known providers, otherwise the usual names. It makes no network request. A form
offers the guess, and the worker tests it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Guess:
    """`note`: what the administrator has to know first. app_password: the normal password is refused; no_password: no
    password is accepted at all; bridge: a program of the provider has to run on this machine."""

    imap: tuple[str, int, str]
    smtp: tuple[str, int, str] | None = None
    note: str = ""


def _usual(imap: str, smtp: str, note: str = "") -> Guess:
    return Guess((imap, 993, "tls"), (smtp, 465, "tls"), note)


def _with_starttls(imap: str, smtp: str, note: str = "") -> Guess:
    return Guess((imap, 993, "tls"), (smtp, 587, "starttls"), note)


_GMAIL = _usual("imap.gmail.com", "smtp.gmail.com", "app_password")
_MICROSOFT = _with_starttls("outlook.office365.com", "smtp.office365.com", "no_password")
_YAHOO = _usual("imap.mail.yahoo.com", "smtp.mail.yahoo.com", "app_password")
_ICLOUD = _with_starttls("imap.mail.me.com", "smtp.mail.me.com", "app_password")
_FASTMAIL = _usual("imap.fastmail.com", "smtp.fastmail.com", "app_password")
_GMX = _with_starttls("imap.gmx.net", "mail.gmx.net")
_PROTON = Guess(("127.0.0.1", 1143, "starttls"), ("127.0.0.1", 1025, "starttls"), "bridge")
_PROVIDERS = {
    ("gmail.com", "googlemail.com"): _GMAIL,
    ("outlook.com", "outlook.es", "hotmail.com", "hotmail.es", "live.com", "msn.com"): _MICROSOFT,
    ("yahoo.com", "yahoo.es", "yahoo.co.uk", "yahoo.fr", "yahoo.de", "ymail.com"): _YAHOO,
    ("icloud.com", "me.com", "mac.com"): _ICLOUD,
    ("fastmail.com", "fastmail.fm"): _FASTMAIL,
    ("gmx.net", "gmx.de", "gmx.at", "gmx.ch"): _GMX,
    ("gmx.com", "gmx.es"): _with_starttls("imap.gmx.com", "mail.gmx.com"),
    ("web.de",): _with_starttls("imap.web.de", "smtp.web.de"),
    ("t-online.de",): _usual("secureimap.t-online.de", "securesmtp.t-online.de"),
    ("posteo.de", "posteo.net"): _usual("posteo.de", "posteo.de"),
    ("mailbox.org",): _usual("imap.mailbox.org", "smtp.mailbox.org"),
    ("aol.com",): _usual("imap.aol.com", "smtp.aol.com", "app_password"),
    ("zoho.com", "zohomail.com"): _usual("imap.zoho.com", "smtp.zoho.com", "app_password"),
    ("zoho.eu", "zohomail.eu"): _usual("imap.zoho.eu", "smtp.zoho.eu", "app_password"),
    ("yandex.com", "yandex.ru"): _usual("imap.yandex.com", "smtp.yandex.com", "app_password"),
    ("orange.fr",): _usual("imap.orange.fr", "smtp.orange.fr"),
    ("libero.it",): _usual("imapmail.libero.it", "smtp.libero.it"),
    ("proton.me", "protonmail.com", "pm.me"): _PROTON,
}
_BY_DOMAIN = {domain: guess for domains, guess in _PROVIDERS.items() for domain in domains}
#: Domains that are never on the network (RFC 6761). Their mail server is probably on this machine.
_HERE = ("localhost", "test", "local", "internal")


def is_provider(domain: str) -> bool:
    """Whether anyone can have an address in this domain (in lower case)."""
    return domain in _BY_DOMAIN


def guess(address: str) -> Guess:
    domain = address.rpartition("@")[2].strip().lower()
    if domain in _BY_DOMAIN:
        return _BY_DOMAIN[domain]
    if domain.rpartition(".")[2] in _HERE:
        return Guess(("127.0.0.1", 143, "none"))
    return Guess((f"imap.{domain}", 993, "tls"))
