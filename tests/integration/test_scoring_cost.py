"""The cost of scoring is measured by real workers; figures are not held against anything here."""

import pytest

from engine.bench.verification.cost import TURNS, cost_line, scoring_cost
from engine.inference.models.installed import BUILTIN_MODEL, Catalogue


@pytest.mark.timeout(300)
async def test_processor_time_of_both_is_measured() -> None:
    found = await scoring_cost(Catalogue(None).open(BUILTIN_MODEL), 2)
    assert found["answers"] == 2 * TURNS
    assert found["tokens_read_for_it"] > found["tokens_of_an_answer"] == 128
    assert found["serving_ms"] > 0
    assert found["serving_at_once_ms"] > 0
    assert 1 <= found["made_together"] <= found["served_at_once"]
    assert found["scoring_ms"] > 0
    assert found["ratio"] == pytest.approx(found["scoring_ms"] / found["serving_ms"])
    assert found["ratio_at_once"] == pytest.approx(found["scoring_ms"] / found["serving_at_once_ms"])
    assert "4 answers of 128 tokens" in cost_line(found)
