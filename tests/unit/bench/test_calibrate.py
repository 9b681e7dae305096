"""The file to which ``gentorrent calibrate`` adds."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.bench.verification.calibrate import add_to_file
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
