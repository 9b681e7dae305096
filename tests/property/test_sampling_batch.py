"""A step's choices are what the slow reference chooses row by row, whatever path finds them."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InferenceError
from engine.inference.sampling import batch
from engine.inference.sampling.batch import Draw, choose_batch, wanted_top
from engine.inference.sampling.gumbel import choose
from engine.inference.sampling.history import TokenHistory
from engine.wire.answer import Sampling
from tests.support import naive_sampling
from tests.support.counts import examples

INF = float("inf")
# Quarters make many ties; the others are what broken or odd models give.
ORDINARY = st.integers(-40, 40).map(lambda n: n / 4) | st.just(-INF)
EXTREME = st.sampled_from([3.4e38, -3.4e38, 1e-45, -1e-45, 0.0, -0.0, 1e30, -INF])
BROKEN = st.sampled_from([INF, float("nan")])
IDS = st.lists(st.integers(0, 70), max_size=12)


def bit_mask(tokens, vocabulary):
    bits = np.zeros(vocabulary, dtype=np.uint8)
    bits[[token for token in tokens if token < vocabulary]] = 1
    return np.packbits(bits, bitorder="little")


@st.composite
def samplings(draw):
    ids = draw(st.lists(st.integers(0, 70), max_size=4))
    return Sampling(
        seed=draw(st.integers(0, 2**53 - 1)),
        temperature=draw(st.sampled_from([0.0, 5e-324, 1e-30, 0.1, 0.7, 1.0, 1.7, 10.0])),
        top_k=draw(st.sampled_from([0, 0, 1, 3, 17, 1000])),
        top_p=draw(st.sampled_from([1.0, 1.0, 0.999, 0.95, 0.5, 0.13, 1e-6, 1e-300])),
        min_p=draw(st.sampled_from([0.0, 0.0, 1e-300, 0.03, 0.4, 1.0])),
        repetition_penalty=draw(st.sampled_from([1.0, 1.3, 0.5, 100.0, 0.01])),
        presence_penalty=draw(st.sampled_from([0.0, 0.25, -2.0])),
        frequency_penalty=draw(st.sampled_from([0.0, 0.5, -0.25])),
        logit_bias=tuple((token, draw(st.sampled_from([-100.0, 0.25, 5.0, 100.0]))) for token in ids),
    )


@st.composite
def rows(draw, vocabulary):
    values = draw(st.sampled_from([ORDINARY, ORDINARY, ORDINARY | EXTREME, ORDINARY | BROKEN]))
    return {
        "logits": draw(st.lists(values, min_size=vocabulary, max_size=vocabulary)),
        "sampling": draw(samplings()),
        "position": draw(st.integers(0, 10**6)),
        "prompt": draw(IDS),
        "answer": draw(IDS),
        "suppressed": draw(st.frozensets(st.integers(0, 70), max_size=4)),
        "allowed": draw(st.none() | st.frozensets(st.integers(0, 70), max_size=30)),
    }


def highest(logits, count):
    """What the runtime's TopK gives; of rows with values that are no numbers, something."""
    ids = np.argsort(-logits, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(logits, ids, 1), ids


@given(data=st.data(), vocabulary=st.integers(1, 60), listed=st.integers(0, 60))
@settings(max_examples=examples(250), deadline=None)
def test_same_tokens_as_the_slow_reference(data, vocabulary, listed):
    many = data.draw(st.lists(rows(vocabulary), min_size=1, max_size=3))
    logits = np.array([row["logits"] for row in many], dtype=np.float32)
    draws = [
        Draw(
            row["sampling"],
            row["position"],
            TokenHistory(row["prompt"], row["answer"]),
            row["suppressed"],
            None if row["allowed"] is None else bit_mask(row["allowed"], vocabulary),
        )
        for row in many
    ]
    top = highest(logits, listed) if listed else (None, None)
    with patch.object(batch, "SMALL", 0):
        choices = choose_batch(draws, logits, *top)
    for row, values, choice in zip(many, logits.tolist(), choices, strict=True):
        token = naive_sampling.choose(
            values,
            row["sampling"],
            row["position"],
            row["prompt"],
            row["answer"],
            row["suppressed"],
            row["allowed"],
        )
        assert (None if isinstance(choice, InferenceError) else choice.token) == token


@given(data=st.data(), vocabulary=st.integers(2, 60), listed=st.integers(1, 60))
@settings(max_examples=examples(250), deadline=None)
def test_rows_with_top_k_alone_are_drawn_together_as_each_by_itself(data, vocabulary, listed):
    count = data.draw(st.integers(1, 6))
    values = st.lists(ORDINARY | EXTREME | BROKEN, min_size=vocabulary, max_size=vocabulary)
    logits = np.array(data.draw(st.lists(values, min_size=count, max_size=count)), dtype=np.float32)
    temperatures, top_k = st.sampled_from([0.0, 1e-30, 0.7, 1.0, 10.0]), st.sampled_from([0, 1, 3, 17, 1000])
    draws = [
        Draw(Sampling(seed=seed, temperature=data.draw(temperatures), top_k=data.draw(top_k)), seed, TokenHistory(()))
        for seed in data.draw(st.lists(st.integers(0, 2**53 - 1), min_size=count, max_size=count))
    ]
    with patch.object(batch, "SMALL", 0):
        choices = choose_batch(draws, logits, *highest(logits, listed))
    for draw, row, choice in zip(draws, logits, choices, strict=True):
        token = naive_sampling.choose(row.tolist(), draw.sampling, draw.position, [], [], frozenset(), None)
        assert (None if isinstance(choice, InferenceError) else choice.token) == token


SHAPES = {
    "flat": lambda random, size: random.normal(0, 1, size),
    "peaked": lambda random, size: random.gumbel(0, 3, size),
    "equal": lambda random, size: np.zeros(size),
    "two levels": lambda random, size: np.where(random.random(size) < 0.5, 0.0, 9.0),
    "mostly excluded": lambda random, size: np.where(random.random(size) < 0.999, -np.inf, random.normal(0, 5, size)),
    "few values": lambda random, size: random.integers(-3, 4, size) * 1.0,
    "wide": lambda random, size: random.normal(0, 1e30, size),
}


@given(
    shape=st.sampled_from(sorted(SHAPES)),
    number=st.integers(0, 2**32),
    sampling=samplings(),
    vocabulary=st.sampled_from([4099, 4100, 9001]),
    listed=st.sampled_from([0, 0, 40, 110]),
    share=st.sampled_from([None, None, 0.5, 0.999, 0.001]),
)
@settings(max_examples=examples(2500), deadline=None)
def test_same_tokens_in_large_vocabularies(shape, number, sampling, vocabulary, listed, share):
    random = np.random.default_rng(number)
    logits = SHAPES[shape](random, vocabulary).astype(np.float32)[np.newaxis]
    logits[0, 0] = 1.0
    often = highest(logits, 60)[1][0].tolist()  # penalties hit what is likely
    history = TokenHistory([*often[::3], vocabulary - 1], often[::2])
    allowed = None if share is None else random.random(vocabulary) < share
    mask = None if allowed is None else np.packbits(allowed, bitorder="little")
    draw = Draw(sampling, number % 1000, history, {often[1], 3}, mask)
    top = highest(logits, listed) if listed else (None, None)
    choice = choose_batch([draw], logits, *top)[0]
    try:
        token = choose(logits[0], sampling, draw.position, history, draw.suppressed, allowed)
    except InferenceError:
        token = None
    assert (None if isinstance(choice, InferenceError) else choice.token) == token


@given(prompt=IDS, answer=IDS, later=IDS, early=st.booleans())
def test_history_counts_like_a_list(prompt, answer, later, early):
    history = TokenHistory(prompt, answer)
    if early:
        history.seen()
    for token in later:
        history.append(token)
    made = answer + later
    ids, counts = history.seen()
    assert dict(zip(ids.tolist(), counts.tolist(), strict=True)) == {t: made.count(t) for t in prompt + made}
    ids, counts = history.answered()
    assert dict(zip(ids.tolist(), counts.tolist(), strict=True)) == {t: made.count(t) for t in made}


@pytest.mark.parametrize(
    ("settings_", "wanted"),
    [({}, 0), ({"top_k": 40}, 40), ({"top_k": 40, "temperature": 0}, 0), ({"top_k": 100_000}, 0)],
)
def test_a_list_is_wanted_only_where_it_helps(settings_, wanted):
    assert wanted_top([Draw(Sampling(seed=1, **settings_), 0, TokenHistory(()))]) == wanted
