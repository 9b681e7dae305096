"""The committee's agreement under adversarial schedules; full counts in `make test-long-committee`.

The same schedules must find out machines that are wrong in one way: else they would prove nothing.
"""

from __future__ import annotations

import pytest

from engine.errors import ConfigurationError
from engine.simulation.committee.run import Plan, as_text, simulate
from tests.support.committee_mistakes import MISTAKES

pytestmark = pytest.mark.timeout(300)
SCHEDULES = {4: 400, 5: 80, 7: 50, 10: 20}
SEEDS = {4: 1, 5: 18, 7: 2, 10: 22}
"""With these so few schedules meet all that is looked for, and most of it more than once."""


@pytest.mark.parametrize(("members", "schedules"), SCHEDULES.items())
def test_nobody_ever_decides_differently_and_all_decide_soon_after_synchrony(members: int, schedules: int) -> None:
    result = simulate(Plan(members=members, schedules=schedules, seed=SEEDS[members]))
    assert result["problems"] == [], as_text(result)
    assert result["schedules"] == schedules
    assert result["contradictions_shown"] > schedules // 10
    assert result["blocks_refused"] > schedules // 4
    assert result["decided_on_what_some_lack"] > 0
    assert result["decided_on_broken_off"] > 0
    assert result["refused_for_leaving_out"] > 0
    assert result["refused_for_leaving_out_results"] > 0
    assert sum(result["rounds_after_synchrony"].values()) == schedules
    assert any(int(rounds) > 0 for rounds in result["rounds_after_synchrony"])  # it was not easy


def test_without_faulty_members_messages_may_still_be_lost() -> None:
    result = simulate(Plan(members=4, faulty=0, schedules=50))
    assert result["problems"] == []
    assert result["members"] == {"honest": 200}
    assert result["contradictions_shown"] == 0


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_machine_that_is_wrong_is_found_out(mistake: str) -> None:
    wrong = MISTAKES[mistake]
    result = simulate(wrong.plan(SCHEDULES[4]), wrong.machine, until=wrong.words)
    assert any(wrong.words in text for one in result["problems"] for text in one["problems"])
    assert "Schedule" in as_text(result)


def test_the_same_seed_gives_the_same_schedules() -> None:
    plan = Plan(members=5, schedules=10, seed=8)
    assert simulate(plan) == simulate(plan)


def test_more_faulty_members_than_it_bears_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="bears 1 faulty"):
        simulate(Plan(members=5, faulty=2))
