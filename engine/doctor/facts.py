"""What the doctor has measured. These structures are the ``--json`` output, so their names are stable."""

from __future__ import annotations

from msgspec import Struct


class ServerFacts(Struct, frozen=True, kw_only=True):
    """The bootstrap server. ``problem``: "" (it answers), "unreachable", "certificate", "portal" (something else
    answers), "other network", "refused" (it answers and does not admit this machine)."""

    url: str
    reached: bool = False
    problem: str = ""
    detail: str = ""
    latency_ms: float | None = None
    """The quickest of three whole requests, each over a new connection."""
    clock_skew_s: float | None = None
    """The server's clock minus this one's; to the second where nobody logged in."""
    observed_address: str = ""
    """This machine's address as the server sees it."""
    network_id: str = ""
    name: str = ""
    private: bool = False
    logged_in: bool = False
    nodes: int = 0
    relays: int = 0
    silent: tuple[str, ...] = ()
    """Servers of the network that are preferred to this one and do not answer."""


class IceFact(Struct, frozen=True, kw_only=True):
    """One STUN server, or one TURN server by one transport."""

    url: str
    transport: str
    reached: bool
    address: str = ""
    """Of this machine as STUN sees it, or the one that the TURN server lent."""
    latency_ms: float | None = None
    error: str = ""


class NatFacts(Struct, frozen=True, kw_only=True):
    """``mapping``: none, endpoint-independent, endpoint-dependent or unknown."""

    mapping: str = "unknown"
    udp_blocked: bool = False
    public_address: str = ""
    ipv6: bool = False


class LinkFact(Struct, frozen=True, kw_only=True):
    """One real link that was made to a listed relay and closed again."""

    node: str
    opened: bool
    seconds: float | None = None
    relayed: bool = False
    error: str = ""


class BandwidthFacts(Struct, frozen=True, kw_only=True):
    """To and from the bootstrap server; 1000 means at least so much. ``bytes`` is what measuring cost."""

    down_mbit_s: float | None = None
    up_mbit_s: float | None = None
    bytes: int = 0
    error: str = ""


class EngineFacts(Struct, frozen=True, kw_only=True):
    """What a running engine says of itself."""

    status: str
    reason: str = ""
    running_s: float = 0.0
    """Seconds since its start."""
    bootstrap_connected: bool = False
    links: int = 0
    links_relayed: int = 0
    paths: int = 0
    paths_wanted: int = 0
    turn_server: str = ""
    relayed_only: bool = False
    relaying: bool = False
    relay_reason: str = ""
    """Why nothing is relayed although it is wanted."""
    relay_refused: bool = False
    """Whether the bootstrap server does not admit the identity that would relay."""
    warnings: tuple[str, ...] = ()
    """What it wants its owner to know."""


class Facts(Struct, frozen=True, kw_only=True):
    """Everything. ``server``: None where no network is named; ``bandwidth``: None where it was not measured."""

    server: ServerFacts | None = None
    nat: NatFacts = NatFacts()
    stun: tuple[IceFact, ...] = ()
    turn: tuple[IceFact, ...] = ()
    links: tuple[LinkFact, ...] = ()
    bandwidth: BandwidthFacts | None = None
    engine: EngineFacts | None = None
