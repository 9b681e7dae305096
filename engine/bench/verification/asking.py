"""What the challenges' own questions tell: conversations of the pool with the built-in model, by kind and maker.

Nothing is kept: with a dozen conversations of each kind it takes a few minutes.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from engine.bench.verification.conditions import CHEATS, HONEST, OTHER_PRECISION, Condition, with_slots
from engine.bench.verification.measuring import Say, Study, cheated, model_of, worker
from engine.errors import RequestError
from engine.inference.supervisor.supervisor import InferenceSupervisor
from engine.inference.types import Delta, GenerationRequest, PromptMessage
from engine.verification.challenges.pool import Conversation, Pool
from engine.verification.reputation.rule import FAIL, PASS
from engine.verification.scoring.calibration import Calibration
from engine.verification.scoring.score import score_answer
from engine.wire.challenges import Score

SURE = -3.0
"""A margin up to which a token was drawn surely: it tells nothing of its maker."""
MOST_READ = 300
"""Tokens of an answer that are made."""
COOLER = 0.5
"""Of the temperature that was asked for: what the demo's node does."""
CHEATING = (
    "int4 by 32",
    "a third of the layers left out",
    "seed ignored",
    "text of fewer layers, greedy, read by the right model",
)
MAKERS = (
    HONEST[2],
    with_slots(OTHER_PRECISION, 32),
    *(with_slots(one, 32) for one in CHEATS if one.name in CHEATING),
    Condition("temperature 0.5 of what was asked", "cheat", slots=32, temperature=COOLER),
)


class Asked(msgspec.Struct, frozen=True):
    """All answers of one maker to one kind of question. ``telling``: tokens that were not drawn surely; ``said``: the
    likelihood of an answer on average, natural logarithm."""

    kind: str
    maker: str
    answers: int
    tokens: int
    telling: int
    passed: int
    failed: int
    said: float


@dataclass(frozen=True, slots=True)
class _Answer:
    score: Score
    telling: int


_Worker = tuple[InferenceSupervisor, str]


async def ask_pool(study: Study, pool: Pool, calibration: Calibration, count: int, say: Say) -> list[Asked]:
    """``count`` conversations of every kind with every maker."""
    found = []
    asked = {
        name: [replace(pool, kinds={name: kind}).draw(random.Random(f"{name}/{one}").randbytes) for one in range(count)]
        for name, kind in pool.kinds.items()
    }
    async with worker(study.reference, study.judge_slots) as judge:
        for maker in MAKERS:
            model = await asyncio.to_thread(model_of, study, maker, say)
            async with worker(model, maker.slots) as making:
                talks = await _talks(asked, maker, (making, judge), calibration)
            found += [_gathered(name, maker.name, talks[name]) for name in asked]
            say(f"{maker.name}: {sum(one.answers for one in found if one.maker == maker.name)} answers")
    return found


async def _talks(
    asked: Mapping[str, Sequence[Conversation]],
    maker: Condition,
    workers: tuple[_Worker, _Worker],
    calibration: Calibration,
) -> dict[str, list[list[_Answer]]]:
    """All conversations, as many at a time as the maker has places."""
    places = asyncio.Semaphore(maker.slots)

    async def talk(conversation: Conversation, number: int) -> list[_Answer]:
        async with places:
            return await _talk(conversation, number, maker, workers, calibration)

    async with asyncio.TaskGroup() as tasks:
        running = {
            name: [tasks.create_task(talk(one, number)) for number, one in enumerate(some)]
            for name, some in asked.items()
        }
    return {name: [one.result() for one in some] for name, some in running.items()}


async def _talk(
    asked: Conversation, number: int, maker: Condition, workers: tuple[_Worker, _Worker], calibration: Calibration
) -> list[_Answer]:
    """All turns, or those before the context is full, as ``engine.node.challenge_chat`` has them."""
    messages = [PromptMessage("system", asked.system)] if asked.system else []
    text, found = "", list[_Answer]()
    for turn, question in enumerate(asked.texts):
        messages.append(PromptMessage("user", question))
        text += question
        request = GenerationRequest(
            model_id="",
            messages=() if asked.plain else tuple(messages),
            prompt=text if asked.plain else None,
            sampling=msgspec.structs.replace(asked.sampling, seed=1000 * number + turn),
            max_tokens=min(asked.max_tokens, MOST_READ),
            min_tokens=asked.min_tokens,
        )
        try:
            answer, one = await _answer(request, maker, *workers, calibration)
        except RequestError:
            break
        found.append(one)
        messages.append(PromptMessage("assistant", answer))
        text += answer
    return found


async def _answer(
    request: GenerationRequest, maker: Condition, making: _Worker, judge: _Worker, calibration: Calibration
) -> tuple[str, _Answer]:
    wanted = msgspec.structs.replace(cheated(request, maker), model_id=making[1])
    deltas = [event async for event in making[0].generate(wanted) if isinstance(event, Delta)]
    ids = tuple(one for delta in deltas for one in delta.ids)
    scores = await judge[0].score(msgspec.structs.replace(request, model_id=judge[1]), ids)
    score = score_answer(scores.margins, scores.logprobs, calibration, scores.impossible)
    return "".join(delta.text for delta in deltas), _Answer(score, sum(margin > SURE for margin in scores.margins))


def _gathered(kind: str, maker: str, conversations: Sequence[Sequence[_Answer]]) -> Asked:
    answers = [one for conversation in conversations for one in conversation]
    return Asked(
        kind=kind,
        maker=maker,
        answers=len(answers),
        tokens=sum(one.score.tokens for one in answers),
        telling=sum(one.telling for one in answers),
        passed=sum(one.score.verdict == PASS for one in answers),
        failed=sum(one.score.verdict == FAIL for one in answers),
        said=sum(one.score.likelihood for one in answers) / max(1, len(answers)) / 1000,
    )


def asked_table(found: Sequence[Asked]) -> list[str]:
    """Markdown, a line for each kind: of an honest answer its tokens and how many of them tell, of each maker's answers
    how many pass and fail, and their mean likelihood."""
    makers = list(dict.fromkeys(one.maker for one in found))
    lines = [
        f"| kind | tokens, telling | {' | '.join(makers)} |",
        f"|{'---|' * (len(makers) + 2)}",
    ]
    for kind in dict.fromkeys(one.kind for one in found):
        row = {one.maker: one for one in found if one.kind == kind}
        honest = row[makers[0]]
        cells = [f"{honest.tokens / max(1, honest.answers):.0f}, {honest.telling / max(1, honest.answers):.1f}"]
        for maker in makers:
            one = row[maker]
            cells.append(f"{_share(one.passed, one)}, {_share(one.failed, one)}, {one.said:+.1f}")
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return lines


def _share(count: int, one: Asked) -> str:
    return f"{100 * count / max(1, one.answers):.0f} %"
