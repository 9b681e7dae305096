"""The judges of the long runs with churn: they see what is missing, wrong, or grows."""

import random
from dataclasses import replace
from typing import Any

from engine.simulation.churn import ChurnRun, _Waiting
from engine.simulation.churn_report import ChurnPlan
from engine.simulation.client import Asked
from engine.transport.dialling import DialPlan
from tests.churn import long_run, real_churn
from tests.churn.hours import count_tables, grown
from tests.churn.real_churn import Outcome, Plan, Told


def simulated(misses: int = 0, wrong: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(long_run.KEYS, 10)
    missing = [{"number": number, "seed": 1, "reason": "54.9 s: not complete"} for number in range(misses)]
    found |= {"plan": {"relays": 60}, "seconds_longest": 21.0, "pause_longest": 1.0, "wrong": wrong, "misses": missing}
    return found


def hours(**more: Any) -> dict[str, Any]:
    trends = {"memory_mib": [100.0, 101.0], "objects": [5e4, 5e4], "table_entries": [3e4, 3e4]}
    found: dict[str, Any] = {"hours": 8.0, "relays": 60, "clients": 4, "deaths": 500, "trends": trends}
    return found | {"asked": 2400, "complete": 2400, "grown": [], "misses": [], **more}


def test_four_answers_of_a_network_may_be_missing_and_none_of_those_that_die_together() -> None:
    assert long_run.judge({"mesh": [simulated(2), simulated(2)], "together": [simulated()], "hours": [hours()]}) == []
    assert long_run.judge({"mesh": [simulated(2), simulated(3)]}) == ["mesh: 5 answers are missing"]
    assert long_run.judge({"together": [simulated(1)]}) == ["together: 1 answers are missing"]
    assert len(long_run.judge({"rings": [simulated(wrong=1)]})) == 1


def test_a_table_that_grew_or_an_answer_missing_in_the_hours_fails_the_run() -> None:
    assert len(long_run.judge({"hours": [hours(grown=["DialPlan._peers grew from 1 to 99"])]})) == 1
    assert len(long_run.judge({"hours": [hours(misses=[{"number": 1, "seed": 1, "reason": "why"}])]})) == 1


def test_the_page_names_every_miss_and_the_trends() -> None:
    page = long_run.as_markdown({"commit": "abc", "rings": [simulated(1), simulated()], "hours": [hours()]})
    assert "| rings, 60 relays | 20 | 1 |" in page
    assert "answer 0 of seed 1, 54.9 s: not complete" in page
    assert "100 and 101 MiB of memory" in page


def test_every_table_of_the_engine_is_counted_by_its_name() -> None:
    before = count_tables().get("DialPlan._peers", 0)
    plan = DialPlan(random.Random(1))
    plan.want([bytes([number]) * 20 for number in range(30)], 0.0)  # type: ignore[misc]
    assert count_tables()["DialPlan._peers"] == before + 30


def test_a_table_that_grows_is_named_and_one_that_varies_is_not() -> None:
    rows = [{"A.leak": 100 + 10 * number, "A.noise": 100 + 20 * (number % 2)} for number in range(36)]
    assert grown(rows) == ["A.leak grew from 155 to 395"]


def test_what_is_under_way_is_judged_by_its_largest_values() -> None:
    """Those that eight simulated hours had: the medians of the thirds were 494 and 692."""
    counts = [611, 170, 276, 839, 485, 959, 474, 252, 493, 883, 496, 535]
    counts += [442, 363, 1186, 948, 587, 794, 404, 563, 854, 479, 287, 956]
    counts += [591, 511, 697, 949, 737, 940, 687, 364, 663, 276, 752, 731]
    assert grown([{"ManualScheduler._actions": count} for count in counts]) == []
    (problem,) = grown([{"ManualScheduler._actions": count + 30 * place} for place, count in enumerate(counts)])
    assert "ManualScheduler._actions grew" in problem


def told(**more: Any) -> Told:
    return replace(Told(0, 0.0, 25.0, 125, right=True, error=""), **more)


def judged(answers: list[Told], in_flight: int = 6, relays: int = 32) -> list[str]:
    outcome = Outcome(answers=answers, kills=[10.0], in_flight_at_kills=[in_flight], relays_at_kills=[relays])
    return real_churn.judge(real_churn.as_json(Plan(), outcome))


def test_real_answers_must_be_many_long_and_right() -> None:
    fine = [told() for _ in range(40)]
    assert judged(fine) == []
    assert judged([*fine, told(error="RequestError")]) == ["an answer was lost: RequestError"]
    assert judged([*fine, told(right=False)]) == ["an answer was lost: it is not what the node said"]
    assert judged([*fine, told(ended=19.0)]) == ["an answer was too short"]
    assert judged(fine[1:]) == ["too few answers were in flight"]
    assert judged(fine, in_flight=4) == ["too few answers were in flight"]
    assert "not replaced" in judged(fine, relays=29)[0]


def test_a_simulated_answer_that_is_complete_a_moment_too_late_is_missing() -> None:
    """The clock is looked at once a second only."""
    run = ChurnRun(ChurnPlan(relays=12, answers=3))
    run.result.undisturbed = 20.0
    run.plan = replace(run.plan, answers=0)
    client = run.network.add_client()
    for number, seconds in enumerate((54.9, 55.1)):
        asked = Asked(number, client.node_id, run.network.now, lambda _: None)
        asked.ids, asked.text = list(range(40)), "".join(f"w{index} " for index in range(40))
        run._ended(_Waiting(number, client, b"chat", run.network.now() - seconds), asked)
    assert run.result.complete == 1
    (miss,) = run.result.misses
    assert miss.reason == "55.1 s: not complete after 55.0 s"
