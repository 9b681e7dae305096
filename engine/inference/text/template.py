"""A model repository's chat template, from conversation to text.

The repository's author writes the template and is not trusted with the machine: it runs in a sandbox
(``template_sandbox``) under a budget (``template_budget``). It renders text and knows no tokens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from jinja2 import meta, nodes

from engine.inference.text.template_budget import MAX_TEXT, Budget, TemplateError
from engine.inference.text.template_sandbox import Sandbox

__all__ = ["ChatTemplate", "TemplateError"]

MAX_SOURCE = 1_000_000
"""Characters of a template."""


class ChatTemplate:
    """A compiled template.

    ``special_tokens`` are there in every rendering; ``today`` gives the date, ``computed`` the seconds of computing
    time that this thread has used. Several threads may render. Raises :class:`TemplateError` when the source is not a
    template.
    """

    def __init__(
        self,
        source: str,
        special_tokens: Mapping[str, str],
        today: Callable[[], datetime],
        computed: Callable[[], float],
    ) -> None:
        self.source = source
        self._special_tokens = dict(special_tokens)
        self._computed = computed
        self._sandbox = Sandbox(today, Budget(computed))
        self._rendering = threading.Lock()  # a sandbox has one budget at a time
        if len(source) > MAX_SOURCE:
            raise TemplateError(f"it has more than {MAX_SOURCE:,} characters")
        try:
            tree = self._sandbox.parse(source)
            self.variables = frozenset(meta.find_undeclared_variables(tree))
            self.attributes = _attributes(tree)
            self._template = self._sandbox.from_string(self._sandbox.guarded(tree))
        except TemplateError:
            raise
        except Exception as error:  # also what compiling a strange template makes Python raise
            raise TemplateError(_reason(error)) from error

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Mapping[str, Any]] | None,
        options: Mapping[str, Any],
        generation: bool,
        date: datetime | None = None,
    ) -> str:
        """The prompt's text; ``generation`` opens the assistant's turn, ``date`` is that of the conversation.
        :class:`TemplateError` says why not."""
        variables = {
            "documents": None,
            **options,
            **self._special_tokens,
            "messages": list(messages),
            "tools": None if tools is None else list(tools),
            "add_generation_prompt": generation,
        }
        with self._rendering:
            self._sandbox.date = date
            return self._pieces(variables)

    def _pieces(self, variables: Mapping[str, Any]) -> str:
        budget = self._sandbox.budget = Budget(self._computed)
        pieces: list[str] = []
        length = 0
        try:
            for piece in self._template.generate(variables):
                budget.step()
                length += len(piece)
                if length > MAX_TEXT:
                    raise TemplateError(f"it makes a prompt of more than {MAX_TEXT:,} characters")
                pieces.append(piece)
        except TemplateError:
            raise
        except Exception as error:  # templates make Python raise whatever they like
            raise TemplateError(_reason(error)) from error
        return "".join(pieces)


def _attributes(tree: nodes.Template) -> frozenset[str]:
    """Attributes and constant keys that a template looks at, of whatever object."""
    found = {node.attr for node in tree.find_all(nodes.Getattr)}
    keys = (node.arg.value for node in tree.find_all(nodes.Getitem) if isinstance(node.arg, nodes.Const))
    return frozenset(found | {key for key in keys if isinstance(key, str)})


def _reason(error: Exception) -> str:
    first_line = str(error).partition("\n")[0][:300]
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, MemoryError):
        return "it takes more memory than there is"
    return first_line or type(error).__name__
