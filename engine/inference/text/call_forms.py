"""How a model is made to call a tool: the form of a call in each notation. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from engine.errors import InvalidRequestError
from engine.inference.sampling.tool_grammar import CallForm, forced_call
from engine.inference.types import Constraint, GenerationRequest

_FORMS = {
    "hermes": CallForm(begin="<tool_call>\n", end="\n</tool_call>", between="\n", several=True),
    "llama3": CallForm(arguments_key="parameters"),
    "mistral": CallForm(opening="[TOOL_CALLS][", between=", ", closing="]", several=True),
    "mistral-named": CallForm(begin="[TOOL_CALLS]", before_arguments="[ARGS]", several=True),
    "phi4": CallForm(opening="<|tool_call|>[", between=", ", closing="]<|/tool_call|>", several=True),
}
_NAMED = "function:"


def form_of(request: GenerationRequest, notation: str, literal: Callable[[str], str]) -> Constraint | None:
    """What the answer must match: the request's own constraint, or a call of the tool that it asks for.

    ``notation`` is how the model writes calls, ``literal`` its ``GrammarFactory.literal``. Raises
    :class:`InvalidRequestError`.
    """
    choice = request.tool_choice
    if choice in ("", "none"):
        return request.constraint
    if choice != "required" and not choice.startswith(_NAMED):
        raise InvalidRequestError(f"tool_choice {choice[:64]!r} is not known. Use auto, none, required or one tool.")
    if request.constraint is not None:
        raise InvalidRequestError(
            "The answer cannot be a call of a tool and match response_format at the same time. Leave out one of the "
            "two: tool_choice, or response_format."
        )
    if not request.tools:
        raise InvalidRequestError("tool_choice asks for a call of a tool, but the request has no tools. Add them.")
    form = _FORMS.get(notation)
    if form is None:
        raise InvalidRequestError(
            f"{request.model_id} cannot be made to call a tool: how it writes calls is not known. Leave tool_choice at "
            "auto, or choose another model."
        )
    name = choice.removeprefix(_NAMED) if choice.startswith(_NAMED) else None
    several = form.several and request.parallel_tool_calls
    return forced_call(request.tools, name, replace(form, several=several), literal)
