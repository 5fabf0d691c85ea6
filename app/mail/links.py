"""The addresses of a mail's links and pictures, in a form that a browser can open.

Senders omit the scheme, write addresses relative to <base>, or put line ends into them. nh3 checks every address again
and lets no other scheme through (safe_html.py).
"""

from __future__ import annotations

import re
from urllib.parse import urljoin

_IGNORED = re.compile(r"[\t\n\r\f]+")
_EDGE = "".join(map(chr, range(33))) + "\x7f\xa0\u200b\ufeff"
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_WEB = re.compile(r"(https?):[/\\]*(.*)", re.IGNORECASE | re.DOTALL)
_OTHER_SCHEMES = ("mailto", "tel")
_HOST = re.compile(r"(?:[\w-]+\.)+[^\W\d_]{2,24}(?::\d{1,5})?(?=[/?#]|\Z)")
_MAIL_ADDRESS = re.compile(r"[\w.+-]{1,64}@(?:[\w-]+\.)+[^\W\d_]{2,24}")
#: Endings of page names, which look like the endings of host names.
_PAGES = frozenset({"asp", "aspx", "cfm", "cgi", "doc", "docx", "gif", "htm", "html", "jpeg", "jpg", "js", "jsp", "pdf",
                    "php", "pl", "png", "txt", "xhtml", "xls", "xlsx", "xml", "zip"})  # fmt: skip


def base_address(href: str) -> str | None:
    """The address that <base> sets for relative links, if it is on the web."""
    return _web_address(_tidied(href))


def link_address(href: str, base: str | None) -> str | None:
    """The address of a link with its scheme: http, https, mailto or tel. None for any other scheme."""
    href = _tidied(href)
    if address := _web_address(href):
        return address
    scheme = _SCHEME.match(href)
    if scheme and scheme[1].lower() in _OTHER_SCHEMES:
        return href
    if scheme and not _HOST.match(href):
        return None
    if _MAIL_ADDRESS.fullmatch(href):
        return f"mailto:{href}"
    if href[:4].lower() == "www." or (base is None and _is_host(href)):
        return f"https://{href}"
    return _joined(base, href)


def picture_address(src: str, base: str | None) -> str | None:
    """The https address of a picture on another server. None for any other picture."""
    src = _tidied(src)
    address = _web_address(src)
    if address is None and not _SCHEME.match(src):
        address = f"https://{src}" if src[:4].lower() == "www." else _joined(base, src)
    return f"https:{address.partition(':')[2]}" if address else None


def _tidied(address: str) -> str:
    """The address as browsers read it: without tabs and line ends, and without control characters and spaces around
    it."""
    return _IGNORED.sub("", address).strip(_EDGE)


def _web_address(address: str) -> str | None:
    scheme, rest = "https", ""
    if match := _WEB.fullmatch(address):
        scheme, rest = match[1].lower(), match[2]
    elif address[:2].replace("\\", "/") == "//":
        rest = address.lstrip("/\\")
    return f"{scheme}://{rest}" if rest and rest[0] not in "?#:@" else None


def _is_host(address: str) -> bool:
    match = _HOST.match(address)
    if match is None:
        return False
    host = match[0].partition(":")[0]
    return host.rpartition(".")[2].lower() not in _PAGES or address[match.end() :].startswith("/")


def _joined(base: str | None, address: str) -> str | None:
    if base is None or not address or address.startswith("#"):
        return None
    try:
        return _web_address(urljoin(base, address))
    except ValueError:
        return None
