"""Answers made under a condition by one real worker and judged by another; what was found is kept on the disk.

Every condition has a file of JSON lines, one for each answer. What is there is not made again, so that a run that was
broken off goes on.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from engine.bench.verification.conditions import FEWER_LAYERS, HALF, PLAIN, SMALLER, Condition
from engine.bench.verification.questions import Questions
from engine.bench.verification.remade_models import remake
from engine.bench.verification.rounding import SCHEMES, Array
from engine.clock import SystemClock
from engine.errors import BenchmarkError
from engine.inference.models.folder import ModelFolder
from engine.inference.models.installed import Catalogue
from engine.inference.supervisor.settings import InferenceSettings
from engine.inference.supervisor.supervisor import InferenceSupervisor
from engine.inference.types import Delta, GenerationRequest

AT_ONCE = 64
"""Answers between two writes."""
LEAST_AT_ONCE = 8
MILLION = 1_000_000
_LAST_PRODUCTS = re.compile(r"layers\.(\d+)\..*(?:o_proj|down_proj)")
Say = Callable[[str], None]


class Record(msgspec.Struct, frozen=True):
    """One answer: its number among the questions, its tokens, and what the reference says of them: margins and log
    probabilities in millionths."""

    number: int
    ids: tuple[int, ...]
    margins: tuple[int, ...]
    logprobs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Study:
    """``reference``: the model that judges; ``folder``: where records and remade models are kept; ``weights``: see
    ``remade_models.remake``; ``smaller``: another model with the same tokenizer; ``python``: of another environment
    with another ONNX Runtime."""

    reference: ModelFolder
    folder: Path
    questions: Questions
    weights: Path | None = None
    smaller: ModelFolder | None = None
    python: Path | None = None
    judge_slots: int = 8


def model_of(study: Study, condition: Condition, say: Say = lambda line: None) -> ModelFolder | Path:
    """The model that answers under ``condition``, remade if it has to be."""
    if condition.model == PLAIN:
        return study.reference
    if condition.model == SMALLER:
        if study.smaller is None:
            raise BenchmarkError("No smaller model was named.")
        return study.smaller
    target = study.folder / "models" / re.sub(r"[^a-z0-9.]+", "-", condition.model)
    if not target.exists():
        say(f"making {condition.model} ...")
        if condition.model == FEWER_LAYERS:
            remake(study.reference, target, change=without_layers)
        else:
            scheme = SCHEMES.get(condition.model)
            remake(study.reference, target, scheme, half=condition.model == HALF, weights=study.weights)
    return target


def without_layers(name: str, matrix: Array) -> Array:
    """Every third layer adds nothing, as if it were left out."""
    found = _LAST_PRODUCTS.search(name)
    return np.zeros_like(matrix) if found and int(found[1]) % 3 == 2 else matrix


@asynccontextmanager
async def worker(
    model: ModelFolder | Path, slots: int, chunk: int = 512, threads: int = 1, python: Path | None = None
) -> AsyncIterator[tuple[InferenceSupervisor, str]]:
    """A running worker with the model, and the name that the model has there."""
    path = model if isinstance(model, Path) else model.path
    variant = "" if isinstance(model, Path) else model.model_id.partition(":")[2]
    catalogue = Catalogue(None, path) if not variant else Catalogue(path.parent)
    name = next(iter(catalogue.folders())) if not variant else f"{path.name}:{variant}"
    settings = InferenceSettings(
        slots=slots, prefill_chunk=chunk, threads=threads, queue_limit=AT_ONCE, max_requests=2 * AT_ONCE
    )
    if python is not None:
        settings = replace(settings, command=(str(python), "-m", "engine.inference.worker"))
    supervisor = InferenceSupervisor(catalogue, SystemClock(), settings)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(supervisor.run())
        try:
            await supervisor.start([name])
            yield supervisor, name
        finally:
            running.cancel()


def read_records(study: Study, condition: Condition) -> list[Record]:
    """What was recorded under ``condition`` so far."""
    return read_records_in(study.folder, condition)


def read_records_in(folder: Path, condition: Condition) -> list[Record]:
    """What a study recorded in ``folder``; a line that was cut off in mid-write is left out."""
    path = _file(folder, condition)
    decoder = msgspec.json.Decoder(Record)
    found = []
    for line in path.read_bytes().split(b"\n") if path.exists() else []:
        try:
            found.append(decoder.decode(line))
        except msgspec.DecodeError:
            continue
    return found


async def record(study: Study, condition: Condition, tokens: int, say: Say) -> list[Record]:
    """Record answers until there are ``tokens`` tokens of them."""
    records = read_records(study, condition)
    made = sum(len(one.ids) for one in records)
    if made >= tokens:
        return records
    model = await asyncio.to_thread(model_of, study, condition, say)
    python = study.python if condition.other_runtime else None
    async with AsyncExitStack() as stack:
        making = worker(model, condition.slots, condition.chunk, condition.threads, python)
        maker = await stack.enter_async_context(making)
        judge = await stack.enter_async_context(worker(study.reference, study.judge_slots))
        while made < tokens:
            first = max((one.number for one in records), default=-1) + 1
            lacking = -(-(tokens - made) // study.questions.max_tokens)
            numbers = range(first, first + min(AT_ONCE, max(LEAST_AT_ONCE, lacking)))
            fresh = await _answers(study, condition, maker, judge, numbers)
            _append(_file(study.folder, condition), fresh)
            records += fresh
            made += sum(len(one.ids) for one in fresh)
            say(f"{condition.name}: {made} of {tokens} tokens")
    return records


async def perplexities(study: Study, condition: Condition, records: Sequence[Record]) -> float:
    """The mean -ln p of ``records`` (honest answers) under the condition's model: what its users would notice."""
    async with worker(model_of(study, condition), study.judge_slots) as (supervisor, name):
        total, count = 0.0, 0
        for begin in range(0, len(records), AT_ONCE // 2):
            part = records[begin : begin + AT_ONCE // 2]
            requests = [_named(study.questions.ask(one.number), name) for one in part]
            async with asyncio.TaskGroup() as tasks:
                scores = [
                    tasks.create_task(supervisor.score(request, one.ids))
                    for request, one in zip(requests, part, strict=True)
                ]
            total -= sum(sum(one.result().logprobs) for one in scores)
            count += sum(len(one.result().logprobs) for one in scores)
    return total / max(1, count)


async def _answers(
    study: Study,
    condition: Condition,
    maker: tuple[InferenceSupervisor, str],
    judge: tuple[InferenceSupervisor, str],
    numbers: range,
) -> list[Record]:
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(_answer(study, condition, maker, judge, number)) for number in numbers]
    return [one.result() for one in running]


async def _answer(
    study: Study,
    condition: Condition,
    maker: tuple[InferenceSupervisor, str],
    judge: tuple[InferenceSupervisor, str],
    number: int,
) -> Record:
    asked = study.questions.ask(number)
    wanted = _named(cheated(asked, condition), maker[1])
    if condition.cached:
        await _ids(maker[0], msgspec.structs.replace(wanted, max_tokens=1))
    ids = await _ids(maker[0], wanted)
    scores = await judge[0].score(_named(asked, judge[1]), ids)
    scored = len(scores.margins)
    return Record(
        number,
        ids[:scored],
        tuple(round(one * MILLION) for one in scores.margins),
        tuple(round(one * MILLION) for one in scores.logprobs),
    )


def cheated(asked: GenerationRequest, condition: Condition) -> GenerationRequest:
    """The request as who answers under ``condition`` carries it out."""
    sampling = asked.sampling
    if condition.other_seed:
        sampling = msgspec.structs.replace(sampling, seed=sampling.seed ^ 1)
    temperature = 0.0 if condition.greedy else sampling.temperature * condition.temperature
    sampling = msgspec.structs.replace(sampling, temperature=temperature)
    changes: dict[str, object] = {"sampling": sampling}
    if condition.cached:
        changes |= {"cache_salt": b"c" * 32}
    if condition.forgets and asked.prompt is not None:
        changes |= {"prompt": asked.prompt[len(asked.prompt) // 2 :]}
    elif condition.forgets:
        last = asked.messages[-1]
        changes |= {"messages": (msgspec.structs.replace(last, content=last.content[len(last.content) // 2 :]),)}
    return msgspec.structs.replace(asked, **changes)


def _named(request: GenerationRequest, name: str) -> GenerationRequest:
    return msgspec.structs.replace(request, model_id=name)


async def _ids(supervisor: InferenceSupervisor, request: GenerationRequest) -> tuple[int, ...]:
    return tuple([one async for event in supervisor.generate(request) if isinstance(event, Delta) for one in event.ids])


def _file(folder: Path, condition: Condition) -> Path:
    return folder / "records" / f"{condition.slug}.jsonl"


def _append(path: Path, records: Sequence[Record]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = b"".join(msgspec.json.encode(one) + b"\n" for one in records)
    with path.open("ab") as file:
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())
