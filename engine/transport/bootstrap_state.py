"""The address of a bootstrap server, and how it stands with it."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from engine.config import MAXIMUM_SERVERS
from engine.directory.genesis import parse_network_id
from engine.errors import ConfigurationError
from engine.ids import NetworkId


class Phase(enum.StrEnum):
    """How it stands with the server."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class BootstrapState:
    """For the status line. ``reason`` says what happened, what it means and what to do; empty when all is well.

    ``clock_skew`` is the server's clock minus ours in seconds, None before the first login. ``since`` and ``listed``:
    when it was reached, or was not any more, and when it took the descriptor that counts (seconds since 1970; 0: it
    has none).
    """

    phase: Phase = Phase.CONNECTING
    reason: str = ""
    clock_skew: float | None = None
    published: bool = False
    warning: str = ""
    since: float = 0.0
    listed: float = 0.0


class Status:
    """The state as the parts of a client know and change it, by the clock ``wall``. ``lasting``: the warning that is
    shown while there is no other one."""

    def __init__(self, changed: Callable[[BootstrapState], None], wall: Callable[[], float]) -> None:
        self._changed = changed
        self._wall = wall
        self.state = BootstrapState(since=wall())
        self.lasting = ""

    def set(self, **changes: Any) -> None:
        """Tell if something changes by it."""
        before, state = self.state, replace(self.state, **changes)
        if (state.phase is Phase.CONNECTED) != (before.phase is Phase.CONNECTED):
            state = replace(state, since=self._wall())
        if state.published != before.published:
            state = replace(state, listed=self._wall() if state.published else 0.0)
        if state != self.state:
            self.state = state
            self._changed(state)


@dataclass(frozen=True, slots=True)
class BootstrapAddress:
    """``URL#NETWORKID`` taken apart; ``network_id`` is None where the fragment is missing. ``others`` are the addresses
    of further servers of the network, in order of preference."""

    url: str
    network_id: NetworkId | None
    others: tuple[str, ...] = ()

    @property
    def urls(self) -> tuple[str, ...]:
        """All servers, the preferred one first."""
        return (self.url, *self.others)


def parse_bootstrap(text: str) -> BootstrapAddress:
    """``http(s)://host[:port][#NETWORKID]``, several with commas between them; raises ``ConfigurationError`` or
    ``DirectoryError`` (a bad network id)."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > MAXIMUM_SERVERS:
        raise ConfigurationError(f"At most {MAXIMUM_SERVERS} bootstrap servers can be named.")
    found = [_parse_one(part) for part in parts]
    named = {one.network_id for one in found if one.network_id is not None}
    if len(named) > 1:
        raise ConfigurationError(
            "The bootstrap servers are said to be of different networks: the parts after # differ. Name servers of one"
            " network only."
        )
    urls = tuple(dict.fromkeys(one.url for one in found))
    return BootstrapAddress(urls[0], next(iter(named), None), urls[1:])


def _parse_one(text: str) -> BootstrapAddress:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or len(text) > 500 or parts.query or "@" in parts.netloc:
        raise ConfigurationError(
            f"{text[:200]!r} is not the address of a bootstrap server. It looks like https://host:port#NETWORKID."
        )
    url = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
    return BootstrapAddress(url, parse_network_id(parts.fragment) if parts.fragment else None)
