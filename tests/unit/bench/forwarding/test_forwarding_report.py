"""What the benchmark of forwarding stores reads as a page, and says what falls short."""

import json
from array import array
from dataclasses import asdict
from xml.etree import ElementTree

import pytest

from engine.bench.forwarding import report
from engine.bench.forwarding.calibration import Rates
from engine.bench.forwarding.course import Wanted, node_kind
from engine.bench.forwarding.setting import SETTINGS
from engine.errors import ConfigurationError
from engine.forwarding.policies.registry import NAMES
from engine.inference.scheduling.submission import SchedulerSettings
from engine.simulation.forwarding.network import Network, Plan
from engine.simulation.forwarding.trace import Request, Texts, numbered

RATES = Rates(0.05, 2_000.0, 0.0, 0.02, 0.002, 1e-6)


def spread(mean):
    return {"mean": mean, "p50": mean, "p90": 2 * mean, "p99": 3 * mean}


def row(policy, real, simulated, gain):
    def way(mean):
        return {
            "ttft_s": spread(mean),
            "total_s": spread(mean + 1),
            "hit_rate": 0.5,
            "rejected": 0,
            "goodput_tokens_per_s": 12.0,
            "node_share": [0.5, 0.5],
        }

    return {
        "policy": policy,
        "real": way(real) | {"lost": 2},
        "simulated": way(simulated) | {"ttft_mean_range_s": [simulated - 0.1, simulated + 0.1]},
        "error": {"ttft_s": round(simulated / real - 1, 4), "total_s": None},
        "gain": {"real": {"ttft_s": gain, "total_s": 0.3}, "simulated": {"ttft_s": gain, "total_s": 0.4}},
    }


def results(quota="control groups, version 1"):
    one = {
        "setting": asdict(SETTINGS["built-in"]),
        "kv_tokens": 16_384,
        "prompt_tokens": 2_440,
        "public_tokens": 2_400,
        "texts_asked_for": 19,
        "arrivals_per_s": 2.5,
        "not_counted": 50,
        "rates": RATES.as_json(),
        "rows": [row("none", 2.0, 1.8, 0.0), row("cost", 0.5, 0.7, 0.75)],
    }
    return {
        "machine": {"processor": "Some & one", "processors": 2},
        "versions": {"gentorrent": "1.2.3"},
        "quick": False,
        "quota": quota,
        "no_quota_because": "" if quota else "no root",
        "settings": [one],
        "other_programs": 0.4,
    }


def test_page_and_picture(tmp_path):
    found = results()
    files = report.store(found, tmp_path / "new")
    assert [file.name for file in files] == ["forwarding-real.json", "forwarding-real.md", "forwarding-real.svg"]
    assert json.loads(files[0].read_text()) == json.loads(json.dumps(found))
    page = files[1].read_text()
    assert "mean time to first token 75% lower" in page
    assert "none -10%, cost +40%" in page
    assert "none -, cost -" in page  # no error where nothing was answered
    assert "0 + 2 lost" in page
    assert "1.800 (1.70 to 1.90)" in page
    assert "Other programs used 40%" in page
    assert "0.3 of a processor each" in page
    assert "No quotas" not in page
    assert ElementTree.fromstring(files[2].read_text()).tag.endswith("svg")


def test_a_machine_without_quotas_is_named(tmp_path):
    page = report.store(results(quota=""), tmp_path)[1].read_text()
    assert "No quotas: no root." in page
    assert "the nodes disturb each other" in page


def test_what_the_command_line_may_ask_for():
    settings = Wanted(models=["built-in"], policies=NAMES, quick=True, nodes=2, load=0.5).settings()
    assert settings[0].requests == SETTINGS["built-in"].requests // 4
    assert (settings[0].nodes, settings[0].load) == (2, 0.5)
    assert Wanted(models=["built-in"], policies=[], quick=True, requests=9).settings()[0].requests == 9
    with pytest.raises(ConfigurationError, match="--policies 'best' is not known"):
        Wanted(models=[], policies=["best"], quick=False).settings()
    with pytest.raises(ConfigurationError, match="--model 'mine' is not known"):
        Wanted(models=["mine"], policies=[], quick=False).settings()


def test_a_calibrated_node_reads_as_fast_as_it_was_measured():
    kind = node_kind(SETTINGS["built-in"], RATES, 16_384)
    assert kind.longest_wait == SchedulerSettings(4_096, frozenset()).longest_wait
    text = Texts().of(array("I", range(1_000)))
    requests = numbered([Request(0.0, "a", text, array("I", range(1_000)), 1)])
    outcome = Network(Plan(policy="none", kinds=[kind], nodes=2, access=(0.0, 0.0))).run(requests)[0]
    assert outcome.first_token == pytest.approx(RATES.request_seconds + 2_000 / RATES.prefill_rate, rel=0.03)
