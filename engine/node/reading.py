"""An answer's text as it comes, taken apart into what the asker gets, and remembered for the chat's next turn. Pure."""

from __future__ import annotations

import json

from engine.api.service import AnswerRequest
from engine.inference.text.answer_parts import AnswerParser, Content, Part, ToolArguments, ToolCall
from engine.inference.types import AnswerStyle, PromptMessage


class Reading:
    """One answer. Plain prompts have no parts: their text is what it is."""

    def __init__(self, request: AnswerRequest) -> None:
        self._request = request
        self._parser: AnswerParser | None = None
        self._content: list[str] = []
        self._calls: list[tuple[str, list[str]]] = []
        self.style(AnswerStyle())

    def style(self, style: AnswerStyle) -> None:
        """How the text is to be read; before the first of it."""
        request = self._request
        if request.messages:
            tools = bool(request.tools) and request.tool_choice != "none" and request.constraint is None
            self._parser = AnswerParser(style, tools)

    def push(self, text: str) -> tuple[Part, ...]:
        """The parts that ``text`` adds."""
        return self._kept(self._parser.push(text)) if self._parser is not None else ()

    def flush(self) -> tuple[Part, ...]:
        """What is left at the end."""
        return self._kept(self._parser.flush()) if self._parser is not None else ()

    def _kept(self, parts: list[Part]) -> tuple[Part, ...]:
        """Without the calls that ``parallel_tool_calls: false`` does not want."""
        kept = tuple(part for part in parts if self._request.parallel_tool_calls or not _is_further_call(part))
        for part in kept:
            match part:
                case Content():
                    self._content.append(part.text)
                case ToolCall():
                    self._calls.append((part.name, []))
                case ToolArguments():
                    self._calls[-1][1].append(part.text)
        return kept

    @property
    def message(self) -> PromptMessage:
        """The answer as it will stand in the next question of this chat."""
        functions = [{"function": {"name": name, "arguments": "".join(pieces)}} for name, pieces in self._calls]
        return PromptMessage("assistant", "".join(self._content), tool_calls=json.dumps(functions) if functions else "")


def _is_further_call(part: Part) -> bool:
    return isinstance(part, ToolCall | ToolArguments) and part.index > 0
