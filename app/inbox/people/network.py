"""Network: groups the addresses that one customer of a provider has, for counting tries. Pure."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

UNKNOWN = "unknown address"


def address_of(text: str) -> str:
    """The normal form of a client's address: an IPv4-mapped address as IPv4, without zone and port. `UNKNOWN` for
    invalid text, because a proxy passes on whatever the client sent."""
    address = _parsed(text)
    return str(address) if address else UNKNOWN


def network_of(text: str) -> str:
    """What counts as one source: an IPv4 address, or the /64 that a provider gives to each connection."""
    address = _parsed(text)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address) if address else UNKNOWN


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    text = re.sub(r"^\[([^\]]*)\](?::\d{1,5})?$|^([\d.]+):\d{1,5}$", r"\1\2", text.strip()[:100])
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
