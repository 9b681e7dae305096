"""A token's margin is what the slow reference says, whatever way it is found; it is below 0 for what is drawn."""

import math
from unittest.mock import patch

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InferenceError
from engine.inference.sampling import batch, margin_rows
from engine.inference.sampling import margin as module
from engine.inference.sampling.batch import Draw, choose_batch
from engine.inference.sampling.history import TokenHistory
from engine.inference.sampling.log_probabilities import log_probabilities_of, log_probability
from engine.inference.sampling.margin import margin
from engine.inference.sampling.margin_rows import LARGEST, can_divide, margins, takes_everything
from engine.wire.answer import Sampling
from tests.property.test_sampling_batch import BROKEN, EXTREME, ORDINARY, bit_mask, rows
from tests.support import naive_sampling
from tests.support.counts import examples


@given(data=st.data(), vocabulary=st.integers(1, 60), small=st.booleans(), leaders=st.integers(1, 40))
@settings(max_examples=examples(300), deadline=None)
def test_margins_are_those_of_the_slow_reference(data, vocabulary, small, leaders):
    row = data.draw(rows(vocabulary))
    token = data.draw(st.integers(0, vocabulary - 1))
    logits = np.array(row["logits"], dtype=np.float32)
    mask = None if row["allowed"] is None else bit_mask(row["allowed"], vocabulary)
    draw = Draw(row["sampling"], row["position"], TokenHistory(row["prompt"], row["answer"]), row["suppressed"], mask)
    given_ = (row["prompt"], row["answer"], row["suppressed"], row["allowed"])
    expected = naive_sampling.margin(logits.tolist(), row["sampling"], row["position"], token, *given_)
    with (
        patch.object(batch, "SMALL", 4096 if small else 0),
        patch.object(module, "LEADERS", 1024 if small else leaders),
    ):
        if expected is None:
            with pytest.raises(InferenceError):
                margin(draw, logits, token)
            return
        found = margin(draw, logits, token)
        drawn = choose_batch([draw], logits[None])[0].token
    if expected == math.inf:
        warm = msgspec.structs.replace(row["sampling"], temperature=1.0)
        if naive_sampling.margin(logits.tolist(), warm, row["position"], token, *given_) == math.inf:
            assert found is None or (found == LARGEST and logits[token] == -np.inf)
        else:  # nothing forbids it but a temperature that leaves no number of it
            assert found == LARGEST
    else:
        assert found == pytest.approx(max(-LARGEST, min(LARGEST, expected)), abs=1e-6)
        assert found is not None
        assert found <= 0 if token == drawn else found >= 0


@pytest.mark.parametrize(("token", "expected"), [(0, -LARGEST), (1, LARGEST)])
@pytest.mark.parametrize("leaders", [1, 1024])
def test_a_temperature_that_leaves_one_candidate_alone_leaves_it_alone(
    token: int, expected: float, leaders: int
) -> None:
    """The highest logit is 0, which no temperature makes infinite; the other becomes -inf, which is no candidate."""
    draw = Draw(Sampling(seed=0, temperature=5e-324), 0, TokenHistory([], []), frozenset(), None)
    with patch.object(module, "LEADERS", leaders):
        assert margin(draw, np.array([0.0, -0.25], dtype=np.float32), token) == expected


@given(
    data=st.data(), vocabulary=st.integers(1, 70), count=st.integers(1, 6), at_once=st.sampled_from([1, 150, 1 << 17])
)
@settings(max_examples=examples(200), deadline=None)
def test_margins_of_rows_together_are_those_of_each(data, vocabulary, count, at_once):
    values = data.draw(st.sampled_from([ORDINARY, ORDINARY | EXTREME, ORDINARY | BROKEN]))
    numbers = st.lists(values, min_size=vocabulary, max_size=vocabulary)
    logits = np.array(data.draw(st.lists(numbers, min_size=count, max_size=count)), dtype=np.float32)
    tokens = data.draw(st.lists(st.integers(0, vocabulary - 1), min_size=count, max_size=count))
    suppressed = data.draw(st.frozensets(st.integers(0, 80), max_size=4)) - set(tokens)
    temperature = data.draw(st.sampled_from([5e-324, 1e-30, 0.1, 0.7, 1.0, 1.7, 10.0, 100.0]))
    sampling = Sampling(seed=data.draw(st.integers(0, 2**53 - 1)), temperature=temperature)
    position = data.draw(st.integers(0, 10**6))
    assert takes_everything(sampling)
    if not can_divide(logits, temperature):
        return
    sample = data.draw(st.integers(1, 80))
    with patch.object(margin_rows, "_AT_ONCE", at_once), patch.object(margin_rows, "_SAMPLE", sample):
        found = margins(sampling, position, logits, tokens, suppressed)
    for number, (row, token) in enumerate(zip(logits, tokens, strict=True)):
        expected = naive_sampling.margin(row.tolist(), sampling, position + number, token, suppressed=suppressed)
        assert expected is not None
        assert found[number] == pytest.approx(max(-LARGEST, min(LARGEST, expected)), abs=1e-6)


@pytest.mark.parametrize("vocabulary", [1000, 9001])
def test_margins_of_real_rows_together_are_those_of_each(vocabulary):
    dice = np.random.default_rng(5)
    logits = dice.standard_normal((40, vocabulary), dtype=np.float32) * np.repeat([1, 4], 20)[:, None].astype(
        np.float32
    )
    sampling = Sampling(seed=11, temperature=0.9)
    drawn = [
        choose_batch([Draw(sampling, 7 + n, TokenHistory(()))], row[None])[0].token for n, row in enumerate(logits)
    ]
    others = dice.integers(0, vocabulary, 40).tolist()
    for tokens in (drawn, others):
        hidden = frozenset({3, 5, vocabulary}) - set(tokens)
        found = margins(sampling, 7, logits, tokens, hidden)
        one_by_one = [
            margin(Draw(sampling, 7 + number, TokenHistory(()), hidden), row, token)
            for number, (row, token) in enumerate(zip(logits, tokens, strict=True))
        ]
        assert found == pytest.approx(one_by_one, abs=1e-9)
        alone = [log_probability(row, token) for row, token in zip(logits, tokens, strict=True)]
        assert log_probabilities_of(logits, tokens) == pytest.approx(alone, abs=1e-9)
