"""What the path machines ask their driver to do, and what they tell their owner."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from engine.ids import NodeId
from engine.wire.circuit import CircuitMessage
from engine.wire.link import CircuitReply, CreateCircuit, Credit, DestroyCircuit, link_decoder


class Lane(enum.Enum):
    """The two channels of a link, as pure code names them; the driver maps them to the transport's."""

    CONTROL = "control"
    CELLS = "cells"


@dataclass(frozen=True, slots=True)
class Send:
    """Queue ``data`` on the link with ``peer``."""

    peer: NodeId
    lane: Lane
    data: bytes


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the link with ``peer``: it broke the protocol. The driver reports ``link_down`` afterwards."""

    peer: NodeId
    reason: str


@dataclass(frozen=True, slots=True)
class Dial:
    """Proxy: make a link with the model node ``peer``, for which a clove waits."""

    peer: NodeId


@dataclass(frozen=True, slots=True)
class ProbeLink:
    """Client: find out whether the link with ``peer`` works; what comes back shows in when it was last heard."""

    peer: NodeId


@dataclass(frozen=True, slots=True)
class CircuitOpened:
    """Client: every relay of the circuit has confirmed; messages can be sent."""

    handle: int
    set_up_seconds: float


@dataclass(frozen=True, slots=True)
class CircuitFailed:
    """Client: the set-up ended in an error. ``hop_index`` (0 = guard) is who reported it, None if nobody did."""

    handle: int
    hop_index: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class CircuitClosed:
    """Client: an open circuit is gone (not sent when the client itself closed it)."""

    handle: int
    reason: str


@dataclass(frozen=True, slots=True)
class CircuitReceived:
    """Client: the proxy sent a message."""

    handle: int
    message: CircuitMessage


def circuit_field(sent: Send) -> bytes | None:
    """The id (8 bytes) of the circuit that something of our own is about; None if it is about none."""
    if sent.lane is Lane.CELLS:
        return sent.data[:8]
    message = link_decoder.decode(sent.data)
    if isinstance(message, CreateCircuit | CircuitReply | DestroyCircuit | Credit):
        return message.circuit_id
    return None


RelayEffect = Send | Disconnect | Dial
CircuitEffect = Send | Disconnect | CircuitOpened | CircuitFailed | CircuitClosed | CircuitReceived
