"""Which addresses a peer may send us to: ICE makes a node send packets wherever its peer says.

Without this check a peer could make a node probe services on its own machine, on its link or of its cloud provider.
Private ranges (RFC 1918, RFC 4193) stay allowed, because two nodes in one house are neighbours too.
"""

from __future__ import annotations

import ipaddress

_CLOUD_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # most providers (link-local already, named for the reader)
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_OF_A_SITE = ipaddress.IPv6Network("64:ff9b:1::/48")
"""RFC 8215: means something within one site alone, and where in it the IPv4 address stands is that site's choice."""
_THIS_NETWORK = ipaddress.IPv4Network("0.0.0.0/8")

LOOPBACK_ADDRESS = "127.0.0.1"
"""The only address that networks on one machine offer and use."""


def _inner_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address of a transition mechanism stands for, if any."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    packed = address.packed
    if address in _NAT64 or packed[:12] == bytes(12):
        return ipaddress.IPv4Address(packed[12:])
    return None


def is_acceptable(text: str, *, loopback_only: bool) -> bool:
    """Whether packets may be sent to ``text``, a literal IP address named by a peer.

    ``loopback_only`` (a network on one machine, by its genesis file): 127.0.0.1 and nothing else. Otherwise everything
    but loopback, link-local, multicast, unspecified, reserved, broadcast and cloud-metadata addresses, also when they
    are wrapped in an IPv6 address. Host names, mDNS names and scoped addresses are never acceptable.
    """
    if loopback_only:
        return text == LOOPBACK_ADDRESS
    if "%" in text:
        return False
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.is_site_local or address in _NAT64_OF_A_SITE:
            return False
        inner = _inner_ipv4(address)
        if inner is not None and not _is_reachable(inner):
            return False
    return _is_reachable(address)


def _is_reachable(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether ``address``, taken by itself, is that of another machine that may be a peer."""
    if isinstance(address, ipaddress.IPv4Address) and address in _THIS_NETWORK:
        return False
    return not (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
        or address in _CLOUD_METADATA
    )
