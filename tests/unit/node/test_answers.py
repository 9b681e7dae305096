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
from engine.directory.shapes import Accepted, Shape
from engine.errors import (
    InvalidRequestError,
    NetworkNotReadyError,
    OverloadedError,
    RequestError,
    ServingNodeLostError,
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
from engine.node.answers import MAX_ANSWER_CHARACTERS, Answers
from engine.node.overlay_client import Served
from engine.paths.outgoing import Question, Target, prepare
from engine.paths.running_answer import AnswerSummary
from engine.verification.receipt_file import verify_export
from engine.verification.receipts import Served as ServedTokens
from engine.verification.receipts import make_receipt, sign_receipt
from engine.wire.answer import Failed, Finished, FrameEvent, Sampling, Stage, TokenProbability, Tokens

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
        self.questions: list[Question] = []

    choice = SimpleNamespace(full=Shape(3, 4, 3))

    async def wait_ready(self, chat: bytes, accepted: Accepted | None) -> Shape:
        await asyncio.sleep(0)
        return Shape(3, 4, 3)

    def model_nodes(self, model_id: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(node_id=machine.identity.node_id) for machine in self.machines]

    def choose_target(
        self,
        chat: bytes,
        request: GenerationRequest,
        pinned: NodeId | None,
        avoid: Collection[NodeId],
        digest: bytes | None,
        shape: Shape,
    ) -> Target:
        self.pins.append(pinned)
        return next(machine.target for machine in self.machines if machine.target.node_id not in avoid)

    async def ask(self, chat: bytes, question: Question, target: Target, shape: Shape) -> AsyncGenerator[Served, None]:
        self.asked.append(target.node_id)
        self.questions.append(question)
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
