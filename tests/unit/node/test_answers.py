"""Questions are routed, retried elsewhere while nothing has come, and their receipts are checked."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from types import SimpleNamespace

import pytest

from engine.api.schema import Route
from engine.api.service import AnswerDelta, AnswerDone, AnswerEvent, AnswerRequest
from engine.clock import SystemClock
from engine.crypto.identity import Identity
from engine.crypto.sealing import SealingKey
from engine.errors import NetworkNotReadyError, OverloadedError, RequestError, ServingNodeLostError, WorkerDiedError
from engine.ids import NetworkId, NodeId, node_id_text
from engine.inference.types import Delta, Done, GenerationEvent, GenerationRequest, ModelInfo, PromptMessage, Started
from engine.node.answers import MAX_ANSWER_CHARACTERS, Answers
from engine.node.overlay_client import Served
from engine.paths.client import AnswerSummary
from engine.paths.outgoing import Question, Target, prepare
from engine.verification.receipt_file import verify_export
from engine.verification.receipts import Served as ServedTokens
from engine.verification.receipts import make_receipt, sign_receipt
from engine.wire.answer import Failed, Finished, FrameEvent, Sampling, Stage, Tokens

NETWORK = NetworkId(b"n" * 32)
RELAY = NodeId(b"r" * 20)


def ask(route: Route = "auto", **changes: object) -> AnswerRequest:
    values: dict[str, object] = {
        "model_id": "m",
        "messages": (PromptMessage("user", "why?"),),
        "sampling": Sampling(seed=1),
        "max_tokens": 10,
    }
    return AnswerRequest(route=route, **{**values, **changes})


class Local:
    """The inference of this machine."""

    def __init__(self, script: Sequence[GenerationEvent | Exception] = ()) -> None:
        self.script = script

    def models(self) -> list[ModelInfo]:
        return []

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        assert request.owner
        for event in self.script:
            if isinstance(event, Exception):
                raise event
            yield event


class Machine:
    """A model node that plays a script; the last event may be made by ``finish`` with a real receipt."""

    def __init__(self, seed: int, script: Sequence[FrameEvent | Exception | str]) -> None:
        self.identity = Identity.from_seed(bytes([seed]) * 32)
        self.keys = [SealingKey.generate(1), SealingKey.generate(2)]
        self.script = script
        self.target = Target(self.identity.node_id, self.keys[0].public, self.keys[1].public, b"d" * 32, b"t" * 32)

    def finished(self, summary: AnswerSummary, ids: Sequence[int], signed: Sequence[int]) -> Finished:
        served = ServedTokens(
            request=summary.outgoing.encoded,
            attempt=0,
            final=True,
            first=0,
            prompt_ids=[1],
            output_ids=signed,
            tokenizer_digest=b"t" * 32,
            ttft_ms=1.0,
            total_ms=2.0,
            issued=1,
        )
        record, signature = sign_receipt(self.identity, make_receipt(self.identity, NETWORK, served))
        return Finished("stop", 1, len(ids), record, signature)


class Overlay:
    """What ``OverlayClient`` offers to ``Answers``."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self.machines = list(machines)
        self.asked: list[NodeId] = []
        self.pins: list[NodeId | None] = []

    async def wait_ready(self, chat: bytes) -> None:
        await asyncio.sleep(0)

    def model_nodes(self, model_id: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(node_id=machine.identity.node_id) for machine in self.machines]

    def choose_target(
        self,
        chat: bytes,
        request: GenerationRequest,
        pinned: NodeId | None,
        avoid: Collection[NodeId],
        digest: bytes | None,
    ) -> Target:
        self.pins.append(pinned)
        return next(machine.target for machine in self.machines if machine.target.node_id not in avoid)

    async def ask(self, chat: bytes, question: Question, target: Target) -> AsyncGenerator[Served, None]:
        self.asked.append(target.node_id)
        machine = next(machine for machine in self.machines if machine.target is target)
        outgoing = prepare(question, target, NETWORK, 4, 3, b"c" * 32, 1e9, random.Random(1).randbytes)
        summary = AnswerSummary(((RELAY,),), outgoing, 0)
        ids: list[int] = []
        for event in machine.script:
            if isinstance(event, Exception):
                raise event
            if isinstance(event, str):
                signed = ids if event == "finish" else [*ids[:-1], 99]
                yield Served((machine.finished(summary, ids, signed),), summary)
                continue
            if isinstance(event, Tokens):
                ids.extend(event.ids)
            yield Served((event,), summary)


def answers(overlay: Overlay | None, local: Local | None = None) -> Answers:
    network = None if overlay is None else (overlay, NETWORK)
    return Answers(
        local or Local(),
        lambda: network,  # type: ignore[return-value]
        overlay is not None,
        SystemClock(),
        random.Random(1).randbytes,
    )


async def collect(service: Answers, request: AnswerRequest) -> list[AnswerEvent]:
    async with asyncio.timeout(5):
        return [event async for event in service.answer(request)]


def text_of(events: Sequence[AnswerEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, AnswerDelta))


HELLO: list[FrameEvent | Exception | str] = [Tokens(0, (1, 2), "hel"), Tokens(2, (3,), "lo"), "finish"]


async def test_a_network_answer_has_a_checked_and_exportable_receipt() -> None:
    overlay = Overlay([Machine(1, [Stage("prefill", 0, 0.0), *HELLO])])
    events = await collect(answers(overlay), ask())
    done = events[-1]
    assert text_of(events) == "hello"
    assert isinstance(done, AnswerDone)
    assert (done.receipt, done.completion_tokens, done.n, done.k) == ("verified", 3, 4, 3)
    assert done.served_by == node_id_text(overlay.machines[0].identity.node_id)
    assert done.paths == ((node_id_text(RELAY),),)
    report = verify_export(done.receipt_export.encode(), NETWORK)
    assert report.parts[0].output_ids == (1, 2, 3)
    assert "answer_secret" not in json.dumps(done.receipt_export)


async def test_a_receipt_over_other_tokens_is_named_and_not_exported() -> None:
    overlay = Overlay([Machine(1, [Tokens(0, (1, 2, 3), "hello"), "lie"])])
    done = (await collect(answers(overlay), ask()))[-1]
    assert isinstance(done, AnswerDone)
    assert done.receipt == "failed"
    assert "tokens" in done.receipt_reason
    assert done.receipt_export == ""


async def test_another_machine_is_asked_while_nothing_has_come() -> None:
    overlay = Overlay([Machine(1, [OverloadedError("full")]), Machine(2, HELLO)])
    events = await collect(answers(overlay), ask())
    assert text_of(events) == "hello"
    assert len(overlay.asked) == 2


async def test_a_refusal_in_a_frame_is_an_error_with_its_code() -> None:
    overlay = Overlay([Machine(1, [Failed("context_length_exceeded", "too long")])])
    with pytest.raises(RequestError, match="too long") as caught:
        await collect(answers(overlay), ask())
    assert caught.value.code == "context_length_exceeded"


async def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    overlay = Overlay([Machine(1, [Tokens(0, (1,), "x"), ServingNodeLostError("gone")]), Machine(2, HELLO)])
    with pytest.raises(ServingNodeLostError):
        await collect(answers(overlay), ask())
    assert len(overlay.asked) == 1


async def test_gaps_and_more_tokens_than_asked_for_are_refused() -> None:
    for script in ([Tokens(1, (1,), "x")], [Tokens(0, tuple(range(11)), "x")]):
        with pytest.raises(RequestError, match="broke the protocol"):
            await collect(answers(Overlay([Machine(1, script)])), ask())


async def test_the_next_turn_goes_to_the_machine_that_answered() -> None:
    overlay = Overlay([Machine(1, HELLO)])
    service = answers(overlay)
    await collect(service, ask())
    turns = [("user", "why?"), ("assistant", "hello"), ("user", "and?")]
    await collect(service, ask(messages=tuple(PromptMessage(role, text) for role, text in turns)))
    assert overlay.pins == [None, overlay.machines[0].identity.node_id]


async def test_without_a_network_this_machine_answers() -> None:
    local = Local([Started((1,)), Delta((5,), "hi"), Done("stop", 1, 1)])
    events = await collect(answers(None, local), ask())
    done = events[-1]
    assert text_of(events) == "hi"
    assert isinstance(done, AnswerDone)
    assert (done.served_by, done.receipt, done.paths) == ("local", "none", ())
    with pytest.raises(NetworkNotReadyError, match="no network is configured"):
        await collect(answers(None, local), ask("network"))


async def test_local_answers_never_touch_the_network() -> None:
    overlay = Overlay([Machine(1, HELLO)])
    await collect(answers(overlay, Local([Started((1,)), Delta((5,), "hi"), Done("stop", 1, 1)])), ask("local"))
    assert overlay.asked == []


async def test_a_dead_worker_is_an_error_of_the_request() -> None:
    with pytest.raises(ServingNodeLostError, match="restart"):
        await collect(answers(None, Local([WorkerDiedError("The model had to restart.")])), ask())


async def test_a_machine_that_floods_text_without_tokens_is_stopped() -> None:
    flood = [Tokens(0, (), "x" * 12_000) for _ in range(2 * MAX_ANSWER_CHARACTERS // 12_000)]
    with pytest.raises(RequestError, match="broke the protocol"):
        await collect(answers(Overlay([Machine(1, flood)])), ask(max_tokens=5))
