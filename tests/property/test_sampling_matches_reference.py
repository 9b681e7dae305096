"""The vectorised sampler chooses what the slow reference chooses, for any parameters."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.inference.sampling.gumbel import TokenHistory, choose, gumbel
from engine.wire.answer import Sampling
from tests.support import naive_sampling
from tests.support.counts import examples

SEEDS = st.integers(0, 2**53 - 1)
# Quarters make many ties.
LOGITS = st.lists(st.integers(-40, 40).map(lambda n: n / 4) | st.just(float("-inf")), min_size=1, max_size=60)
SAMPLINGS = st.builds(
    Sampling,
    seed=SEEDS,
    temperature=st.sampled_from([0.0, 0.1, 0.7, 1.0, 1.7, 10.0]),
    top_k=st.sampled_from([0, 1, 3, 17, 1000]),
    top_p=st.sampled_from([1.0, 0.95, 0.5, 0.13, 1e-6]),
    min_p=st.sampled_from([0.0, 0.03, 0.4, 0.97]),
    repetition_penalty=st.sampled_from([1.0, 1.3, 0.5]),
    presence_penalty=st.sampled_from([0.0, 0.25, -2.0]),
    frequency_penalty=st.sampled_from([0.0, 0.5, -0.25]),
)
IDS = st.lists(st.integers(0, 70), max_size=12)


@given(logits=LOGITS, sampling=SAMPLINGS, position=st.integers(0, 10**6), prompt=IDS, answer=IDS)
@settings(max_examples=examples(400), deadline=None)
def test_same_token(logits, sampling, position, prompt, answer):
    if all(value == float("-inf") for value in logits):
        logits[0] = 0.0
    history = TokenHistory(prompt, answer)
    token = choose(np.array(logits, dtype=np.float32), sampling, position, history)
    assert token == naive_sampling.choose(logits, sampling, position, prompt, answer)


@given(seed=SEEDS, position=st.integers(0, 2**40), ids=st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=50))
@settings(max_examples=examples(200), deadline=None)
def test_same_noise(seed, position, ids):
    values = gumbel(seed, position, np.array(ids, dtype=np.int64))
    reference = [naive_sampling.gumbel(seed, position, token) for token in ids]
    np.testing.assert_allclose(values, reference, rtol=1e-12, atol=1e-12)
    assert np.isfinite(values).all()
