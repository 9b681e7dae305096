"""Cached decoding gives what one pass over everything gives, in both graph styles; a row depends on nobody else."""

import numpy as np
import pytest

from engine.errors import InferenceError
from engine.inference.models.folder import read_model_folder
from engine.inference.runtime.runner import Runner
from tests.support.tiny_model import make_tiny_model

IDS = [5, 17, 101, 260, 33, 9, 9, 250, 4, 77, 31, 12]


@pytest.fixture(scope="module", params=["gqa", "concat"])
def runner(request, tmp_path_factory):
    folder = make_tiny_model(tmp_path_factory.mktemp("model") / request.param, style=request.param)
    return Runner(read_model_folder("tiny", folder), 1)


def test_chunks_and_single_tokens_give_what_one_pass_gives(runner):
    whole = runner.new_state()
    expected = runner.feed(whole, IDS)
    assert expected.ndim == 1
    for cuts in ([3, 4, 5], [1] * 12, [11, 1]):
        state, place = runner.new_state(), 0
        for length in cuts:
            logits = runner.feed(state, IDS[place : place + length])
            place += length
        np.testing.assert_allclose(logits, expected, atol=2e-5)
        assert logits.argmax() == expected.argmax()
        assert state.length == len(IDS)


def test_sequences_do_not_touch_each_other(runner):
    alone = runner.new_state()
    expected = [runner.feed(alone, [token]) for token in IDS]
    one, other = runner.new_state(), runner.new_state()
    for place, token in enumerate(IDS):
        assert np.array_equal(runner.feed(one, [token]), expected[place])
        runner.feed(other, [IDS[-place], 3])


def test_the_past_matters(runner):
    first, second = runner.new_state(), runner.new_state()
    runner.feed(first, [5, 6])
    runner.feed(second, [7, 6])
    assert np.abs(runner.feed(first, [9]) - runner.feed(second, [9])).max() > 1e-3


def test_a_failing_run_is_an_error_and_leaves_the_state(runner):
    state = runner.new_state()
    runner.feed(state, [1, 2])
    with pytest.raises(InferenceError, match="failed while computing"):
        runner.feed(state, [10**9])
    assert state.length == 2
    again = runner.new_state()
    runner.feed(again, [1, 2])
    assert np.array_equal(runner.feed(state, [3]), runner.feed(again, [3]))


def test_it_runs_where_the_session_says(runner):
    assert runner.provider == "CPUExecutionProvider"
    assert runner.kv_item_size == 4
