"""The same tokens whatever the batch, the chunking and the state of the cache: stories against the plain loop.

A story is a function of its seed (`tests.parity`). `make test-long-inference` tells hundreds about every model.
"""

import numpy as np
import pytest

from engine.inference.sampling.history import TokenHistory
from engine.wire.answer import Sampling
from tests.parity import comparing
from tests.parity.comparing import Comparison
from tests.parity.models import BUILTIN, MODELS, expected_batching, folder_of
from tests.support.counts import examples
from tests.support.tiny_model import make_tiny_model

ROUNDS = 3
ROUNDS_OF_BUILTIN = 1
MOST_TIES = 1 / 1000


def tell(comparison, rounds, least=20):
    try:
        for seed in range(rounds):
            comparison.round(seed)
    finally:
        comparison.close()
    figures = comparison.figures
    assert figures.positions >= least * rounds
    assert figures.ties <= max(1, MOST_TIES * figures.positions)
    return figures


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", MODELS)
def test_the_same_tokens_as_a_loop_with_nothing_beside_it(name):
    is_large = name == BUILTIN
    comparison = Comparison(folder_of(name), wishes=3 if is_large else 8)
    assert comparison.runner.batching == expected_batching(name), comparison.runner.batching_reason
    tell(comparison, examples(ROUNDS_OF_BUILTIN if is_large else ROUNDS))


@pytest.mark.parametrize("style", ["gqa", "concat"])
def test_the_same_on_graphs_of_plain_operators(style, tmp_path):
    tell(Comparison(make_tiny_model(tmp_path / style, style=style)), examples(2))


@pytest.mark.parametrize("style", ["gqa", "concat"])
@pytest.mark.parametrize("caches", [((2, 16), (1, 48), (4, 32)), ((1, 16), (1, 16), (2, 16))])
def test_the_same_where_layers_have_caches_of_their_own_shape(style, caches, tmp_path):
    comparison = Comparison(make_tiny_model(tmp_path / style, style=style, caches=caches))
    assert comparison.runner.bytes_per_token == sum(2 * 4 * heads * width for heads, width in caches)
    tell(comparison, examples(1))


@pytest.mark.parametrize("style", ["gqa", "concat"])
@pytest.mark.parametrize("context", [2, 3, 31, 32, 33, 64])
def test_the_same_in_the_smallest_contexts(style, context, tmp_path):
    comparison = Comparison(make_tiny_model(tmp_path / style, style=style, context=context))
    tell(comparison, examples(1), least=8)


@pytest.fixture
def llama():
    return Comparison(folder_of("llama-gqa"))


def test_a_token_from_elsewhere_is_found(llama, monkeypatch):
    """The comparison can fail: what the runner gives is shifted by one token, once in a story."""
    step = llama.runner.step
    calls = []

    def shifted(rows, top=0):
        found = step(rows, top)
        calls.append(rows)
        if len(calls) == 30:
            found.logits[:] = np.roll(found.logits, 1, axis=1)
        return found

    monkeypatch.setattr(llama.runner, "step", shifted)
    with pytest.raises(AssertionError, match="seed 0"):
        tell(llama, 1)


def test_a_block_of_another_prompt_is_found(llama, monkeypatch):
    """The comparison sees the cache: a block is filled from the wrong place of its slot."""
    store = llama.runner.store_block
    monkeypatch.setattr(llama.runner, "store_block", lambda slot, position, block: store(slot, 0, block))
    with pytest.raises(AssertionError, match=r"seed \d"):
        tell(llama, 4)


def test_close_scores_excuse_the_other_token_and_no_third_one():
    logits = np.array([1.0, 1.0 + 5e-5, 0.9, 0.0], np.float32)
    score = (Sampling(seed=1, temperature=0.0), 0, TokenHistory((), ()), ())
    assert comparing.drawn(logits, *score) == (1, True)
    assert comparing.others(logits, 1, 0, *score) == {0}
    assert 2 not in comparing.others(logits, 1, 2, *score)
    apart = np.array([1.0, 1.0002, 0.9, 0.0], np.float32)
    assert comparing.drawn(apart, *score) == (1, False)
