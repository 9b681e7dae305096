"""Models of random weights, in float32 and in 8 bits."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.bench.shapes import Shape
from engine.bench.verification.__main__ import open_folder
from engine.bench.verification.random_model import make_random_model

SHAPE = Shape("random-tiny", hidden=64, inner=128, layers=1, heads=2, kv_heads=1, vocabulary=320, context=256)


@pytest.mark.parametrize(("eight_bit", "precision"), [(False, "fp32"), (True, "int8")])
def test_the_same_weights_in_two_precisions(tmp_path: Path, eight_bit: bool, precision: str) -> None:
    made = [open_folder(make_random_model(_new(tmp_path / name), SHAPE, eight_bit=eight_bit)) for name in ("a", "b")]
    assert {one.precision for one in made} == {precision}
    assert made[0].digest == made[1].digest, "the same for the same shape"
    other = open_folder(make_random_model(_new(tmp_path / "c"), SHAPE, eight_bit=not eight_bit))
    assert other.digest != made[0].digest
    assert other.tokenizer_digest == made[0].tokenizer_digest


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder
