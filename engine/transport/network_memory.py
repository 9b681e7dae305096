"""What worked on which local network: the STUN and TURN servers to begin with, so that nobody waits for probes twice.

A network is recognised by a salted hash of the addresses of this machine on it. Two homes with the same addresses look
alike; then the first guess is wrong and the next probe corrects it.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import psutil
from msgspec import Meta, Struct

from engine.errors import StorageError
from engine.storage.state import load_state, save_state

logger = logging.getLogger(__name__)
MAXIMUM_NETWORKS = 16
MEMORY_SECONDS = 30 * 86_400.0
"""How long a network that is not visited is remembered."""
_Url = Annotated[str, Meta(max_length=300)]


class RememberedNetwork(Struct, frozen=True, kw_only=True):
    """``stun`` and ``turn``: addresses that worked ("" for none). ``seen``: when that was last found, seconds since
    1970."""

    stun: _Url = ""
    turn: _Url = ""
    mapping: Annotated[str, Meta(max_length=40)] = ""
    udp_blocked: bool = False
    seen: float = 0.0


class _File(Struct, kw_only=True):
    salt: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    networks: Annotated[dict[str, RememberedNetwork], Meta(max_length=256)] = {}


class NetworkMemory:
    """The file ``path``; a damaged one is begun anew, and one that cannot be written costs only time at the next
    start."""

    def __init__(self, path: Path, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._path = path
        try:
            self._file = load_state(path, _File) or _File(salt=random_bytes(16).hex())
        except StorageError as error:
            logger.warning("what worked on which network is found out anew: %s", error)
            self._file = _File(salt=random_bytes(16).hex())

    def key(self, fingerprint: str) -> str:
        """Under which name a network with this fingerprint is kept."""
        return hashlib.sha256(f"{self._file.salt}/{fingerprint}".encode()).hexdigest()[:32]

    def recall(self, fingerprint: str, wall: float) -> RememberedNetwork | None:
        """What is known of this network, unless it is too old."""
        found = self._file.networks.get(self.key(fingerprint))
        return found if found is not None and 0 <= wall - found.seen + 120 <= MEMORY_SECONDS else None

    def remember(self, fingerprint: str, network: RememberedNetwork) -> None:
        """Keep ``network`` and the ones seen last, at most ``MAXIMUM_NETWORKS``."""
        networks = {**self._file.networks, self.key(fingerprint): network}
        newest = sorted(networks, key=lambda key: networks[key].seen, reverse=True)[:MAXIMUM_NETWORKS]
        self._file = msgspec.structs.replace(self._file, networks={key: networks[key] for key in newest})
        try:
            save_state(self._path, self._file)
        except StorageError as error:
            logger.warning("what works on this network could not be kept: %s", error)


def network_fingerprint() -> str:
    """The prefixes of the addresses from which packets leave this machine, IPv4 and IPv6; "" without a network.

    Nothing is sent.
    """
    parts = []
    for family, target in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        address = _source(family, target)
        if address:
            length = 64 if family == socket.AF_INET6 else _prefix_length(address)
            parts.append(str(ipaddress.ip_network(f"{address}/{length}", strict=False)))
    return " ".join(parts)


def _source(family: socket.AddressFamily, target: str) -> str:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.connect((target, 9))
            return str(asked.getsockname()[0]).partition("%")[0]
    except OSError:
        return ""


def _prefix_length(address: str) -> int:
    """Of the interface's network; 24 where the system does not say."""
    for entries in psutil.net_if_addrs().values():
        for entry in entries:
            if entry.address == address and entry.netmask:
                return ipaddress.ip_network(f"0.0.0.0/{entry.netmask}").prefixlen
    return 24
