"""Messages on the control channel of a link between two neighbours (numbers 1 to 19)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from engine.wire.blocks import CommitteeBlock, CommitteeHave, CommitteeNews, CommitteePrevotes, CommitteeWant
from engine.wire.codec import Decoder, Id16, Id20, Key32, Message, Reason, Signature, UInt53
from engine.wire.forward import Forward, ForwardAnswer, ForwardBegun, ForwardEnd, ForwardServed
from engine.wire.group import GroupNews, GroupOffer, GroupState, GroupWant

CircuitIdField = Annotated[bytes, Meta(min_length=8, max_length=8)]
"""A circuit id as 8 big-endian bytes (the same bytes stand in a cell's header)."""


class Ping(Message, frozen=True, tag=1):
    """Heartbeat every 2 s; ``sent_us`` is the sender's own monotonic clock in microseconds."""

    sent_us: UInt53


class Pong(Message, frozen=True, tag=2):
    """Answer to :class:`Ping`, echoing ``sent_us``."""

    sent_us: UInt53


class CloseLink(Message, frozen=True, tag=3):
    """Polite end of the link."""

    reason: Reason


class CreateCircuit(Message, frozen=True, tag=4):
    """Path set-up: ``onion`` has ``engine.crypto.onion.PACKET_LENGTH`` bytes whatever the position on the path."""

    circuit_id: CircuitIdField
    onion: Annotated[bytes, Meta(min_length=64, max_length=1024)]


class CircuitReply(Message, frozen=True, tag=5):
    """Answer to :class:`CreateCircuit`, success and failure alike; only the client can tell which."""

    circuit_id: CircuitIdField
    sealed: Annotated[bytes, Meta(min_length=16, max_length=512)]


class DestroyCircuit(Message, frozen=True, tag=6):
    """The circuit is gone on this link; passed on in both directions."""

    circuit_id: CircuitIdField


class Credit(Message, frozen=True, tag=7):
    """The receiver of cells opens the sender's window of this circuit by ``cells``."""

    circuit_id: CircuitIdField
    cells: Annotated[int, Meta(ge=1, le=64)]


class DeliverClove(Message, frozen=True, tag=8):
    """Proxy to model node: one clove (or control message) of an unknown client behind return address ``handle``."""

    handle: Id16
    clove: Annotated[bytes, Meta(max_length=62_000)]


class ReturnClove(Message, frozen=True, tag=9):
    """Model node to proxy: an answer clove for the circuit behind ``handle``."""

    handle: Id16
    clove: Annotated[bytes, Meta(max_length=62_000)]


class ReleaseHandle(Message, frozen=True, tag=10):
    """Either side of a proxy link: this return address is no longer valid."""

    handle: Id16


class DirectoryHash(Message, frozen=True, tag=11):
    """The signed head of the snapshot that this node holds, so that neighbours notice a server that shows different
    directories, and can prove it: the signature is the snapshot's own, by a server of this network."""

    epoch: UInt53
    digest: Annotated[bytes, Meta(min_length=32, max_length=32)]
    key: Key32
    signature: Signature


class ResumeLink(Message, frozen=True, tag=14):
    """First message of both sides on every connection: which connection it takes the place of, named by the nonce of
    that one's offer (zeros: none), and how many control messages were received there."""

    previous: Key32
    received: UInt53


class Introduce(Message, frozen=True, tag=15):
    """One signaling payload by way of a common neighbour. To the introducer ``peer`` is whom it is for; the introducer
    sets ``delivered`` and puts the sender there."""

    peer: Id20
    delivered: bool
    payload: Annotated[bytes, Meta(max_length=16_384)]


class NotIntroduced(Message, frozen=True, tag=16):
    """Introducer to sender: the payload for ``peer`` was not passed on."""

    peer: Id20
    reason: Reason


LinkMessage = (
    Forward
    | ForwardAnswer
    | ForwardEnd
    | ForwardServed
    | ForwardBegun
    | Ping
    | Pong
    | CloseLink
    | CreateCircuit
    | CircuitReply
    | DestroyCircuit
    | Credit
    | DeliverClove
    | ReturnClove
    | ReleaseHandle
    | DirectoryHash
    | ResumeLink
    | Introduce
    | NotIntroduced
    | GroupNews
    | GroupOffer
    | GroupWant
    | GroupState
    | CommitteeNews
    | CommitteeWant
    | CommitteeBlock
    | CommitteePrevotes
    | CommitteeHave
)
link_decoder: Decoder[LinkMessage] = Decoder(LinkMessage)
head_decoder: Decoder[DirectoryHash] = Decoder(DirectoryHash)
