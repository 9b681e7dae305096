"""The real worker process with a tiny model: streaming, neighbours, cancellation, death and what comes after it."""

import asyncio
import contextlib
import dataclasses
import os
import shutil
import signal
import sys
from pathlib import Path

import onnx
import psutil
import pytest
from msgspec.structs import replace

from engine.clock import SystemClock
from engine.errors import (
    ConfigurationError,
    ContextLengthError,
    InvalidRequestError,
    OverloadedError,
    UnknownModelError,
    WorkerDiedError,
)
from engine.inference.models.installed import BUILTIN_MODEL, Catalogue
from engine.inference.pipe import Event
from engine.inference.supervisor.settings import InferenceSettings, WorkerState
from engine.inference.supervisor.supervisor import InferenceSupervisor
from engine.inference.types import Delta, Done, GenerationRequest, PromptMessage, Queued, Started
from engine.wire.answer import Sampling
from tests.support.tiny_model import make_tiny_model

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    make_tiny_model(root / "builtin")
    make_tiny_model(root / "models" / "other", style="concat")
    (root / "models" / "damaged").mkdir()
    damaged = make_tiny_model(root / "models" / "damaged")
    graph = onnx.load(damaged / "model.onnx")
    graph.graph.node[0].op_type = "Nonsense"  # a whole file that only the runtime refuses
    onnx.save(graph, damaged / "model.onnx")
    return root


class Recorded(InferenceSupervisor):
    """Remembers what the window would have shown."""

    states: list[WorkerState]
    busy: list[int]


@contextlib.asynccontextmanager
async def running(models, **settings):
    """A supervisor whose run() is owned by a task group; ``states`` collects what the window would show, ``busy`` how
    many answers are under way each time that the load may have changed."""
    settings = {"threads": 1, "first_backoff": 0.05} | settings
    states: list[WorkerState] = []
    busy: list[int] = []
    supervisor = Recorded(
        Catalogue(models / "models", models / "builtin"),
        SystemClock(),
        InferenceSettings(**settings),
        on_state=states.append,
        on_load=lambda: busy.append(sum(info.running for info in supervisor.models())),
    )
    supervisor.states, supervisor.busy = states, busy
    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervisor.run())
        try:
            yield supervisor
        finally:
            task.cancel()


def ask(content="What is a relay?", model=BUILTIN_MODEL, seed=3, **options):
    sampling = Sampling(seed=seed, temperature=options.pop("temperature", 0.9))
    options = {"max_tokens": 24, "min_tokens": 24} | options
    return GenerationRequest(model_id=model, messages=(PromptMessage("user", content),), sampling=sampling, **options)


async def answer(supervisor, request):
    """All events of a request."""
    return [event async for event in supervisor.generate(request)]


def ids_of(events):
    return tuple(one for event in events if isinstance(event, Delta) for one in event.ids)


async def test_an_answer_streams_with_all_its_events(models):
    async with running(models) as supervisor:
        events = await answer(supervisor, ask())
        assert isinstance(events[0], Started)
        assert len(ids_of(events)) == 24
        assert replace(events[-1], waited_seconds=0.0) == Done("length", len(events[0].prompt_ids), 24)
        info = {model.model_id: model for model in supervisor.models()}
        assert set(info) == {BUILTIN_MODEL, "other", "damaged"}
        assert info[BUILTIN_MODEL].prefill_rate > 0
        assert info[BUILTIN_MODEL].decode_rate > 0
        assert info["other"].decode_rate == 0
        assert [state.name for state in supervisor.states] == ["starting", "ready"]


async def test_whoever_listens_hears_how_busy_the_models_are(models):
    async with running(models) as supervisor:
        await supervisor.start([BUILTIN_MODEL])
        async with asyncio.TaskGroup() as group:
            for seed in range(3):
                group.create_task(answer(supervisor, ask(seed=seed, max_tokens_per_second=40)))
        assert max(supervisor.busy) == 3


async def test_deltas_arrive_one_by_one_as_they_are_made(models):
    async with running(models) as supervisor:
        loop, told = asyncio.get_running_loop(), []
        message = supervisor._message  # what the worker says, before a slow reader gets it joined

        def hear(said):
            if isinstance(said, Event) and isinstance(said.event, Delta):
                told.append(said.event.ids)
            message(said)

        supervisor._message = hear
        await supervisor.start([BUILTIN_MODEL])
        begun = loop.time()
        read = ids_of(await answer(supervisor, ask(max_tokens=10, min_tokens=10, max_tokens_per_second=20)))
        assert [len(ids) for ids in told] == [1] * 10
        assert tuple(one for ids in told for one in ids) == read
        assert loop.time() - begun >= 9 * 0.05


async def test_the_same_tokens_alone_and_beside_others_and_continued(models):
    requests = [ask(f"question {number} " * (1 + 6 * number), seed=number) for number in range(6)]
    requests += [ask("plain", temperature=0), ask("with the other model", model="other", seed=9)]
    async with running(models, slots=4, prefill_chunk=16) as supervisor:
        alone = [await answer(supervisor, request) for request in requests]
        beside = await asyncio.gather(*(answer(supervisor, request) for request in requests))
        assert [ids_of(events) for events in beside] == [ids_of(events) for events in alone]
        assert any(isinstance(event, Queued) for events in beside for event in events)
        first = ids_of(alone[0])
        continued = await answer(supervisor, ask("question 0 ", seed=0, continue_tokens=first[:10]))
        assert ids_of(continued) == first[10:]
        assert replace(continued[-1], waited_seconds=0.0) == replace(alone[0][-1], waited_seconds=0.0)


async def test_nobody_is_answered_faster_for_what_another_client_has_asked(models):
    """Of a prompt that another client asked for, nothing but the whole blocks of its public part is in the cache."""
    content = "words that are between us " * 12
    async with running(models) as supervisor:

        async def cached(salt, public):
            events = await answer(supervisor, ask(content, cache_salt=salt, public_characters=public))
            return events[-1].cached_tokens, ids_of(events), len(events[0].prompt_ids)

        first, tokens, length = await cached(b"one", 160)
        assert first == 0
        whole = (length - 1) // 32 * 32
        assert (await cached(b"two", 160))[0] < whole - 32
        cases = [(b"one", 160), (b"two", 160), (b"", 160), (b"three", 0), (b"", 0), (b"one", 0)]
        found = {case: await cached(*case) for case in cases}
        shared = found[b"", 160][0]
        assert 32 <= shared < whole - 32
        assert found[b"one", 160][0] == whole
        assert found[b"three", 0][0] == found[b"", 0][0] == 0
        assert found[b"one", 0][0] == 0  # private to the first block: not what was public before
        assert found[b"two", 160][0] == whole  # its own, the second time
        assert all(one[1] == tokens for one in found.values())


async def test_closing_the_stream_cancels_the_answer(models):
    async with running(models, slots=1) as supervisor:
        stream = supervisor.generate(ask(max_tokens=400, min_tokens=400, max_tokens_per_second=2))
        async for event in stream:
            if isinstance(event, Delta):
                break
        await stream.aclose()
        async with asyncio.timeout(60):  # the only slot is free again long before the 200 s of the first answer
            assert len(ids_of(await answer(supervisor, ask()))) == 24


async def test_a_worker_that_hangs_is_noticed_and_the_answer_goes_on(models):
    async with running(models) as supervisor:
        events, stopped = [], False
        request = ask(max_tokens=40, min_tokens=40, max_tokens_per_second=10)
        async for event in supervisor.generate(request):
            events.append(event)
            if len(ids_of(events)) >= 5 and not stopped:
                stopped = True
                os.kill(supervisor.worker_pid(), signal.SIGSTOP)
                life = supervisor._life  # no other one is to be taken for silent on a machine that does much else
                life._settings = dataclasses.replace(life._settings, silence_timeout=1.0)
        assert ids_of(events) == ids_of(await answer(supervisor, ask(max_tokens=40, min_tokens=40)))
        assert any("sign of life" in state.reason for state in supervisor.states)


async def test_stopping_gives_the_memory_back_and_a_request_starts_it_again(models):
    async with running(models) as supervisor:
        stream = supervisor.generate(ask(max_tokens=400, min_tokens=400, max_tokens_per_second=2))
        await anext(stream)
        pid = supervisor.worker_pid()
        async with asyncio.timeout(60):  # its answer would take 200 s
            await supervisor.stop()
        assert not psutil.pid_exists(pid)
        assert supervisor.worker_pid() is None
        with pytest.raises(WorkerDiedError, match="stopped"):
            while True:
                await anext(stream)
        assert len(ids_of(await answer(supervisor, ask()))) == 24
        assert [s.name for s in supervisor.states] == ["starting", "ready", "stopped", "starting", "ready"]


async def test_stopping_in_the_middle_of_a_long_prefill_leaves_no_process(tmp_path):
    """One step reads the whole prompt and takes seconds; nothing waits for its end."""
    make_tiny_model(tmp_path / "builtin", context=16_384, style="concat")
    (tmp_path / "models").mkdir()
    async with running(tmp_path, prefill_chunk=16_384) as supervisor:
        await supervisor.start([BUILTIN_MODEL])
        stream = supervisor.generate(ask("a long one " * 1000, max_tokens=5, min_tokens=5))
        assert isinstance(await anext(stream), Started)
        worker = psutil.Process(supervisor.worker_pid())
        before = sum(worker.cpu_times()[:2])
        while sum(worker.cpu_times()[:2]) - before < 0.3:  # it computes, and has said nothing since
            await asyncio.sleep(0.01)
        await supervisor.stop()
        assert not psutil.pid_exists(worker.pid)
        with pytest.raises(WorkerDiedError, match="stopped"):
            await anext(stream)


async def test_a_stopped_answer_that_waits_for_its_worker_does_not_start_it_again(models):
    async with running(models, first_backoff=1.0) as supervisor:
        stream = supervisor.generate(ask(max_tokens=400, min_tokens=400, max_tokens_per_second=20))
        await anext(stream)
        pid = supervisor.worker_pid()
        os.kill(pid, signal.SIGKILL)
        waiting = asyncio.get_running_loop().create_task(anext(stream))
        while supervisor.state.name != "restarting":
            await asyncio.sleep(0.01)
        await supervisor.stop()
        with pytest.raises(WorkerDiedError, match="stopped"):
            while True:
                await waiting
                waiting = asyncio.get_running_loop().create_task(anext(stream))
        await asyncio.sleep(1.2)
        assert supervisor.worker_pid() is None
        assert supervisor.state.name == "stopped"


async def test_the_next_question_right_after_stopping_gets_a_new_worker(models):
    async with running(models) as supervisor:
        await supervisor.start([BUILTIN_MODEL])
        pid = supervisor.worker_pid()
        async with asyncio.TaskGroup() as group:
            group.create_task(supervisor.stop())
            await asyncio.sleep(0)
            events = await answer(supervisor, ask())
        assert len(ids_of(events)) == 24
        assert supervisor.worker_pid() not in (None, pid)
        assert supervisor.restarts == 0


async def test_the_memory_for_caches_changes_under_running_answers(models):
    async with running(models, kv_bytes=1 << 22) as supervisor:
        await supervisor.start([BUILTIN_MODEL])
        whole = supervisor.models()[0].kv_tokens_total
        stream = supervisor.generate(ask("a question " * 16, max_tokens=300, min_tokens=300, max_tokens_per_second=60))
        await anext(stream)
        supervisor.set_memory_budget(256 * 512)
        while supervisor.models()[0].kv_tokens_total != 256:
            await asyncio.sleep(0.05)
        assert whole > 256
        with pytest.raises((OverloadedError, StopAsyncIteration)):
            while True:
                await anext(stream)
        assert len(ids_of(await answer(supervisor, ask()))) == 24
        with pytest.raises(ConfigurationError, match="cache_memory"):
            supervisor.set_memory_budget(1000)


async def test_bad_requests_are_refused_in_words_and_harm_nobody(models):
    async with running(models) as supervisor:
        good = ask()
        with pytest.raises(UnknownModelError, match="no model 'nonsense'"):
            await answer(supervisor, ask(model="nonsense"))
        with pytest.raises(UnknownModelError, match=r"model\.onnx"):
            await answer(supervisor, ask(model="damaged"))
        results = await asyncio.gather(
            answer(supervisor, good),
            answer(supervisor, ask("long " * 600)),
            answer(
                supervisor, GenerationRequest(**{n: getattr(good, n) for n in ("model_id", "sampling")}, messages=())
            ),
            return_exceptions=True,
        )
        assert len(ids_of(results[0])) == 24
        assert isinstance(results[1], ContextLengthError)
        assert isinstance(results[2], InvalidRequestError)
        with pytest.raises(InvalidRequestError, match="too long"):
            await answer(supervisor, ask("x" * (17 << 20)))
        assert ids_of(await answer(supervisor, good)) == ids_of(results[0])


async def test_a_full_queue_refuses_at_once(models):
    async with running(models, slots=1, queue_limit=1) as supervisor:
        slow = ask(max_tokens=400, min_tokens=400, max_tokens_per_second=20)
        streams = [supervisor.generate(slow) for _ in range(2)]
        assert isinstance(await anext(streams[0]), Started)
        assert isinstance(await anext(streams[1]), Queued)
        with pytest.raises(OverloadedError, match="about"):
            await answer(supervisor, slow)
        for stream in streams:
            await stream.aclose()


async def test_a_worker_that_never_comes_up_is_an_error_with_a_reason(models):
    command = (sys.executable, "-c", "import sys; sys.exit(3)")
    async with running(models, command=command) as supervisor:
        with pytest.raises(WorkerDiedError, match="exit code 3"):
            await answer(supervisor, ask())


async def test_a_worker_that_talks_nonsense_is_ended(models):
    command = (sys.executable, "-c", "print('hello, I am no worker', flush=True); import time; time.sleep(60)")
    async with running(models, command=command) as supervisor:
        with pytest.raises(WorkerDiedError, match="cannot be read"):
            await answer(supervisor, ask())


async def test_a_worker_that_cannot_be_started_is_an_error(models, tmp_path):
    async with running(models, command=(str(tmp_path / "missing"),)) as supervisor:
        with pytest.raises(WorkerDiedError, match="cannot be started"):
            await answer(supervisor, ask())


async def test_the_worker_ends_with_the_engine_holds_no_secret_and_no_socket(models, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEY_PASSPHRASE", "hunter2")
    monkeypatch.setenv("https_proxy", "http://user:secret@proxy")
    async with running(models) as supervisor:
        await supervisor.start([BUILTIN_MODEL])
        worker = psutil.Process(supervisor.worker_pid())
        environment = worker.environ()
        assert not {name for name in environment if name.startswith("GENTORRENT_") or "proxy" in name.lower()}
        assert worker.net_connections() == []
        maps = Path(f"/proc/{worker.pid}/maps")
        if maps.exists():
            assert "libtorch" not in maps.read_text()
    assert not worker.is_running()


def test_the_worker_ends_when_the_engine_is_killed(models):
    """No clean-up code runs in an engine that is killed: the closed pipe must be enough."""
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'engine.inference.worker'], stdin=subprocess.PIPE,"
        " stdout=subprocess.DEVNULL)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    import subprocess

    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as engine:
        worker = psutil.Process(int(engine.stdout.readline()))
        engine.kill()
    worker.wait(timeout=120)


async def test_models_come_and_go_while_answers_are_made(models, tmp_path):
    root = tmp_path / "root"
    shutil.copytree(models, root)
    async with running(root) as supervisor:
        await answer(supervisor, ask(model="other"))
        before = {info.model_id: info.digest for info in supervisor.models()}
        make_tiny_model(root / "models" / "new", seed=8)
        await supervisor.refresh()
        assert isinstance((await answer(supervisor, ask(model="new")))[-1], Done)
        make_tiny_model(root / "models" / "other", style="concat", seed=9)  # replaced under a loaded model
        await supervisor.refresh()
        assert {info.model_id: info.digest for info in supervisor.models()}["other"] != before["other"]
        assert isinstance((await answer(supervisor, ask(model="other")))[-1], Done)
        shutil.rmtree(root / "models" / "new")
        await supervisor.refresh()
        assert "new" not in {info.model_id for info in supervisor.models()}
        with pytest.raises(UnknownModelError):
            await answer(supervisor, ask(model="new"))
        os.kill(supervisor.worker_pid(), signal.SIGKILL)
        assert isinstance((await answer(supervisor, ask()))[-1], Done)
