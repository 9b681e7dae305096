"""What a request must be before a worker sees it, whoever sent it. Pure; refusals name the field of the local API.

The worker reads these texts as JSON and hands them to chat templates: nothing that it cannot read, and no depth that it
would have to follow by recursion, gets there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Protocol

import msgspec

from engine.errors import InvalidRequestError
from engine.inference.types import Constraint, GenerationRequest, PromptMessage

ROLES = ("system", "user", "assistant", "tool")
MAX_TOOLS = 128
MAX_TOOL_CALLS = 128
"""Of one message."""
MAX_CONSTRAINT = 65_536
"""Characters of a schema or grammar."""
MAX_TEMPLATE_OPTIONS = 4096
"""Characters of all of them as JSON."""
MAX_DEPTH = 100
"""Levels of JSON inside JSON."""
FUNCTION = "function:"
"""Before the name in a ``tool_choice`` that names a tool."""
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OPTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_RESERVED = frozenset(
    {
        "add_generation_prompt",
        "bos_token",
        "chat_template",
        "continue_final_message",
        "conversation",
        "documents",
        "eos_token",
        "max_length",
        "messages",
        "padding",
        "return_assistant_tokens_mask",
        "return_dict",
        "return_tensors",
        "tokenize",
        "tokenizer_kwargs",
        "tools",
        "truncation",
    }
)
"""Names that a chat template gets from the engine, or that mean something to the program that renders it."""


class Abilities(Protocol):
    """What a model can be asked for (``ModelInfo`` here, ``ServedModel`` in the directory)."""

    @property
    def token_ids(self) -> bool: ...

    @property
    def logprobs(self) -> bool: ...

    @property
    def constraints(self) -> bool: ...

    @property
    def tools(self) -> bool: ...


_ABILITIES = {
    "logit_bias": "logit_bias (its token ids are not the model's own)",
    "prompt": "prompts of token ids",
    "logprobs": "log probabilities",
    "response_format": "answers held to a JSON schema",
    "tools": "tools",
    "continuation": "the rest of an answer that another machine began",
}


def missing_abilities(request: GenerationRequest, model: Abilities) -> tuple[str, ...]:
    """The fields of the local API that ``model`` cannot be asked for, of those that the request uses."""
    speaks_of_tools = any(message.tool_calls or message.role == "tool" for message in request.messages)
    missing = {
        "logit_bias": bool(request.sampling.logit_bias) and not model.token_ids,
        "prompt": bool(request.prompt_tokens) and not model.token_ids,
        "logprobs": request.top_logprobs is not None and not model.logprobs,
        "response_format": request.constraint is not None and not model.constraints,
        "tools": bool(request.tools or speaks_of_tools) and not model.tools,
        "continuation": bool(request.continue_tokens) and not model.token_ids,
    }
    return tuple(name for name, is_missing in missing.items() if is_missing)


def unable(model_id: str, missing: Sequence[str], where: str) -> InvalidRequestError:
    """The refusal of a request whose model lacks ``missing``; ``where`` was looked, in words."""
    named = " and ".join(_ABILITIES[name] for name in missing)
    return InvalidRequestError(
        f"The model {model_id} cannot be asked for {named} {where}. Leave that out, or choose another model.",
        missing[0],
    )


def check_request(request: GenerationRequest) -> None:
    """Raise :class:`InvalidRequestError` for what no model could be asked."""
    given = [bool(request.messages), request.prompt is not None, bool(request.prompt_tokens)]
    if sum(given) != 1:
        raise InvalidRequestError("A request has either messages or a prompt. Send one of them.", "messages")
    for message in request.messages:
        _check_message(message)
    names = check_tools(request.tools) if request.tools else ()
    check_tool_choice(request.tool_choice, names)
    if request.template_options:
        check_template_options(request.template_options)
    if request.constraint is not None:
        checked_constraint(request.constraint.kind, request.constraint.text)


def _check_message(message: PromptMessage) -> None:
    if message.role not in ROLES:
        raise InvalidRequestError(
            f"The role {message.role[:40]!r} is not known. Use one of: {', '.join(ROLES)}.", "messages"
        )
    if message.tool_calls:
        check_tool_calls(message.tool_calls)


def check_tools(text: str) -> tuple[str, ...]:
    """The names of the tools in a JSON array as OpenAI's API has it."""
    tools = _parsed(text, "tools")
    if not isinstance(tools, list) or not 1 <= len(tools) <= MAX_TOOLS:
        raise InvalidRequestError(f"tools must be an array of 1 to {MAX_TOOLS} tools.", "tools")
    names = tuple(_tool_name(tool, f"tools[{place}]") for place, tool in enumerate(tools))
    for place, name in enumerate(names):
        if name in names[:place]:
            raise InvalidRequestError(f"Two tools are called {name!r}. Give each a name of its own.", f"tools[{place}]")
    return names


def _tool_name(tool: Any, where: str) -> str:
    kind = tool.get("type") if isinstance(tool, dict) else None
    function = tool.get("function") if isinstance(tool, dict) else None
    if kind != "function" or not isinstance(function, dict):
        raise InvalidRequestError(
            f'{where} is no function. Every tool must be {{"type": "function", "function": {{"name": ..., ...}}}}; '
            "other kinds of tools are not served.",
            where,
        )
    name = function.get("name")
    if not isinstance(name, str) or not _TOOL_NAME.fullmatch(name):
        raise InvalidRequestError(
            f"{where} has no usable name: 1 to 64 letters, digits, hyphens and underscores.", f"{where}.function.name"
        )
    if not isinstance(function.get("description", ""), str | None):
        raise InvalidRequestError(f"The description of the tool {name!r} is no text.", f"{where}.function.description")
    if not isinstance(function.get("parameters", {}), dict | None):
        raise InvalidRequestError(
            f"The parameters of the tool {name!r} are no JSON schema (an object).", f"{where}.function.parameters"
        )
    return name


def check_tool_choice(choice: str, names: Collection[str]) -> None:
    """``choice`` as in :class:`GenerationRequest`; ``names`` of the tools that there are."""
    if choice in ("", "none"):
        return
    if choice != "required" and not choice.startswith(FUNCTION):
        raise InvalidRequestError(f"tool_choice is {choice[:80]!r}, which is not known.", "tool_choice")
    if not names:
        raise InvalidRequestError("tool_choice asks for the call of a tool, but there are no tools.", "tool_choice")
    name = choice.removeprefix(FUNCTION)
    if choice != "required" and name not in names:
        raise InvalidRequestError(
            f"tool_choice names the tool {name[:80]!r}, which is not among tools. It has: {', '.join(names)[:400]}.",
            "tool_choice",
        )


def check_tool_calls(text: str, where: str = "messages") -> None:
    """The calls of an assistant's message, a JSON array as OpenAI's API has it."""
    calls = _parsed(text, where)
    if not isinstance(calls, list) or len(calls) > MAX_TOOL_CALLS:
        raise InvalidRequestError(f"tool_calls must be an array of at most {MAX_TOOL_CALLS} calls.", where)
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        usable = isinstance(function, dict) and isinstance(function.get("name"), str)
        if not usable or not isinstance(function.get("arguments", ""), str | dict):  # type: ignore[union-attr]
            raise InvalidRequestError(
                'A call must be {"id": ..., "type": "function", "function": {"name": ..., "arguments": "JSON"}}.', where
            )


def check_template_options(text: str, where: str = "chat_template_kwargs") -> None:
    """Further arguments of the chat template, a JSON object."""
    if len(text) > MAX_TEMPLATE_OPTIONS:
        raise InvalidRequestError(f"{where} may have {MAX_TEMPLATE_OPTIONS} characters, not {len(text)}.", where)
    options = _parsed(text, where)
    if not isinstance(options, dict):
        raise InvalidRequestError(f"{where} must be an object of names and values.", where)
    for name in options:
        if not _OPTION_NAME.fullmatch(name) or name in _RESERVED:
            raise InvalidRequestError(f"{where} may not hold {name[:64]!r}. Leave it out.", where)


def checked_constraint(kind: str, text: str, where: str = "response_format") -> Constraint:
    """What an answer must match; whether a schema makes sense is for the worker to say. Grammars of other kinds are
    made by the worker alone."""
    if kind == "json_object":
        return Constraint("json_object")
    if kind != "json_schema":
        raise InvalidRequestError(f"Answers cannot be held to a {kind[:40]!r}.", where)
    if len(text) > MAX_CONSTRAINT:
        raise InvalidRequestError(
            f"The JSON schema has {len(text)} characters; at most {MAX_CONSTRAINT} are served. Shorten it.", where
        )
    if not isinstance(_parsed(text, where), dict):
        raise InvalidRequestError("A JSON schema is an object.", where)
    return Constraint("json_schema", text)


def _parsed(text: str, where: str) -> Any:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidRequestError(f"{where} cannot be read as JSON ({str(error)[:200]}).", where) from error
    if _deeper_than([value], MAX_DEPTH):
        raise InvalidRequestError(f"{where} is nested more than {MAX_DEPTH} levels deep. Make it flatter.", where)
    return value


def _deeper_than(values: Sequence[Any], depth: int) -> bool:
    for _ in range(depth + 1):
        values = [value for value in values if isinstance(value, dict | list)]
        if not values:
            return False
        values = [inner for value in values for inner in (value.values() if isinstance(value, dict) else value)]
    return True
