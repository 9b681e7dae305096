"""Calibration files: what is refused and why, what is found, what follows from the counts."""

import itertools
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import CalibrationError
from engine.verification.scoring.calibration import (
    LARGEST_STEP,
    MAX_FILE,
    Calibrations,
    Condition,
    likelihoods,
    noise,
    read_calibrations,
    write_calibrations,
)
from engine.verification.scoring.cells import BOUNDS, CELLS, cell_of, count_cells
from tests.support.calibrations import CHEAT, HONEST, calibration
from tests.support.counts import examples

ZEROS = (0,) * CELLS


def test_margins_lie_in_their_cells():
    assert [cell_of(value) for value in (0.0, 1e-9, 9e-5, 1.1e-4, 0.5, 1.0, 9.9, 10.1, 20.0)] == [
        0,
        1,
        1,
        2,
        8,
        8,
        10,
        11,
        11,
    ]
    assert cell_of(math.nan) == cell_of(math.inf) == CELLS - 1
    assert sum(count_cells([0.0, 0.0, 0.2, 30.0])) == 4


def test_a_file_survives():
    entries = (calibration(), calibration(digest="", family="random", others=(Condition("x", ZEROS, 3),)))
    assert read_calibrations(write_calibrations(entries)) == entries


def changed(**changes):
    """The bytes of a file of one entry, some of whose fields are replaced."""
    content = json.loads(write_calibrations([calibration()]))
    content["entries"][0] |= changes
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cannot be read"),
        (b"{}", "not a calibration file"),
        (b'{"format": "gentorrent-calibration", "version": 2}', "version 2"),
        (b" " * (MAX_FILE + 1), "at most"),
        (changed(digest="", family=""), "neither"),
        (changed(digest="xyz"), "cannot be read"),
        (changed(bounds=[0, 5, 5, *BOUNDS[3:]]), "do not rise"),
        (changed(bounds=[1, *BOUNDS[1:]]), "do not rise"),
        (changed(bounds=[0, 1]), "12 cells for 2 bounds"),
        (changed(honest={"name": "h", "cells": [-1] * CELLS}), "cannot be read"),
        (changed(honest={"name": "h", "cells": [1] * CELLS}), "12 tokens"),
        (changed(extra=1), "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
    ],
)
def test_a_bad_file_is_refused_with_a_reason(data, reason):
    with pytest.raises(CalibrationError, match=reason):
        read_calibrations(data)


@given(data=st.binary(max_size=300))
@settings(max_examples=examples(100), deadline=None)
def test_any_bytes_are_a_file_or_an_error(data):
    for content in (data, write_calibrations([calibration()]).replace(b"97000", data)):
        try:
            assert isinstance(read_calibrations(content), tuple)
        except CalibrationError:
            pass


def test_the_likelihood_of_a_cell_is_the_ratio_of_its_frequencies():
    steps = likelihoods(calibration())
    assert steps[0] == pytest.approx(1e6 * math.log(97_000 / 99_900), abs=100)
    assert steps[4] == pytest.approx(1e6 * math.log(300.5 / 10.5), abs=500) or steps[4] == LARGEST_STEP * 1e6
    assert all(later >= earlier for earlier, later in itertools.pairwise(steps))
    assert max(steps) <= LARGEST_STEP * 1e6


@given(st.lists(st.integers(0, 10_000), min_size=CELLS, max_size=CELLS), st.integers(0, 50_000))
@settings(max_examples=examples(100), deadline=None)
def test_on_average_honest_answers_look_honest_and_the_cheat_does_not(counts, same):
    """Whatever was measured: by the frequencies themselves the expected step is not positive for honest answers once
    large margins are rarer in them, and never says the opposite for the cheat."""
    cheat = Condition("c", (same + 2_000, *counts[1:]))
    honest = Condition("h", (cheat.tokens, *([0] * (CELLS - 1))))
    steps = likelihoods(calibration(honest=honest, cheat=cheat))
    assert sum(step * count for step, count in zip(steps, honest.cells, strict=True)) <= 1_000 * honest.tokens
    assert sum(step * count for step, count in zip(steps, cheat.cells, strict=True)) >= -1_000 * cheat.tokens


def test_what_fits_best_is_found() -> None:
    noisy = Condition("half precision", (90_000, 0, 0, 0, 5_000, 5_000, 0, 0, 0, 0, 0, 0))
    own, pair = calibration(), calibration(node="cuda", honest=noisy)
    related = calibration(digest="", family="random", precision="int8")
    known = Calibrations([own, pair, related])
    digest = bytes.fromhex("ab" * 32)
    assert noise(noisy) > noise(HONEST)
    assert noise(CHEAT) > noise(HONEST)
    assert known.find(digest) is pair  # where nobody knows what the node has, the noisiest
    assert known.find(digest, node="cpu") is own
    assert known.find(digest, precision="fp16") is None
    assert known.find(digest, reference="cuda") is None
    assert known.find(bytes(32)) is None
    assert known.find(bytes(32), family="random") is related
    assert known.find(bytes(32), family="random", precision="int8", node="cuda") is None
    assert known.find(bytes(32), family="") is None
    assert len(Calibrations([own, calibration()])) == 1
