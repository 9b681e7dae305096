"""Requests count from the moment they are begun until their model counts them."""

from engine.ids import RequestId
from engine.node.uncounted import COUNTED_SECONDS, Uncounted, Work

ONE, TWO = RequestId(b"1" * 16), RequestId(b"2" * 16)
MODEL, OTHER = b"m" * 32, b"o" * 32


def test_it_counts_until_the_model_that_has_it_tells_its_load() -> None:
    uncounted = Uncounted()
    uncounted.begun(ONE, MODEL, 300, 40)
    uncounted.begun(TWO, MODEL, 100, 20)
    uncounted.begun(RequestId(b"3" * 16), OTHER, 7, 7)
    assert uncounted.of(MODEL, 0.0) == Work(2, 400, 60)
    uncounted.counted()
    assert uncounted.of(MODEL, 0.0) == Work(2, 400, 60), "the model has neither"
    uncounted.taken(ONE, 0.1)
    assert uncounted.of(MODEL, 0.1) == Work(2, 400, 60)
    uncounted.counted()
    assert uncounted.of(MODEL, 0.1) == Work(1, 100, 20)
    uncounted.over(TWO)
    assert uncounted.of(MODEL, 0.1) == Work()
    assert uncounted.of(OTHER, 0.1) == Work(1, 7, 7)


def test_a_back_end_that_never_tells_its_load_counts_nothing_for_long() -> None:
    uncounted = Uncounted()
    uncounted.begun(ONE, MODEL, 300, 40)
    uncounted.taken(ONE, 1.0)
    uncounted.taken(ONE, 9.0)  # a later event of the same answer
    assert uncounted.of(MODEL, 1.0 + COUNTED_SECONDS / 2).requests == 1
    assert uncounted.of(MODEL, 1.0 + COUNTED_SECONDS) == Work()


def test_what_is_over_or_unknown_leaves_nothing_behind() -> None:
    uncounted = Uncounted()
    uncounted.taken(ONE, 0.0)
    uncounted.over(ONE)
    uncounted.begun(ONE, MODEL, -5, 1)
    assert uncounted.of(MODEL, 0.0) == Work(1, 0, 1)
    uncounted.over(ONE)
    uncounted.taken(ONE, 0.0)
    assert uncounted.of(MODEL, 0.0) == Work()
