"""Which network addresses belong to the public internet, and which must never be connected to."""

import ipaddress
from typing import Final

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_REFUSED_V4: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "168.63.129.16/32",  # Azure's host agent, which every virtual machine there reaches under this address
        "192.0.0.0/24",  # protocol assignments (RFC 6890), of which Python 3.11 takes most for global
        "192.88.99.0/24",  # relays of 6to4 (RFC 7526)
    )
)
_GLOBAL_V6: Final = ipaddress.IPv6Network("2000::/3")
"""All that is given out for use on the internet (RFC 4291, IANA)."""
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 as hosts with IPv6 alone see it (RFC 6052)."""
_REFUSED_V6: Final = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # Teredo and other special uses
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation, which Python 3.11 does not know
    )
)


def is_public(text: str) -> bool:
    """Tell whether an address is one of the public internet, also under each of the forms that IPv6 has for IPv4.

    `ipaddress.is_global` alone takes multicast for global, and looks into some of these forms only.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:  # with a zone: it is link-local
        return False
    return _is_public_v4(address) if isinstance(address, ipaddress.IPv4Address) else _is_public_v6(address)


def is_address(host: str) -> bool:
    """Tell whether a host is named by its address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_public_v4(address: ipaddress.IPv4Address) -> bool:
    refused = address.is_multicast or address.is_reserved or any(address in one for one in _REFUSED_V4)
    return address.is_global and not refused


def _is_public_v6(address: ipaddress.IPv6Address) -> bool:
    if (inner := _inner_v4(address)) is not None:
        return _is_public_v4(inner)
    return address in _GLOBAL_V6 and address.is_global and not any(address in one for one in _REFUSED_V6)


def _inner_v4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that packets to an address end up at."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
