"""Whose turn it is."""

import pytest

from engine.inference.scheduling.sequence import Sequence
from engine.inference.scheduling.submission import Submission
from engine.inference.scheduling.waiting import OWNER_BURST, WaitingLine


def one(key, owner=False):
    return Sequence(key, Submission((1,), owner=owner), key, 10, 0.0)


def line_of(*sequences):
    line = WaitingLine()
    for sequence in sequences:
        line.add(sequence)
    return line


def test_the_owner_goes_first_and_everybody_in_the_order_of_arrival():
    line = line_of(one(0), one(1), one(2, owner=True), one(3, owner=True))
    assert [line.take().key for _ in range(4)] == [2, 3, 0, 1]
    with pytest.raises(ValueError):
        line.take()


def test_strangers_get_their_share_of_an_owners_flood():
    line = line_of(*(one(key, owner=True) for key in range(10)), *(one(key) for key in range(10, 14)))
    expected = [sequence.key for sequence in line.in_order()]
    taken = [line.take().key for _ in range(14)]
    assert taken == expected
    assert taken == [0, 1, 2, 3, 10, 4, 5, 6, 7, 11, 8, 9, 12, 13]
    assert OWNER_BURST == 4


def test_who_was_put_back_comes_before_all_that_arrived_later():
    line = line_of(one(5), one(6))
    line.add(one(2))
    assert [sequence.key for sequence in line.in_order()] == [2, 5, 6]


def test_newcomers_are_those_who_never_had_a_place():
    back = one(1)
    back.admitted = True
    line = line_of(back, one(2), one(3, owner=True))
    assert (len(line), line.newcomers(False), line.newcomers(True)) == (3, 1, 1)
    line.remove(back)
    assert len(line) == 2
