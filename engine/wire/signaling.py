"""Messages between a node and the bootstrap server over the WebSocket ``/v1/signaling`` (numbers 50 to 69).

Login: the server sends :class:`Challenge`; the node answers :class:`Login`, whose signature (purpose ``login``) covers
both nonces, the server's key, the node id and an expiry; the server answers :class:`Welcome`, whose signature (purpose
``welcome``) covers both nonces and the node id, or :class:`Refused`.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from engine.wire.codec import (
    Decoder,
    Id20,
    Key32,
    Message,
    Reason,
    ShortText,
    Signature,
    UInt8,
    UInt16,
    UInt53,
)
from engine.wire.receipts import LeafOpening, OpeningWanted, WorkChallenge
from engine.wire.records import AwayMark, Expulsion, Signed

Sdp = Annotated[bytes, Meta(max_length=16_384)]
_IceUrls = Annotated[tuple[Annotated[str, Meta(max_length=300)], ...], Meta(min_length=1, max_length=8)]
_IceText = Annotated[str, Meta(max_length=200)]
IceEntry = tuple[_IceUrls, _IceText, _IceText]


class Challenge(Message, frozen=True, tag=50):
    """Server to node, first message. ``permit`` is an encoded ``Signed`` :class:`MirrorPermit` where ``server_key`` is
    a mirror's, empty where the genesis file names it."""

    network_id: Key32
    server_key: Key32
    nonce: Key32
    minimum_version: UInt16
    maximum_version: UInt16
    permit: Annotated[bytes, Meta(max_length=400)] = b""


class Login(Message, frozen=True, tag=51):
    """Node to server."""

    version: UInt16
    suite: UInt8
    identity_key: Key32
    nonce: Key32
    expires: UInt53
    client_only: bool
    software: ShortText
    signature: Signature
    grant: Annotated[bytes, Meta(max_length=1024)] = b""  # an encoded Signed grant, where only the invited are admitted
    grant_proof: Annotated[bytes, Meta(max_length=64)] = b""  # by the invitation's key, purpose ``grant-use``


class Welcome(Message, frozen=True, tag=52):
    """Server to node: logged in. ``observed`` is the node's address as the server sees it."""

    signature: Signature
    observed: ShortText
    wall: Annotated[float, Meta(ge=0, le=4e9)]  # the server's clock, seconds since 1970


class Refused(Message, frozen=True, tag=53):
    """Server to node: why the last message (or the login) was not accepted; ``fatal`` ends the connection."""

    reason: Reason
    fatal: bool


class Publish(Message, frozen=True, tag=54):
    """Node to server: a descriptor, or its withdrawal when ``withdraw`` (polite leaving). ``work``: an encoded
    :class:`WorkSolution`, where the server asked a newcomer for one."""

    descriptor: Signed
    withdraw: bool = False
    work: Annotated[bytes, Meta(max_length=100)] = b""


class Published(Message, frozen=True, tag=55):
    """Server to node: the descriptor is accepted and comes with the next snapshot."""

    digest: Key32


class DirectoryChanged(Message, frozen=True, tag=56):
    """Server to node: there is a newer snapshot; fetch it over HTTP."""

    epoch: UInt53
    digest: Key32


class Marked(Message, frozen=True, tag=57):
    """Server to node: away and back marks."""

    mark: AwayMark
    key: Key32
    signature: Signature


class Signal(Message, frozen=True, tag=58):
    """Node to server to node: one signaling payload (an encoded offer, answer or refusal). The server sets ``peer`` to
    the sender's node id on delivery and passes ``payload`` on unread."""

    peer: Id20
    payload: Sdp


class SignalFailed(Message, frozen=True, tag=59):
    """Server to node: ``peer`` is not online, so the signal was not delivered."""

    peer: Id20
    reason: Reason


class KeepAlive(Message, frozen=True, tag=60):
    """Either side, at most every 20 s; answered by nothing."""


class LinkOffer(Message, frozen=True, tag=61):
    """Payload of a :class:`Signal`: a WebRTC offer, signed by the dialler (purpose ``link-offer``) over the version,
    both ids, both roles, its ICE ufrag, its DTLS fingerprint, the nonce, the expiry and the session description."""

    version: UInt16
    identity_key: Key32
    nonce: Key32
    dialler_client: bool  # the dialler is a pure client
    ufrag: ShortText
    fingerprint: Annotated[bytes, Meta(min_length=32, max_length=32)]
    expires: UInt53
    sdp: Sdp
    signature: Signature


class LinkAnswer(Message, frozen=True, tag=62):
    """Payload of a :class:`Signal`: the answer, signed (purpose ``link-answer``) over everything the offer covers plus
    the answerer's version, ufrag, fingerprint and session description."""

    version: UInt16
    identity_key: Key32
    nonce: Key32  # the offer's
    ufrag: ShortText
    fingerprint: Annotated[bytes, Meta(min_length=32, max_length=32)]
    sdp: Sdp
    signature: Signature


class LinkRefusal(Message, frozen=True, tag=63):
    """Payload of a :class:`Signal`: the offer with this nonce is not taken."""

    nonce: Key32
    reason: Reason


class IceRequest(Message, frozen=True, tag=64):
    """Node to server: which STUN and TURN servers may I use? Sent after the login and before passwords expire."""


class IceServers(Message, frozen=True, tag=65):
    """Server to node: the answer to :class:`IceRequest`. Each of ``servers``: ``stun:``, ``turn:`` or ``turns:``
    addresses, user name, password. ``expires``: when the passwords do, seconds since 1970; 0: never. ``problem``: why
    something is missing."""

    servers: Annotated[tuple[IceEntry, ...], Meta(max_length=17)]
    expires: UInt53
    problem: Reason = ""


class MirrorPermit(Message, frozen=True, tag=66):
    """``mirror_key`` may introduce nodes to each other until ``expires``; signed by a server key with purpose
    ``mirror-permit``."""

    suite: UInt8
    network_id: Key32
    mirror_key: Key32
    issued: UInt53
    expires: UInt53


class Expelled(Message, frozen=True, tag=68):
    """Server to node: somebody is admitted no longer; end its links and take none of it."""

    expulsion: Expulsion
    key: Key32
    signature: Signature


class ReadingKey(Message, frozen=True, tag=69):
    """Server to an admitted node: what opens the directory now (``Authorization: Bearer``, hexadecimal)."""

    key: Key32


ServerMessage = (
    Challenge
    | Welcome
    | Refused
    | Published
    | DirectoryChanged
    | Marked
    | Signal
    | SignalFailed
    | KeepAlive
    | IceServers
    | Expelled
    | ReadingKey
    | OpeningWanted
    | WorkChallenge
)
NodeMessage = Login | Publish | Signal | KeepAlive | IceRequest | LeafOpening
SignalPayload = LinkOffer | LinkAnswer | LinkRefusal
mirror_permit_decoder: Decoder[MirrorPermit] = Decoder(MirrorPermit)
server_message_decoder: Decoder[ServerMessage] = Decoder(ServerMessage)
node_message_decoder: Decoder[NodeMessage] = Decoder(NodeMessage)
signal_payload_decoder: Decoder[SignalPayload] = Decoder(SignalPayload)
