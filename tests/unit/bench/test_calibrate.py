"""The file to which ``gentorrent calibrate`` adds."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.bench.verification import calibrate
from engine.bench.verification.calibrate import add_to_file
from engine.inference.models.installed import BUILTIN_MODEL
from engine.library.calibrations import known_calibrations
from engine.verification.scoring.calibration import Calibration, read_calibrations
from tests.support.calibrations import calibration


def entries(file: Path) -> tuple[Calibration, ...]:
    return tuple(read_calibrations(file.read_bytes()))


def test_an_entry_of_newer_weights_takes_the_place_of_the_older_one_and_keeps_how_the_model_is_asked(
    tmp_path: Path,
) -> None:
    file = tmp_path / "calibrations.json"
    first = msgspec.structs.replace(calibration(digest="ab" * 32), texts_percent=80)
    other = msgspec.structs.replace(calibration(digest="ef" * 32), model="another")
    for entry in (first, other, calibration(digest="cd" * 32)):
        add_to_file(file, entry)
    assert [(one.digest[:2], one.texts_percent) for one in entries(file)] == [("ef", 0), ("cd", 80)]


def test_the_built_in_models_16_bits_are_those_its_8_bits_were_made_from(tmp_path: Path) -> None:
    """With its 8-bit weights computed in 16 bits, honest noise would be taken for a seventh of what it is."""
    wanted = calibrate.Wanted(model=BUILTIN_MODEL, models=None, work=tmp_path, tokens=2_000)
    study, _ = calibrate._study(wanted, print)
    assert study.weights is not None
    assert study.weights.name == "model.safetensors"
    entry = known_calibrations().find(study.reference.digest, study.reference.precision)
    assert entry is not None
    assert entry.honest.name == "honest: half precision"
    odd = sum(count for bound, count in zip(entry.bounds, entry.honest.cells[1:], strict=True) if bound >= 0)
    assert odd / entry.honest.tokens > 0.003
