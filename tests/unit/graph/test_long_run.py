"""The judge of the long run of the graph: it sees too many paths captured, and what the simulations themselves name."""

from copy import deepcopy
from typing import Any

from engine.simulation.coalition.attempts import LIMITS, OTHERS, OURS
from tests.graph import long_run

CHURN = {
    "looks": 240,
    "most_components": 1,
    "paths": {"opened": 0.95, "tries": 2400},
    "paths_of_new_clients": {"opened": 0.96},
}
AWAY = {
    "most_components": 1,
    "one_component_until_gone": 0.9,
    "returns": {"seconds_to_first_path": {"median": 1.5, "largest": 3.0}, "seconds_to_half_of_the_links": None},
}
CROSSING = {"most_components": 1, "broken_although_their_relays_live": 0, "paths": {"opened": 0.9, "tries": 1000}}
ORGANISED: dict[str, Any] = {"churn": CHURN, "server_away": AWAY, "crossing": CROSSING, "problems": []}


def _rate(captured: float) -> dict[str, float]:
    return {"captured": captured}


def coalition(paths: int = 1000) -> dict[str, Any]:
    rows = []
    for attempt in (*OURS, *OTHERS, *LIMITS):
        rate = _rate(0.2 if attempt.rules == "declared" else 0.04)
        both = {"guard_and_proxy": rate, "all_three": _rate(0.008)}
        row = {"attempt": attempt.name, "paths_in_use": paths, "chats": paths // 4, "paths_drawn": paths}
        answers = {"guard_and_proxy": _rate(0.15)}
        rows.append(row | deepcopy({"of_paths_in_use": both, "of_paths_drawn": both, "of_answers": answers}))
    share = {"guard_and_proxy": 0.04, "all_three": 0.008, "answers": 0.15}
    return {"plan": {"relays": 500}, "share": share, "attempts": rows}


def results() -> dict[str, Any]:
    found: dict[str, Any] = {"commit": "abc"}
    for part in long_run.PARTS:
        one = coalition() if part.command == "coalition" else ORGANISED
        found[part.name] = [deepcopy(one) for _ in range(part.seeds)]
    return found


def test_a_run_without_problems_passes_and_its_page_has_every_row() -> None:
    found = results()
    assert long_run.judge(found) == []
    page = long_run.as_markdown(found)
    assert (
        "| 2,000, 5 % unlinkable | 1 | 240 | 1 | 95.0% of 2400 | 96.0% | 1.5 s, at most 3.0 s | never | 90% had gone"
        in page
    )
    assert "| self-declared neighbours: lies | 20.00% (5.00) | 0.80% (1.00) | 15.00% (1.00) | 20.00% (5.00) |" in page
    assert page.count("| grinds keys | 4.00% (1.00)") == 2


def test_runs_of_one_size_count_together() -> None:
    many, few = coalition(3000), coalition(1000)
    many["attempts"][1]["of_paths_in_use"]["guard_and_proxy"]["captured"] = 0.05
    rates = long_run.pooled([many, few], OURS[1].name)
    assert rates["guard and proxy"]["captured"] == 0.0475
    assert rates["guard and proxy"]["times_share"] == 0.0475 / 0.04


def test_more_than_a_share_is_a_problem_without_refusals_and_half_of_the_lie_with_them() -> None:
    found = results()
    for run in found["coalition of 500"]:
        run["attempts"][1]["of_paths_in_use"]["all_three"]["captured"] = 0.012
        run["attempts"][4]["of_paths_in_use"]["guard_and_proxy"]["captured"] = 0.13
    assert long_run.judge(found) == [
        "coalition of 500, grinds keys: all three is not its share",
        f"coalition of 500, {OURS[4].name}: not much less than where relays declare their neighbours",
    ]


def test_problems_of_the_simulations_are_problems() -> None:
    found = results()
    found["500 relays"][1]["problems"] = ["it fell apart"]
    found["2,000 relays, 5 % unlinkable"][0]["problems"] = ["of the first tries only 0.89 opened"]
    assert long_run.judge(found) == ["500 relays, seed 2: it fell apart"]
