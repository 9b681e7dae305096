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
from engine.verification.scoring.cells import BOUNDS, CELLS, DRAWN, cell_of, count_cells
from tests.support.calibrations import CHEAT, HONEST, calibration
from tests.support.counts import examples

ZEROS = (0,) * CELLS


def test_margins_lie_in_their_cells():
    margins = (-20.0, -2.9, -5e-5, 0.0, 1e-9, 1.1e-4, 0.5, 9.9, 20.0)
    assert [cell_of(value) for value in margins] == [0, 1, 9, 9, 10, 11, 17, 19, 20]
    assert BOUNDS[DRAWN] == 0
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
        (changed(bounds=[-9, 5, 5, *BOUNDS[3:]]), "do not rise"),
        (changed(bounds=[one + 1 for one in BOUNDS]), "do not rise"),
        (changed(bounds=[0, 1]), "21 cells for 2 bounds"),
        (changed(honest={"name": "h", "cells": [-1] * CELLS}), "cannot be read"),
        (changed(honest={"name": "h", "cells": [1] * CELLS}), "21 tokens"),
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
    for content in (data, write_calibrations([calibration()]).replace(b"19900", data)):
        try:
            assert isinstance(read_calibrations(content), tuple)
        except CalibrationError:
            pass


def test_the_likelihood_of_a_cell_is_the_ratio_of_its_frequencies_among_tokens_at_stake():
    steps = likelihoods(calibration())
    expected = math.log(CHEAT.cells[4] / sum(CHEAT.cells[1:])) - math.log(HONEST.cells[4] / sum(HONEST.cells[1:]))
    assert steps[4] == pytest.approx(1e6 * expected, abs=500)
    assert steps[0] == 0  # a token that is drawn surely says nothing
    assert steps[DRAWN] < -500_000  # one that is drawn by a hair's breadth speaks for its maker
    assert max(steps) == steps[-1] == LARGEST_STEP * 1e6


def test_a_token_that_is_missed_by_more_or_drawn_more_surely_is_never_a_better_sign():
    odd = Condition("odd", (*HONEST.cells[:12], 0, 90, 0, 0, 0, 0, 0, 0, 5))
    for honest, cheat in itertools.permutations((HONEST, CHEAT, odd), 2):
        steps = likelihoods(calibration(honest=honest, cheat=cheat))
        assert len(steps) == CELLS
        assert list(steps[: DRAWN + 1]) == sorted(steps[: DRAWN + 1], reverse=True)
        assert list(steps[DRAWN + 1 :]) == sorted(steps[DRAWN + 1 :])


def test_how_many_tokens_of_a_text_are_certain_says_nothing_of_its_maker():
    """A calibration whose cheat happened to write more certain texts, and one whose honest nodes did."""
    for more, same in ((CHEAT, HONEST), (HONEST, CHEAT)):
        certain = Condition(more.name, (10 * more.cells[0], *more.cells[1:]))
        honest, cheat = (certain, same) if more is HONEST else (same, certain)
        steps = likelihoods(calibration(honest=honest, cheat=cheat))
        assert steps == likelihoods(calibration())
        assert max(steps[: DRAWN + 1]) == 0


COUNTS = st.lists(st.integers(0, 10_000), min_size=CELLS, max_size=CELLS)


@given(COUNTS, COUNTS)
@settings(max_examples=examples(100), deadline=None)
def test_every_step_is_the_ratio_of_the_cells_that_share_it(good, bad):
    honest, cheat = Condition("h", (good[0] + 2_000, *good[1:])), Condition("c", (bad[0] + 2_000, *bad[1:]))
    steps = likelihoods(calibration(honest=honest, cheat=cheat))
    assert steps[0] == 0
    changes = [at for at in range(2, CELLS) if steps[at] != steps[at - 1] or at == DRAWN + 1]
    for begin, end in itertools.pairwise([1, *changes, CELLS]):
        ratio = math.log((sum(cheat.cells[begin:end]) + 0.5) / (max(1, sum(bad[1:])) + 0.5))
        ratio -= math.log((sum(honest.cells[begin:end]) + 0.5) / (max(1, sum(good[1:])) + 0.5))
        if begin > DRAWN or steps[begin] < 0:  # of tokens that are drawn several pools may end at zero
            assert steps[begin] == round(1e6 * max(-LARGEST_STEP, min(LARGEST_STEP, ratio)))


def test_what_fits_best_is_found() -> None:
    noisy = Condition("half precision", (*(9_000,) * 10, 0, 0, 0, 5_000, 5_000, *(0,) * 6))
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
