"""A model node scores for verifiers: within bounds, signed, and nothing of a model that would not fit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from engine.clock import ManualClock
from engine.errors import InvalidRequestError, OverloadedError, UnknownModelError
from engine.ids import NetworkId
from engine.inference.types import GenerationRequest, ModelInfo, TokenScores
from engine.node.answer_scorer import AnswerScorer
from engine.node.scoring_service import MAX_RUNNING, SCORES_BURST, ScoringService
from engine.node.verifying import verifier_maker
from engine.verification.large_models.transcript import open_report, transcript_of
from engine.verification.receipts import commit, token_bytes
from engine.verification.scoring.calibration import Calibrations
from engine.wire.answer import Finished, Request, request_decoder
from engine.wire.signed import SignedRecord
from tests.support.judging import judging
from tests.support.receipts import make_request
from tests.support.records import identity

NETWORK = NetworkId(b"n" * 32)
KEY = b"k" * 32
PROMPT = (1, 2, 3)
IDS = tuple(range(40))
NODE = identity(7)


class Model:
    """Finds nothing wrong; ``gate`` holds it back."""

    def __init__(self, **changes: object) -> None:
        request: Request = request_decoder.decode(make_request())
        values = {"model_id": request.model_id, "digest": request.model_digest, "tokenizer_digest": b"t" * 32}
        self.info = ModelInfo(**({**values, "context_length": 4096, "slots": 1} | changes))
        self.gate = asyncio.Event()
        self.gate.set()
        self.read: list[Sequence[int]] = []

    def models(self) -> list[ModelInfo]:
        return [self.info]

    async def score(self, request: GenerationRequest, output_ids: Sequence[int]) -> TokenScores:
        assert request.continue_tokens == ()
        self.read.append(output_ids)
        await self.gate.wait()
        return TokenScores(PROMPT, (-1.0,) * len(output_ids), (-0.5,) * len(output_ids))


def asked(**changes: object) -> Request:
    values = {
        "continue_tokens": IDS,
        "score_key": KEY,
        "prompt_commitment": commit(KEY, b"prompt", token_bytes(PROMPT)),
    }
    return msgspec.structs.replace(request_decoder.decode(make_request()), **(values | changes))


def service(model: Model, clock: ManualClock | None = None) -> ScoringService:
    scorer = AnswerScorer(model, Calibrations())
    return ScoringService(NODE, NETWORK, lambda: scorer, clock or ManualClock(0.0), 600.0)


def report_of(event: Finished):
    return open_report(SignedRecord(record=event.record, key=NODE.public_key, signature=event.signature), NETWORK)


async def test_a_score_is_signed_and_names_exactly_what_was_read() -> None:
    request, model = asked(), Model()
    event = await service(model).score(request)
    assert (event.reason, event.prompt_tokens, event.completion_tokens) == ("scored", 3, 0)
    node, report = report_of(event)
    assert node == NODE.node_id
    assert report.transcript == transcript_of(request, IDS, KEY, request.prompt_commitment, NETWORK)
    assert (report.score.tokens, report.score.verdict) == (len(IDS), 0), "no calibration: inconclusive"
    assert model.read == [IDS]


async def test_a_prompt_that_is_not_the_signed_one_is_a_fail_with_the_bound() -> None:
    _, report = report_of(await service(Model()).score(asked(prompt_commitment=b"x" * 32)))
    assert (report.score.likelihood, report.score.verdict) == (5_000, 2)


@pytest.mark.parametrize(("hours", "verdict"), [(0.1, 0), (23.0, 2)])
async def test_an_answer_of_yesterday_evening_has_yesterdays_date_in_its_prompt(hours: float, verdict: int) -> None:
    class Dated(Model):
        async def score(self, request: GenerationRequest, output_ids: Sequence[int]) -> TokenScores:
            assert request.dated is not None
            prompt = PROMPT if request.dated < 20_000 * 86_400 else (1, 2, 4)
            return msgspec.structs.replace(await super().score(request, output_ids), prompt_ids=prompt)

    request = asked(sealed_at=20_000 * 86_400 + hours * 3_600)
    _, report = report_of(await service(Dated()).score(request))
    assert report.score.verdict == verdict


@pytest.mark.parametrize(("epoch_seconds", "days"), [(600.0, 1), (36_000.0, 3), (86_400.0, 5)])
async def test_every_day_on_which_the_answer_may_have_been_made_is_tried(epoch_seconds: float, days: int) -> None:
    """A template that writes the time of day gets midnight: nobody could guess the second of another's request."""
    told: list[float] = []

    class Dated(Model):
        async def score(self, request: GenerationRequest, output_ids: Sequence[int]) -> TokenScores:
            assert request.dated is not None
            told.append(request.dated)
            return await super().score(request, output_ids)

    scorer = AnswerScorer(Dated(), Calibrations())
    it = ScoringService(NODE, NETWORK, lambda: scorer, ManualClock(0.0), epoch_seconds)
    await it.score(asked(sealed_at=20_000 * 86_400 + 50_000.5, prompt_commitment=b"x" * 32))
    assert told == [(20_000 - back) * 86_400.0 for back in range(days)]


@pytest.mark.parametrize(
    "changes",
    [
        {"score_key": b"k"},
        {"prompt_commitment": b""},
        {"continue_tokens": ()},
        {"continue_tokens": (1,) * 1_025},
    ],
)
async def test_what_cannot_be_scored_is_refused_with_a_reason(changes: dict[str, object]) -> None:
    model = Model()
    with pytest.raises(InvalidRequestError, match="A request for a score"):
        await service(model).score(asked(**changes))
    assert model.read == []


async def test_scores_are_bounded_at_once_and_over_time() -> None:
    clock, model = ManualClock(0.0), Model()
    it = service(model, clock)
    model.gate.clear()
    running = [asyncio.get_running_loop().create_task(it.score(asked())) for _ in range(MAX_RUNNING)]
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        await it.score(asked())
    running[0].cancel()
    model.gate.set()
    await asyncio.wait(running)
    for _ in range(int(SCORES_BURST) - MAX_RUNNING):
        await it.score(asked())
    with pytest.raises(OverloadedError):
        await it.score(asked())
    clock.advance(5.0)
    await it.score(asked())


@pytest.mark.parametrize(
    ("memory", "room", "provider", "holds"),
    [
        (40_000, 8_000, "", False),
        (8_000, 8_000, "", True),
        (40_000, 8_000, "CPUExecutionProvider", True),  # it is loaded
        (0, 8_000, "", True),  # nobody knows
        (40_000, 0, "", True),  # nobody can tell what is free
    ],
)
def test_a_verifier_holds_a_model_that_is_loaded_or_fits(
    tmp_path: Path, memory: int, room: int, provider: str, holds: bool
) -> None:
    model, network = Model(memory=memory, provider=provider), judging()
    make = verifier_maker(lambda: None, model, tmp_path / "questions", ManualClock(0.0), lambda: room)
    verifier = make(network.members[0], network.state)
    assert verifier.checkable.holds(model.info.digest) == holds
    assert not verifier.checkable.holds(b"x" * 32)


async def test_a_node_without_the_model_says_so() -> None:
    with pytest.raises(UnknownModelError):
        await service(Model(digest=b"z" * 32)).score(asked())
