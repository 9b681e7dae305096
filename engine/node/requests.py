"""One request in its three forms: as a program asks it, as inference takes it, as it is sealed. Pure."""

from __future__ import annotations

import msgspec

from engine.api.service import AnswerRequest
from engine.inference.request_check import checked_constraint
from engine.inference.types import GenerationRequest, PromptMessage
from engine.paths.outgoing import Question
from engine.wire.answer import ChatMessage, Request

DAY_SECONDS = 86_400
ALL_TOKENS = 1_000_000
"""On the wire: as many tokens as the context allows."""


def generation_of(request: AnswerRequest, cache_salt: bytes = b"") -> GenerationRequest:
    """What inference on this machine is asked for the owner."""
    return GenerationRequest(
        model_id=request.model_id,
        messages=request.messages,
        prompt=request.prompt,
        prompt_tokens=request.prompt_tokens,
        tools=request.tools,
        tool_choice=request.tool_choice,
        parallel_tool_calls=request.parallel_tool_calls,
        constraint=request.constraint,
        template_options=request.template_options,
        top_logprobs=request.top_logprobs,
        sampling=request.sampling,
        max_tokens=request.max_tokens,
        min_tokens=request.min_tokens,
        stop=request.stop,
        cache_salt=cache_salt,
        public_messages=request.public_messages,
        public_characters=request.public_characters,
        owner=True,
    )


def question_of(request: AnswerRequest) -> Question:
    """What is asked of a machine of the network."""
    constraint = request.constraint
    return Question(
        model_id=request.model_id,
        messages=tuple(ChatMessage(*msgspec.structs.astuple(message)) for message in request.messages),
        prompt=request.prompt or "",
        tools=request.tools,
        tool_choice=request.tool_choice,
        parallel_tool_calls=request.parallel_tool_calls,
        constraint_kind=constraint.kind if constraint else "",
        constraint=constraint.text if constraint else "",
        template_options=request.template_options,
        top_logprobs=-1 if request.top_logprobs is None else request.top_logprobs,
        sampling=request.sampling,
        max_tokens=request.max_tokens or ALL_TOKENS,
        min_tokens=request.min_tokens,
        stop=request.stop,
        public_messages=request.public_messages,
        public_characters=request.public_characters,
        may_forward=request.may_forward,
    )


def day_of(seconds: float) -> float:
    """Midnight (UTC) before a time. Templates get the day of a request and no time of day, so that whoever reads it
    later (a scorer knows only the day) makes the same prompt of it, wherever it is."""
    return seconds - seconds % DAY_SECONDS


def least_answer(request: Request) -> int:
    """Tokens of an answer that a client asks for, at the least: who names no length may be content with little."""
    return request.max_tokens if request.max_tokens < ALL_TOKENS else request.min_tokens


def generation_for(request: Request, context_length: int, limit: float | None) -> GenerationRequest:
    """What inference is asked for a client's request; who wants the whole context gets what it leaves."""
    return GenerationRequest(
        model_id=request.model_id,
        messages=tuple(PromptMessage(*msgspec.structs.astuple(message)) for message in request.messages),
        prompt=request.prompt or None,
        tools=request.tools,
        tool_choice=request.tool_choice,
        parallel_tool_calls=request.parallel_tool_calls,
        constraint=checked_constraint(request.constraint_kind, request.constraint) if request.constraint_kind else None,
        template_options=request.template_options,
        top_logprobs=request.top_logprobs if request.top_logprobs >= 0 else None,
        sampling=request.sampling,
        max_tokens=request.max_tokens if request.max_tokens < context_length else None,
        min_tokens=min(request.min_tokens, request.max_tokens),
        stop=request.stop,
        cache_salt=request.cache_salt,
        public_messages=request.public_messages,
        public_characters=request.public_characters,
        continue_tokens=request.continue_tokens,
        continue_characters=request.continue_characters if request.continue_tokens else None,
        max_tokens_per_second=limit,
        dated=day_of(request.sealed_at),
    )
