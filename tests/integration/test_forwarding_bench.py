"""The benchmark of forwarding on real nodes: two of them answer over real links, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from engine.bench.forwarding.fleet import running_fleet
from engine.bench.forwarding.outcomes import real_summary
from engine.bench.forwarding.player import play
from engine.bench.forwarding.prompts import Prompts
from engine.bench.forwarding.quotas import PREFIX, Quotas, find_controller
from engine.bench.forwarding.setting import BASELINE, SETTINGS
from engine.bench.forwarding.workload import make_questions

SETTING = replace(SETTINGS["built-in"], nodes=2, public=120, private=10, output=4, texts=1, requests=6, share=1.0)


@pytest.mark.timeout(120)
async def test_questions_are_answered_by_real_nodes_out_of_their_own_caches(tmp_path):
    prompts = Prompts(SETTING)
    questions = make_questions(SETTING, 4.0, prompts.count)
    controller, _ = find_controller()
    with Quotas(controller, tmp_path / "run") as quotas:
        async with running_fleet(SETTING, BASELINE, tmp_path / "run", quotas, prompts.extra) as fleet:
            limited = _groups(controller)

            async def ask(question, begin):
                return await fleet.client.ask(
                    question.messages,
                    output=question.output,
                    conversation=question.session,
                    public_messages=1,
                    begin=begin,
                    intended=question.t,
                )

            records = await play(questions, ask, drain=60.0)
            fleet.check()
            children = [one for one in psutil.Process().children(recursive=True) if "engine.cli" in one.cmdline()]
    assert [one.message for one in records if one.error] == []
    assert [one.output_tokens for one in records] == [one.output for one in questions]
    # The prompts are those that the trace for the simulator has, and each node reads the shared part once.
    ids = [prompts.rendered(one.messages, 1) for one in questions]
    assert [one.prompt_tokens for one in records] == [len(prompt) for prompt, _ in ids]
    assert sum(not one.cached_tokens for one in records) <= 2
    assert max(one.cached_tokens for one in records) in range(ids[0][1] - 16, ids[0][1] + 1)
    found = real_summary(BASELINE, records, 0, SETTING.nodes)
    assert found["finished"] == SETTING.requests
    assert sum(found["node_share"]) == pytest.approx(1.0, abs=1e-3)
    assert len(children) == SETTING.nodes + 2
    assert all(_ended(one) for one in children)
    assert len(limited) == (SETTING.nodes + 1 if controller is not None else 0)  # and the client
    assert _groups(controller) == []


def _groups(controller):
    return [] if controller is None else list(controller.root.glob(f"{PREFIX}{os.getpid()}-*"))


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_benchmark_leaves_no_folder_and_no_groups(tmp_path):
    controller, _ = find_controller()
    script = (
        "import sys, time; from pathlib import Path; "
        "from engine.bench.forwarding.quotas import Quotas, find_controller\n"
        "folder = Path(sys.argv[1]); folder.mkdir()\n"
        "with Quotas(find_controller()[0], folder) as quotas:\n"
        "    import subprocess; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "    quotas.limit('node', child.pid, 0.5); print(child.pid, flush=True); time.sleep(60)\n"
    )
    run = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", script, str(run)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        try:
            groups = [] if controller is None else list(controller.root.glob(f"{PREFIX}{process.pid}-*"))
            assert len(groups) == (controller is not None)
            process.send_signal(signal.SIGKILL)
            _wait_until(lambda: not run.exists() and not any(Path(one).exists() for one in groups))
            assert controller is None or _ended(child)  # it was in the group
        finally:
            if not _ended(child):
                child.kill()


def _ended(process):
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _wait_until(true, seconds=120.0):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
