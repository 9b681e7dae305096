"""Offers and answers bound to identities."""

from dataclasses import replace

import msgspec
import pytest

from engine.crypto.identity import Identity
from engine.errors import LinkError
from engine.ids import NetworkId
from engine.transport.handshake import (
    CLOCK_SKEW,
    OFFER_LIFETIME,
    OfferTerms,
    check_answer,
    check_offer,
    make_answer,
    make_offer,
)
from engine.transport.sdp import Candidate, Session
from engine.wire.codec import encode
from engine.wire.signaling import LinkOffer, signal_payload_decoder

NETWORK = NetworkId(bytes(32))
NOW = 1_750_000_000.0
ALICE, BOB, EVE = (Identity.from_seed(bytes([number]) * 32) for number in (1, 2, 3))
OFFERED = Session("abcd", "p" * 22, bytes(range(32)), "actpass", "0", 5000, (Candidate("f", 1, "10.0.0.1", 9, "host"),))
ANSWERED = replace(OFFERED, ufrag="efgh", fingerprint=bytes(range(1, 33)), setup="active")


def offer() -> tuple[LinkOffer, OfferTerms]:
    return make_offer(
        ALICE, NETWORK, BOB.node_id, OFFERED, is_client=False, now=NOW, random_bytes=lambda count: b"\x05" * count
    )


def test_offer_and_answer_give_both_sides_the_sessions() -> None:
    made, terms = offer()
    received = signal_payload_decoder.decode(encode(made))
    assert isinstance(received, LinkOffer)
    session, their_terms = check_offer(received, NETWORK, ALICE.node_id, BOB.node_id, NOW)
    assert session == OFFERED
    assert their_terms == terms
    answer = make_answer(BOB, NETWORK, their_terms, ANSWERED)
    assert check_answer(answer, NETWORK, terms) == ANSWERED


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 0},
        {"version": 2},
        {"identity_key": EVE.public_key},
        {"nonce": bytes(32)},
        {"dialler_client": True},
        {"ufrag": "abce"},
        {"fingerprint": bytes(32)},
        {"expires": int(NOW) + 1},
        {"sdp": OFFERED.render().replace("10.0.0.1", "10.0.0.2").encode()},
        {"signature": bytes(64)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_every_field_of_an_offer_is_covered(changes: dict[str, object]) -> None:
    made, _ = offer()
    with pytest.raises(LinkError):
        check_offer(msgspec.structs.replace(made, **changes), NETWORK, ALICE.node_id, BOB.node_id, NOW)


def test_offer_is_for_one_pair_one_network_and_a_short_time() -> None:
    made, _ = offer()
    check_offer(made, NETWORK, ALICE.node_id, BOB.node_id, NOW)
    for network, peer, own, now in (
        (NetworkId(b"\x01" * 32), ALICE.node_id, BOB.node_id, NOW),
        (NETWORK, EVE.node_id, BOB.node_id, NOW),
        (NETWORK, ALICE.node_id, EVE.node_id, NOW),
        (NETWORK, ALICE.node_id, BOB.node_id, NOW + OFFER_LIFETIME + CLOCK_SKEW + 1),
        (NETWORK, ALICE.node_id, BOB.node_id, NOW - CLOCK_SKEW - 1),
    ):
        with pytest.raises(LinkError):
            check_offer(made, network, peer, own, now)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"identity_key": EVE.public_key},
        {"nonce": bytes(32)},
        {"ufrag": "efgi"},
        {"fingerprint": bytes(32)},
        {"sdp": ANSWERED.render().replace("10.0.0.1", "10.0.0.2").encode()},
        {"signature": bytes(64)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_every_field_of_an_answer_is_covered(changes: dict[str, object]) -> None:
    _, terms = offer()
    answer = make_answer(BOB, NETWORK, terms, ANSWERED)
    with pytest.raises(LinkError):
        check_answer(msgspec.structs.replace(answer, **changes), NETWORK, terms)


def test_answer_to_one_offer_does_not_answer_another() -> None:
    _, terms = offer()
    _, later = make_offer(
        ALICE, NETWORK, BOB.node_id, OFFERED, is_client=False, now=NOW + 1, random_bytes=lambda count: b"\x05" * count
    )
    with pytest.raises(LinkError, match="signature"):
        check_answer(make_answer(BOB, NETWORK, terms, ANSWERED), NETWORK, later)


def test_signed_fingerprint_must_be_the_one_in_the_description() -> None:
    """A dialler that signs one certificate and describes another is refused, though its signature is right."""
    made, _ = offer()
    two_faced = msgspec.structs.replace(made, fingerprint=bytes(32))
    fields = offer_fields(two_faced)
    signed = msgspec.structs.replace(two_faced, signature=ALICE.sign("link-offer", NETWORK, *fields))
    with pytest.raises(LinkError, match="fingerprint"):
        check_offer(signed, NETWORK, ALICE.node_id, BOB.node_id, NOW)


def offer_fields(made: LinkOffer) -> tuple[bytes, ...]:
    """What is signed, written down a second time."""
    return (
        b"\x00\x01",
        ALICE.node_id,
        BOB.node_id,
        b"node",
        b"node",
        made.ufrag.encode(),
        made.fingerprint,
        made.nonce,
        made.expires.to_bytes(8, "big"),
        made.sdp,
    )
