"""A :class:`GenerationRequest` as OpenAI's protocol wants it, or a refusal of what the server cannot do. Pure.

Whatever would change the answer and cannot be asked for is refused, never left out.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from engine.errors import InvalidRequestError
from engine.inference.remote.settings import RemoteSettings
from engine.inference.types import Constraint, GenerationRequest, PromptMessage

MOST_STOPS = 4
"""Stop strings that OpenAI's protocol takes; all of them are watched for here too."""
LARGEST_SEED = (1 << 31) - 1
"""Some servers refuse more. Seeds are wishes there anyway."""


def request_path(request: GenerationRequest) -> str:
    """The place below the base address that answers it."""
    return "/completions" if request.prompt is not None else "/chat/completions"


def request_body(request: GenerationRequest, settings: RemoteSettings, context_length: int) -> dict[str, Any]:
    """The JSON body; :class:`InvalidRequestError` says what this server cannot do."""
    _refuse_impossible(request, settings)
    body: dict[str, Any] = {
        "model": settings.server_model,
        "stream": True,
        "stream_options": {"include_usage": True},
        **_sampling(request, settings),
    }
    if request.prompt is not None:
        body["prompt"] = request.prompt
    else:
        body["messages"] = [_message(message) for message in request.messages]
    if request.max_tokens is not None:
        body["max_tokens"] = request.max_tokens
    elif request.prompt is not None:  # where servers stop after 16 tokens unless told otherwise
        body["max_tokens"] = max(16, context_length - len(request.prompt.encode("utf-8", "replace")) - 1)
    if request.min_tokens:
        body["min_tokens"] = request.min_tokens
    if request.stop:
        body["stop"] = list(request.stop[:MOST_STOPS])
    if request.constraint is not None:
        body["response_format"] = _response_format(request.constraint, settings.server)
    options = json.loads(request.template_options) if request.template_options else {}
    if options and "chat_template_kwargs" in settings.features:
        body["chat_template_kwargs"] = options
    if request.top_logprobs is not None:
        body |= {"logprobs": True, "top_logprobs": request.top_logprobs}
    if "cache_salt" in settings.features and request.cache_salt:
        body["cache_salt"] = base64.b64encode(request.cache_salt).decode()
    return body


def _sampling(request: GenerationRequest, settings: RemoteSettings) -> dict[str, Any]:
    """Everything is said explicitly: servers have defaults of their own, and those change the answer."""
    sampling = request.sampling
    fields: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "seed": sampling.seed & LARGEST_SEED,
    }
    everything = -1 if settings.server in ("vllm", "sglang") else 0
    further = {
        "top_k": sampling.top_k or everything,
        "min_p": sampling.min_p,
        "repetition_penalty": sampling.repetition_penalty,
        "repeat_penalty": sampling.repetition_penalty,
    }
    return fields | {name: value for name, value in further.items() if name in settings.features}


def _refuse_impossible(request: GenerationRequest, settings: RemoteSettings) -> None:
    sampling, features = request.sampling, settings.features
    penalty = bool(features & {"repetition_penalty", "repeat_penalty"})
    problems = {
        "top_k": bool(sampling.top_k) and "top_k" not in features,
        "min_p": bool(sampling.min_p) and "min_p" not in features,
        "repetition_penalty": sampling.repetition_penalty != 1.0 and not penalty,
        "min_tokens": bool(request.min_tokens) and "min_tokens" not in features,
        "logit_bias (its numbers are token ids, and this server keeps its own)": bool(sampling.logit_bias),
        "log probabilities": request.top_logprobs is not None
        and ("logprobs" not in features or request.prompt is not None),
        "tools": bool(request.tools),
        "options of the chat template": bool(_options(request)) and "chat_template_kwargs" not in features,
        "tool calls and tool answers in the conversation": any(_is_about_tools(one) for one in request.messages),
        "the continuation of an answer that another machine began": bool(request.continue_tokens),
        "prompts of token ids (this server keeps its own)": bool(request.prompt_tokens),
    }
    constraint = request.constraint
    if constraint is not None:
        known = "json_schema" in features and constraint.kind in ("json_schema", "json_object")
        problems[f"answers held to a {constraint.kind.replace('_', ' ')}"] = not known
    missing = [name for name, impossible in problems.items() if impossible]
    if missing:
        raise InvalidRequestError(
            f"The model {request.model_id} is served by another program ({settings.server}), which cannot be asked for "
            f"{' and '.join(missing)}. Leave that out, or choose another model."
        )


def _options(request: GenerationRequest) -> set[str]:
    """Names of the options that are more than wishes: an effort is one, and most templates know none."""
    options = json.loads(request.template_options) if request.template_options else {}
    return set(options) - ({"enable_thinking"} if "reasoning_effort" in options else set()) - {"reasoning_effort"}


def _is_about_tools(message: PromptMessage) -> bool:
    return bool(message.tool_calls or message.tool_call_id) or message.role == "tool"


def _message(message: PromptMessage) -> dict[str, str]:
    fields = {"role": message.role, "content": message.content}
    return fields | ({"name": message.name} if message.name else {})


def _response_format(constraint: Constraint, server: str) -> dict[str, Any]:
    if constraint.kind == "json_object":
        return {"type": "json_object"}
    try:
        schema = json.loads(constraint.text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"The JSON schema is not JSON ({error}). Correct it.") from error
    if server == "llama.cpp":  # llama-cpp-python's server, unlike llama.cpp's own, knows this form alone
        return {"type": "json_object", "schema": schema}
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
