"""Messages to payloads and back, in any order, bounded in cells, messages and time."""

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import WireError
from engine.paths.cells import PAYLOAD_LENGTH
from engine.paths.fragments import (
    DATA_LENGTH,
    MAX_BUFFERED_CELLS,
    MAX_MESSAGE_LENGTH,
    MAX_PARTIAL_MESSAGES,
    PARTIAL_TIMEOUT,
    Reassembler,
    cells_for,
    fragment,
)

HEADER = struct.Struct(">BIBBH")


def payload(kind: int, number: int, index: int, count: int, length: int) -> bytes:
    return HEADER.pack(kind, number, index, count, length).ljust(PAYLOAD_LENGTH, b"\0")


@pytest.mark.parametrize(
    ("length", "cells"),
    [(0, 1), (1, 1), (DATA_LENGTH, 1), (DATA_LENGTH + 1, 2), (3 * DATA_LENGTH, 4), (5 * DATA_LENGTH, 8), (62_100, 64)],
)
def test_a_message_is_a_power_of_two_of_cells(length: int, cells: int) -> None:
    payloads = fragment(1, b"x" * length)
    assert len(payloads) == cells_for(length) == cells
    assert {len(one) for one in payloads} == {PAYLOAD_LENGTH}


def test_what_does_not_fit_is_refused() -> None:
    assert len(fragment(1, bytes(MAX_MESSAGE_LENGTH))) == 64
    with pytest.raises(WireError, match="does not fit"):
        fragment(1, bytes(MAX_MESSAGE_LENGTH + 1))


@given(st.lists(st.binary(max_size=5 * DATA_LENGTH), max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_any_order_gives_the_same_messages(messages: list[bytes], shuffler: random.Random) -> None:
    payloads = [one for number, message in enumerate(messages) for one in fragment(number, message)]
    shuffler.shuffle(payloads)
    assembler = Reassembler()
    received = [whole for one in payloads if (whole := assembler.receive(one, 0.0)) is not None]
    assert sorted(received) == sorted(messages)
    assert len(assembler) == 0


def test_unfinished_messages_expire_after_their_last_cell() -> None:
    assembler = Reassembler()
    first, second, third, _ = fragment(1, bytes(3 * DATA_LENGTH))
    assembler.receive(first, 0.0)
    assembler.receive(second, 20.0)
    assembler.expire(20.0 + PARTIAL_TIMEOUT)
    assert len(assembler) == 2
    assembler.expire(20.1 + PARTIAL_TIMEOUT)
    assert len(assembler) == 0
    assert assembler.receive(third, 60.0) is None


def test_unfinished_messages_are_bounded() -> None:
    assembler = Reassembler()
    for number in range(MAX_PARTIAL_MESSAGES):
        assembler.receive(payload(1, number, 0, 3, 1), 0.0)
    with pytest.raises(WireError, match="unfinished messages"):
        assembler.receive(payload(1, 999, 0, 3, 1), 0.0)
    assert assembler.receive(payload(1, 999, 0, 3, 1), 100.0) is None
    assert len(assembler) == 1


def test_unfinished_cells_are_bounded() -> None:
    assembler = Reassembler()
    with pytest.raises(WireError, match="unfinished cells"):
        for number in range(3):
            for index in range(63):
                assembler.receive(payload(1, number, index, 64, 1), 0.0)
    assert len(assembler) == MAX_BUFFERED_CELLS


@pytest.mark.parametrize(
    "bad",
    [
        payload(2, 0, 0, 1, 1),
        payload(1, 0, 1, 1, 1),
        payload(1, 0, 0, 0, 1),
        payload(1, 0, 0, 65, 1),
        payload(1, 0, 0, 1, DATA_LENGTH + 1),
    ],
)
def test_malformed_payloads_are_refused(bad: bytes) -> None:
    with pytest.raises(WireError, match="malformed"):
        Reassembler().receive(bad, 0.0)


def test_contradicting_cells_are_refused() -> None:
    for second in (payload(1, 5, 0, 3, 1), payload(1, 5, 1, 4, 1)):
        assembler = Reassembler()
        assembler.receive(payload(1, 5, 0, 3, 1), 0.0)
        with pytest.raises(WireError, match="contradict"):
            assembler.receive(second, 0.0)


@given(st.lists(st.binary(min_size=PAYLOAD_LENGTH, max_size=PAYLOAD_LENGTH), max_size=10))
@settings(max_examples=50, deadline=None)
def test_random_payloads_raise_nothing_but_wire_errors(payloads: list[bytes]) -> None:
    assembler = Reassembler()
    for one in payloads:
        try:
            assembler.receive(one, 0.0)
        except WireError:
            pass
    assert len(assembler) <= MAX_BUFFERED_CELLS
