"""A token's margin is what the slow reference says, whatever way it is found; it is below 0 for what is drawn."""

import math
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InferenceError
from engine.inference.sampling import batch
from engine.inference.sampling import margin as module
from engine.inference.sampling.batch import Draw, choose_batch
from engine.inference.sampling.history import TokenHistory
from engine.inference.sampling.margin import LARGEST, margin
from tests.property.test_sampling_batch import bit_mask, rows
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
        assert found is None or (found == LARGEST and logits[token] == -np.inf)
    else:
        assert found == pytest.approx(max(-LARGEST, min(LARGEST, expected)), abs=1e-6)
        assert found is not None
        assert found <= 0 if token == drawn else found >= 0
