"""Workers that die under running answers: nobody who asked sees more than a pause."""

import asyncio
import os
import random
import signal
from typing import Any

import pytest

from engine.errors import WorkerDiedError
from engine.inference.types import Constraint, Delta, Done, Started
from tests.integration.test_inference_worker import answer, ask, ids_of, models, running  # noqa: F401 - a fixture

pytestmark = pytest.mark.timeout(120)


def text_of(events):
    return "".join(event.text for event in events if isinstance(event, Delta))


def logprobs_of(events):
    return [one for event in events if isinstance(event, Delta) for one in event.logprobs]


def eight(pace=20):
    """Answers of every kind, slow enough (six seconds) to be killed in the middle of all of them."""
    kinds: list[dict[str, Any]] = [
        {},
        {"temperature": 0},
        {"stop": ("zq",), "min_tokens": 10},
        {"top_logprobs": 2},
        {"constraint": Constraint("regex", "[a-z ]{200}"), "min_tokens": 0},
        {"content": "a long question " * 20, "cache_salt": b"s" * 32, "public_characters": 200},
        {"model": "other"},
        {"content": "a long question " * 20, "cache_salt": b"s" * 32},
    ]
    return [
        ask(**({"seed": seed, "max_tokens": 120, "min_tokens": 120, "max_tokens_per_second": pace} | kind))
        for seed, kind in enumerate(kinds)
    ]


async def test_eight_streaming_answers_lose_no_token_when_their_worker_is_killed_again_and_again(models):  # noqa: F811
    dice = random.Random(5)
    async with running(models) as supervisor:
        expected = [await answer(supervisor, request) for request in eight(pace=None)]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(answer(supervisor, request)) for request in eight()]
            killed = 0
            while killed < 4:
                await asyncio.sleep(dice.uniform(0.2, 1.0))
                assert not all(task.done() for task in tasks)
                if (pid := supervisor.worker_pid()) is not None:
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
                    while supervisor.worker_pid() == pid:
                        await asyncio.sleep(0.01)
        assert supervisor.restarts == 4
        for events, undisturbed in zip([task.result() for task in tasks], expected, strict=True):
            assert ids_of(events) == ids_of(undisturbed)
            assert text_of(events) == text_of(undisturbed)
            assert [one.token for one in logprobs_of(events)] == [one.token for one in logprobs_of(undisturbed)]
            assert sum(isinstance(event, Started) for event in events) == 1
            assert events[-1].reason == undisturbed[-1].reason
            assert events[-1].completion_tokens == undisturbed[-1].completion_tokens


async def test_a_worker_killed_before_the_first_token_is_asked_again(models):  # noqa: F811
    async with running(models) as supervisor:
        expected = ids_of(await answer(supervisor, ask()))
        os.kill(supervisor.worker_pid(), signal.SIGSTOP)
        task = asyncio.get_running_loop().create_task(answer(supervisor, ask()))
        await asyncio.sleep(0.2)
        os.kill(supervisor.worker_pid(), signal.SIGKILL)
        assert ids_of(await task) == expected


async def test_a_request_that_kills_its_worker_is_given_up_and_the_others_go_on(models):  # noqa: F811
    """The worker is killed whenever the poisoned request is the one that it works on."""
    async with running(models, healthy_after=60) as supervisor:
        expected = [ids_of(await answer(supervisor, request)) for request in eight(pace=None)[:3]]
        poison = ask("poison", seed=99, max_tokens=400, min_tokens=400)

        original = supervisor._request

        def request(asked):
            original(asked)
            if asked.request.sampling.seed == 99:
                os.kill(supervisor.worker_pid(), signal.SIGKILL)

        supervisor._request = request
        results = await asyncio.gather(
            *(answer(supervisor, one) for one in eight()[:3]), answer(supervisor, poison), return_exceptions=True
        )
        assert isinstance(results[3], WorkerDiedError)
        assert "given up" in str(results[3])
        assert [ids_of(events) for events in results[:3]] == expected
        assert all(isinstance(events[-1], Done) for events in results[:3])
