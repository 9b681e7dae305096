"""Requests from the overlay become generation requests; events become frames with receipts that check."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from engine.clock import SystemClock
from engine.crypto.identity import Identity
from engine.errors import InferenceError, InvalidRequestError, OverloadedError, WorkerDiedError
from engine.ids import NetworkId, RequestId
from engine.inference.types import (
    AnswerStyle,
    Constraint,
    Delta,
    Done,
    GenerationEvent,
    GenerationRequest,
    ModelInfo,
    PromptMessage,
    PromptShape,
    Queued,
    Started,
    TokenLogprob,
)
from engine.node.serving_role import CHECKPOINT_TOKENS, ServingRole
from engine.paths.serving import ExecutionStarted
from engine.verification.receipts import CommittedRequest, check_receipt, verify_against
from engine.wire.answer import (
    LOWEST_LOGPROB,
    MAX_TOKEN_BYTES,
    ChatMessage,
    Checkpoint,
    Failed,
    Finished,
    Frame,
    FrameEvent,
    Request,
    Sampling,
    Stage,
    Tokens,
    frame_decoder,
)
from engine.wire.codec import encode

NETWORK = NetworkId(b"n" * 32)
IDENTITY = Identity.from_seed(b"i" * 32)
OTHER = b"o" * 20
INFO = ModelInfo(model_id="m", digest=b"d" * 32, tokenizer_digest=b"t" * 32, context_length=100, slots=2)


class Backend:
    """Plays a script."""

    def __init__(
        self, script: Sequence[GenerationEvent | Exception], hang: bool = False, info: ModelInfo = INFO
    ) -> None:
        self.script, self.hang, self.info = script, hang, info
        self.shape: PromptShape | None = None
        self.asked: list[GenerationRequest] = []
        self.closed = False

    def models(self) -> list[ModelInfo]:
        return [self.info]

    async def describe(self, request: GenerationRequest) -> PromptShape | None:
        return self.shape

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        self.asked.append(request)
        try:
            for event in self.script:
                if isinstance(event, Exception):
                    raise event
                yield event
            if self.hang:
                await asyncio.Event().wait()
        finally:
            self.closed = True


def request(**changes: object) -> Request:
    values: dict[str, object] = {
        "version": 1,
        "request_id": b"r" * 16,
        "sealed_at": 1.0,
        "answer_secret": b"a" * 32,
        "clove_secrets": (b"c" * 32,),
        "n": 1,
        "k": 1,
        "model_id": "m",
        "model_digest": b"d" * 32,
        "messages": (ChatMessage("user", "why?"),),
        "sampling": Sampling(seed=7),
        "max_tokens": 1_000_000,
        "min_tokens": 0,
        "stop": (),
        "cache_salt": b"s" * 32,
    }
    return Request(**{**values, **changes})


async def serve(
    backend: Backend,
    asked: Request,
    offered: frozenset[str] = frozenset({"m"}),
    cancel_after: int | None = None,
    most: int | None = None,
) -> list[FrameEvent]:
    """Run one request to its end."""
    events: list[FrameEvent] = []
    role: ServingRole

    def push(_: RequestId, event: FrameEvent) -> None:
        events.append(event)
        if cancel_after is not None and len(events) == cancel_after:
            role.cancel(RequestId(asked.request_id))

    role = ServingRole(IDENTITY, NETWORK, backend, SystemClock(), push, lambda _: False, 12.5)
    role.offered, role.longest_request = offered, lambda: most
    role.overloaded = lambda _: Failed(code="overloaded", text="full", estimate=9.0, alternatives=(OTHER,))
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(role.run())
        await asyncio.sleep(0)
        role.start(ExecutionStarted(RequestId(asked.request_id), asked, encode(asked)))
        await asyncio.sleep(0)
        while role.answering:
            await asyncio.sleep(0.001)
        running.cancel()
    return events


async def test_an_answer_is_framed_checkpointed_and_receipted() -> None:
    count = CHECKPOINT_TOKENS * 2 + 3
    script: list[GenerationEvent | Exception] = [Queued(1, 0.5), Queued(0, 0.0), Started((1, 2, 3))]
    script += [Delta((index,), f"{index} ") for index in range(count)]
    backend = Backend([*script, Done("stop", 3, count)])
    asked = request()
    events = await serve(backend, asked)
    assert [event.stage for event in events if isinstance(event, Stage)] == ["queued", "prefill", "prefill"]
    tokens = [event for event in events if isinstance(event, Tokens)]
    assert [event.first for event in tokens] == list(range(count))
    checkpoints = [event for event in events if isinstance(event, Checkpoint)]
    assert len(checkpoints) == 2
    final = events[-1]
    assert isinstance(final, Finished)
    assert final.completion_tokens == count
    for signed, held in ((checkpoints[0], CHECKPOINT_TOKENS), (final, count)):
        receipt = check_receipt(signed.record, signed.signature, NETWORK)
        assert receipt.last == held
        problems = verify_against(
            receipt,
            asked=CommittedRequest(encode(asked)),
            output_ids=list(range(held)),
            first=0,
            serving_node=IDENTITY.node_id,
            prompt_ids=[1, 2, 3],
        )
        assert problems == []
    (generation,) = backend.asked
    assert generation.max_tokens is None  # more than the context: as many as it allows
    assert generation.max_tokens_per_second == 12.5
    assert not generation.owner
    assert generation.cache_salt == b"s" * 32


async def test_refusals_and_failures_reach_the_client_with_their_code() -> None:
    (failed,) = await serve(Backend([OverloadedError("full, try in 3 s")]), request())
    assert failed == Failed(code="overloaded", text="full", estimate=9.0, alternatives=(OTHER,))
    (failed,) = await serve(Backend([WorkerDiedError("killed by signal 9, secret path /x")]), request())
    assert isinstance(failed, Failed)
    assert failed.code == "serving_node_lost"
    assert "/x" not in failed.text


async def test_a_model_that_is_not_offered_or_another_version_is_refused() -> None:
    backend = Backend([Done("stop", 1, 0)])
    for asked, offered in (
        (request(), frozenset[str]()),
        (request(model_id="other"), frozenset({"m", "other"})),
        (request(model_digest=b"x" * 32), frozenset({"m"})),
    ):
        (failed,) = await serve(backend, asked, offered)
        assert isinstance(failed, Failed)
        assert failed.code == "model_not_found"
    assert backend.asked == []


@pytest.mark.parametrize("cancelled", [False, True])
async def test_an_answer_counts_from_its_beginning_until_its_model_has_it_and_counts(cancelled: bool) -> None:
    asked, clock = request(), SystemClock()
    backend = Backend([Queued(0, 0.0)], hang=True)
    role = ServingRole(IDENTITY, NETWORK, backend, clock, lambda *_: None, lambda _: False, None)
    role.offered = frozenset({"m"})
    role.begins = lambda started: role.uncounted.begun(started.request_id, started.request.model_digest, 30, 5)

    def counts() -> bool:
        role.uncounted.counted()
        return role.uncounted.of(asked.model_digest, clock.monotonic()) == (1, 30, 5)

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(role.run())
        await asyncio.sleep(0)
        role.start(ExecutionStarted(RequestId(asked.request_id), asked, encode(asked)))
        assert counts(), "it has not got to the model yet"
        if cancelled:
            role.cancel(RequestId(asked.request_id))
        while counts():
            await asyncio.sleep(0)
        assert bool(role.answering) is not cancelled
        running.cancel()


async def test_cancellation_closes_the_generation() -> None:
    backend = Backend([Started((1,)), Delta((1,), "a")], hang=True)
    events = await serve(backend, request(), cancel_after=2)
    assert backend.closed
    assert not any(isinstance(event, Finished | Failed) for event in events)


async def test_a_long_text_is_cut_to_what_a_frame_holds() -> None:
    events = await serve(Backend([Started((1,)), Delta((5,), "x" * 20_000), Done("stop", 1, 1)]), request())
    tokens = [event for event in events if isinstance(event, Tokens)]
    assert "".join(event.text for event in tokens) == "x" * 20_000
    assert [event.ids for event in tokens] == [(5,), *[()] * 7]  # a character may take four bytes
    assert {event.first for event in tokens[1:]} == {1}


async def test_an_estimate_beyond_the_wire_is_cut() -> None:
    script = [Queued(3, 7e6), Queued(3, float("inf")), Started((1,)), Delta((5,), "x"), Done("stop", 1, 1)]
    events = await serve(Backend(script), request())
    for event in events:
        frame_decoder.decode(encode(Frame(number=0, events=(event,))))


async def test_a_fault_met_by_one_request_ends_that_answer_only() -> None:
    events = await serve(Backend([Started((1,)), ValueError("a fault of ours, with the prompt in it")]), request())
    failed = events[-1]
    assert isinstance(failed, Failed)
    assert failed.code == "internal_error"
    assert "prompt" not in failed.text


@pytest.mark.parametrize(("max_tokens", "refused"), [(91, True), (90, False), (1_000_000, False)])
async def test_what_the_owner_finds_too_long_gets_no_place(max_tokens: int, refused: bool) -> None:
    backend = Backend([Started((1,) * 10), Done("stop", 10, 0)])
    backend.shape = PromptShape(10, 0)
    info = msgspec.structs.replace(INFO, context_length=200)
    backend.info = info
    *_, last = await serve(backend, request(max_tokens=max_tokens), most=100)
    assert isinstance(last, Failed) is refused
    assert bool(backend.asked) is not refused
    if isinstance(last, Failed):
        assert (last.code, last.alternatives) == ("overloaded", (OTHER,))
        assert "at most 100 tokens" in last.text


async def test_an_answer_of_any_length_is_handed_on_with_a_receipt_where_the_owner_allows_no_more() -> None:
    script = [Started((1,) * 10), *(Delta((5,), "x") for _ in range(9)), Done("stop", 10, 9)]
    events = await serve(Backend(script), request(), most=15)
    assert [event.first for event in events if isinstance(event, Tokens)] == list(range(5))
    *_, signed, last = events
    assert isinstance(signed, Checkpoint)
    assert check_receipt(signed.record, signed.signature, NETWORK).last == 5
    assert isinstance(last, Failed)
    assert (last.code, last.alternatives) == ("overloaded", (OTHER,))


@pytest.mark.parametrize("error", [WorkerDiedError("killed"), InferenceError("no room"), OverloadedError("full")])
async def test_what_was_written_is_signed_where_the_model_ends_early(error: Exception) -> None:
    *_, signed, last = await serve(
        Backend([Started((1,) * 10), *(Delta((5,), "x") for _ in range(3)), error]), request()
    )
    assert isinstance(signed, Checkpoint)
    assert check_receipt(signed.record, signed.signature, NETWORK).last == 3
    assert isinstance(last, Failed)


TOOLS = '[{"type":"function","function":{"name":"f"}}]'


async def test_everything_that_is_asked_reaches_inference() -> None:
    backend = Backend([Started((1,)), Done("stop", 1, 0)])
    call = '[{"function":{"name":"f","arguments":"{}"}}]'
    messages = (ChatMessage("assistant", "", "why", call), ChatMessage("tool", "x", "", "", "id", "f"))
    await serve(
        backend,
        request(
            messages=messages,
            tools=TOOLS,
            tool_choice="function:f",
            parallel_tool_calls=False,
            template_options='{"a": 1}',
            top_logprobs=0,
        ),
    )
    await serve(backend, request(messages=(), prompt="Once", constraint_kind="json_schema", constraint="{}"))
    chat, plain = backend.asked
    assert chat.messages == (
        PromptMessage("assistant", "", "why", call),
        PromptMessage("tool", "x", "", "", "id", "f"),
    )
    assert (chat.tools, chat.tool_choice, chat.parallel_tool_calls) == (TOOLS, "function:f", False)
    assert (chat.template_options, chat.top_logprobs, chat.constraint) == ('{"a": 1}', 0, None)
    assert (plain.prompt, plain.top_logprobs) == ("Once", None)
    assert plain.constraint == Constraint("json_schema", "{}")


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"messages": ()}, "messages"),
        ({"prompt": "both"}, "messages"),
        ({"messages": (ChatMessage("wizard", "x"),)}, "messages"),
        ({"messages": (ChatMessage("assistant", "", "", "{"),)}, "messages"),
        ({"messages": (ChatMessage("assistant", "", "", "[5]"),)}, "messages"),
        ({"messages": (ChatMessage("assistant", "", "", "[" * 100_000),)}, "messages"),
        ({"tools": "not JSON"}, "tools"),
        ({"tools": "[" * 100_000}, "tools"),
        ({"tools": "[" * 500 + "]" * 500}, "tools"),
        ({"tools": "{}"}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": TOOLS, "tool_choice": "function:g"}, "tool_choice"),
        ({"tools": TOOLS, "tool_choice": "perhaps"}, "tool_choice"),
        ({"template_options": "[]"}, "chat_template_kwargs"),
        ({"template_options": '{"chat_template": "{{ 1 }}"}'}, "chat_template_kwargs"),
        ({"template_options": '{"__class__": 1, "x y": 2}'}, "chat_template_kwargs"),
        ({"constraint_kind": "lark", "constraint": "start: /a*/"}, "response_format"),
        ({"constraint_kind": "json_schema", "constraint": "nonsense"}, "response_format"),
        ({"constraint_kind": "json_schema", "constraint": '{"a":' * 1000 + "1" + "}" * 1000}, "response_format"),
    ],
)
async def test_what_a_worker_could_not_read_never_reaches_it(changes: dict[str, object], parameter: str) -> None:
    backend = Backend([Started((1,)), Done("stop", 1, 0)])
    (failed,) = await serve(backend, request(**changes))
    assert isinstance(failed, Failed)
    assert (failed.code, failed.parameter) == ("invalid_request", parameter)
    assert backend.asked == []
    frame_decoder.decode(encode(Frame(number=0, events=(failed,))))


async def test_a_model_that_lacks_something_refuses_by_name() -> None:
    info = msgspec.structs.replace(INFO, tools=False, constraints=False, logprobs=False, token_ids=False)
    backend = Backend([Started((1,)), Done("stop", 1, 0)], info=info)
    for changes, parameter in (
        ({"tools": TOOLS}, "tools"),
        ({"messages": (ChatMessage("tool", "x"),)}, "tools"),
        ({"constraint_kind": "json_object"}, "response_format"),
        ({"top_logprobs": 0}, "logprobs"),
        ({"sampling": Sampling(seed=1, logit_bias=((5, 1.0),))}, "logit_bias"),
    ):
        (failed,) = await serve(backend, request(**changes))
        assert isinstance(failed, Failed)
        assert failed.parameter == parameter
    assert backend.asked == []


async def test_the_style_comes_before_the_first_token() -> None:
    style = AnswerStyle(tool_calls="hermes", reasoning_begin="<think>", reasoning_end="</think>")
    events = await serve(Backend([Started((1,), 0, style), Delta((5,), "x"), Done("stop", 1, 1, 1)]), request())
    assert events[0] == style
    assert isinstance(events[-1], Finished)
    assert events[-1].cached_tokens == 1
    plain = await serve(Backend([Started((1,)), Delta((5,), "x"), Done("stop", 1, 1)]), request())
    assert not any(isinstance(event, AnswerStyle) for event in plain)


async def test_log_probabilities_fit_into_frames_whatever_they_hold() -> None:
    top = tuple((token, b"\xff" * 400, -math.inf) for token in range(20))
    told = tuple(TokenLogprob(token, b"t" * 400, 1e-12, top) for token in range(9))
    script = [Started((1,)), Delta(tuple(range(9)), "\U0001f600" * 6000, told), Done("stop", 1, 9)]
    events = await serve(Backend(script), request(top_logprobs=20))
    tokens = [event for event in events if isinstance(event, Tokens)]
    for event in events:
        frame_decoder.decode(encode(Frame(number=0, events=(event,))))
    assert [token for event in tokens for token in event.ids] == list(range(9))
    assert [one.token for event in tokens for one in event.logprobs] == list(range(9))
    assert all(len(event.logprobs) == len(event.ids) for event in tokens)
    first = tokens[0].logprobs[0]
    assert (len(first.text), first.logprob) == (MAX_TOKEN_BYTES, 0.0)
    assert first.top[0] == (0, b"\xff" * MAX_TOKEN_BYTES, LOWEST_LOGPROB)
    position = 0
    for event in tokens:
        assert event.first == position
        position += len(event.ids)


async def test_a_refusal_of_the_worker_keeps_its_parameter() -> None:
    (failed,) = await serve(Backend([InvalidRequestError("The schema is wrong.", "response_format")]), request())
    assert failed == Failed("invalid_request", "The schema is wrong.", parameter="response_format")
