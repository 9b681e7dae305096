"""What of ``gentorrent bench verification`` is computed: the parts come together; shares are of what was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.bench.verification import course, security_shares
from engine.bench.verification.protection import Pairs, Protected, Side
from tests.support.verification_amounts import TINY


def test_everything_that_is_not_timed() -> None:
    said: list[str] = []
    found = course.find_out(replace(TINY, adversaries=("quantised", "watches")), said.append)
    quantised, watches = found["adversaries"].values()
    assert (quantised["detected"], quantised["rules"]["ours"]["excluded"]) == (1, 1)
    assert quantised["epochs_to_exclusion"] <= quantised["epochs_p90"] <= quantised["epochs_max"] <= 6
    assert watches["rules"] == {}  # what it does depends on the rule
    assert found["readings_per_answer"] == found["scorers"] * found["challenge_share"]
    scored = course.of_processors(found, {"ratio": 0.5, "ratio_at_once": 0.7, "scoring_ms": 40.0})
    assert scored["scoring_share"] == pytest.approx(found["readings_per_answer"] / 2, abs=1e-5)
    assert scored["scoring_share_at_once"] > scored["scoring_share"] > scored["scoring_share_of_processor"] > 0
    assert scored["scoring_share_new"] > scored["scoring_share_established"] >= 0
    assert found["others"]["directory rollback"]["refused"] == 10
    speeds = found["others"]["claimed speeds"]
    assert (speeds["cut"], speeds["honest_cut"], speeds["honest"], speeds["false_claims"]) == (1.0, 0, 48, 11)
    assert any("violations of safety" in line for line in said)


def test_the_shares_of_security_are_of_pairs_and_count_challenges() -> None:
    used = {
        "model node": [1.0, 1.0],
        "worker": [0.5, 0.5],
        "client": [0.5, 0.5],
        "relays": [1.0, 1.0],
        "all": [2.91, 2.91],
        "all but the client": [2.41, 2.41],
    }
    more = used | {
        "model node": [1.1, 1.1],
        "client": [0.55, 0.55],
        "all": [3.0, 3.0],
        "all but the client": [2.45, 2.45],
    }
    paced = Pairs(on=Side(seconds=[1.01, 1.01]), off=Side(seconds=[1.0, 1.0]))
    busy = Pairs(
        on=Side(speed=[98.0, 98.0], processor=more, busy=[0.9, 1.0]),
        off=Side(speed=[100.0, 100.0], processor=used, busy=[0.9, 0.9]),
    )
    found = security_shares.cost(Protected(paced, busy, busy, busy, 0.1))
    assert found["security_share_latency"] == pytest.approx(0.01)
    of_saturated = security_shares.of_saturated(found["security"]["saturated"], 0.002)
    assert of_saturated["security_share_throughput"] == pytest.approx(0.022)
    assert of_saturated["security_share_throughput_interval"]["low95"] == pytest.approx(0.022)
    assert of_saturated["security_share_processor"]["mean"] == pytest.approx(0.032), "0.09 of 3 seconds, and challenges"
    assert of_saturated["security_share_processor_uncontrolled"]["pairs"] == 2
    assert of_saturated["security_share_processor_serving"]["mean"] == pytest.approx(0.04 / 2.45 + 0.002, abs=1e-5)
    assert found["security"]["saturated"]["busy"]["on"] == 0.95
    assert found["security"]["paced"]["answer_s"] == {"on": 1.01, "off": 1.0}
    assert found["security"]["stand_in"]["processor"]["client"]["share"]["mean"] == pytest.approx(0.1)


def test_what_was_recorded_takes_the_place_of_few_conversations() -> None:
    one = {"name": "int4 by 32", "detected": {"300": 1.0}}
    one |= {"separation": {"honest": 9, "cheat": 8, "auc": 1.0, "auc_low95": 0.999, "auc_low95_bootstrap": 0.998}}
    assert course._of_records([one], "int4 by 32")["auc_low95"] == 0.998
    assert course._of_records([one], "seed ignored") == {}
    assert course._of_records([], "") == {}
