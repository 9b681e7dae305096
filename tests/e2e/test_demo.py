"""``gentorrent demo`` as a newcomer runs it, and as a newcomer ends it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import openai
import psutil
import pytest

from engine.demo.cheats import CHEATS
from engine.demo.processes import Processes
from tests.support.network import GENTORRENT, Answer, clean_environment, family, gone

pytestmark = pytest.mark.timeout(150)
KEYS = {
    "answer", "model", "served_by", "paths", "n", "k", "ttft_ms", "tokens", "tokens_per_s", "receipt_verified",
    "transport", "nodes", "setup_s", "first_answer_s",
}  # fmt: skip
MAXIMUM_MEMORY = 3_000_000_000


QUICK = "smaller-model"


def ways() -> list[str]:
    """The one that is found out soonest; all of them with ``GENTORRENT_ALL_CHEATS``."""
    return list(CHEATS) if os.environ.get("GENTORRENT_ALL_CHEATS") else [QUICK]


class Demo:
    """A running demo: what it wrote, and every process that it ever had."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.output = folder / "output"
        self.progress = folder / "progress"
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        with self.output.open("wb") as output, self.progress.open("wb") as progress:
            self.child = subprocess.Popen(
                [GENTORRENT, "demo", *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=progress,
                env=clean_environment(TMPDIR=str(self.temporary)),
                start_new_session=True,
            )
        self.seen: set[int] = {self.child.pid}
        self.memory = 0
        self._watching = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._watching.wait(0.5):
            now = family(self.child.pid)
            self.seen |= now
            total = 0
            for pid in now:
                with suppress(psutil.Error):
                    info = psutil.Process(pid).memory_full_info()
                    total += getattr(info, "pss", info.rss)
            self.memory = max(self.memory, total)

    def told(self) -> str:
        """What it has written so far, to both streams."""
        return self.output.read_text() + self.progress.read_text()

    def wait_for(self, pattern: str, seconds: float) -> re.Match[str]:
        """Wait until it has written this."""
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, self.told())) is None:
            assert self.child.poll() is None, self.told()
            assert time.monotonic() < deadline, self.told()
            time.sleep(0.1)
        return found

    def wait_for_family(self, size: int, seconds: float) -> None:
        """Wait until it has so many processes."""
        deadline = time.monotonic() + seconds
        while len(self.seen) < size:
            assert time.monotonic() < deadline, self.told()
            time.sleep(0.1)

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> float:
        """Ctrl-C (or another signal); the seconds until it has ended."""
        self.seen |= family(self.child.pid)
        begun = time.monotonic()
        self.child.send_signal(number)
        self.child.wait(20)
        return time.monotonic() - begun

    def close(self) -> None:
        """End everything, whatever the test left."""
        self.seen |= family(self.child.pid)
        self._watching.set()
        self._thread.join(5)
        for pid in self.seen:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.child.wait(5)


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Demo]:
    demo = Demo(folder, *options)
    try:
        yield demo
    finally:
        demo.close()


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
@pytest.mark.parametrize("cheat", ways())
def test_a_dishonest_node_loses_its_reputation_and_its_questions(tmp_path: Path, cheat: str) -> None:
    with running(tmp_path, "--json", "--cheat", cheat) as demo:
        assert demo.child.wait(280) == 0, demo.told()
        report = json.loads(demo.output.read_text())
        assert set(report) == KEYS | {
            "cheater", "excluded_at_epoch", "first_checked_epoch", "epoch_seconds", "honest_excluded",
            "asked_before", "asked_after",
        }  # fmt: skip
        cheater = report["cheater"]
        assert re.fullmatch("[a-z2-7]{32}", cheater)
        assert report["excluded_at_epoch"] >= 1
        assert report["honest_excluded"] == 0
        assert cheater not in report["asked_after"]
        assert sum(report["asked_after"].values()) == sum(report["asked_before"].values()) > 0
        told = demo.progress.read_text()
        assert re.search(rf"{cheater[:8]} +EXCLUDED", told)
        assert len(re.findall("EXCLUDED", told)) == 1
        assert gone(demo.seen, 1.0) == set()
        assert list(demo.temporary.iterdir()) == []


def test_an_unknown_way_of_cheating_is_refused_at_once(tmp_path: Path) -> None:
    with running(tmp_path, "--cheat", "bribery") as demo:
        assert demo.child.wait(30) == 2
        assert "ignored-seed" in demo.told()
        assert "Traceback" not in demo.told()


@pytest.mark.parametrize("processes", [3, 8])
def test_ctrl_c_while_it_starts(tmp_path: Path, processes: int) -> None:
    with running(tmp_path) as demo:
        demo.wait_for_family(processes, 30)
        assert demo.interrupt() < 5
        assert demo.child.returncode in (130, -signal.SIGINT)
        assert "Traceback" not in demo.told()
        assert gone(demo.seen, 3.0) == set()
        assert list(demo.temporary.iterdir()) == []


def test_sigterm_leaves_nothing_behind(tmp_path: Path) -> None:
    with running(tmp_path) as demo:
        demo.wait_for_family(6, 30)
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
        demo.child.wait(5)
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
