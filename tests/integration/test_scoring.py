"""Answers judged by the real worker: the numbers of a full computation, edge cases, cancellation, death, neighbours."""

import asyncio
import json
import os
import signal

import numpy as np
import onnxruntime
import pytest
from msgspec.structs import replace

from engine.errors import ContextLengthError, InvalidRequestError, OverloadedError, UnknownModelError, WorkerDiedError
from engine.inference.supervisor import scoring
from engine.inference.types import Constraint, Done
from engine.wire.answer import Sampling
from tests.integration.test_inference_worker import answer, ask, ids_of, models, running  # noqa: F401 - a fixture
from tests.support import naive_sampling

pytestmark = pytest.mark.timeout(120)


def full_logits(folder, ids):
    """Logits after every token, from one run of the graph as it is on the disk."""
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    feeds = {}
    for one in session.get_inputs():
        if one.name == "input_ids":
            feeds[one.name] = np.array([ids], np.int64)
        elif one.name == "attention_mask":
            feeds[one.name] = np.ones((1, len(ids)), np.int64)
        elif one.name == "position_ids":
            feeds[one.name] = np.arange(len(ids), dtype=np.int64)[None]
        else:
            feeds[one.name] = np.zeros((1, one.shape[1], 0, one.shape[3]), np.float32)
    return session.run(["logits"], feeds)[0][0]


def end_id(models):  # noqa: F811
    return json.loads((models / "builtin" / "config.json").read_text())["eos_token_id"]


SETTINGS = [
    Sampling(seed=3, temperature=0.9),
    Sampling(seed=4, temperature=0.0),
    Sampling(seed=5, temperature=0.8, top_k=20, top_p=0.9),
    Sampling(
        seed=6, temperature=1.3, min_p=0.05, repetition_penalty=1.2, presence_penalty=0.5, logit_bias=((40, 3.0),)
    ),
]


@pytest.mark.parametrize("model", ["builtin", "other"])
async def test_the_scores_are_those_of_a_full_computation(models, model):  # noqa: F811
    folder = models / "builtin" if model == "builtin" else models / "models" / "other"
    name = {"builtin": "gentorrent-builtin"}.get(model, model)
    async with running(models, prefill_chunk=24) as supervisor:
        for sampling in SETTINGS:
            request = replace(ask("Score this. " * 5, model=name, min_tokens=0), sampling=sampling)
            events = await answer(supervisor, request)
            honest = ids_of(events)
            foreign = tuple((one + 7) % 256 + 3 for one in honest)
            for ids in (honest, foreign):
                found = await supervisor.score(request, ids)
                assert found.prompt_ids == events[0].prompt_ids
                logits = full_logits(folder, [*found.prompt_ids, *ids])[len(found.prompt_ids) - 1 :]
                assert len(found.margins) == len(found.logprobs) == len(ids)
                for place, (token, row) in enumerate(zip(ids, logits, strict=False)):
                    expected = naive_sampling.margin(
                        row.tolist(), sampling, place, token, found.prompt_ids, ids[:place]
                    )
                    assert expected is not None
                    assert found.margins[place] == pytest.approx(max(-20.0, min(20.0, expected)), abs=1e-3)
                    wide = row.astype(np.float64)
                    logprob = wide[token] - wide.max() - np.log(np.exp(wide - wide.max()).sum())
                    assert found.logprobs[place] == pytest.approx(logprob, abs=1e-4)
            assert max((await supervisor.score(request, honest)).margins) < 1e-3
            assert sum(one > 0.1 for one in (await supervisor.score(request, foreign)).margins) > 10


async def test_a_continued_answer_is_scored_from_its_own_place_on(models):  # noqa: F811
    async with running(models) as supervisor:
        request = ask()
        ids = ids_of(await answer(supervisor, request))
        whole = await supervisor.score(request, ids)
        rest = await supervisor.score(replace(request, continue_tokens=ids[:10]), ids[10:])
        assert rest.logprobs == pytest.approx(whole.logprobs[10:], abs=1e-4)
        assert max(rest.margins) < 1e-3
        shifted = await supervisor.score(request, ids[10:])
        assert sum(one > 0.1 for one in shifted.margins) > 1


async def test_what_no_model_can_have_drawn_ends_the_score(models):  # noqa: F811
    end = end_id(models)
    async with running(models) as supervisor:
        request = ask(min_tokens=4, max_tokens=24)
        ids = ids_of(await answer(supervisor, request))
        for output, reason, scored in [
            ((), "", 0),
            (ids[:5], "", 5),
            ((*ids[:3], 2_000_000_000), "vocabulary", 3),
            ((2_000_000_000,), "vocabulary", 0),
            ((*ids[:2], end, *ids[2:]), "min_tokens", 2),
            ((*ids[:6], end), "", 7),
            ((*ids[:6], end, end), "end", 7),
            (ids * 2, "length", 24),
        ]:
            found = await supervisor.score(request, output)
            assert (found.impossible, len(found.margins), len(found.logprobs)) == (reason, scored, scored)
            assert found.prompt_ids
        continued = replace(request, continue_tokens=(*ids[:5], end))
        assert (await supervisor.score(continued, ids[:2])).impossible == "end"


async def test_a_form_is_followed(models):  # noqa: F811
    async with running(models) as supervisor:
        request = ask(constraint=Constraint("regex", "[a-c]{6}"), min_tokens=0)
        ids = ids_of(await answer(supervisor, request))
        found = await supervisor.score(request, ids)
        assert (found.impossible, len(found.margins)) == ("", len(ids))
        assert max(found.margins) < 1e-3
        other = await supervisor.score(replace(request, constraint=Constraint("regex", "[x-z]{6}")), ids)
        assert (other.impossible, other.margins) == ("constraint", ())


async def test_what_cannot_be_scored_here_says_so(models):  # noqa: F811
    async with running(models) as supervisor:
        with pytest.raises(ContextLengthError, match="computed again"):
            await supervisor.score(ask(max_tokens=None), (9,) * 600)
        with pytest.raises(InvalidRequestError, match="no vocabulary"):
            await supervisor.score(ask(), (-1,))
        with pytest.raises(UnknownModelError):
            await supervisor.score(ask(model="nowhere"), (9,))


async def test_answers_are_made_while_scores_wait_for_one_another(models, monkeypatch):  # noqa: F811
    monkeypatch.setattr(scoring, "MAX_WAITING", 3)
    async with running(models, slots=2, prefill_chunk=16) as supervisor:
        request = ask("a long conversation " * 20, max_tokens=100, min_tokens=0)
        ids = ids_of(await answer(supervisor, request))
        expected = await supervisor.score(request, ids)
        async with asyncio.TaskGroup() as group:
            scores = [group.create_task(supervisor.score(request, ids)) for _ in range(3)]
            await asyncio.sleep(0)
            with pytest.raises(OverloadedError):
                await supervisor.score(request, ids)
            answers = await asyncio.gather(*(answer(supervisor, ask(seed=seed)) for seed in range(4)))
        assert all(isinstance(events[-1], Done) for events in answers)
        for task in scores:
            assert task.result().logprobs == pytest.approx(expected.logprobs, abs=1e-4)


async def test_a_cancelled_score_leaves_nothing_behind(models):  # noqa: F811
    async with running(models) as supervisor:
        request = ask("a long conversation " * 20, max_tokens=100, min_tokens=0)
        ids = ids_of(await answer(supervisor, request))
        await asyncio.sleep(0.6)  # a sign of life with the numbers of an idle worker
        free = [info.kv_tokens_free for info in supervisor.models()]
        for pause in (0, 0, 0.001, 0.005):
            task = asyncio.get_running_loop().create_task(supervisor.score(request, ids))
            await asyncio.sleep(pause)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert (await supervisor.score(request, ids)).impossible == ""
        async with asyncio.timeout(60):
            while [info.kv_tokens_free for info in supervisor.models()] != free or supervisor.answering:
                await asyncio.sleep(0.05)


async def test_a_score_outlives_one_worker_and_not_two(models):  # noqa: F811
    async with running(models) as supervisor:
        request = ask()
        ids = ids_of(await answer(supervisor, request))
        expected = await supervisor.score(request, ids)

        async def die(times):
            for _ in range(times):
                while (pid := supervisor.worker_pid()) is None or not supervisor.loaded(request.model_id):
                    await asyncio.sleep(0.005)
                os.kill(pid, signal.SIGSTOP)
                while not supervisor._scores.running:
                    await asyncio.sleep(0.005)
                os.kill(pid, signal.SIGKILL)
                while supervisor.worker_pid() == pid:
                    await asyncio.sleep(0.005)

        async with asyncio.TaskGroup() as group:
            group.create_task(die(1))
            await asyncio.sleep(0.05)
            found = await supervisor.score(request, ids)
        assert found.logprobs == pytest.approx(expected.logprobs, abs=1e-5)
        async with asyncio.TaskGroup() as group:
            group.create_task(die(2))
            await asyncio.sleep(0.05)
            with pytest.raises(WorkerDiedError, match="2 times while it checked"):
                await supervisor.score(request, ids)
        assert ids_of(await answer(supervisor, request)) == ids


async def test_the_owners_stop_ends_all_scores(models):  # noqa: F811
    async with running(models) as supervisor:
        request = ask()
        ids = ids_of(await answer(supervisor, request))
        os.kill(supervisor.worker_pid(), signal.SIGSTOP)
        tasks = [asyncio.get_running_loop().create_task(supervisor.score(request, ids)) for _ in range(3)]
        await asyncio.sleep(0.05)
        await supervisor.stop()
        for task in tasks:
            with pytest.raises(WorkerDiedError, match="stopped"):
                await task
        assert supervisor.worker_pid() is None
