"""Messages between a client and the proxy of one of its paths, inside the circuit (numbers 20 to 29)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from engine.wire.codec import Decoder, Id16, Id20, Message, Reason, UInt53


class Dispatch(Message, frozen=True, tag=20):
    """Client to proxy: hand ``clove`` to ``destination``; answers for ``handle`` come back on this circuit."""

    destination: Id20
    handle: Id16
    clove: Annotated[bytes, Meta(max_length=62_000)]


class DispatchFailed(Message, frozen=True, tag=21):
    """Proxy to client: the clove could not be delivered (destination not listed, not linked, ...)."""

    handle: Id16
    reason: Reason


class Return(Message, frozen=True, tag=22):
    """Proxy to client: an answer clove for ``handle``."""

    handle: Id16
    clove: Annotated[bytes, Meta(max_length=62_000)]


class Release(Message, frozen=True, tag=23):
    """Client to proxy: forget ``handle``."""

    handle: Id16


class Released(Message, frozen=True, tag=24):
    """Proxy to client: the model node's link behind ``handle`` is gone."""

    handle: Id16


class Probe(Message, frozen=True, tag=25):
    """Client to proxy: does the path work? ``sent_us`` is echoed."""

    sent_us: UInt53


class ProbeReply(Message, frozen=True, tag=26):
    """Proxy to client: the path works."""

    sent_us: UInt53


CircuitMessage = Dispatch | DispatchFailed | Return | Release | Released | Probe | ProbeReply
circuit_decoder: Decoder[CircuitMessage] = Decoder(CircuitMessage)
