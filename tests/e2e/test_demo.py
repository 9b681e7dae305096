"""``gentorrent demo`` as a newcomer runs it, and as a newcomer ends it."""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from pathlib import Path

import openai
import pytest

from engine.demo.processes import Processes
from tests.support.demo import CHEAT_KEYS, KEYS, running
from tests.support.network import Answer, family, gone

pytestmark = pytest.mark.timeout(150)
MAXIMUM_MEMORY = 3_000_000_000
QUICK = "prefill-attack"
"""The way that is found out soonest; `make test-long-demo` plays all of them."""


def test_the_answer_as_one_json_object(tmp_path: Path) -> None:
    with running(tmp_path, "--json", "--question", "What is a clove?") as demo:
        assert demo.child.wait(90) == 0, demo.told()
        report = json.loads(demo.output.read_text())  # one object and nothing else
        assert set(report) == KEYS
        assert report["answer"].strip()
        assert report["model"] == "gentorrent-builtin"
        assert (report["n"], report["k"], report["transport"]) == (4, 3, "webrtc")
        assert [len(path) for path in report["paths"]] == [3, 3, 3, 3]
        relays = [relay for path in report["paths"] for relay in path]
        assert len(set(relays)) == 12
        assert all(re.fullmatch("[a-z2-7]{32}", name) for name in [*relays, report["served_by"]])
        assert report["served_by"] not in relays
        assert report["nodes"] == {"bootstrap": 1, "relay": 16, "model": 3, "verifier": 4, "client": 1}
        assert report["receipt_verified"] is True
        assert report["tokens"] >= 1
        assert report["tokens_per_s"] > 0
        assert 0 < report["ttft_ms"] < 10_000
        assert 0 < report["setup_s"] <= report["first_answer_s"] <= 45
        assert gone(demo.seen, 1.0) == set()
        assert len(demo.seen) >= 11  # itself, 7 children, 3 inference workers
        assert list(demo.temporary.iterdir()) == []
        assert 100_000_000 < demo.memory <= MAXIMUM_MEMORY


@pytest.mark.timeout(300)
def test_a_dishonest_node_loses_its_reputation_and_its_questions(tmp_path: Path) -> None:
    with running(tmp_path, "--json", "--cheat", QUICK) as demo:
        assert demo.child.wait(280) == 0, demo.told()
        report = json.loads(demo.output.read_text())
        assert set(report) == KEYS | CHEAT_KEYS
        cheater = report["cheater"]
        assert re.fullmatch("[a-z2-7]{32}", cheater)
        assert 1 <= report["first_checked_epoch"] <= report["excluded_at_epoch"]
        assert report["honest_excluded"] == 0
        assert cheater not in report["asked_after"]
        assert sum(report["asked_after"].values()) == sum(report["asked_before"].values()) > 0
        told = demo.progress.read_text()
        assert re.search(rf"{cheater[:8]} \(cheats\) +EXCLUDED", told)
        assert len(re.findall("EXCLUDED", told)) == 1
        assert "signs that the right one has drawn them" in told
        assert gone(demo.seen, 1.0) == set()
        assert list(demo.temporary.iterdir()) == []


def test_an_unknown_way_of_cheating_is_refused_at_once(tmp_path: Path) -> None:
    with running(tmp_path, "--cheat", "bribery") as demo:
        assert demo.child.wait(90) == 2
        assert "ignored-seed" in demo.told()
        assert "Traceback" not in demo.told()


@pytest.mark.parametrize("processes", [3, 8])
def test_ctrl_c_while_it_starts(tmp_path: Path, processes: int) -> None:
    with running(tmp_path) as demo:
        demo.wait_for_family(processes, 90)
        assert demo.interrupt() < 5
        assert demo.child.returncode in (130, -signal.SIGINT)
        assert "Traceback" not in demo.told()
        assert gone(demo.seen, 3.0) == set()
        assert list(demo.temporary.iterdir()) == []


def test_sigterm_leaves_nothing_behind(tmp_path: Path) -> None:
    with running(tmp_path, "--cheat", "quantised") as demo:  # whose model is just being made
        demo.wait_for_family(6, 90)
        assert demo.interrupt(signal.SIGTERM) < 5
        assert demo.child.returncode == 1
        assert "Traceback" not in demo.told()
        assert gone(demo.seen, 3.0) == set()
        assert list(demo.temporary.iterdir()) == []


def test_kept_running_it_answers_programs_until_ctrl_c(tmp_path: Path) -> None:
    with running(tmp_path, "--keep-running") as demo:
        address, token = demo.wait_for(r"API: (http://\S+)\nToken: (\S+)", 90).groups()
        assert "Receipt" in demo.told()
        client = openai.OpenAI(base_url=address, api_key=token, max_retries=0, timeout=30)
        answer = Answer(client, "Who can read my question?", max_tokens=10).read()
        assert answer.error is None
        assert answer.tokens >= 1
        assert demo.interrupt() < 3.5
        assert "Traceback" not in demo.told()
        assert gone(demo.seen, 1.0) == set()
        assert list(demo.temporary.iterdir()) == []


def test_killed_it_leaves_no_process(tmp_path: Path) -> None:
    with running(tmp_path) as demo:
        demo.wait_for("Ready", 90)
        demo.seen |= family(demo.child.pid)
        demo.child.kill()
        demo.child.wait(60)
        assert len(demo.seen) >= 10
        assert gone(demo.seen, 10.0) == set()


def test_a_child_that_refuses_to_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.demo.processes.STOP_SECONDS", 0.5)
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    with Processes(tmp_path) as processes:
        child = processes.launch("stubborn", [sys.executable, "-c", stubborn])
        while processes.last_line("stubborn") != "up":
            time.sleep(0.02)
    assert child.returncode == -signal.SIGKILL
