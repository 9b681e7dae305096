"""The fit finds the rates that the measurements were made of, and says when there is nothing to find."""

import random

import pytest

from engine.bench.forwarding.calibration import Measured, Rates, fit
from engine.errors import BenchmarkError

RATES = Rates(0.04, 2_000.0, 1e-7, 0.02, 0.003, 2e-6)


def prompt(rates, cached, tokens):
    attention = rates.attention_seconds * (tokens * tokens - cached * cached) / 2
    return rates.request_seconds + (tokens - cached) / rates.prefill_rate + attention


def measured(rates, noise=0.0, seed=1):
    draw = random.Random(seed)

    def about(seconds):
        return seconds * (1 + draw.uniform(-noise, noise))

    prompts = [
        (c, n, about(prompt(rates, c, n))) for c, n in ((0, 1_200), (0, 2_400), (2_384, 2_440)) for _ in range(12)
    ]
    steps = [
        (b, b * k, about(rates.step_seconds + b * rates.answer_seconds + b * k * rates.kv_token_seconds))
        for b in (1, 2, 4, 8)
        for k in (40, 2_400)
        for _ in range(4)
    ]
    return Measured(prompts, steps)


def test_exact_measurements_give_the_rates():
    found = fit(measured(RATES))
    assert found.as_json() == pytest.approx(RATES.as_json(), rel=1e-3)


def test_noise_moves_predictions_little():
    found = fit(measured(RATES, noise=0.1))
    for cached, tokens in ((0, 1_000), (0, 2_000), (1_600, 2_400), (2_320, 2_400)):
        assert prompt(found, cached, tokens) == pytest.approx(prompt(RATES, cached, tokens), rel=0.1)
    step = found.step_seconds + 4 * found.answer_seconds + 4_000 * found.kv_token_seconds
    assert step == pytest.approx(0.02 + 4 * 0.003 + 4_000 * 2e-6, rel=0.1)


def test_nothing_is_negative():
    faster = Rates(0.1, 1_000.0, -1e-8, -0.001, 0.004, 0.0)
    found = fit(measured(faster))
    assert found.attention_seconds == 0.0
    assert found.step_seconds == 0.0
    assert found.prefill_rate == pytest.approx(1_000, rel=0.05)


def test_long_prompts_that_cost_nothing_are_no_measurement():
    with pytest.raises(BenchmarkError, match="long prompts took no longer"):
        fit(Measured([(0, 100, 1.0), (0, 500, 0.5), (0, 900, 0.2)], [(1, 50, 0.02), (2, 100, 0.03), (4, 200, 0.05)]))


def test_medians_are_told():
    told = measured(RATES).as_json()
    assert [(one["cached"], one["tokens"]) for one in told["prompts"]] == [(0, 1_200), (0, 2_400), (2_400, 2_400)]
    assert told["steps"][0] == {"answers": 1, "kv_tokens": 0, "token_s": pytest.approx(0.0231, abs=1e-4)}


def test_what_deciding_costs_is_the_difference():
    found = measured(RATES)
    decided = Measured(found.prompts, found.steps, [0.3, 0.5], [0.1, 0.2])
    assert fit(decided).entry_seconds == pytest.approx(0.25)
    assert fit(Measured(found.prompts, found.steps, [0.1], [0.2])).entry_seconds == 0.0
    assert fit(found).entry_seconds == 0.0
