"""The address prefix that the server attests beside a descriptor, so that a path does not cross one network twice."""

from __future__ import annotations

import ipaddress

from engine.errors import DirectoryError


def network_prefix(address: str) -> str:
    """The /16 (IPv4) or /32 (IPv6) that ``address`` lies in, e.g. ``203.0.0.0/16``; raises ``DirectoryError``.

    An IPv4 address mapped into IPv6 counts as IPv4; a scope (``%eth0``) is dropped.
    """
    parsed = _parse(address)
    bits = 16 if parsed.version == 4 else 32
    return str(ipaddress.ip_network(f"{parsed}/{bits}", strict=False))


def neighbourhood(address: str) -> str:
    """The /24 (IPv4) or /48 (IPv6) that ``address`` lies in: mostly the most that one customer is given."""
    parsed = _parse(address)
    bits = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network(f"{parsed}/{bits}", strict=False))


def counting_key(address: str) -> str:
    """What counts as one address when connections are counted: the IPv4 address itself, or the /64 of an IPv6 one."""
    parsed = _parse(address)
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network(f"{parsed}/64", strict=False))


def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError as error:
        raise DirectoryError(f"not an IP address: {address[:60]!r}") from error
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed
