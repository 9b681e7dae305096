import hashlib

import pytest

from engine.verification.members import (
    duties_alpha,
    faulty,
    first_output,
    leader,
    leader_alpha,
    leader_order,
    quorum,
)

NETWORK = bytes(range(32))
KEYS = [bytes((number,)) * 32 for number in range(7)]


@pytest.mark.parametrize("members", range(1, 65))
def test_two_quorums_share_an_honest_member_and_the_honest_are_a_quorum(members: int) -> None:
    assert 2 * quorum(members) - members > faulty(members)
    assert members - faulty(members) >= quorum(members)
    assert 3 * faulty(members) < members


def test_what_proofs_are_over() -> None:
    output = b"o" * 64
    assert leader_alpha(NETWORK, 3, 2, output) == (
        b"gentorrent/leader/v1" + NETWORK + bytes(7) + b"\x03" + bytes(7) + b"\x02" + output
    )
    assert duties_alpha(NETWORK, 258, output) == b"gentorrent/duties/v1" + NETWORK + bytes(6) + b"\x01\x02" + output
    assert first_output(NETWORK) == hashlib.sha256(NETWORK).digest()


def test_the_order_of_round_0_is_drawn_from_the_output_alone() -> None:
    output = b"o" * 64
    assert leader_order(KEYS, output, 0) == sorted(KEYS, key=lambda key: hashlib.sha256(output + key).digest())
    assert leader_order(KEYS, output, 0) != leader_order(KEYS, output, 1)
    assert leader_order(list(reversed(KEYS)), output, 5) == leader_order(KEYS, output, 5)


@pytest.mark.parametrize("members", [1, 4, 7])
def test_everybody_leads_once_in_as_many_rounds_as_there_are_members(members: int) -> None:
    keys, output = KEYS[:members], b"p" * 64
    leaders = [leader(keys, output, number) for number in range(3 * members)]
    for turn in range(3):
        assert sorted(leaders[turn * members : (turn + 1) * members]) == sorted(keys)
    assert leaders[0] == leader_order(keys, output, 0)[0]


def test_a_round_is_led_by_the_first_of_its_order_that_has_not_led_before() -> None:
    output = b"q" * 64
    led: list[bytes] = []
    for number in range(7):
        first = next(key for key in leader_order(KEYS, output, number) if key not in led)
        assert leader(KEYS, output, number) == first
        led.append(first)
