"""The calibrations that this machine knows: those that come with the program, and the owner's own."""

from __future__ import annotations

import logging
from pathlib import Path

from engine.errors import CalibrationError, ResourceMissingError
from engine.resources import resource_path
from engine.verification.scoring.calibration import MAX_FILE, Calibration, Calibrations, read_calibrations

MAX_FILES = 1000
_log = logging.getLogger(__name__)


def known_calibrations(own: Path | None = None) -> Calibrations:
    """Those of every ``*.json`` in the program's resources, then in the folder ``own`` (of ``gentorrent calibrate
    --output``), which go first. A file that cannot be used is left out, with a warning. Reads the disk."""
    try:
        shipped = _all(resource_path("engine/calibration"))
    except ResourceMissingError as error:
        _log.warning("%s Answers of other machines cannot be judged.", error)
        shipped = []
    return Calibrations([*shipped, *(_all(own) if own is not None else [])])


def _all(folder: Path) -> list[Calibration]:
    found: list[Calibration] = []
    for path in sorted(folder.glob("*.json"))[:MAX_FILES]:
        try:
            with path.open("rb") as file:
                found += read_calibrations(file.read(MAX_FILE + 1))
        except CalibrationError as error:
            _log.warning("%s is left out. %s", path, error)
        except OSError as error:
            _log.warning("%s cannot be read (%s) and is left out", path, error.strerror)
    return found
