"""Cells: layers, tags, slots."""

import json
import random
from pathlib import Path

import pytest

from engine.errors import SealError
from engine.paths.cells import (
    CELL_LENGTH,
    PAYLOAD_LENGTH,
    LayerCipher,
    header_of,
    open_layers,
    peel_forward,
    seal_layers,
    wrap_backward,
)
from tests.support import path_vectors

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "cells.json").read_text())
randbytes = random.Random(3).randbytes
LAYERS = [LayerCipher(randbytes(32)) for _ in range(3)]
HEADERS = [(1111, 5), (2222, 2**32 - 1), (3333, 0)]
PAYLOAD = randbytes(PAYLOAD_LENGTH)


def forward(length: int) -> list[bytes]:
    """The cell on every link of a path."""
    cells = [seal_layers(LAYERS[:length], HEADERS[:length], randbytes(32), PAYLOAD)]
    for i in range(length - 1):
        cells.append(peel_forward(LAYERS[i], cells[-1], *HEADERS[i + 1], randbytes(16)))
    return cells


def backward(length: int) -> list[bytes]:
    cells = [LAYERS[length - 1].add(*HEADERS[length - 1], randbytes(32), PAYLOAD)]
    for i in range(length - 2, -1, -1):
        cells.append(wrap_backward(LAYERS[i], cells[-1], *HEADERS[i]))
    return cells


def test_golden_vectors() -> None:
    assert path_vectors.cell_vectors() == VECTORS, "python -m tests.support.path_vectors writes the vectors anew"


@pytest.mark.parametrize("length", [1, 2, 3])
def test_layers_come_off_one_by_one_and_all_at_once(length: int) -> None:
    cells = forward(length)
    assert [len(cell) for cell in cells] == [CELL_LENGTH] * length
    assert [header_of(cell) for cell in cells] == HEADERS[:length]
    assert LAYERS[length - 1].remove(cells[-1])[1] == PAYLOAD
    answers = backward(length)
    assert [len(cell) for cell in answers] == [CELL_LENGTH] * length
    assert open_layers(LAYERS[:length], HEADERS[:length], answers[-1]) == PAYLOAD


def test_a_cell_fits_one_packet() -> None:
    assert CELL_LENGTH == 1160


def test_no_part_of_a_cell_is_seen_on_two_links() -> None:
    for cells in (forward(3), backward(3)):
        pieces = [{cell[i : i + 16] for i in range(12, CELL_LENGTH - 15)} for cell in cells]
        assert pieces[0].isdisjoint(pieces[1])
        assert pieces[0].isdisjoint(pieces[2])
        assert pieces[1].isdisjoint(pieces[2])


@pytest.mark.parametrize("where", [0, 7, 8, 11, 12, 27, 60, 1159])
def test_a_tag_covers_circuit_sequence_and_payload(where: int) -> None:
    cell = bytearray(forward(3)[0])
    cell[where] ^= 1
    with pytest.raises(SealError):
        peel_forward(LAYERS[0], bytes(cell), 1, 1, bytes(16))


@pytest.mark.parametrize("where", [28, 44])
def test_a_changed_slot_is_noticed_by_the_relay_it_is_for(where: int) -> None:
    cell = bytearray(forward(3)[0])
    cell[where] ^= 1
    current = bytes(cell)
    for i in range((where - 12) // 16):
        current = peel_forward(LAYERS[i], current, *HEADERS[i + 1], bytes(16))
    with pytest.raises(SealError):
        LAYERS[(where - 12) // 16].remove(current)


@pytest.mark.parametrize("link", [0, 1, 2])
@pytest.mark.parametrize("where", [0, 11, 12, 60, 1159])
def test_the_client_notices_a_change_on_any_link(link: int, where: int) -> None:
    cell = LAYERS[2].add(*HEADERS[2], randbytes(32), PAYLOAD)
    for i in (2, 1, 0):
        cell = cell if i == 2 else wrap_backward(LAYERS[i], cell, *HEADERS[i])
        if i == link:
            changed = bytearray(cell)
            changed[where] ^= 1
            cell = bytes(changed)
    if where < 12:  # the client uses the numbers that it expects, so these count only on its own link
        assert open_layers(LAYERS, HEADERS, cell) == PAYLOAD
    else:
        with pytest.raises(SealError):
            open_layers(LAYERS, HEADERS, cell)


def test_directions_and_sequences_give_different_bytes() -> None:
    one = LAYERS[0].add(1, 1, bytes(32), bytes(PAYLOAD_LENGTH))
    other = LAYERS[0].add(1, 2, bytes(32), bytes(PAYLOAD_LENGTH))
    assert sum(a == b for a, b in zip(one[12:], other[12:], strict=True)) < 30
