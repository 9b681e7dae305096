"""``gumbel-1``: golden vectors, the edges of the noise, ties, and that draws follow softmax."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from engine.errors import InferenceError
from engine.inference.sampling.gumbel import TokenHistory, candidates, choose, gumbel
from engine.wire.answer import Sampling
from tests.support import naive_sampling
from tests.vectors import make_sampling_vectors

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "sampling_gumbel_1.json").read_text())


def pick(logits, sampling, position=0, prompt=(), answer=(), suppressed=(), allowed=None):
    values = np.array(logits, dtype=np.float32)
    permitted = None if allowed is None else np.isin(np.arange(values.size), allowed)
    return choose(values, sampling, position, TokenHistory(prompt, answer), suppressed, permitted)


@pytest.mark.parametrize("vector", VECTORS["noise"])
def test_noise_is_what_the_vectors_say(vector):
    value = gumbel(vector["seed"], vector["position"], np.array([vector["token"]], dtype=np.int64))[0]
    assert naive_sampling.bits(vector["seed"], vector["position"], vector["token"]) == vector["bits"]
    assert value == pytest.approx(vector["noise"], rel=1e-14)


@pytest.mark.parametrize("vector", VECTORS["draws"])
def test_draws_are_what_the_vectors_say(vector):
    vector = dict(vector)
    token, position = vector.pop("token"), vector.pop("position")
    suppressed, allowed = vector.pop("suppressed", ()), vector.pop("allowed", None)
    sampling = make_sampling_vectors.sampling_of(vector)

    def drawn():
        return pick(VECTORS["logits"], sampling, position, VECTORS["prompt"], VECTORS["answer"], suppressed, allowed)

    if token is None:
        with pytest.raises(InferenceError, match="No token is left"):
            drawn()
    else:
        assert drawn() == token


def test_the_vectors_are_the_ones_the_reference_makes():
    made = json.loads(json.dumps(make_sampling_vectors.vectors()))
    assert made["draws"] == VECTORS["draws"]
    assert made["logits"] == VECTORS["logits"]


def test_noise_is_finite_at_both_ends():
    lowest, highest = naive_sampling.noise_of(0), naive_sampling.noise_of(2**53 - 1)
    assert lowest == pytest.approx(-math.log(54 * math.log(2)))
    assert highest == pytest.approx(54 * math.log(2))
    assert naive_sampling.noise_of(2**52 - 1) < naive_sampling.noise_of(2**52)


def test_noise_of_one_token_does_not_depend_on_the_others():
    all_ids = np.arange(5000, dtype=np.int64)
    every = gumbel(9, 3, all_ids)
    assert gumbel(9, 3, all_ids[[17, 4321]]).tolist() == every[[17, 4321]].tolist()
    assert not np.array_equal(every, gumbel(9, 4, all_ids))
    assert not np.array_equal(every, gumbel(10, 3, all_ids))


def test_noise_has_the_gumbel_distribution():
    values = np.sort(gumbel(123, 0, np.arange(200_000, dtype=np.int64)))
    expected = np.exp(-np.exp(-values))
    distance = np.abs(expected - (np.arange(values.size) + 0.5) / values.size).max()
    assert distance < 1.63 / math.sqrt(values.size)  # Kolmogorov-Smirnov, 1 %


def test_neighbouring_positions_and_seeds_are_not_correlated():
    ids = np.arange(50_000, dtype=np.int64)
    for one, other in ((gumbel(5, 0, ids), gumbel(5, 1, ids)), (gumbel(5, 0, ids), gumbel(6, 0, ids))):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.02


def test_draws_follow_softmax():
    logits = [2.0, 1.0, 0.0, -1.0, 1.0]
    draws = 20_000
    counts = np.zeros(5)
    for position in range(draws):
        counts[pick(logits, Sampling(seed=77, temperature=0.8), position)] += 1
    weights = np.exp(np.array(logits) / 0.8)
    expected = draws * weights / weights.sum()
    assert ((counts - expected) ** 2 / expected).sum() < 18.5  # chi-square, 4 degrees, 0.1 %


def test_zero_temperature_takes_the_lowest_of_equal_ids():
    assert pick([1.0, 3.0, 3.0, 2.0], Sampling(seed=1, temperature=0)) == 1


def test_top_k_keeps_the_lower_of_equal_ids():
    scores = np.array([1.0, 2.0, 1.0, 1.0, 3.0])
    assert candidates(scores, Sampling(seed=0, top_k=3)).tolist() == [0, 1, 4]


def test_top_p_keeps_the_shortest_sufficient_run():
    scores = np.zeros(4)
    assert candidates(scores, Sampling(seed=0, top_p=0.5)).tolist() == [0, 1]
    assert candidates(scores, Sampling(seed=0, top_p=0.51)).tolist() == [0, 1, 2]
    assert candidates(scores, Sampling(seed=0, top_p=1e-9)).tolist() == [0]


def test_min_p_of_one_keeps_the_best_only():
    assert candidates(np.array([0.0, 5.0, 4.9]), Sampling(seed=0, min_p=1.0)).tolist() == [1]


def test_suppressed_tokens_are_never_drawn():
    assert pick([9.0, 1.0, 0.0], Sampling(seed=1, temperature=0), suppressed=(0,)) == 1
    drawn = {pick([9.0, 1.0, 0.0], Sampling(seed=1), position, suppressed=(0,)) for position in range(50)}
    assert drawn == {1, 2}


def test_penalties_push_tokens_down():
    assert pick([2.0, 1.9], Sampling(seed=1, temperature=0, repetition_penalty=1.2), prompt=[0]) == 1
    assert pick([2.0, 1.9], Sampling(seed=1, temperature=0, presence_penalty=0.5), prompt=[0]) == 0
    assert pick([2.0, 1.9], Sampling(seed=1, temperature=0, presence_penalty=0.5), answer=[0]) == 1


def test_ids_beyond_the_vocabulary_do_no_harm():
    sampling = Sampling(seed=1, temperature=0, repetition_penalty=2.0, presence_penalty=1.0)
    assert pick([2.0, 1.9], sampling, prompt=[99], answer=[77], suppressed=(55,)) == 0


@pytest.mark.parametrize("bad", [[math.nan, 1.0], [math.inf, 1.0], [-math.inf, -math.inf], []])
def test_values_that_are_no_numbers_are_an_error(bad):
    with pytest.raises(InferenceError, match="not numbers"):
        pick(bad, Sampling(seed=1))


@pytest.mark.parametrize("temperature", [5e-324, 1e-310, 1e-305])
@pytest.mark.parametrize("logits", [[-3.0, -1.0, -2.0], [1.0, 3.0, 3.0, 2.0], [1e5, -1e5, 2e5]])
def test_a_temperature_so_low_that_dividing_by_it_overflows_takes_the_likeliest_token(logits, temperature):
    sampling = Sampling(seed=1, temperature=temperature, top_p=0.5, min_p=0.1)
    assert pick(logits, sampling) == int(np.argmax(logits)) == naive_sampling.choose(logits, sampling, 0)
