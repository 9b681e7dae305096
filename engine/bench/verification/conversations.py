"""Conversations with settings and lengths of the challenges' pool, answered under a condition by one real worker and
judged by another: what ``gentorrent simulate verification`` draws its answers from.

What is asked follows from its number, so the same conversation is had with every maker of answers, each going on from
its own earlier ones. The texts are words in disorder, and answers have the length of those of larger models: what the
pool asks the built-in model answers by heart and briefly, whatever its weights are. Every other conversation has
several turns, as those with newcomers have. A condition has a file of JSON lines, one for each answer; a run that was
broken off goes on.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from engine.bench.verification.conditions import (
    CHEATS,
    FOUR_BITS,
    HONEST,
    OTHER_PRECISION,
    OTHER_RUNTIME,
    Condition,
    with_slots,
)
from engine.bench.verification.measuring import MILLION, Say, Study, cheated, model_of, worker
from engine.errors import RequestError
from engine.inference.supervisor.supervisor import InferenceSupervisor
from engine.inference.types import Delta, GenerationRequest
from engine.simulation.verification.recorded import Maker, RecordedAnswer, RecordedFile
from engine.verification.challenges.plan import LATER_TURNS
from engine.verification.challenges.pool import Pool
from engine.verification.scoring.calibration import Calibration
from engine.verification.scoring.cells import count_cells
from engine.verification.scoring.score import perplexity_credit

_USED = ("int4 by 32", "int4 by 16 with zero points, fitted, head kept")
"""4-bit schemes: the coarsest and the finest."""
AT_ONCE = 64
"""Conversations between two writes."""
LENGTHS = (60, 180)
"""Tokens of one answer."""
MOST_TURNS = 8
MAKERS = (
    HONEST[0],
    OTHER_PRECISION,
    OTHER_RUNTIME,
    *(with_slots(one, 32) for one in CHEATS if one not in FOUR_BITS or one.name in _USED),
)
Worker = tuple[InferenceSupervisor, str]


class JudgedTurn(msgspec.Struct, frozen=True):
    """One answer: its conversation, its turn (from 0), the tokens of its prompt; margins and log probabilities of its
    tokens in millionths; ``impossible`` as in ``TokenScores``."""

    number: int
    turn: int
    prompt_tokens: int
    margins: tuple[int, ...]
    logprobs: tuple[int, ...]
    impossible: str = ""


def read_judged(path: Path) -> list[JudgedTurn]:
    """What was recorded so far; a line that was cut off in mid-write is left out."""
    found = []
    for line in path.read_bytes().split(b"\n") if path.exists() else []:
        try:
            found.append(msgspec.json.decode(line, type=JudgedTurn))
        except msgspec.DecodeError:
            continue
    return found


async def record_conversations(study: Study, pool: Pool, condition: Condition, conversations: int, say: Say) -> None:
    """Record conversations until there are so many."""
    path = _file(study, condition)
    first = max((one.number for one in read_judged(path)), default=-1) + 1
    if first >= conversations:
        return
    model = await asyncio.to_thread(model_of, study, condition, say)
    python = study.python if condition.other_runtime else None
    async with AsyncExitStack() as stack:
        making = worker(model, condition.slots, condition.chunk, condition.threads, python)
        maker = await stack.enter_async_context(making)
        judge = await stack.enter_async_context(worker(study.reference, study.judge_slots))
        for begin in range(first, conversations, AT_ONCE):
            numbers = range(begin, min(conversations, begin + AT_ONCE))
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(_conversation(study, pool, condition, maker, judge, one)) for one in numbers
                ]
            _append(path, [turn for one in running for turn in one.result()])
            say(f"{condition.name}: {numbers.stop} of {conversations} conversations")


async def _conversation(
    study: Study, pool: Pool, condition: Condition, maker: Worker, judge: Worker, number: int
) -> list[JudgedTurn]:
    """All turns, or those before the context is full."""
    dice = random.Random(number)
    asked = pool.draw(dice.randbytes, least_turns=LATER_TURNS if number % 2 else 1)
    text = ""
    found: list[JudgedTurn] = []
    for turn in range(len(asked.texts)):
        text = f"{text} {study.questions.ask(number * MOST_TURNS + turn).prompt}".strip()
        tokens = dice.randint(*LENGTHS)
        request = GenerationRequest(
            model_id="",
            messages=(),
            prompt=text,
            sampling=msgspec.structs.replace(asked.sampling, seed=dice.getrandbits(53)),
            max_tokens=tokens,
            min_tokens=tokens,
        )
        try:
            answer, judged = await _turn(request, condition, maker, judge, (number, turn))
        except RequestError:
            break
        found.append(judged)
        text += answer
    return found


async def _turn(
    request: GenerationRequest, condition: Condition, maker: Worker, judge: Worker, place: tuple[int, int]
) -> tuple[str, JudgedTurn]:
    wanted = msgspec.structs.replace(cheated(request, condition), model_id=maker[1])
    if condition.cached:
        async for _ in maker[0].generate(msgspec.structs.replace(wanted, max_tokens=1)):
            pass
    deltas = [event async for event in maker[0].generate(wanted) if isinstance(event, Delta)]
    ids = tuple(one for delta in deltas for one in delta.ids)
    scores = await judge[0].score(msgspec.structs.replace(request, model_id=judge[1]), ids)
    judged = JudgedTurn(
        *place,
        len(scores.prompt_ids),
        tuple(round(one * MILLION) for one in scores.margins),
        tuple(round(one * MILLION) for one in scores.logprobs),
        scores.impossible,
    )
    return "".join(delta.text for delta in deltas), judged


def _file(study: Study, condition: Condition) -> Path:
    return study.folder / "conversations" / f"{condition.slug}.jsonl"


def _append(path: Path, turns: Sequence[JudgedTurn]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(b"".join(msgspec.json.encode(one) + b"\n" for one in turns))
        file.flush()
        os.fsync(file.fileno())


def recorded_file(
    study: Study, makers: Sequence[Condition], model: str, calibration: Calibration, most: int | None = None
) -> RecordedFile:
    """What was recorded of ``makers``, of the conversations that all of them have had to their ends (the first
    ``most``). ``calibration``: that by which verifiers judge the model's answers; it was made of other ones."""
    by_maker = {maker: _by_number(read_judged(_file(study, maker))) for maker in makers}
    by_maker = {maker: found for maker, found in by_maker.items() if found}
    shared = sorted(set.intersection(*(set(found) for found in by_maker.values())))[:most]
    lengths = {number: min(len(found[number]) for found in by_maker.values()) for number in shared}
    return RecordedFile(
        model=model,
        calibration=calibration,
        makers=tuple(
            Maker(
                maker.name,
                maker.kind,
                tuple(tuple(_recorded(turn) for turn in found[number][:length]) for number, length in lengths.items()),
            )
            for maker, found in by_maker.items()
        ),
    )


def _by_number(turns: Sequence[JudgedTurn]) -> dict[int, list[JudgedTurn]]:
    found: dict[int, list[JudgedTurn]] = {}
    for turn in turns:
        found.setdefault(turn.number, []).append(turn)
    return found


def _recorded(turn: JudgedTurn) -> RecordedAnswer:
    counts = count_cells(margin / MILLION for margin in turn.margins)
    return RecordedAnswer(
        turn.prompt_tokens,
        perplexity_credit([one / MILLION for one in turn.logprobs]),
        tuple((cell, count) for cell, count in enumerate(counts) if count),
        turn.impossible,
    )


def store_recorded(path: Path, found: RecordedFile) -> None:
    """JSON, one conversation in a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.encode(found).decode().replace('"]],[[', '"]],\n[[')
    path.write_text(text + "\n", encoding="utf-8")
