"""How models write tool calls in their text: one entry for each notation that is known. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class CallNotation:
    """``begins``: marks that begin a block of calls. ``body``: what follows.

    - "objects": one JSON object with name and arguments, or an array of them;
    - "named": the tool's name, ``[ARGS]`` and the arguments.

    ``end`` closes the block (it may be missing: some models end their turn instead). ``bare``: a call may also stand
    without any mark at the beginning of the answer, several of them with ``;`` between.
    """

    begins: tuple[str, ...]
    end: str = ""
    body: Literal["objects", "named"] = "objects"
    bare: bool = False
    inner: tuple[str, ...] = ()  # marks inside a block

    @property
    def marks(self) -> tuple[str, ...]:
        """Everything that the text must keep, also where it is a special token of the model."""
        return (*self.begins, *((self.end,) if self.end else ()), *self.inner)


NOTATIONS = {
    # <tool_call>\n{"name": "f", "arguments": {...}}\n</tool_call>: Hermes, Qwen 2.5 and 3, SmolLM
    "hermes": CallNotation(("<tool_call>",), "</tool_call>"),
    # {"name": "f", "parameters": {...}}, sometimes after <|python_tag|>: Llama 3.1 to 3.3
    "llama3": CallNotation(("<|python_tag|>",), bare=True),
    # [TOOL_CALLS][{"name": "f", "arguments": {...}}]: Mistral 7B 0.3 and Nemo
    "mistral": CallNotation(("[TOOL_CALLS]",)),
    # [TOOL_CALLS]f[ARGS]{...}, in some versions with [CALL_ID] and an id before [ARGS]: Mistral Small 3.2
    "mistral-named": CallNotation(("[TOOL_CALLS]",), body="named", inner=("[CALL_ID]", "[ARGS]")),
    # <|tool_call|>[{"name": "f", "arguments": {...}}]<|/tool_call|>: Phi 4 mini (which also writes functools[...])
    "phi4": CallNotation(("<|tool_call|>", "functools"), "<|/tool_call|>"),
}
