"""What the runner gives for a step: the logits of the rows that draw, whatever is fed beside them."""

import dataclasses

import numpy as np
import pytest

from engine.errors import InferenceError
from engine.inference.models.folder import read_model_folder
from engine.inference.runtime.runner import Runner, RuntimeSettings
from engine.inference.scheduling.plan import BLOCK_TOKENS, Row
from tests.support.tiny_model import make_tiny_model

IDS = (5, 17, 101, 260, 33, 9, 9, 250, 4, 77, 31, 12)
SLOTS = 5


@pytest.fixture(scope="module", params=["gqa", "concat"])
def folder(request, tmp_path_factory):
    return read_model_folder(
        "tiny", make_tiny_model(tmp_path_factory.mktemp("model") / request.param, style=request.param)
    )


@pytest.fixture
def runner(folder):
    made = Runner(folder, RuntimeSettings(1, SLOTS))
    yield made
    made.close()


def feed(runner, slot, start, ids, draw=True):
    return runner.step([Row(1, slot, start, tuple(ids), draw)]).logits.copy()


def test_several_rows_go_into_one_call(runner):
    assert runner.batching in ("two calls", "ragged"), runner.batching_reason
    assert runner.provider == "CPUExecutionProvider"
    assert runner.bytes_per_token == 2 * 2 * 2 * 16 * 4


def test_pieces_give_what_the_whole_gives(runner):
    expected = feed(runner, 0, 0, IDS)
    assert expected.shape == (1, runner.vocabulary)
    for cuts in ([3, 4, 5], [1] * 12, [11, 1]):
        start = 0
        for count in cuts:
            logits = feed(runner, 1, start, IDS[start : start + count])
            start += count
        np.testing.assert_allclose(logits, expected, atol=2e-5)


def test_the_past_matters(runner):
    feed(runner, 0, 0, [5, 6])
    feed(runner, 1, 0, [7, 6])
    assert np.abs(feed(runner, 0, 2, [9]) - feed(runner, 1, 2, [9])).max() > 1e-3


def test_logits_come_in_the_order_of_the_rows_and_only_for_those_that_draw(runner):
    expected = [feed(runner, 0, 0, IDS[:count])[0] for count in (3, 4, 1)]
    rows = [
        Row(1, 3, 0, IDS[:3], True),
        Row(2, 0, 0, IDS[:4], True),
        Row(3, 4, 0, IDS[:7], False),
        Row(4, 1, 0, IDS[:1], True),
    ]
    np.testing.assert_allclose(runner.step(rows).logits, expected, atol=2e-5)
    assert runner.step([Row(3, 4, 7, IDS[7:9], False)]).logits.shape == (0, runner.vocabulary)


def test_the_best_fall_and_equal_ones_stand_by_rising_id(runner):
    found = runner.step([Row(1, 0, 0, IDS, True), Row(2, 1, 0, IDS[:5], True)], top=7)
    order = np.argsort(-found.logits, axis=1, kind="stable")[:, :7]
    assert np.array_equal(found.top_ids, order)
    assert np.array_equal(found.top_values, np.take_along_axis(found.logits, order, 1))
    every = runner.step([Row(1, 0, 0, IDS, True)], top=10**6)
    assert every.top_ids.shape == (1, runner.vocabulary)
    assert runner.step([Row(1, 0, 0, IDS, False)], top=7).top_ids is None


def test_a_row_in_the_middle_of_its_prompt_survives_the_others_single_tokens(runner):
    expected = feed(runner, 0, 0, IDS)
    feed(runner, 1, 0, IDS[:6], draw=False)
    feed(runner, 0, 0, IDS[:2])
    feed(runner, 2, 0, IDS[:3])
    for start in (3, 4, 5):
        runner.step(
            [Row(1, 0, start - 1, IDS[start - 1 : start], True), Row(2, 2, start, IDS[start : start + 1], True)]
        )
    np.testing.assert_allclose(feed(runner, 1, 6, IDS[6:]), expected, atol=2e-5)


def test_blocks_and_moves_carry_the_cache(runner):
    ids = tuple((7 * place + 3) % 256 for place in range(2 * BLOCK_TOKENS + 3))
    expected = feed(runner, 0, 0, ids)
    runner.store_block(0, 0, 11)
    runner.store_block(0, BLOCK_TOKENS, 4)
    runner.release_slots([0])
    runner.load_blocks(3, [11, 4])
    np.testing.assert_allclose(feed(runner, 3, 2 * BLOCK_TOKENS, ids[2 * BLOCK_TOKENS :]), expected, atol=2e-5)
    runner.load_blocks(2, [11])
    feed(runner, 2, BLOCK_TOKENS, ids[BLOCK_TOKENS : BLOCK_TOKENS + 5])
    runner.move(2, 0, BLOCK_TOKENS + 5)
    np.testing.assert_allclose(feed(runner, 0, BLOCK_TOKENS + 5, ids[BLOCK_TOKENS + 5 :]), expected, atol=2e-5)
    runner.free_blocks([11, 4, 99])
    with pytest.raises(InferenceError, match="never stored"):
        runner.load_blocks(2, [11])


def test_growing_keeps_what_the_slots_hold(runner):
    expected = feed(runner, 0, 0, IDS)
    feed(runner, 1, 0, IDS[:6])
    feed(runner, 3, 0, IDS[:9])
    runner.reserve(runner.capacity_limit)
    np.testing.assert_allclose(feed(runner, 1, 6, IDS[6:]), expected, atol=2e-5)
    np.testing.assert_allclose(feed(runner, 3, 9, IDS[9:]), expected, atol=2e-5)
    with pytest.raises(InferenceError, match="more than the 512"):
        runner.reserve(runner.capacity_limit + 1)


def test_a_slot_can_be_filled_to_the_last_token_of_the_context_beside_others(runner):
    full = tuple((5 * place + 1) % 256 for place in range(runner.capacity_limit))
    expected = feed(runner, 0, 0, IDS[:4])
    feed(runner, 1, 0, full[:-1])
    feed(runner, 0, 0, IDS[:3])
    feed(runner, 2, 0, IDS[:3])
    runner.step([Row(1, 0, 3, IDS[3:4], True), Row(2, 1, len(full) - 1, full[-1:], True)])
    rows = [Row(1, 0, 3, IDS[3:4], True), Row(2, 2, 3, IDS[3:4], True)]
    np.testing.assert_allclose(runner.step(rows).logits, [expected[0]] * 2, atol=2e-5)


def test_a_failing_run_is_an_error_and_the_others_go_on(runner):
    expected = feed(runner, 0, 0, IDS[:4])
    feed(runner, 0, 0, IDS[:3])
    feed(runner, 1, 0, [1, 2])
    with pytest.raises(InferenceError, match="failed while computing"):
        runner.step([Row(1, 1, 2, (10**9,), True)])
    np.testing.assert_allclose(feed(runner, 0, 3, IDS[3:4]), expected, atol=2e-5)
    again = feed(runner, 2, 0, [1, 2, 3])
    np.testing.assert_allclose(feed(runner, 1, 2, [3]), again, atol=2e-5)


def test_a_smaller_vocabulary_than_the_graphs_leaves_the_padding_out(folder):
    runner = Runner(dataclasses.replace(folder, vocabulary=folder.vocabulary - 5), RuntimeSettings(1, 1))
    assert feed(runner, 0, 0, IDS).shape == (1, folder.vocabulary - 5)
    runner.close()


def test_logits_after_several_of_the_last_tokens_are_those_of_each(runner):
    expected = [feed(runner, 0, 0, IDS[:count])[0] for count in (9, 10, 11, 12)]
    rows = [Row(1, 3, 0, IDS, 3), Row(2, 0, 0, IDS[:9], True), Row(3, 2, 0, IDS[:7], 0)]
    found = runner.step(rows).logits.copy()
    np.testing.assert_allclose(found, [*expected[1:], expected[0]], atol=2e-5)
