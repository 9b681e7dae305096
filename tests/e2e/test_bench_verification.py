"""``gentorrent bench verification`` on a real network, with very little of everything: its keys, and that answers come
with and without protection."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.bench.verification import course
from engine.bench.verification.page import as_text
from engine.cli import cli
from tests.support.verification_amounts import TINY


@pytest.mark.timeout(150)
def test_its_keys_page_and_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "QUICK", TINY)
    command = ["bench", "verification", "--quick", "--json", "--output", str(tmp_path), "--work", str(tmp_path / "no")]
    ran = CliRunner().invoke(cli, command)
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout)
    assert found == json.loads((tmp_path / "verification.json").read_text())
    assert set(found["adversaries"]) == set(TINY.adversaries)
    for one in found["adversaries"].values():
        assert {"auc", "auc_low95", "detected", "median_tokens", "epochs_to_exclusion"} <= set(one)
        assert 0 <= one["auc_low95"] <= one["auc"] <= 1
    assert found["adversaries"]["quantised"]["detected"] == 1
    assert found["adversaries"]["relaying"]["detected"] == 0
    assert (found["honest_epochs"], found["false_exclusions"]) == (4 * 6, 0)
    assert 0 < found["scoring_share"] < 1
    for share in ("security_share_latency", "security_share_throughput"):
        assert -1 < found[share] < 1
    for way, measured in found["security"].items():
        for both in (measured.get("answer_s"), measured.get("tokens_per_s")):
            assert both is None or min(both.values()) > 0, way
    assert found["security"]["saturated"]["readings"] >= 1
    assert found["others"]["forged cloves"]["refused"] == 10
    page = (tmp_path / "verification.md").read_text(encoding="utf-8")
    assert "| quantised: 4-bit weights" in page
    assert "10 of 10 refused" in page
    assert "0 of 4 honest nodes excluded in 24 epochs" in as_text(found)
    assert (tmp_path / "verification.svg").read_text().startswith("<svg")
