"""Epochs follow each other without a gap from the creation of the network on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.verification.epochs import epoch_at, epoch_begins
from engine.wire.records import Parameters
from tests.support.records import genesis


@given(st.floats(1, 86_400), st.integers(0, 1_000_000))
def test_an_epoch_lasts_from_its_begin_to_the_next(seconds: float, epoch: int) -> None:
    made = genesis(Parameters(epoch_seconds=seconds)).genesis
    middle = (epoch_begins(made, epoch) + epoch_begins(made, epoch + 1)) / 2
    assert epoch_at(made, middle) == epoch
    assert epoch_begins(made, epoch + 1) > epoch_begins(made, epoch)


def test_before_the_network_there_is_no_epoch_below_zero() -> None:
    made = genesis().genesis
    assert epoch_at(made, made.created - 10_000) == 0
    assert epoch_at(made, made.created) == 0
    assert epoch_at(made, made.created + 599.9) == 0
    assert epoch_at(made, made.created + 600) == 1
