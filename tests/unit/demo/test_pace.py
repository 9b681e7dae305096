"""Epochs are longer on a busy or small machine, within bounds."""

from __future__ import annotations

import os

import pytest

from engine.demo.pace import LONGEST_SECONDS, SHORTEST_SECONDS, WORK_SECONDS, epoch_seconds, processors


@pytest.mark.parametrize(
    ("free", "seconds"),
    [
        (64.0, SHORTEST_SECONDS),
        (2.0, WORK_SECONDS / 2),
        (1.0, WORK_SECONDS),
        (0.1, LONGEST_SECONDS),
        (0.0, LONGEST_SECONDS),
    ],
)
def test_an_epoch_has_time_for_its_work(free: float, seconds: float) -> None:
    assert epoch_seconds(free) == seconds


def test_no_more_processors_are_free_than_there_are() -> None:
    assert 0 < processors(0.05) <= (os.cpu_count() or 1)
