"""Replay and credit windows."""

import random

import pytest

from engine.errors import PathError
from engine.paths.cells import MAX_CELLS
from engine.paths.windows import CREDIT_STEP, REPLAY_SPAN, WINDOW, ReceiveWindow, SendWindow

BASE = 2**32 - 3


def take(window: ReceiveWindow, number: int) -> bool:
    """Whether the number is admitted; the cell is consumed at once."""
    admitted = window.admit((BASE + number) % 2**32)
    window.consumed()
    if admitted is None:
        return False
    assert admitted == number
    window.mark(number)
    return True


def test_each_number_is_admitted_once_in_any_order() -> None:
    window = ReceiveWindow(BASE)
    numbers = list(range(500))
    random.Random(1).shuffle(numbers)
    assert all(take(window, number) for number in numbers)
    assert not any(take(window, number) for number in numbers)


def test_far_ahead_is_admitted_and_far_behind_is_not() -> None:
    window = ReceiveWindow(BASE)
    assert take(window, 5000)
    assert not take(window, 5000 - REPLAY_SPAN)
    assert take(window, 5000 - REPLAY_SPAN + 1)
    assert not take(window, 5000 - REPLAY_SPAN + 1)
    assert take(window, 10_000_000)
    assert not take(window, 5000)


def test_a_number_that_was_not_marked_may_come_again() -> None:
    window = ReceiveWindow(0)
    assert window.admit(3) == 3
    assert window.admit(3) == 3


def test_impossible_numbers_are_refused() -> None:
    assert ReceiveWindow(0).admit(MAX_CELLS - 1) == MAX_CELLS - 1
    for sequence in (MAX_CELLS, 2**32 - 1):
        with pytest.raises(PathError, match="impossible"):
            ReceiveWindow(0).admit(sequence)


def test_a_sender_may_have_so_many_cells_outstanding_and_no_more() -> None:
    window = ReceiveWindow(0)
    for number in range(WINDOW):
        window.admit(number)
    with pytest.raises(PathError, match="exceeded its window"):
        window.admit(WINDOW)


def test_credit_is_due_every_so_many_cells() -> None:
    window = ReceiveWindow(0)
    due = []
    for number in range(4 * CREDIT_STEP):
        window.admit(number)
        due.append(window.consumed())
    assert due == ([False] * (CREDIT_STEP - 1) + [True]) * 4


def test_sending_stops_without_credit_and_goes_on_in_order() -> None:
    window = SendWindow()
    items = [bytes([i]) for i in range(WINDOW + 20)]
    for item in items:
        window.push(item)
    assert [window.pop() for _ in items] == items[:WINDOW] + [None] * 20
    assert len(window) == 20
    window.credited(16)
    assert [window.pop() for _ in range(17)] == [*items[WINDOW : WINDOW + 16], None]


def test_more_credit_than_the_window_is_refused() -> None:
    window = SendWindow()
    window.push(b"")
    window.pop()
    window.credited(1)
    with pytest.raises(PathError, match="more credit"):
        window.credited(1)
