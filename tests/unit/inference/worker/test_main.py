"""The computing thread's own bounds, without a process."""

from __future__ import annotations

import io
import queue
import threading
from itertools import pairwise
from typing import Any, cast

import pytest
from msgspec.structs import replace

from engine.clock import ManualClock, SystemClock
from engine.inference.pipe import CancelAnswer, Describe, Described, SetPace, decode_from_worker, read_frame
from engine.inference.types import GenerationRequest, ModelInfo, PromptShape
from engine.inference.worker import __main__ as module
from engine.inference.worker.__main__ import Outlet, Worker
from engine.wire.answer import Sampling


class Paced:
    """A model whose next token is due at the end of time, as an owner's tiny speed limit asks for."""

    owner_waits = False

    def next_deadline(self, owner_only: bool) -> float:
        return float("inf")


@pytest.mark.parametrize("waiting", [True, False])
def test_a_deadline_without_end_leaves_an_ear_for_commands(monkeypatch, waiting):
    monkeypatch.setattr(module, "_LONGEST_WAIT", 0.2)
    worker = Worker(Outlet(io.BytesIO()), SystemClock())
    worker._hosts["slow"] = cast(Any, Paced())
    if waiting:
        threading.Timer(0.05, worker.inbox.put, [CancelAnswer(1)]).start()
    worker._receive()
    assert worker.inbox.empty()


class Describing:
    """A host that is computing all the time: only questions about prompts reach it."""

    def __init__(self):
        self.asked = []

    def describe(self, request):
        self.asked.append(request)
        if request.prompt == "a mistake":
            raise KeyError(request.prompt)
        return PromptShape(7, 0, ())


def question(text):
    return GenerationRequest(model_id="m", messages=(), prompt=text, sampling=Sampling(seed=0))


def told(stream):
    stream.seek(0)
    messages = []
    while (content := read_frame(stream.read)) is not None:
        messages.append(decode_from_worker(content))
    return messages


def test_a_prompt_is_described_while_a_step_is_computed():
    stream = io.BytesIO()
    worker = Worker(Outlet(stream), SystemClock())
    host = Describing()
    worker._hosts["m"] = cast(Any, host)
    for key, text in enumerate(["a prompt", "a mistake", "another one"]):
        worker.take(Describe(key, question(text)))
    worker.take(CancelAnswer(5))
    for _ in range(3):  # the thread for prompts; the one that computes has not come round
        worker.describe(worker.questions.get_nowait())
    assert len(host.asked) == 3
    assert [(one.key, one.shape) for one in told(stream)] == [
        (0, PromptShape(7, 0, ())),
        (1, None),
        (2, PromptShape(7, 0, ())),
    ]
    assert worker.inbox.get_nowait() == CancelAnswer(5)
    worker.describe(Describe(4, replace(question("a prompt"), model_id="unknown")))
    assert told(stream)[-1] == Described(4, None)


class Busy:
    """A host with so much to read."""

    def __init__(self):
        self.tokens = 0

    def info(self):
        return ModelInfo(
            model_id="m",
            digest=b"d" * 32,
            tokenizer_digest=b"t" * 32,
            context_length=4096,
            slots=4,
            prefill_rate=1000.0,
            queue_tokens=self.tokens,
        )


def test_the_engine_is_told_before_the_next_beat_of_what_it_cannot_reckon():
    stream, clock = io.BytesIO(), ManualClock()
    worker = Worker(Outlet(stream), clock)
    host = Busy()
    worker._hosts["m"] = cast(Any, host)
    worker._count()
    worker.beat()
    clock.advance(0.1)
    host.tokens = 5000
    worker._count()
    assert [one.models[0].queue_tokens for one in told(stream)] == [5000]
    clock.advance(0.1)
    host.tokens = 4900  # as fast as it reads
    worker._count()
    host.tokens = 0  # too soon after the last one to be told
    worker.beat()
    host.tokens = 5000
    worker._count()
    assert len(told(stream)) == 1


def test_questions_without_end_are_refused():
    stream = io.BytesIO()
    worker = Worker(Outlet(stream), SystemClock())
    for key in range(100):
        worker.take(Describe(key, question("a prompt")))
    refused = told(stream)
    assert [one.key for one in refused] == list(range(worker.questions.qsize(), 100))
    assert all(one.shape is None for one in refused)
    assert 0 < len(refused) < 100


class Working(Busy):
    """A host each of whose steps takes a tenth of a second."""

    def __init__(self, clock, enough):
        super().__init__()
        self.clock, self.steps, self.enough = clock, [], enough

    owner_waits = False

    def next_deadline(self, owner_only):
        return None if owner_only else self.clock.monotonic()

    def step(self, pace, owner_only):
        if owner_only:
            return
        if len(self.steps) == self.enough:
            raise InterruptedError
        self.steps.append(self.clock.monotonic())
        self.clock.advance(0.1)

    def cache_news(self):
        return []


@pytest.mark.parametrize(("share", "apart"), [(1.0, 0.1), (0.5, 0.2), (0.1, 1.0), (0.01, 5.1)])
def test_a_worker_rests_between_steps_and_listens_meanwhile(share, apart, monkeypatch):
    clock = ManualClock()
    worker = Worker(Outlet(io.BytesIO()), clock)
    host = Working(clock, 5)
    worker._hosts["m"] = cast(Any, host)
    worker.take(SetPace(share))
    waited = []

    def get(timeout=None, block=True):
        if not block:
            raise queue.Empty
        waited.append(timeout)
        if len(waited) % 2:  # something comes before the rest is over
            clock.advance(timeout / 2)
            return CancelAnswer(7)
        clock.advance(timeout)
        raise queue.Empty

    worker._receive()
    monkeypatch.setattr(worker.inbox, "get", get)
    with pytest.raises(InterruptedError):
        worker.run()
    gaps = [later - earlier for earlier, later in pairwise(host.steps)]
    assert gaps == pytest.approx([apart] * 4)
    assert bool(waited) == (share < 1)
    assert not [wait for wait in waited if wait <= 0]
