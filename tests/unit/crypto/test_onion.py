"""Set-up packets and their layered answers: what opens, what does not, and what shows."""

import itertools
import json
import math
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.crypto import onion
from engine.errors import CryptoError, SealError
from engine.ids import CircuitId, NodeId
from engine.wire import SUITE_ONION_X25519
from tests.support import path_vectors
from tests.support.path_vectors import NOW

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "onion.json").read_text())
BODY = bytes(range(onion.BODY_LENGTH))
randbytes = random.Random(5).randbytes
PRIVATE = [randbytes(32) for _ in range(3)]


def path(length: int) -> list[onion.Hop]:
    return [
        onion.Hop(NodeId(bytes([i + 1]) * 20), onion.public_onion_key(PRIVATE[i]), CircuitId(100 + i), 8000 - 2000 * i)
        for i in range(length)
    ]


def peel(packet: bytes, i: int, now: float = NOW) -> onion.Peeled:
    return onion.peel(packet, NodeId(bytes([i + 1]) * 20), [PRIVATE[i]], now, randbytes)


def test_golden_vectors() -> None:
    assert path_vectors.onion_vectors() == VECTORS, "python -m tests.support.path_vectors writes the vectors anew"


def test_the_suite_is_the_one_on_the_wire() -> None:
    assert onion.SUITE == SUITE_ONION_X25519
    assert onion.PACKET_LENGTH <= 1024
    assert onion.REPLY_LENGTH <= 512


@pytest.mark.parametrize("length", [1, 2, 3])
def test_each_relay_learns_its_successor_and_shares_keys_with_the_client(length: int) -> None:
    hops = path(length)
    packet, keys = onion.build(hops, NOW, randbytes)
    for i in range(length):
        assert len(packet) == onion.PACKET_LENGTH
        peeled = peel(packet, i)
        assert peeled.keys == keys[i]
        assert peeled.fresh
        assert peeled.reply_timeout == hops[i].reply_timeout_ms / 1000
        if i == length - 1:
            assert (peeled.next_node, peeled.next_circuit, peeled.next_packet) == (None, None, None)
        else:
            assert (peeled.next_node, peeled.next_circuit) == (hops[i + 1].node_id, hops[i + 1].circuit_id)
            assert peeled.next_packet is not None
            packet = peeled.next_packet
    for one, other in itertools.pairwise(keys):
        assert (one.forward_base + one.forward_delta) % 2**32 == other.forward_base
        assert (one.backward_base + one.backward_delta) % 2**32 == other.backward_base


def test_no_key_or_number_is_shared_between_hops() -> None:
    _, keys = onion.build(path(3), NOW, randbytes)
    secrets = [value for own in keys for value in (own.forward_key, own.backward_key, own.reply_key)]
    assert len(set(secrets)) == 9
    numbers = [n for own in keys for n in (own.forward_base, own.backward_base, own.forward_delta, own.backward_delta)]
    assert len(set(numbers)) == 12


def test_slots_look_random_at_every_position() -> None:
    """Bytes of the slots behind the first, over many packets and positions, are distributed evenly (chi-square)."""
    for length in (1, 3):
        counts = [0] * 256
        for _ in range(40):
            packet, _ = onion.build(path(length), NOW, randbytes)
            for i in range(length):
                for byte in packet[onion.SLOT_LENGTH :]:
                    counts[byte] += 1
                packet = peel(packet, i).next_packet or b""
        expected = sum(counts) / 256
        chi_square = sum((count - expected) ** 2 / expected for count in counts)
        assert chi_square < 255 + 5 * math.sqrt(2 * 255)


def test_yesterdays_key_still_opens_and_a_foreign_one_does_not() -> None:
    packet, keys = onion.build(path(1), NOW, randbytes)
    node = path(1)[0].node_id
    assert onion.peel(packet, node, [randbytes(32), PRIVATE[0]], NOW, randbytes).keys == keys[0]
    with pytest.raises(CryptoError, match="does not open"):
        onion.peel(packet, node, [randbytes(32)], NOW, randbytes)
    with pytest.raises(CryptoError, match="does not open"):
        onion.peel(packet, NodeId(bytes(20)), [PRIVATE[0]], NOW, randbytes)
    with pytest.raises(CryptoError, match="does not open"):
        onion.peel(packet, node, [], NOW, randbytes)


@pytest.mark.parametrize("where", range(0, onion.SLOT_LENGTH, 4))
def test_any_change_of_the_first_slot_is_noticed(where: int) -> None:
    packet = bytearray(onion.build(path(3), NOW, randbytes)[0])
    packet[where] ^= 0x80
    with pytest.raises(CryptoError):
        peel(bytes(packet), 0)


def test_a_change_of_a_later_slot_is_noticed_by_its_relay() -> None:
    packet = bytearray(onion.build(path(3), NOW, randbytes)[0])
    packet[onion.SLOT_LENGTH + 40] ^= 1
    following = peel(bytes(packet), 0).next_packet
    assert following is not None
    with pytest.raises(CryptoError):
        peel(following, 1)


def test_the_replay_tag_names_the_first_slot_alone() -> None:
    packet, _ = onion.build(path(2), NOW, randbytes)
    changed = packet[:-1] + bytes([packet[-1] ^ 1])
    assert peel(packet, 0).replay_tag == peel(changed, 0).replay_tag
    assert peel(onion.build(path(2), NOW, randbytes)[0], 0).replay_tag != peel(packet, 0).replay_tag


@pytest.mark.parametrize(
    ("age", "fresh"), [(0, True), (290, True), (-100, True), (331, False), (-151, False), (10**9, False)]
)
def test_old_and_future_packets_are_not_fresh(age: float, fresh: bool) -> None:
    packet, _ = onion.build(path(1), NOW, randbytes)
    assert peel(packet, 0, NOW + age).fresh is fresh


def test_a_packet_is_never_fresh_for_longer_than_replays_are_remembered() -> None:
    packet, _ = onion.build(path(1), NOW, randbytes)
    fresh = [age for age in range(-200, 400) if peel(packet, 0, NOW + age).fresh]
    assert fresh[-1] - fresh[0] < onion.REPLAY_MEMORY


def test_low_order_points_and_wrong_lengths_are_refused() -> None:
    packet, _ = onion.build(path(1), NOW, randbytes)
    with pytest.raises(CryptoError, match="acceptable X25519"):
        peel(bytes(32) + packet[32:], 0)
    for data in (b"", packet[:-1], packet + b"\0"):
        with pytest.raises(CryptoError, match="bytes"):
            peel(data, 0)
    with pytest.raises(CryptoError, match="acceptable X25519"):
        onion.build([onion.Hop(NodeId(bytes(20)), bytes(32), CircuitId(1), 1)], NOW, randbytes)
    for length in (0, 4):
        with pytest.raises(ValueError, match="1 to 3"):
            onion.build([path(1)[0]] * length, NOW, randbytes)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_the_client_finds_who_answered(length: int) -> None:
    _, keys = onion.build(path(length), NOW, randbytes)
    for origin in range(length):
        for stale in (False, True):
            reply = (
                onion.stale_reply(keys[origin], randbytes) if stale else onion.seal_reply(keys[origin], BODY, randbytes)
            )
            for i in range(origin - 1, -1, -1):
                assert len(reply) == onion.REPLY_LENGTH
                reply = onion.wrap_reply(keys[i], reply)
            assert onion.open_reply(keys, reply) == onion.OpenedReply(origin, b"" if stale else BODY, stale)


def test_a_garbled_answer_is_never_taken_for_the_last_relays() -> None:
    _, keys = onion.build(path(3), NOW, randbytes)
    for link in (2, 1, 0):
        for where in range(onion.REPLY_LENGTH):
            reply = onion.seal_reply(keys[2], BODY, randbytes)
            for i in (2, 1, 0):
                reply = reply if i == 2 else onion.wrap_reply(keys[i], reply)
                if i == link:
                    reply = reply[:where] + bytes([reply[where] ^ 1]) + reply[where + 1 :]
            try:
                opened = onion.open_reply(keys, reply)
            except SealError:
                assert link == 0
                continue
            if opened.hop_index == 2:
                assert opened.body == BODY
                assert 16 * (3 - link) <= where < 48  # a slot that holds no tag on this link
            else:
                assert opened.hop_index >= link - 1
                assert opened.body != BODY


def test_answers_of_wrong_length_are_refused() -> None:
    _, keys = onion.build(path(1), NOW, randbytes)
    with pytest.raises(SealError):
        onion.open_reply(keys, b"")
    with pytest.raises(CryptoError):
        onion.wrap_reply(keys[0], bytes(onion.REPLY_LENGTH - 1))
    with pytest.raises(ValueError, match="body"):
        onion.seal_reply(keys[0], b"", randbytes)


@given(st.binary(max_size=400) | st.binary(min_size=onion.PACKET_LENGTH, max_size=onion.PACKET_LENGTH))
@settings(max_examples=100, deadline=None)
def test_random_bytes_raise_nothing_but_crypto_errors(data: bytes) -> None:
    with pytest.raises(CryptoError):
        peel(data, 0)
    _, keys = onion.build(path(1), NOW, randbytes)
    with pytest.raises(SealError):
        onion.open_reply(keys, data)
