"""The report of `gentorrent simulate verification`; full counts in `make test-long-verification`."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from engine.cli import cli
from engine.errors import ConfigurationError
from engine.simulation.verification.adversaries import ADVERSARIES
from engine.simulation.verification.network import Course
from engine.simulation.verification.run import Plan, _is_soon, chosen_adversaries, judge, simulate, spread
from engine.simulation.verification.text import as_text

PLAN = Plan(networks=10, epochs=8, adversaries=("quantised", "relaying", "credit-0.41"))


def test_cheats_are_excluded_and_honest_nodes_are_not() -> None:
    report = simulate(PLAN)
    assert report["problems"] == [], as_text(report)
    assert report["honest_epochs"] == 10 * 4 * 8
    assert report["false_exclusions"] == 0
    quantised, relaying, cliff = (report["adversaries"][name] for name in PLAN.adversaries)
    assert (quantised["detected"], quantised["nodes"]) == (1, 10)
    assert 1 <= quantised["epochs_to_exclusion"]["median"] <= quantised["epochs_to_exclusion"]["max"] <= 5
    assert 0.3 < quantised["traffic_share_lost"] < 1
    assert relaying["detected"] == 0
    assert relaying["timing"]
    assert cliff["detected"] == 1
    assert cliff["published_detected"] == 0
    assert report["scoring_share_established"] < 0.03
    text = as_text(report)
    assert "quantised" in text
    assert "no rule judges by time" in text


def test_the_same_seed_gives_the_same_report_and_another_one_another() -> None:
    plan = replace(PLAN, networks=3, adversaries=("quantised",))
    assert simulate(plan) == simulate(plan)
    assert simulate(plan)["honest"] != simulate(replace(plan, seed=2))["honest"]


def test_what_is_promised_is_held_against_the_report() -> None:
    report = simulate(replace(PLAN, networks=2, adversaries=("quantised",)))
    report["false_exclusions"] = 3
    report["adversaries"]["quantised"]["detected"] = 0.5
    report["adversaries"]["quantised"]["epochs_to_exclusion"]["max"] = 6
    assert judge(report) == [
        "3 honest nodes were excluded",
        "quantised: 50.0 % were not excluded in time",
        "quantised: exclusion took up to 6 epochs, not 5",
    ]


def test_adversaries_are_chosen_by_name() -> None:
    assert chosen_adversaries([]) == chosen_adversaries(["all"]) == tuple(ADVERSARIES)
    assert chosen_adversaries(["none"]) == ()
    assert chosen_adversaries(["mixed", "quantised"]) == ("quantised", "mixed")
    with pytest.raises(ConfigurationError, match="nobody"):
        chosen_adversaries(["nobody"])
    with pytest.raises(ConfigurationError, match="were recorded"):
        simulate(replace(PLAN, sources=("nobody",)))


def test_spreads_are_of_ranks() -> None:
    assert spread([]) == {"median": 0, "p90": 0, "max": 0}
    assert spread(range(1, 11)) == {"median": 5.5, "p90": 9, "max": 10}


def test_the_command_prints_a_table_or_json() -> None:
    options = ["simulate", "verification", "--networks", "2", "--epochs", "6", "--adversary", "smaller-model"]
    done = CliRunner().invoke(cli, options)
    assert done.exit_code == 0, done.output
    assert "smaller-model" in done.stdout
    done = CliRunner().invoke(cli, [*options, "--json"])
    assert json.loads(done.stdout)["adversaries"]["smaller-model"]["detected"] == 1


def test_every_cheat_can_be_played_with_the_answers_of_another_maker() -> None:
    """Those that cheat now and then have coarse 4-bit weights of their own, which are told the most easily."""
    plan = replace(PLAN, networks=20, epochs=20, share=0.0, adversaries=("mixed", "turncoat", "relaying"))
    fine = "int4 by 16 with zero points, fitted, head kept"
    own, finest = simulate(plan)["adversaries"], simulate(replace(plan, maker=fine))["adversaries"]
    assert own["relaying"] == finest["relaying"]
    assert fine in finest["mixed"]["words"]
    assert own["mixed"]["tokens_until_exclusion"] != finest["mixed"]["tokens_until_exclusion"]
    for name in ("mixed", "turncoat"):
        assert finest[name]["excluded_soon"] == round(finest[name]["detected"] * finest[name]["nodes"]) > 0
    with pytest.raises(ConfigurationError, match="No answers of 'nobody'"):
        simulate(replace(plan, maker="nobody"))


def test_who_is_excluded_late_or_never_is_not_excluded_soon() -> None:
    adversary, turns = ADVERSARIES["mixed"], ADVERSARIES["turncoat"]
    assert [_is_soon(Course(excluded=at), adversary) for at in (None, 0, 4, 5)] == [False, True, True, False]
    late = Course(excluded=40, first_fail=34)
    assert [_is_soon(replace(late, first_fail=at), turns) for at in (None, 34, 35)] == [False, False, True]
