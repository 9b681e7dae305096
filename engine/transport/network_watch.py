"""Notices that this machine is in another network, or has slept, within seconds and on every system.

Looking every two seconds at the list of addresses and at two clocks costs well under a thousandth of a core, and unlike
the systems' own notifications it is one piece of code that can be tested.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable

import psutil

from engine.clock import Clock

logger = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
SLEPT_SECONDS = 10.0
"""A gap between two looks, by either clock, from which on this machine has slept or its clock was set."""
_OUTSIDE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses of documentation (RFC 5737, RFC 3849): asking which way leads there sends nothing."""

Addresses = frozenset[str]


def local_addresses() -> Addresses:
    """The addresses of interfaces that are up, and, marked with ``>``, those from which packets would leave. Without
    loopback and link-local ones, which say nothing about where this machine is."""
    try:
        up = {name for name, state in psutil.net_if_stats().items() if state.isup}
        found = {entry.address for name, entries in psutil.net_if_addrs().items() if name in up for entry in entries}
    except OSError:
        found = set()
    return frozenset(filter(_tells, found)) | frozenset(f">{address}" for address in _ways_out())


def _tells(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:  # a hardware address
        return False
    return not (address.is_loopback or address.is_link_local)


def _ways_out() -> list[str]:
    """The own address on the default route of each family."""
    found = []
    for family, outside in _OUTSIDE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((outside, 9))
                found.append(str(probe.getsockname()[0]))
        except OSError:
            continue
    return found


class NetworkWatch:
    """Compares one look with the last one."""

    def __init__(self, clock: Clock, addresses: Callable[[], Addresses] = local_addresses) -> None:
        self._clock = clock
        self._addresses = addresses
        self._known = addresses()
        self._monotonic, self._wall = clock.monotonic(), clock.wall()

    def look(self) -> str:
        """What has happened since the last look, as the end of a sentence; empty if nothing has. While there is no
        address at all nothing has happened yet: there is nothing to connect from."""
        monotonic, wall = self._clock.monotonic(), self._clock.wall()
        gap = max(monotonic - self._monotonic, abs(wall - self._wall))
        self._monotonic, self._wall = monotonic, wall
        found = self._addresses()
        changed = bool(found) and found != self._known
        if found:
            self._known = found
        if gap > SLEPT_SECONDS:
            return f"this computer has slept for {gap:.0f} s, or its clock was set"
        return "this computer's network addresses have changed" if changed else ""

    async def run(self, on_change: Callable[[], None]) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            happened = self.look()
            if happened:
                logger.info("%s; links are checked", happened)
                on_change()
