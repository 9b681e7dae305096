"""Offers and answers that are bound to node identities: who dials, who is dialled, and with which DTLS certificate.

The signaling service carries these messages and could change them; each is signed over everything that decides with
whom a link is made (``engine.wire.signaling``). The DTLS fingerprint in the session description must be the signed one,
and the DTLS handshake must then present the certificate with that fingerprint, so the far end of the link holds the
identity key, however the messages travelled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from engine.crypto.identity import Identity, node_id_of, verify
from engine.errors import LinkError, SignatureError
from engine.ids import NetworkId, NodeId
from engine.transport.sdp import Session, parse_session
from engine.wire import MINIMUM_PROTOCOL_VERSION, PROTOCOL_VERSION
from engine.wire.signaling import LinkAnswer, LinkOffer

OFFER_LIFETIME = 30
"""Seconds for which an offer is valid."""
CLOCK_SKEW = 120
"""Seconds by which the two clocks may differ (as for descriptors)."""
_OFFER = "link-offer"
_ANSWER = "link-answer"
_NO_SIGNATURE = bytes(64)


@dataclass(frozen=True, slots=True)
class OfferTerms:
    """An offer that this side made or accepted: what the answer is bound to."""

    dialler: NodeId
    answerer: NodeId
    nonce: bytes
    fields: tuple[bytes, ...]


def make_offer(
    identity: Identity,
    network_id: NetworkId,
    peer: NodeId,
    session: Session,
    *,
    is_client: bool,
    now: float,
    random_bytes: Callable[[int], bytes],
) -> tuple[LinkOffer, OfferTerms]:
    """A signed offer of ``session`` to ``peer``; ``now`` is wall time."""
    unsigned = LinkOffer(
        version=PROTOCOL_VERSION,
        identity_key=identity.public_key,
        nonce=random_bytes(32),
        dialler_client=is_client,
        ufrag=session.ufrag,
        fingerprint=session.fingerprint,
        expires=int(now) + OFFER_LIFETIME,
        sdp=session.render().encode("ascii"),
        signature=_NO_SIGNATURE,
    )
    fields = _offer_fields(unsigned, identity.node_id, peer)
    signature = identity.sign(_OFFER, network_id, *fields)
    terms = OfferTerms(dialler=identity.node_id, answerer=peer, nonce=unsigned.nonce, fields=fields)
    return msgspec.structs.replace(unsigned, signature=signature), terms


def check_offer(
    offer: LinkOffer, network_id: NetworkId, peer: NodeId, own_id: NodeId, now: float
) -> tuple[Session, OfferTerms]:
    """The session of an offer to ``own_id`` that signaling says is from ``peer``; ``now`` is wall time.

    Raises :class:`LinkError`: wrong or unproven identity, expired, unknown version, malformed or contradictory session.
    """
    _check_version(offer.version)
    if node_id_of(offer.identity_key) != peer:
        raise LinkError("the offer is signed by another node than the one that sent it")
    if not now - CLOCK_SKEW <= offer.expires <= now + OFFER_LIFETIME + CLOCK_SKEW:
        raise LinkError("the offer has expired, or its sender's clock is wrong")
    fields = _offer_fields(offer, peer, own_id)
    _check_signature(offer.identity_key, _OFFER, network_id, offer.signature, fields)
    session = _checked_session(offer, "offer")
    return session, OfferTerms(dialler=peer, answerer=own_id, nonce=offer.nonce, fields=fields)


def make_answer(identity: Identity, network_id: NetworkId, terms: OfferTerms, session: Session) -> LinkAnswer:
    """A signed answer to the offer with ``terms``."""
    unsigned = LinkAnswer(
        version=PROTOCOL_VERSION,
        identity_key=identity.public_key,
        nonce=terms.nonce,
        ufrag=session.ufrag,
        fingerprint=session.fingerprint,
        sdp=session.render().encode("ascii"),
        signature=_NO_SIGNATURE,
    )
    signature = identity.sign(_ANSWER, network_id, *_answer_fields(unsigned, terms))
    return msgspec.structs.replace(unsigned, signature=signature)


def check_answer(answer: LinkAnswer, network_id: NetworkId, terms: OfferTerms) -> Session:
    """The session of an answer to our own offer with ``terms``; raises :class:`LinkError` as :func:`check_offer`."""
    _check_version(answer.version)
    if answer.nonce != terms.nonce:
        raise LinkError("the answer is to another offer")
    if node_id_of(answer.identity_key) != terms.answerer:
        raise LinkError("the answer is signed by another node than the one that was dialled")
    fields = _answer_fields(answer, terms)
    _check_signature(answer.identity_key, _ANSWER, network_id, answer.signature, fields)
    return _checked_session(answer, "answer")


def _offer_fields(offer: LinkOffer, dialler: NodeId, answerer: NodeId) -> tuple[bytes, ...]:
    """What an offer's signature covers. Only nodes answer, so the answerer's role is fixed."""
    return (
        offer.version.to_bytes(2, "big"),
        dialler,
        answerer,
        b"client" if offer.dialler_client else b"node",
        b"node",
        offer.ufrag.encode(),
        offer.fingerprint,
        offer.nonce,
        offer.expires.to_bytes(8, "big"),
        offer.sdp,
    )


def _answer_fields(answer: LinkAnswer, terms: OfferTerms) -> tuple[bytes, ...]:
    """What an answer's signature covers."""
    return (
        *terms.fields,
        answer.version.to_bytes(2, "big"),
        answer.ufrag.encode(),
        answer.fingerprint,
        answer.sdp,
    )


def _check_version(version: int) -> None:
    if not MINIMUM_PROTOCOL_VERSION <= version <= PROTOCOL_VERSION:
        raise LinkError(f"protocol version {version} is not spoken here: one of the two nodes needs an update")


def _check_signature(
    public_key: bytes, purpose: str, network_id: NetworkId, signature: bytes, fields: tuple[bytes, ...]
) -> None:
    try:
        verify(public_key, purpose, network_id, signature, *fields)
    except SignatureError as error:
        raise LinkError(f"the signature of the {purpose} does not verify") from error


def _checked_session(message: LinkOffer | LinkAnswer, kind: str) -> Session:
    """The session description, which must agree with what was signed beside it."""
    session = parse_session(message.sdp, kind)
    if session.fingerprint != message.fingerprint:
        raise LinkError("the DTLS fingerprint in the session description is not the signed one")
    if session.ufrag != message.ufrag:
        raise LinkError("the ICE ufrag in the session description is not the signed one")
    return session
