"""Claims of the long run can fail, each by what it is about."""

from __future__ import annotations

from typing import Any

import pytest

from engine.bench.verification.cost import scoring_share, share_of_processor
from engine.simulation.verification.adversaries import ADVERSARIES
from tests.verification.claims import claims

COST = {"ratio": 0.2, "scoring_ms": 500.0}


def cheat(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "detected": 1,
        "epochs_to_exclusion": {"max": 5},
        "epochs_from_failed_challenge": {"max": 5},
        "cheated_traffic_share": 0.1,
        "traffic_share_lost": 0.85,
        "published_detected": 0,
    }
    return found | changes


def honest(**changes: Any) -> dict[str, Any]:
    shares = {"challenge_share": 0.005, "challenge_share_new": 0.046, "challenge_share_established": 0.001}
    return {"false_exclusions": 0, "honest_epochs": 30_000, "scorers": 2} | shares | changes


def found(cheats: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    everybody = {name: cheat() for name in ADVERSARIES} | (cheats or {})
    usual = {"honest": {"some": honest()}, "cheats": {"4": everybody}, "costs": {"a model": COST}}
    return usual | {"speeds": speeds()} | changes


def speeds(cut: float = 0.0, false: float = 1.0, **slower: int) -> dict[str, Any]:
    kinds = {"honest, busy": cut, "claims twice": false}
    claimed = {name: {"ever_cut": share, "identities": 800} for name, share in kinds.items()}
    return {"simulated": {"claims": claimed}, "real": {"reads": 50, "slower": slower or {"overstating": 47}}}


def test_all_hold_where_all_is_as_it_should_be() -> None:
    assert scoring_share(honest(), COST, "_new") == pytest.approx(0.0184)
    assert share_of_processor(honest(), COST, "_new") == pytest.approx(0.046 * 200 * 2 * 0.5 / 600)
    assert all(one.holds for one in claims(found()))
    said = " ".join(one.words for one in claims(found()))
    for name, adversary in ADVERSARIES.items():
        assert name in said or not adversary.maker


def test_numbers_are_counted_and_written_out() -> None:
    measured = {one.words: one.measured for one in claims(found(speeds=speeds(false=799 / 800)))}
    assert measured["speed: honest, busy: never cut"] == "0 of 800"
    assert measured["speed: claims twice: always cut"] == "799 of 800", "not all of them"
    assert [said for words, said in measured.items() if "two real nodes" in words] == [
        "cut: the overstating one, to 47 tokens a second; both read 50"
    ]
    assert not [said for said in measured.values() if "e+" in said]


@pytest.mark.parametrize(
    ("changed", "about"),
    [
        (found(honest={"some": honest(false_exclusions=1)}), "false exclusions"),
        (found(honest={"some": honest(honest_epochs=29_999)}), "false exclusions"),
        (found(honest={"some": honest(challenge_share_new=0.1)}), "while new"),
        (found(costs={"a model": COST | {"ratio": 20.0}}), "200 answers an epoch, established"),
        (found(costs={"a model": COST | {"scoring_ms": 1000.0}}), "all the time, while new"),
        (found({"quantised": cheat(epochs_to_exclusion={"max": 6})}), "quantised"),
        (found({"quantised": cheat(detected=0.99)}), "quantised"),
        (found({"turncoat": cheat(epochs_from_failed_challenge={"max": 6})}), "turncoat"),
        (found({"mixed-fifth": cheat(detected=0.5)}), "mixed-fifth"),
        (found({"watches-patiently": cheat(cheated_traffic_share=0.5)}), "watches-patiently"),
        (found({"breaks-off": cheat(traffic_share_lost=0.7)}), "breaks-off"),
        (found(speeds=speeds(cut=0.001)), "honest, busy"),
        (found(speeds=speeds(false=0.99)), "claims twice"),
        (found(speeds=speeds(overstating=47, honest=49)), "two real nodes"),
        (found(speeds=speeds(overstating=90)), "two real nodes"),
        (found({"credit-0.41": cheat(published_detected=0.1)}), "credit-0.41"),
    ],
)
def test_each_can_fail(changed: dict[str, Any], about: str) -> None:
    failed = [one for one in claims(changed) if not one.holds]
    assert failed
    assert any(about in one.words for one in failed)
