"""Parts of ``gentorrent bench verification`` measured alone, and put together with those that are stored."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from engine.bench.verification import course, liars, page, protection
from engine.bench.verification.parts import (
    LIARS,
    NETWORKS,
    PARTS,
    RECORDED,
    SCORING,
    SECURITY,
    chosen,
    lines_of,
    stored,
)
from engine.bench.verification.protection import SERVING, Pairs, Protected, Side
from engine.cli import cli
from engine.errors import BenchmarkError
from tests.support.verification_amounts import TINY

COST = {
    "ratio": 0.25,
    "ratio_at_once": 0.5,
    "served": 200,
    "epoch_seconds": 600.0,
    "served_at_once": 8,
    "made_together": 1.3,
    "serving_ms": 160.0,
    "serving_at_once_ms": 80.0,
    "scoring_ms": 40.0,
    "tokens_of_an_answer": 128,
}
LIED = liars.measure(TINY.liars, 1, lambda _: None)
AMOUNT = replace(TINY, adversaries=("quantised",))
CHEAT = {
    "name": "int4 by 32",
    "detected": dict.fromkeys(("50", "100", "150", "200", "300"), 1.0),
    "missed": 0.05,
    "separation": {"honest": 9, "cheat": 8, "auc": 0.75, "auc_low95": 0.7, "auc_low95_bootstrap": 0.71, "gap": 2},
}


def protected(speed: float) -> Protected:
    used = {name: [1.0, 1.0] for name in ("model node", "worker", "client", "relays", "all", SERVING)}
    paced = Pairs(on=Side(seconds=[1.01, 1.01]), off=Side(seconds=[1.0, 1.0]))
    busy = Pairs(
        on=Side(speed=[speed, speed], processor=used, busy=[0.9, 0.9]),
        off=Side(speed=[100.0, 100.0], processor=used, busy=[0.9, 0.9]),
    )
    return Protected(paced, busy, busy, busy, 0.1)


def run(commit: str, *parts: str, before: dict[str, Any] | None = None, speed: float = 98.0) -> dict[str, Any]:
    async def scoring(*_: object) -> dict[str, Any]:
        return COST | {"by": commit}

    with (
        patch.object(course, "commit", return_value=commit),
        patch.object(course, "scoring_cost", scoring),
        patch.object(protection, "measure", return_value=protected(speed)),
        patch.object(liars, "measure", return_value=LIED),
        patch.object(course, "_four_bits", return_value={"honest": ["half precision"], "cheats": [CHEAT]}),
    ):
        said: list[str] = []
        return course.run(AMOUNT, quick=True, work=Path("nowhere"), say=said.append, parts=chosen(parts), before=before)


def test_a_part_measured_later_joins_those_that_are_stored(tmp_path: Path) -> None:
    first = run("aaa")
    assert {one["commit"] for one in first["parts"].values()} == {"aaa"}
    assert first["adversaries"]["quantised"]["auc"] == 0.75, "of what was recorded"
    page.store(first, tmp_path)
    then = run("bbb", SECURITY, before=stored(tmp_path), speed=90.0)
    assert {name: one["commit"] for name, one in then["parts"].items()} == {
        NETWORKS: "aaa",
        LIARS: "aaa",
        RECORDED: "aaa",
        SCORING: "aaa",
        SECURITY: "bbb",
    }
    assert then["scoring_cost"]["by"] == "aaa"
    assert then["security_share_throughput"] == pytest.approx(0.1 + then["challenge_share"], abs=1e-4)
    assert first["security_share_throughput"] == pytest.approx(0.02 + first["challenge_share"], abs=1e-4)
    assert then["adversaries"] == first["adversaries"]
    page.store(then, tmp_path)
    again = run("ccc", NETWORKS, before=stored(tmp_path))
    assert again["adversaries"]["quantised"]["auc"] == 0.75, "what was recorded stands although it is not here"
    text = (tmp_path / "verification.md").read_text()
    assert "*security* (what sealing" in text
    assert "commit bbb" in text
    assert len(lines_of(again)) == len(PARTS)


def test_a_part_that_fails_keeps_what_the_others_found(tmp_path: Path) -> None:
    with patch.object(course, "cost", side_effect=BenchmarkError("Answers failed, 6 times.")):
        found = run("aaa")
    assert found["failed"] == {SECURITY: "Answers failed, 6 times."}
    assert set(found["parts"]) == {NETWORKS, LIARS, RECORDED, SCORING}
    assert "scoring_share" in found
    page.store(found, tmp_path)
    text = (tmp_path / "verification.md").read_text()
    assert "**The part security failed**: Answers failed, 6 times." in text
    assert "| quantised: 4-bit weights" in text
    with patch.object(course, "run", return_value=found):
        ran = CliRunner().invoke(cli, ["bench", "verification", "--quick", "--output", str(tmp_path)])
    assert (ran.exit_code, type(ran.exception)) == (1, BenchmarkError)
    assert "| quantised: 4-bit weights" in ran.stdout
    assert "Stored: " in ran.stdout
    with pytest.raises(BenchmarkError, match=r"Run it again with --part security\. What failed: security: Answers"):
        course.check(found)
    with (
        patch.object(course, "cost", side_effect=BenchmarkError("Again.")),
        pytest.raises(BenchmarkError, match="What failed: security: Again"),
    ):
        run("bbb", SECURITY, before=stored(tmp_path))  # there is nothing new to store
    then = run("bbb", SECURITY, before=stored(tmp_path))
    course.check(then)
    assert (len(then["parts"]), then["security_share_latency"]) == (len(PARTS), pytest.approx(0.01))


def test_where_networks_fail_the_others_stand_without_them(tmp_path: Path) -> None:
    with patch.object(course, "find_out", side_effect=BenchmarkError("No answers are recorded.")):
        found = run("aaa")
        assert set(found["parts"]) == {LIARS, RECORDED, SCORING}
        assert found["failed"][SECURITY].startswith("It needs what the part networks finds")
        page.store(found, tmp_path)
        assert (tmp_path / "verification.svg").read_text().startswith("<svg")
        with pytest.raises(BenchmarkError, match="Not everything was measured"):
            run("bbb", NETWORKS)


def test_what_liars_get_is_on_the_page_and_is_missing_where_it_was_not_measured(tmp_path: Path) -> None:
    found = run("aaa")
    page.store(found, tmp_path)
    text = (tmp_path / "verification.md").read_text()
    assert "0 % of 3 blocks lack a promise in a calm network" in text
    assert "512 listed beside 120" in text
    assert "one of 8, 1 groups: " in text
    assert "| denies and overstates " in text
    assert "| 1 address, 1 hour of a core, in an hour" in text
    assert "| refuse such blocks | calm" in text
    del found["parts"][LIARS], found["liars"]
    assert "blocks lack a promise" not in page.as_text(found)


def test_shares_of_scoring_are_by_both_measures_and_both_are_on_the_page(tmp_path: Path) -> None:
    found = run("aaa")
    for when in ("", "_new", "_established"):
        as_they_come, at_once = found[f"scoring_share{when}"], found[f"scoring_share_at_once{when}"]
        assert at_once == pytest.approx(2 * as_they_come, abs=2e-5)
        serving = found[f"scoring_share_of_processor{when}"]
        assert serving == pytest.approx(as_they_come * 200 * 0.16 / 600, abs=1e-5)
    page.store(found, tmp_path)
    text = (tmp_path / "verification.md").read_text()
    assert "| as 200 come in 600 s (decision 0104)" in text
    assert "| 8 at once, nothing between" in text


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.02, "1 % to 2 % of 64 pairs: **less than 3 %**"),
        (0.01, 0.04, "**not decided to be less than 3 %**"),
        (0.031, 0.05, "**not less than 3 %**"),
        (None, None, "one pair of readings has no interval"),
        (-math.inf, math.inf, "one pair of readings has no interval"),
    ],
)
def test_the_page_says_whether_a_share_is_decided(low: float | None, high: float | None, said: str) -> None:
    assert said in page._of_saturated({"mean": 0.015, "low95": low, "high95": high, "pairs": 64}, "The share")


def test_parts_of_an_older_version_have_to_be_measured_again(tmp_path: Path) -> None:
    old = run("aaa")
    del old["scoring_cost"]["ratio_at_once"]
    with pytest.raises(BenchmarkError, match=r"did not know 'ratio_at_once'\. Measure it as well"):
        run("bbb", SECURITY, before=old)
    assert run("bbb", SCORING, SECURITY, before=old)["scoring_share_at_once"] > 0


def test_a_page_with_blocks_of_an_earlier_version_says_so(tmp_path: Path) -> None:
    old = run("aaa")
    page.store(old, tmp_path)
    assert "an earlier version" not in (tmp_path / "verification.md").read_text()
    for one in ("capacity", "capacity_controlled", "capacity_serving", "busy"):
        del old["security"]["saturated"][one]
    page.store(run("bbb", SCORING, before=old), tmp_path)
    text = (tmp_path / "verification.md").read_text()
    assert "an earlier version" in text
    assert "by those that came" in text
    assert "Without the control" not in text


def test_what_was_stored_before_there_were_parts_is_of_one_commit(tmp_path: Path) -> None:
    old = run("aaa")
    del old["parts"]
    (tmp_path / "verification.json").write_text(json.dumps(old))
    assert {one["commit"] for one in stored(tmp_path)["parts"].values()} == {"aaa"}
    assert "commit aaa, undated" in lines_of(stored(tmp_path))[0]


def test_wrong_names_and_missing_results_say_what_to_do(tmp_path: Path) -> None:
    assert chosen([]) == tuple(PARTS)
    assert chosen([SECURITY, NETWORKS]) == (NETWORKS, SECURITY)
    with pytest.raises(BenchmarkError, match="Choose from: networks, liars, recorded, scoring, security"):
        chosen(["latency"])
    with pytest.raises(BenchmarkError, match="Run without --part first"):
        stored(tmp_path)
    (tmp_path / "verification.json").write_text("{}")
    with pytest.raises(BenchmarkError, match="holds no earlier run"):
        stored(tmp_path)
