"""The links of the memory internet: what holds between two nodes, and what is under way between them."""

from __future__ import annotations

from dataclasses import dataclass

from engine.ids import NodeId
from engine.transport.link import Channel


@dataclass(frozen=True, slots=True)
class Conditions:
    """How the network between two nodes is. ``delay`` and ``jitter`` are seconds one way (jitter is added, uniformly up
    to its value), ``loss`` the chance that a transmission is lost, each loss costing ``retransmission`` seconds (SCTP's
    minimum is 1 s); ``bandwidth`` bytes per second, None for no limit; ``buffer`` bytes that may wait or be under
    way per link and direction."""

    delay: float = 0.01
    jitter: float = 0.0
    loss: float = 0.0
    retransmission: float = 1.0
    bandwidth: float | None = None
    buffer: int = 512 * 1024

    def __post_init__(self) -> None:
        if not 0 <= self.loss < 1 or min(self.delay, self.jitter, self.retransmission) < 0:
            raise ValueError("loss is a chance below 1, and no time is negative")


class Direction:
    """What is under way from one end of a link to the other."""

    __slots__ = ("busy_until", "held", "in_flight", "last_control", "sent")

    def __init__(self) -> None:
        self.busy_until = 0.0
        self.in_flight = 0
        self.last_control = 0.0
        self.sent = 0
        # Waits for a partition to end, each with its number; bounded by ``Conditions.buffer``.
        self.held: list[tuple[int, Channel, bytes]] = []


class Link:
    """An open link between two endpoints; closed for good once ``alive`` is False."""

    __slots__ = ("alive", "cut", "detour", "dialler", "directions")

    def __init__(self, dialler: NodeId, answerer: NodeId, detour: float) -> None:
        self.alive = True
        self.detour = detour  # seconds that a TURN server on the way adds
        self.cut = False  # one end is in another network, and no newer connection has been made yet
        self.dialler = dialler
        self.directions = {dialler: Direction(), answerer: Direction()}
