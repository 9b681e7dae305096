"""Caches of 16 bits: what is copied, moved, kept as blocks and grown is what was there, bit by bit.

How the sums of half precision are ordered depends on the length of a call, so the engine is compared with itself: the
same calls on a sequence that stays where it is.
"""

from pathlib import Path

import numpy as np
import pytest

from engine.inference.models.folder import read_model_folder
from engine.inference.runtime.runner import Runner, RuntimeSettings
from engine.inference.scheduling.plan import BLOCK_TOKENS, Row

MODELS = Path(__file__).parents[3] / "families" / "models"
PROMPT = tuple((13 * place + 5) % 200 + 4 for place in range(2 * BLOCK_TOKENS))
REST = (9, 77, 31)


@pytest.fixture(params=[("qwen2-variants", "fp16"), ("qwen2-variants", "q4f16"), ("phi3-nested", "cuda-fp16")])
def runner(request):
    name, variant = request.param
    folder = read_model_folder("m", MODELS / name, lambda _: bytes(32), variant=variant)
    made = Runner(folder, RuntimeSettings(1, 4))
    yield made
    made.close()


def feed(runner, slot, start, ids):
    return runner.step([Row(slot, slot, start, tuple(ids), True)]).logits[0].copy()


def rest(runner, slot):
    return [feed(runner, slot, len(PROMPT) + place, (token,)) for place, token in enumerate(REST)]


def test_blocks_moves_and_growth_keep_every_bit(runner):
    feed(runner, 0, 0, PROMPT)
    runner.store_block(0, 0, 7)
    runner.store_block(0, BLOCK_TOKENS, 3)
    expected = rest(runner, 0)
    assert np.isfinite(expected).all()
    runner.load_blocks(2, (7, 3))
    assert np.array_equal(rest(runner, 2), expected)
    runner.load_blocks(3, (7, 3))
    runner.move(3, 1, len(PROMPT))
    runner.reserve(runner.capacity_limit)
    assert np.array_equal(rest(runner, 1), expected)


def test_another_past_gives_other_logits(runner):
    feed(runner, 0, 0, PROMPT)
    feed(runner, 1, 0, PROMPT[::-1])
    assert np.abs(np.subtract(rest(runner, 0), rest(runner, 1))).max() > 1e-2
