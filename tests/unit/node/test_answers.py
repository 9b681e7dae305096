"""Questions are routed, retried elsewhere while nothing has come, and their receipts are checked."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from engine.api.schema import MachineStanding, Route
from engine.api.service import AnswerDelta, AnswerDone, AnswerEvent, AnswerRequest, AnswerStage
from engine.clock import SystemClock
from engine.crypto import ed25519
from engine.crypto.identity import Identity
from engine.crypto.sealing import SealingKey
from engine.directory.shapes import Accepted, Shape
from engine.errors import (
    InvalidRequestError,
    NetworkNotReadyError,
    OverloadedError,
    RequestError,
    ServingNodeLostError,
    UnknownModelError,
    WorkerDiedError,
)
from engine.ids import NetworkId, NodeId, node_id_text
from engine.inference.text.answer_parts import Content, Part, Reasoning, ToolArguments, ToolCall
from engine.inference.text.parts import merged
from engine.inference.types import (
    AnswerStyle,
    Constraint,
    Delta,
    Done,
    GenerationEvent,
    GenerationRequest,
    ModelInfo,
    PromptMessage,
    Started,
    TokenLogprob,
)
from engine.node.answers import Answers
from engine.node.network_answer import MAX_ANSWER_CHARACTERS, MAX_HAND_OVERS
from engine.node.overlay_client import Served
from engine.paths.outgoing import Question, Target, prepare
from engine.paths.running_answer import AnswerSummary, Terms
from engine.sentences import parts_of as words_of
from engine.verification.receipt_file import verify_export
from engine.verification.receipts import CommittedRequest, make_receipt, sign_receipt
from engine.verification.receipts import Served as ServedTokens
from engine.wire.answer import Checkpoint, Failed, Finished, FrameEvent, Sampling, Stage, TokenProbability, Tokens

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

    def __init__(self, script: Sequence[GenerationEvent | Exception] = (), info: ModelInfo | None = None) -> None:
        self.script = script
        self.info = info
        self.asked: list[GenerationRequest] = []

    def models(self) -> list[ModelInfo]:
        return [self.info] if self.info else []

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        assert request.owner
        self.asked.append(request)
        for event in self.script:
            if isinstance(event, Exception):
                raise event
            yield event


class Machine:
    """A model node that plays a script; the last event may be made by ``finish`` with a real receipt."""

    def __init__(self, seed: int, script: Sequence[FrameEvent | Exception | str], **target: bytes) -> None:
        self.identity = Identity.from_seed(bytes([seed]) * 32)
        self.keys = [SealingKey.generate(1), SealingKey.generate(2)]
        self.script = script
        self.dated = 1_000_000_000
        digest = target.get("digest", b"d" * 32)
        self.target = Target(self.identity.node_id, self.keys[0].public, self.keys[1].public, digest, b"t" * 32)

    def signed(self, summary: AnswerSummary, signed: Sequence[int], *, final: bool) -> tuple[bytes, bytes]:
        served = ServedTokens(
            request=CommittedRequest(summary.outgoing.encoded),
            attempt=summary.attempt,
            final=final,
            first=len(summary.outgoing.request.continue_tokens),
            prompt_ids=[1],
            output_ids=signed,
            tokenizer_digest=b"t" * 32,
            ttft_ms=1.0,
            total_ms=2.0,
            issued=self.dated,
        )
        return sign_receipt(self.identity, make_receipt(self.identity, NETWORK, served))

    def finished(self, summary: AnswerSummary, ids: Sequence[int], signed: Sequence[int]) -> Finished:
        record, signature = self.signed(summary, signed, final=True)
        return Finished("stop", 1, len(ids), record, signature)


class Overlay:
    """What ``OverlayClient`` offers to ``Answers``."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self.machines = list(machines)
        self.asked: list[NodeId] = []
        self.pins: list[NodeId | None] = []
        self.digests: list[bytes | None] = []
        self.terms: list[Terms] = []
        self.questions: list[Question] = []
        self.forwards = False
        self.judged: list[tuple[NodeId, bool]] = []

    choice = SimpleNamespace(full=Shape(3, 4, 3))

    def standings_of(self, machines: Iterable[NodeId]) -> tuple[MachineStanding, ...]:
        """As where there is no committee."""
        return ()

    def said_nothing(self, node_id: NodeId) -> None:
        self.judged.append((node_id, False))

    def answered(self, node_id: NodeId) -> None:
        self.judged.append((node_id, True))

    async def wait_ready(self, chat: bytes, accepted: Accepted | None) -> Shape:
        await asyncio.sleep(0)
        return Shape(3, 4, 3)

    def model_nodes(self, model_id: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(node_id=machine.identity.node_id) for machine in self.machines]

    def choose_target(
        self,
        chat: bytes,
        request: GenerationRequest,
        preferred: Sequence[NodeId],
        avoid: Collection[NodeId],
        digest: bytes | None,
        shape: Shape,
        minimum_standing: float,
    ) -> Target:
        self.pins.append(next(iter(preferred), None))
        self.digests.append(digest)
        fitting = [one.target for one in self.machines if one.target.node_id not in avoid]
        fitting = [target for target in fitting if digest in (None, target.model_digest)]
        if not fitting:
            raise UnknownModelError("nobody")
        return next((target for target in fitting if target.node_id in preferred), fitting[0])

    def has_others(self, model_id: str, digest: bytes | None, without: Collection[NodeId]) -> bool:
        others = [machine.target for machine in self.machines if machine.target.node_id not in without]
        return any(digest in (None, target.model_digest) for target in others)

    def may_serve(self, chat: bytes, model_id: str, target: Target, minimum_standing: float, shape: Shape) -> Any:
        others = {machine.target.node_id for machine in self.machines}
        return others.__contains__ if self.forwards else None

    async def ask(
        self, chat: bytes, question: Question, target: Target, shape: Shape, terms: Terms
    ) -> AsyncGenerator[Served, None]:
        self.terms.append(terms)
        self.asked.append(target.node_id)
        self.questions.append(question)
        machine = next(machine for machine in self.machines if machine.target is target)
        drawn = random.Random(len(self.asked)).randbytes
        outgoing = prepare(question, target, NETWORK, 4, 3, b"c" * 32, 1e9, drawn)
        summary = AnswerSummary(((RELAY,),), outgoing, question.attempt)
        ids: list[int] = []
        for event in machine.script:
            if isinstance(event, Exception):
                raise event
            if isinstance(event, str):
                if event == "sign":
                    yield Served((Checkpoint(*machine.signed(summary, ids, final=False)),), summary)
                    continue
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


async def collect_whatever_comes(service: Answers, request: AnswerRequest) -> None:
    with contextlib.suppress(RequestError):
        await collect(service, request)


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


async def test_the_signature_of_a_receipt_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bytes] = []
    genuine = vars(ed25519)["crypto_sign_open"]

    def spy(signed: bytes, key: bytes) -> bytes:
        looked.append(signed)
        opened: bytes = genuine(signed, key)
        return opened

    monkeypatch.setattr(ed25519, "crypto_sign_open", spy)
    done = (await collect(answers(Overlay([Machine(1, HELLO)])), ask()))[-1]
    assert isinstance(done, AnswerDone)
    assert done.receipt == "verified"
    assert len(looked) == 1
    assert verify_export(done.receipt_export.encode(), NETWORK).parts


async def test_a_receipt_over_other_tokens_is_named_and_not_exported() -> None:
    overlay = Overlay([Machine(1, [Tokens(0, (1, 2, 3), "hello"), "lie"])])
    done = (await collect(answers(overlay), ask()))[-1]
    assert isinstance(done, AnswerDone)
    assert done.receipt == "failed"
    assert "tokens" in done.receipt_reason
    assert done.receipt_export == ""


async def test_a_receipt_with_a_wrong_date_is_no_proof_but_can_be_judged() -> None:
    for dated, holds in ((0, False), (999_999_870, False), (999_999_880, True), (4_102_444_800, False)):
        machine = Machine(1, HELLO)
        machine.dated = dated
        done = (await collect(answers(Overlay([machine])), ask()))[-1]
        assert isinstance(done, AnswerDone)
        assert done.receipt == ("verified" if holds else "failed")
        assert bool(done.receipt_export) == holds
        assert ("bears a date" in done.receipt_reason) != holds
        assert [part.code for part in words_of(done.receipt_reason)] == ["badge.signed" if holds else "badge.misdated"]


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


LOST = ServingNodeLostError("gone")


async def test_an_answer_that_has_begun_goes_on_at_another_machine() -> None:
    first = Machine(1, [Tokens(0, (1, 2), "hel"), "sign", Tokens(2, (3,), "l"), LOST])
    second = Machine(2, [Stage("prefill", 0, 0.0), Tokens(3, (4,), "o"), "finish"])
    overlay = Overlay([first, second])
    service = answers(overlay)
    events = await collect(service, ask())
    done = events[-1]
    assert isinstance(done, AnswerDone)
    assert text_of(events) == "hello"
    assert [token for event in events if isinstance(event, AnswerDelta) for token in event.ids] == [1, 2, 3, 4]
    question = overlay.questions[1]
    assert (question.continue_tokens, question.continue_characters, question.attempt) == ((1, 2, 3), 4, 1)
    assert question.sampling == overlay.questions[0].sampling
    assert done.machines == (node_id_text(first.target.node_id), node_id_text(second.target.node_id))
    assert done.served_by == done.machines[-1]
    assert done.asked == done.machines
    assert (done.receipt, done.completion_tokens) == ("verified", 4)
    assert "1 tokens" in done.receipt_reason
    report = verify_export(done.receipt_export.encode(), NETWORK)
    assert [(part.receipt.first, part.receipt.last, part.receipt.attempt) for part in report.parts] == [
        (0, 2, 0),
        (3, 4, 1),
    ]
    assert [part.output_ids for part in report.parts] == [(1, 2), (4,)]
    assert any("Tokens 2 to 3: no node signed them" in line for line in report.not_checked)
    told = [event.text for event in events if isinstance(event, AnswerStage)]
    assert any("goes on with the answer" in text for text in told)
    turns = [("user", "why?"), ("assistant", "hello"), ("user", "and?")]
    await collect_whatever_comes(service, ask(messages=tuple(PromptMessage(role, text) for role, text in turns)))
    assert overlay.pins[2] == second.target.node_id


async def test_each_machine_of_an_answer_gets_a_request_of_its_own() -> None:
    """No two executions share an id or a secret, so nothing is encrypted twice under one key and nonce."""
    machines = [Machine(seed, [Tokens(place, (place,), "x"), LOST]) for place, seed in enumerate((1, 2, 3))]
    overlay = Overlay([*machines, Machine(4, [Tokens(3, (9,), "o"), "finish"])])
    seen: list[bytes] = []
    await collect(answers(overlay), ask())
    source = random.Random(5).randbytes
    for question, machine in zip(overlay.questions, overlay.machines, strict=True):
        request = prepare(question, machine.target, NETWORK, 4, 3, b"c" * 32, 1e9, source).request
        seen += [request.request_id, request.answer_secret, *request.clove_secrets]
    assert len(seen) == len(set(seen))
    assert [question.attempt for question in overlay.questions] == [0, 1, 2, 3]


async def test_an_answer_whose_reasoning_and_calls_are_cut_anywhere_is_read_as_one() -> None:
    for cut in range(1, len(SAID), 7):
        whole = spoken()
        first = Machine(1, [*whole[: cut + 1], LOST])
        second = Machine(2, [STYLE, *whole[cut + 1 :]])
        events = await collect(answers(Overlay([first, second])), ask(tools=TOOL, max_tokens=1000))
        assert parts_of(events) == PARTS
        assert text_of(events) == SAID


async def test_nobody_else_can_go_on_then_what_happened_is_told() -> None:
    begun = [Tokens(0, (1,), "x"), ServingNodeLostError("the first is gone")]
    for others in ([], [Machine(2, HELLO, digest=b"e" * 32)], [Machine(2, [OverloadedError("full")])]):
        overlay = Overlay([Machine(1, begun), *others])
        with pytest.raises(ServingNodeLostError, match="the first is gone"):
            await collect(answers(overlay), ask())


async def test_who_gives_no_token_is_remembered_until_it_answers() -> None:
    dead, full, leaving = Machine(1, [LOST]), Machine(2, [OverloadedError("full")]), Machine(3, [])
    leaving.script = [Failed("serving_node_leaving", "bye", alternatives=())]
    overlay = Overlay([dead, leaving, Machine(4, HELLO)])
    await collect(answers(overlay), ask())
    assert overlay.judged == [(dead.target.node_id, False), (overlay.machines[2].target.node_id, True)]
    overlay = Overlay([full, Machine(4, [HELLO[0], LOST]), Machine(5, HELLO[1:])])
    await collect(answers(overlay), ask())
    assert overlay.judged == [(overlay.machines[2].target.node_id, True)]


async def test_hand_overs_are_bounded() -> None:
    class Endless(Overlay):
        async def ask(self, *asked: Any) -> AsyncGenerator[Served, None]:
            question = asked[1]
            self.questions.append(question)
            outgoing = prepare(question, asked[2], NETWORK, 4, 3, b"c" * 32, 1e9, random.Random(1).randbytes)
            place = len(question.continue_tokens)
            yield Served((Tokens(place, (1,), "x"),), AnswerSummary((), outgoing, question.attempt))
            raise ServingNodeLostError("gone again")

    overlay = Endless([Machine(1, []), Machine(2, [])])
    with pytest.raises(ServingNodeLostError, match="gone again"):
        await collect(answers(overlay), ask(max_tokens=1000))
    assert len(overlay.questions) == MAX_HAND_OVERS + 1


async def test_those_that_take_over_are_given_more_time_after_each_hand_over() -> None:
    machines = [Machine(seed, [Tokens(place, (place,), "x"), LOST]) for place, seed in enumerate((1, 2))]
    overlay = Overlay([*machines, Machine(3, [Tokens(2, (9,), "o"), "finish"])])
    await collect(answers(overlay), ask())
    assert [terms.patience for terms in overlay.terms] == [1.0, 2.0, 4.0]


async def test_a_machine_is_given_up_soon_only_where_another_one_can_go_on() -> None:
    machines = [Machine(1, HELLO), Machine(2, HELLO)]
    for present, elsewhere in ((machines, True), (machines[:1], False)):
        overlay = Overlay(present)
        await collect(answers(overlay), ask())
        assert overlay.terms[0].elsewhere() == elsewhere


async def test_a_leaving_machine_is_said_to_leave_and_its_recommendation_is_asked_first() -> None:
    third = Machine(3, [Tokens(1, (2,), "y"), "finish"])
    leaving = Failed("serving_node_leaving", "bye", alternatives=(third.target.node_id,))
    overlay = Overlay([Machine(1, [Tokens(0, (1,), "x"), leaving]), Machine(2, []), third])
    events = await collect(answers(overlay), ask())
    assert text_of(events) == "xy"
    assert overlay.asked[1] == third.target.node_id
    assert any("leaves" in event.text for event in events if isinstance(event, AnswerStage))


async def test_what_may_be_passed_on_is_a_first_question_that_its_asker_permits() -> None:
    def overlay() -> Overlay:
        made = Overlay([Machine(1, [Tokens(0, (1,), "x"), LOST]), Machine(2, [Tokens(1, (2,), "y"), "finish"])])
        made.forwards = True
        return made

    first = overlay()
    service = answers(first)
    await collect(service, ask(minimum_standing=0.5))
    assert [(len(one.continue_tokens), one.may_forward) for one in first.questions] == [(0, True), (1, False)]
    assert first.questions[0].minimum_standing == 0.5
    assert [terms.may_serve is None for terms in first.terms] == [False, True]
    turns = [("user", "why?"), ("assistant", "xy"), ("user", "and?")]
    await collect_whatever_comes(service, ask(messages=tuple(PromptMessage(role, text) for role, text in turns)))
    assert first.pins[2] == first.machines[1].target.node_id
    assert first.questions[2].may_forward is False
    unwilling = overlay()
    await collect(answers(unwilling), ask(may_forward=False))
    assert not any(one.may_forward for one in unwilling.questions)


async def test_a_full_machines_recommendation_is_asked_first_and_the_wait_is_told() -> None:
    third = Machine(3, HELLO)
    full = Failed("overloaded", "full", 12.5, (b"?" * 20, third.target.node_id))
    overlay = Overlay([Machine(1, [full]), Machine(2, HELLO), third])
    events = await collect(answers(overlay), ask())
    assert overlay.asked[1] == third.target.node_id
    (told,) = [event for event in events if isinstance(event, AnswerStage) and "full" in event.text]
    assert told.estimate == 12.5


@pytest.mark.parametrize(
    "wrong",
    [
        Tokens(7, (8,), "x"),  # a gap
        Tokens(2, tuple(range(11)), "x"),  # more than was asked for
        AnswerStyle(tool_calls="hermes"),  # in the middle of the text
        Failed("internal_error", "The machine that was answering had an error."),
        Failed("what nobody knows", ""),
        Failed("cancelled", "You have stopped it."),  # what only this machine can know
        Failed("invalid_request", "not like this"),  # of a question that was being answered
        Failed("context_length_exceeded", "too long"),
    ],
)
async def test_where_one_machine_breaks_another_goes_on(wrong: FrameEvent) -> None:
    overlay = Overlay([Machine(1, [HELLO[0], wrong]), Machine(2, HELLO[1:])])
    events = await collect(answers(overlay), ask())
    assert text_of(events) == "hello"
    assert isinstance(events[-1], AnswerDone)
    assert events[-1].receipt == "verified"
    assert overlay.asked == [machine.target.node_id for machine in overlay.machines]


async def test_what_is_wrong_with_a_question_is_asked_of_nobody_else() -> None:
    overlay = Overlay([Machine(1, [Failed("invalid_request", "not like this")]), Machine(2, HELLO)])
    with pytest.raises(InvalidRequestError, match="not like this"):
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


# Parts of an answer, and what it is asked besides

TOOL = '[{"type":"function","function":{"name":"weather","parameters":{"type":"object"}}}]'
STYLE = AnswerStyle(tool_calls="hermes", reasoning_begin="<think>", reasoning_end="</think>")
CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "Ulm"}}\n</tool_call>'
SAID = f"<think>\nRain?\n</think>\n\nLook:\n{CALL}\n{CALL}"
PARTS = [
    Reasoning("Rain?"),
    Content("Look:"),
    ToolCall(0, "weather"),
    ToolArguments(0, '{"city": "Ulm"}'),
    ToolCall(1, "weather"),
    ToolArguments(1, '{"city": "Ulm"}'),
]


def parts_of(events: Sequence[AnswerEvent]) -> list[Part]:
    return merged(part for event in events if isinstance(event, AnswerDelta) for part in event.parts)


def spoken(text: str = SAID) -> list[FrameEvent | Exception | str]:
    tokens: list[FrameEvent | Exception | str] = [Tokens(place, (place,), letter) for place, letter in enumerate(text)]
    return [STYLE, *tokens, "finish"]


async def test_an_answers_text_is_taken_apart_wherever_it_is_made() -> None:
    deltas = [Delta((place,), letter) for place, letter in enumerate(SAID)]
    local = Local([Started((1,), 0, STYLE), *deltas, Done("stop", 1, len(SAID))])
    here = await collect(answers(None, local), ask(tools=TOOL, max_tokens=1000))
    there = await collect(answers(Overlay([Machine(1, spoken())])), ask(tools=TOOL, max_tokens=1000))
    assert parts_of(here) == parts_of(there) == PARTS
    assert text_of(here) == text_of(there) == SAID
    assert isinstance(there[-1], AnswerDone)
    assert there[-1].receipt == "verified"


async def test_only_the_first_call_is_wanted_where_they_may_not_be_parallel() -> None:
    overlay = Overlay([Machine(1, spoken())])
    events = await collect(answers(overlay), ask(tools=TOOL, parallel_tool_calls=False, max_tokens=1000))
    assert parts_of(events) == PARTS[:4]


async def test_without_tools_nothing_is_taken_for_a_call() -> None:
    for changes in ({}, {"tools": TOOL, "tool_choice": "none"}):
        events = await collect(answers(Overlay([Machine(1, spoken(CALL))])), ask(max_tokens=1000, **changes))
        assert parts_of(events) == [Content(CALL)]


async def test_a_plain_prompt_is_answered_with_plain_text() -> None:
    overlay = Overlay([Machine(1, spoken())])
    events = await collect(answers(overlay), ask(messages=(), prompt="Once", max_tokens=1000))
    assert parts_of(events) == []
    assert text_of(events) == SAID
    assert (overlay.questions[0].prompt, overlay.questions[0].messages) == ("Once", ())


async def test_the_turn_after_a_tools_result_goes_to_the_same_machine() -> None:
    overlay = Overlay([Machine(1, spoken())])
    service = answers(overlay)
    await collect(service, ask(tools=TOOL, max_tokens=1000))
    call = {"id": "abc", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Ulm"}'}}
    called = PromptMessage("assistant", "Look:", tool_calls=json.dumps([call, {**call, "id": "def"}]))
    results = [PromptMessage("tool", "rain", tool_call_id=name, name="weather") for name in ("abc", "def")]
    messages = (PromptMessage("user", "why?"), called, *results)
    await collect(service, ask(messages=messages, tools=TOOL, max_tokens=1000))
    assert overlay.pins == [None, overlay.machines[0].identity.node_id]


async def test_everything_that_is_asked_reaches_the_other_machine() -> None:
    overlay = Overlay([Machine(1, [Tokens(0, (1,), "{}"), "finish"])])
    message = PromptMessage("user", "why?", reasoning="r", name="n")
    request = ask(
        messages=(message,), constraint=Constraint("json_schema", "{}"), template_options='{"a": 1}', top_logprobs=2
    )
    await collect(answers(overlay), request)
    (question,) = overlay.questions
    assert (question.constraint_kind, question.constraint) == ("json_schema", "{}")
    assert (question.template_options, question.top_logprobs) == ('{"a": 1}', 2)
    assert (question.messages[0].reasoning, question.messages[0].name) == ("r", "n")


def probable(token: int, top: int = 0, value: float = -0.5) -> TokenProbability:
    return TokenProbability(token, b"x", value, ((7, b"y", value),) * top)


async def test_log_probabilities_come_from_the_network() -> None:
    overlay = Overlay([Machine(1, [Tokens(0, (1, 2), "hi", (probable(1, 1), probable(2, 1))), "finish"])])
    events = await collect(answers(overlay), ask(top_logprobs=1))
    (told,) = [event.logprobs for event in events if isinstance(event, AnswerDelta) and event.ids]
    assert told == (
        TokenLogprob(1, b"x", -0.5, ((7, b"y", -0.5),)),
        TokenLogprob(2, b"x", -0.5, ((7, b"y", -0.5),)),
    )


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (None, (probable(1),)),  # not asked for
        (0, (probable(2),)),  # of another token
        (0, (probable(1), probable(2))),  # of more tokens than there are
        (0, (probable(1, 1),)),  # with alternatives that nobody wanted
        (0, (probable(1, value=float("nan")),)),
    ],
)
async def test_log_probabilities_that_do_not_fit_are_refused(
    wanted: int | None, told: tuple[TokenProbability, ...]
) -> None:
    overlay = Overlay([Machine(1, [Tokens(0, (1,), "x", told), "finish"])])
    with pytest.raises(RequestError, match="broke the protocol"):
        await collect(answers(overlay), ask(top_logprobs=wanted))


async def test_log_probabilities_of_an_answer_that_was_handed_over_are_those_of_both_parts() -> None:
    first = Machine(1, [Tokens(0, (1,), "a", (probable(1),)), LOST])
    second = Machine(2, [Tokens(1, (2, 3), "bc", (probable(2), probable(3))), "finish"])
    events = await collect(answers(Overlay([first, second])), ask(top_logprobs=0))
    told = [one.token for event in events if isinstance(event, AnswerDelta) for one in event.logprobs]
    assert told == [1, 2, 3]


async def test_a_style_in_the_middle_of_an_answer_is_refused() -> None:
    for begun in (Tokens(0, (1,), ""), Tokens(0, (), "x")):
        with pytest.raises(RequestError, match="broke the protocol"):
            await collect(answers(Overlay([Machine(1, [begun, STYLE])])), ask())


async def test_what_one_machine_said_of_its_model_does_not_hold_for_another() -> None:
    overlay = Overlay([Machine(1, [STYLE, OverloadedError("full")]), Machine(2, [Tokens(0, (1,), CALL), "finish"])])
    assert parts_of(await collect(answers(overlay), ask(tools=TOOL))) == [Content(CALL)]


async def test_a_refusal_names_its_parameter() -> None:
    overlay = Overlay([Machine(1, [Failed("invalid_request", "no", parameter="response_format")])])
    with pytest.raises(InvalidRequestError) as caught:
        await collect(answers(overlay), ask())
    assert caught.value.parameter == "response_format"


async def test_the_owners_questions_share_a_cache_and_say_what_is_public() -> None:
    local = Local([Started((1,)), Done("stop", 1, 0)])
    service = answers(None, local)
    for _ in range(2):
        await collect(service, ask(public_messages=1, public_characters=3))
    first, second = local.asked
    assert first.cache_salt == second.cache_salt
    assert len(first.cache_salt) == 32
    assert (first.public_messages, first.public_characters) == (1, 3)
    other = Local([Started((1,)), Done("stop", 1, 0)])
    with_other_secret = Answers(other, lambda: None, False, SystemClock(), random.Random(2).randbytes)
    await collect(with_other_secret, ask())
    assert other.asked[0].cache_salt != first.cache_salt


async def test_token_ids_are_for_this_machine_alone() -> None:
    local = Local([Started((1,)), Done("stop", 1, 0)])
    asked = {"messages": (), "prompt_tokens": (5, 6)}
    await collect(answers(Overlay([]), local), ask("local", **asked))
    assert local.asked[0].prompt_tokens == (5, 6)
    with pytest.raises(InvalidRequestError, match="mean") as caught:
        await collect(answers(Overlay([])), ask(**asked))
    assert caught.value.parameter == "prompt"


async def test_a_model_here_that_lacks_something_refuses_by_name() -> None:
    info = ModelInfo(
        model_id="m",
        digest=b"d" * 32,
        tokenizer_digest=b"t" * 32,
        context_length=9,
        slots=1,
        tools=False,
        logprobs=False,
    )
    local = Local([Started((1,)), Done("stop", 1, 0)], info)
    for changes, parameter in (({"tools": TOOL}, "tools"), ({"top_logprobs": 0}, "logprobs")):
        with pytest.raises(InvalidRequestError) as caught:
            await collect(answers(None, local), ask(**changes))
        assert caught.value.parameter == parameter
    await collect(answers(None, local), ask())


async def test_cached_tokens_are_told() -> None:
    local = Local([Started((1, 2), 1), Done("stop", 2, 0, 1)])
    done = (await collect(answers(None, local), ask()))[-1]
    assert isinstance(done, AnswerDone)
    assert done.cached_tokens == 1
