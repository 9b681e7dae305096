"""The judge of the long run of the committee: it sees violations, and mistakes that nothing has found out."""

from typing import Any

from engine.simulation.committee.run import Plan, simulate
from tests.committee import long_run


def results() -> dict[str, Any]:
    runs = [simulate(Plan(members=4, schedules=3, seed=seed)) for seed in (1, 2)]
    mistakes = {"forgets": {"what": "contradicts itself", "members": 7, "schedule": 7}}
    return {"commit": "0123456789ab", "sizes": {"4": long_run.pooled(runs)}, "mistakes": mistakes}


def test_a_clean_run_has_no_problems_and_its_page_names_commit_and_counts() -> None:
    found = results()
    assert long_run.judge(found) == []
    page = long_run.as_markdown(found)
    assert "0123456789ab" in page
    assert "| 4 | 1 | 6 | 0 | 0 |" in page
    assert "in schedule 8 of 400, of 7 members." in page


def test_violations_and_mistakes_that_were_not_found_are_problems() -> None:
    found = results()
    found["sizes"]["4"]["safety_violations"] = 2
    found["mistakes"]["forgets"]["schedule"] = None
    assert long_run.judge(found) == ["4 members: 2 violations of safety", "forgets: not found out"]
    assert "never" in long_run.as_markdown(found)


def test_more_than_ten_thousand_schedules_of_all_sizes_are_played() -> None:
    runs = long_run.plan(long_run.PIECE, 1)
    assert sum(schedules for _, schedules, _ in runs) >= 10_000
    assert {members for members, _, _ in runs} == {4, 5, 7, 10}
    assert len(set(runs)) == len(runs)
