"""Which calibrations are known: shipped ones and the owner's, damaged files left out."""

import logging

from engine.errors import ResourceMissingError
from engine.inference.models.installed import BUILTIN_MODEL, Catalogue
from engine.library import calibrations as module
from engine.library.calibrations import known_calibrations
from engine.verification.scoring.calibration import likelihoods, noise, write_calibrations
from engine.verification.scoring.cells import DRAWN
from tests.support.calibrations import calibration


def test_the_built_in_model_can_be_judged():
    digest = Catalogue(None).open(BUILTIN_MODEL).digest
    found = known_calibrations().find(digest)
    assert found is not None, "the built-in model has changed: run gentorrent calibrate again (docs/verification.md)"
    assert noise(found.cheat) > 5 * noise(found.honest)
    steps = likelihoods(found)
    assert steps[DRAWN] < 0 < steps[DRAWN + 5]
    assert "onnxruntime" in found.runtime
    assert found.machine
    assert found.texts_percent == 80, "its answers to questions tell nothing of who answers (decision 0078)"


def test_models_of_random_weights_can_be_judged_by_their_family():
    assert known_calibrations().find(bytes(32), family="random-0.1b") is not None
    assert known_calibrations().find(bytes(32), family="another") is None


def test_the_owner_s_files_are_used_and_damaged_ones_left_out(tmp_path, caplog):
    own = calibration(digest="cd" * 32)
    (tmp_path / "own.json").write_bytes(write_calibrations([own]))
    (tmp_path / "broken.json").write_bytes(b"{")
    with caplog.at_level(logging.WARNING):
        known = known_calibrations(tmp_path)
    assert known.find(bytes.fromhex("cd" * 32)) == own
    assert "broken.json is left out" in caplog.text
    assert len(known) == len(known_calibrations()) + 1


def test_without_the_resource_nothing_is_known(monkeypatch, caplog):
    def missing(name):
        raise ResourceMissingError("The program's own file is missing.")

    monkeypatch.setattr(module, "resource_path", missing)
    with caplog.at_level(logging.WARNING):
        assert len(known_calibrations()) == 0
    assert "cannot be judged" in caplog.text
