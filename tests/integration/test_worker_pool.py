"""Several workers as one back end: GPUs first, others when one fails, the processor last, and always with the reason.

The GPUs are pretended (tests/support/pretended_gpu_worker.py), the processes are real. Without the pretending, on a
machine without NVIDIA's libraries, a GPU fails in earnest.
"""

import asyncio
import contextlib
import ctypes
import sys
from importlib.metadata import distributions

import psutil
import pytest

from engine.clock import SystemClock
from engine.errors import ConfigurationError, InferenceError, UnknownModelError, WorkerDiedError
from engine.inference.models.installed import BUILTIN_MODEL, Catalogue
from engine.inference.runtime.providers import missing_libraries
from engine.inference.supervisor.devices import PROCESSOR, Device
from engine.inference.supervisor.limits import DeviceLimit
from engine.inference.supervisor.pool import WorkerPool
from engine.inference.supervisor.settings import InferenceSettings, WorkerState
from engine.inference.types import CacheNews, Delta, Started
from tests.integration.test_inference_worker import answer, ask, ids_of, models  # noqa: F401 - a fixture

pytestmark = pytest.mark.timeout(120)
PRETENDED = (sys.executable, "-m", "tests.support.pretended_gpu_worker")


def gpu(what, name="NVIDIA Test"):
    return Device("cuda", name, f"GPU-{what}")


class Recorded(WorkerPool):
    """Remembers what the window and a listener to the caches would have heard."""

    states: list[WorkerState]
    news: list[tuple[Device, CacheNews]]


@contextlib.asynccontextmanager
async def running(models, *gpus, **settings):  # noqa: F811
    settings = {"threads": 1, "first_backoff": 0.05, "command": PRETENDED, "devices": (*gpus, PROCESSOR)} | settings
    states: list[WorkerState] = []
    news: list[tuple[Device, CacheNews]] = []
    catalogue = Catalogue(models / "models", models / "builtin", provider="cuda")
    pool = Recorded(
        catalogue, SystemClock(), InferenceSettings(**settings), states.append, lambda *one: news.append(one)
    )
    pool.states, pool.news = states, news
    async with asyncio.TaskGroup() as group:
        task = group.create_task(pool.run())
        try:
            yield pool
        finally:
            task.cancel()


def slow(seed=3, **options):
    return ask(**({"seed": seed, "max_tokens": 60, "min_tokens": 60, "max_tokens_per_second": 40} | options))


def info(pool, model_id=BUILTIN_MODEL):
    return next(one for one in pool.models() if one.model_id == model_id)


@pytest.fixture(scope="module")
def expected(models):  # noqa: F811
    """The ids of ``slow()`` on the processor."""

    async def ask_processor():
        async with running(models) as pool:
            return ids_of(await answer(pool, slow()))

    return asyncio.run(ask_processor())


async def test_a_gpu_is_used_before_the_processor(models, expected):  # noqa: F811
    async with running(models, gpu("fine")) as pool:
        assert ids_of(await answer(pool, slow())) == expected
        assert info(pool).provider == "CUDAExecutionProvider"
        assert "agree with the processor's" in info(pool).provider_reason
        assert pool.unused() == ""


async def test_a_gpu_that_is_switched_off_hands_its_answer_to_the_processor_and_comes_back(models, expected):  # noqa: F811
    async with running(models, gpu("fine")) as pool:
        ids: list[int] = []
        told = 0
        async for event in pool.generate(slow()):
            if isinstance(event, Delta):
                ids += event.ids
                told += 1
            if told == 5:
                told += 1
                pool.limit({"GPU-fine": DeviceLimit(barred="It is switched off.")})
                assert "It is switched off." in pool.unused()
        assert tuple(ids) == tuple(expected)
        assert info(pool).provider == "CPUExecutionProvider"
        assert pool.barred == ""
        pool.limit({})
        assert ids_of(await answer(pool, slow())) == expected
        assert info(pool).provider == "CUDAExecutionProvider"
        assert pool.unused() == ""


async def test_where_nothing_may_be_used_the_owner_is_answered_and_the_reason_said(models, expected):  # noqa: F811
    async with running(models, gpu("fine")) as pool:
        off = DeviceLimit(barred="Off.")
        pool.limit({"GPU-fine": off, "cpu": off})
        assert pool.barred == "Off."
        assert ids_of(await answer(pool, slow())) == expected


async def test_a_model_goes_where_the_owner_allows_it_enough_memory(models, expected):  # noqa: F811
    async with running(models, gpu("fine")) as pool:
        pool.limit({"GPU-fine": DeviceLimit(memory=100 << 20)})
        await pool.start([BUILTIN_MODEL])
        assert info(pool).provider == "CPUExecutionProvider"
        pool.limit({"GPU-fine": DeviceLimit(memory=2 << 30)})
        assert ids_of(await answer(pool, slow())) == expected
        assert info(pool).provider == "CUDAExecutionProvider"
        ids: list[int] = []
        async for event in pool.generate(slow()):
            if isinstance(event, Delta):
                ids += event.ids
                if len(ids) == 5:
                    pool.limit({"GPU-fine": DeviceLimit(memory=100 << 20)})
        assert tuple(ids) == tuple(expected)
        pool.limit({"cpu": DeviceLimit(memory=1 << 20), "GPU-fine": DeviceLimit(memory=1 << 20)})
        with pytest.raises(InferenceError, match=r"of the processor 0\.0 GB may be used"):
            await answer(pool, slow())


async def test_a_paced_worker_makes_the_same_answer_in_more_time(models, expected):  # noqa: F811
    async with running(models) as pool:
        quick = slow(max_tokens_per_second=None)
        await answer(pool, quick)
        fast = info(pool).decode_rate
        pool.limit({"cpu": DeviceLimit(pace=0.1)})
        assert ids_of(await answer(pool, quick)) == expected
        assert info(pool).decode_rate < fast / 2


async def test_without_a_gpu_in_earnest_the_processor_answers_and_what_to_do_is_named(models, expected):  # noqa: F811
    """The worker is the real one: it lacks NVIDIA's libraries or, where they are installed, a GPU of this name."""
    installed = any(one.name == "nvidia-cudnn-cu13" for one in distributions())
    complete = installed or not missing_libraries(ctypes.CDLL, sys.platform)
    fix = "update the driver" if complete else 'pip install "gentorrent[cuda]"'
    command = InferenceSettings().command
    async with running(models, gpu("fine", "NVIDIA Real"), command=command) as pool:
        assert ids_of(await answer(pool, slow())) == expected
        assert info(pool).provider == "CPUExecutionProvider"
        reason = info(pool).provider_reason
        assert reason.startswith("the processor of this computer. NVIDIA Real is not used: ")
        assert fix in reason
        assert pool.state.name == "ready"
        assert fix in pool.state.reason


@pytest.mark.parametrize("others", [(), ("fine",), ("fails-30",)])
async def test_an_answer_outlives_its_gpu(models, expected, others):  # noqa: F811
    """On another GPU if there is one, in the end on the processor; no token is lost or said twice."""
    async with running(models, gpu("fails-60", "NVIDIA A"), *(gpu(one, "NVIDIA B") for one in others)) as pool:
        events = await answer(pool, slow())
        assert ids_of(events) == expected
        assert sum(isinstance(event, Started) for event in events) == 1
        assert "NVIDIA A is not used" in pool.unused()
        assert "illegal memory access" in pool.unused()
        assert info(pool).provider == ("CUDAExecutionProvider" if others == ("fine",) else "CPUExecutionProvider")


async def test_all_answers_of_a_gpu_go_on_elsewhere_at_once(models):  # noqa: F811
    requests = [slow(seed) for seed in range(6)]
    async with running(models) as pool:
        undisturbed = await asyncio.gather(*(answer(pool, one) for one in requests))
    async with running(models, gpu("fails-60")) as pool:
        disturbed = await asyncio.gather(*(answer(pool, one) for one in requests))
        assert [ids_of(one) for one in disturbed] == [ids_of(one) for one in undisturbed]
        assert len([state for state in pool.states if "failed" in state.name]) == 0


async def test_a_gpu_with_wrong_numbers_gives_no_answer(models, expected):  # noqa: F811
    async with running(models, gpu("wrong")) as pool:
        assert ids_of(await answer(pool, slow())) == expected
        assert "other numbers than the processor" in pool.unused()


async def test_a_failed_gpu_is_tried_again_after_a_while_and_the_processor_rests(models, tmp_path):  # noqa: F811
    async with running(models, gpu(f"once-60-{tmp_path / 'tried'}"), first_retry=0.5) as pool:
        await answer(pool, slow())
        assert info(pool).provider == "CPUExecutionProvider"
        await asyncio.sleep(0.6)
        await answer(pool, slow())
        assert info(pool).provider == "CUDAExecutionProvider"
        assert pool.unused() == ""
        workers = [one.supervisor.worker_pid() for one in pool._members]
        assert workers[0] is not None
        assert workers[1] is None


async def test_work_is_spread_and_a_conversation_stays_where_its_cache_is(models):  # noqa: F811
    async with running(models, gpu("fine", "A"), gpu("fine", "B"), slots=1) as pool:
        await pool.start([BUILTIN_MODEL])
        assert info(pool).slots == 2
        first, second = [one.supervisor for one in pool._members[:2]]
        streams = [pool.generate(slow(cache_salt=salt * 32)) for salt in (b"a", b"b")]
        for stream in streams:
            assert isinstance(await anext(stream), Started)
        assert (first.answering, second.answering) == (1, 1)
        for stream in streams:
            await stream.aclose()
        stream = pool.generate(slow(cache_salt=b"b" * 32))
        await anext(stream)
        assert (first.answering, second.answering) == (0, 1)
        await stream.aclose()


async def test_stopping_ends_every_worker_and_forgets_failures(models):  # noqa: F811
    async with running(models, gpu("fine", "A"), gpu("fails-0", "B")) as pool:
        await pool.start([BUILTIN_MODEL])
        assert "B is not used" in pool.unused()
        stream = pool.generate(slow())
        await anext(stream)
        pids = [pid for one in pool._members if (pid := one.supervisor.worker_pid()) is not None]
        await pool.stop()
        assert pids
        assert not any(psutil.pid_exists(pid) for pid in pids)
        assert pool.unused() == ""
        with pytest.raises(WorkerDiedError, match="stopped"):
            while True:
                await anext(stream)
        assert pool.state.name == "stopped"


async def test_errors_of_a_request_are_no_errors_of_a_device(models):  # noqa: F811
    async with running(models, gpu("fine")) as pool:
        with pytest.raises(UnknownModelError, match=r"model\.onnx"):
            await answer(pool, slow(model="damaged"))
        with pytest.raises(UnknownModelError, match="no model"):
            await pool.start(["nonsense"])
        assert pool.unused() == ""


async def test_a_budget_below_one_sequence_is_refused_and_changes_nothing(models):  # noqa: F811
    async with running(models, gpu("fine"), kv_bytes=1 << 24) as pool:
        await pool.start([BUILTIN_MODEL])
        before = info(pool).kv_tokens_total
        with pytest.raises(ConfigurationError, match="cache_memory"):
            pool.set_memory_budget(1000)
        stream = [event async for event in pool.generate(slow(max_tokens=5, min_tokens=5))]
        assert len(ids_of(stream)) == 5
        assert info(pool).kv_tokens_total == before
        assert any(isinstance(event, Delta) for event in stream)


async def test_news_of_the_caches_name_their_device(models):  # noqa: F811
    async with running(models, gpu("fine", "A")) as pool:
        await answer(pool, slow(content="a public text " * 20, public_messages=1))
        device, told = next(one for one in pool.news if one[1].changes)
        assert device.name == "A"
        assert told.model_id == BUILTIN_MODEL
        assert all(change.inserted for change in told.changes)
        await pool.stop()
        assert pool.news[-1][1].reset
        assert pool.news[-1][1].changes == ()


async def test_a_score_goes_on_with_another_device_when_one_fails(models):  # noqa: F811
    async with running(models, gpu("fails-60", "NVIDIA A")) as pool:
        first = await pool.score(ask(), (9, 9, 9))
        while not pool.unused():
            assert (await pool.score(ask(), (9, 9, 9))).logprobs == pytest.approx(first.logprobs, abs=1e-4)
        assert "NVIDIA A is not used" in pool.unused()
        assert info(pool).provider == "CPUExecutionProvider"
