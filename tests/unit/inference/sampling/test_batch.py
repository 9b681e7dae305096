"""A step of draws: errors stay in their rows, log probabilities, masks, and which list is asked for."""

import math

import numpy as np
import pytest

from engine.errors import InferenceError
from engine.inference.sampling import batch
from engine.inference.sampling.batch import Draw, choose_batch, unpacked, wanted_top
from engine.inference.sampling.gumbel import choose
from engine.inference.sampling.history import TokenHistory
from engine.inference.sampling.noise import ceilings, gumbel, noise_of, upper_bits
from engine.inference.sampling.winner import Contest
from engine.wire.answer import Sampling

VOCABULARY = 6000
EMPTY = np.zeros(VOCABULARY // 8, dtype=np.uint8)


def rows(count):
    return np.random.default_rng(5).normal(0, 2, (count, VOCABULARY)).astype(np.float32)


def draw(**changes):
    fields = {"sampling": Sampling(seed=1), "position": 0, "history": TokenHistory(())} | changes
    return Draw(**fields)


@pytest.mark.parametrize("vocabulary", [10, VOCABULARY])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("options", [{"temperature": 0}, {"top_k": 5}, {"top_p": 0.9}, {}])
def test_a_row_of_broken_values_leaves_the_others_alone(bad, options, vocabulary):
    logits = rows(3)[:, :vocabulary]
    sampling = Sampling(seed=1, **options)
    good = choose_batch([draw(sampling=sampling)] * 3, logits)
    broken = logits.copy()
    broken[1] = -math.inf
    broken[1, 7] = bad
    found = choose_batch([draw(sampling=sampling)] * 3, broken)
    assert (found[0], found[2]) == (good[0], good[2])
    assert isinstance(found[1], InferenceError)
    assert "not numbers" in str(found[1])


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_mask_that_allows_nothing_is_an_error_of_its_row(temperature):
    sampling = Sampling(seed=1, temperature=temperature)
    found = choose_batch([draw(sampling=sampling, mask=EMPTY), draw(sampling=sampling)], rows(2))
    assert isinstance(found[0], InferenceError)
    assert "No token is left" in str(found[0])
    assert not isinstance(found[1], InferenceError)


def test_end_tokens_are_not_suppressed_where_a_constraint_permits_nothing_else():
    mask = EMPTY.copy()
    mask[0] = 0b100
    found = choose_batch([draw(mask=mask, suppressed=frozenset({2}))], rows(1))
    assert found[0].token == 2


def test_a_million_suppressed_tokens():
    logits = rows(2)
    found = choose_batch([draw(suppressed=range(10, 1_000_010)), draw()], logits)
    assert found[0].token < 10
    assert found[1].token == choose(logits[1], Sampling(seed=1), 0, TokenHistory(()))


def test_tokens_beyond_the_mask_are_not_allowed():
    assert unpacked(np.array([0b101], dtype=np.uint8), 10).tolist() == [True, False, True] + [False] * 7
    assert unpacked(np.array([255, 255], dtype=np.uint8), 3).tolist() == [True] * 3


@pytest.mark.parametrize("listed", [0, 3, 30])
def test_log_probabilities_are_those_of_the_models_own_logits(listed):
    logits = rows(1)
    logits[0, [4000, 17, 5]] = 20.0  # a tie at the top
    logits[0, 0] = -np.inf
    ids = np.argsort(-logits, axis=1, kind="stable")[:, :listed]
    top = (np.take_along_axis(logits, ids, 1), ids) if listed else (None, None)
    sampling = Sampling(seed=1, temperature=0, logit_bias=((900, 100.0),))
    choice = choose_batch([draw(sampling=sampling, top_logprobs=4)], logits, *top)[0]
    exact = logits[0].astype(np.float64) - math.log(sum(math.exp(value) for value in logits[0].astype(np.float64)))
    assert choice.token == 900
    assert choice.logprob == pytest.approx(exact[900], abs=1e-12)
    assert [token for token, _ in choice.top[:3]] == [5, 17, 4000]
    assert [value for _, value in choice.top] == pytest.approx([exact[token] for token, _ in choice.top], abs=1e-12)
    assert len(choice.top) == 4


def test_log_probabilities_only_for_who_asks():
    plain, none, more = choose_batch(
        [draw(), draw(top_logprobs=0), draw(top_logprobs=20)], np.vstack([rows(1)] * 3), None, None
    )
    assert (plain.logprob, plain.top) == (None, ())
    assert none.logprob == more.logprob
    assert none.top == ()
    assert len(more.top) == 20
    probabilities = [math.exp(value) for _, value in more.top]
    assert sum(probabilities) < 1


def test_more_alternatives_than_tokens():
    choice = choose_batch([draw(top_logprobs=20)], np.zeros((1, 3), dtype=np.float32))[0]
    assert [token for token, _ in choice.top] == [0, 1, 2]


def test_the_longest_list_anybody_wants():
    draws = [draw(sampling=Sampling(seed=1, top_k=40)), draw(top_logprobs=20), draw()]
    assert wanted_top(draws) == 40
    assert wanted_top(draws[1:]) == 20
    assert wanted_top([draw(sampling=Sampling(seed=1, top_k=40, repetition_penalty=1.1))]) > 40
    assert wanted_top([]) == 0


def test_a_list_that_penalties_empty_is_not_trusted():
    logits = rows(1)
    ids = np.argsort(-logits, axis=1, kind="stable")[:, :40]
    values = np.take_along_axis(logits, ids, 1)
    history = TokenHistory(ids[0].tolist())
    sampling = Sampling(seed=3, top_k=40, repetition_penalty=100.0)
    found = choose_batch([draw(sampling=sampling, history=history)], logits, values, ids)
    token = choose(logits[0], sampling, 0, history)
    assert found[0].token == token
    assert token not in ids


def test_the_fast_way_decides_nearly_every_draw(monkeypatch):
    """The property tests would pass as well if everything went the slow way."""

    def slow(*arguments):
        raise AssertionError("the slow way was taken")

    monkeypatch.setattr(batch, "choose", slow)
    options: list[dict[str, float]] = [
        {},
        {"top_k": 40},
        {"top_k": 900},
        {"top_p": 0.9},
        {"top_p": 0.3},
        {"min_p": 0.05},
        {"temperature": 3.0},
    ]
    options += [{"presence_penalty": 1.0, **one} for one in options]
    for seed in range(20):
        draws = [draw(sampling=Sampling(seed=seed, **one), history=TokenHistory((), range(50))) for one in options]
        choose_batch(draws, np.vstack([rows(1)] * len(draws)))


def test_a_draw_that_rounding_decides_is_left_to_the_slow_way(monkeypatch):
    asked = []
    original = Contest.winner

    def winner(contest):
        asked.append(original(contest))
        return asked[-1]

    monkeypatch.setattr(Contest, "winner", winner)
    logits = np.full((1, VOCABULARY), -np.inf, dtype=np.float32)
    logits[0, :4] = 0.0  # the third token begins exactly where top_p = 1/2 ends
    for seed in range(40):
        sampling = Sampling(seed=seed, top_p=0.5)
        found = choose_batch([draw(sampling=sampling)], logits)
        assert found[0].token == choose(logits[0], sampling, 0, TokenHistory(()))
    assert None in asked


@pytest.mark.parametrize("vocabulary", [1, 4, 5, 4 * 4096 + 3, 40_000])
def test_upper_bits_bound_the_noise(vocabulary):
    uppers = upper_bits(77, 9, vocabulary)
    noise = gumbel(77, 9, np.arange(vocabulary, dtype=np.int64))
    assert uppers.size == vocabulary
    assert (noise <= ceilings()[uppers]).all()
    below = noise_of(uppers.astype(np.uint64) << np.uint64(37)) - 1e-9
    assert (noise >= below).all()


def test_bounds_rise():
    assert (np.diff(ceilings()) >= 0).all()


def test_the_bits_of_neighbours_are_independent():
    """Four neighbours share a word of the generator."""
    uppers = upper_bits(3, 0, 80_000).astype(np.float64).reshape(-1, 4)
    correlation = np.corrcoef(uppers, rowvar=False)
    assert np.abs(correlation - np.eye(4)).max() < 0.03
