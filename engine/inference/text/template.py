"""A model repository's chat template: Jinja in a sandbox, with a budget.

The repository's author writes the template and is not trusted with the machine: the sandbox keeps it from Python's
insides, the budget from looping or growing without end. Steps (turns of loops, calls) and characters made are counted,
operations that could make much from little are checked before they run. What one step may cost is bounded only by the
size of its operands; a worker that hangs all the same is ended by its supervisor. It renders text and knows no tokens.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from engine.errors import GenTorrentError

MAX_SOURCE = 1_000_000
"""Characters of a template."""
MAX_STEPS = 2_000_000
"""Turns of loops and calls while one prompt is rendered."""
MAX_MADE = 256_000_000
"""Characters made while one prompt is rendered, intermediate values included."""
MAX_TEXT = 8_000_000
"""Characters of one value, and of the rendered prompt."""
MAX_WIDTH = 10_000
"""Of padding and formatted numbers."""
MAX_INTEGER_BITS = 4096
_PADDING = frozenset({"ljust", "rjust", "center", "zfill", "expandtabs"})
_TO_TEXT = frozenset(
    [
        "capitalize",
        "center",
        "e",
        "escape",
        "forceescape",
        "format",
        "indent",
        "join",
        "lower",
        "pprint",
        "replace",
        "safe",
        "string",
        "striptags",
        "title",
        "trim",
        "truncate",
        "upper",
        "urlencode",
        "urlize",
        "wordcount",
        "wordwrap",
        "xmlattr",
    ]
)
_WIDE_FORMAT = re.compile(r"\d{5,}|%[^%a-zA-Z]*\*|\{[^{}]*\{")


class TemplateError(GenTorrentError):
    """The template is broken, refuses the conversation, or asks for too much; the text is the reason alone."""


class _Budget:
    """What one rendering may still use."""

    def __init__(self) -> None:
        self.steps = MAX_STEPS
        self.made = MAX_MADE

    def step(self, count: int = 1) -> None:
        self.steps -= count
        if self.steps < 0:
            raise TemplateError(f"it takes more than {MAX_STEPS:,} steps")

    def make(self, length: int) -> None:
        self.made -= length
        if length > MAX_TEXT or self.made < 0:
            raise TemplateError(f"it makes texts of more than {MAX_TEXT:,} characters")

    def value(self, value: Any) -> None:
        """Charge what turning ``value`` into text may take, nested lists included."""
        waiting = [value]
        while waiting:
            one = waiting.pop()
            if isinstance(one, str):
                self.make(len(one))
            elif isinstance(one, Mapping):
                self.step(len(one) + 1)
                waiting += one.keys()
                waiting += one.values()
            elif isinstance(one, list | tuple):
                self.step(len(one) + 1)
                waiting += one


class _Counting(NodeTransformer):
    """Loops count their turns; texts are joined under the budget."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - the library's naming
        if node.recursive:
            raise TemplateError("it has a recursive loop, which is not supported")
        self.generic_visit(node)
        node.iter = _call("_counted", [node.iter], node)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call("_joined", list(node.nodes), node)


def _call(name: str, arguments: list[Any], where: nodes.Node) -> nodes.Call:
    call = nodes.Call(nodes.EnvironmentAttribute(name), arguments, [], None, None)
    call.set_lineno(where.lineno)
    return call


class _Generation(Extension):
    """``{% generation %}``, which marks the assistant's words for training, changes nothing here."""

    tags = {"generation"}  # noqa: RUF012 - the library's naming

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return list(parser.parse_statements(("name:endgeneration",), drop_needle=True))


class _TemplateNamespace(Namespace):
    """Namespaces take no names that begin with an underscore."""

    def __setitem__(self, name: str, value: Any) -> None:
        if str(name).startswith("_"):
            raise TemplateError(f"it stores an attribute {name[:40]!r}, whose name begins with an underscore")
        super().__setitem__(name, value)


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox under a budget."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, today: Callable[[], datetime]) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # constants are computed under the budget too
            extensions=[_Generation, loopcontrols],
            finalize=self._shown,
        )
        self.budget = _Budget()
        self.filters = {name: self._limited(name, function) for name, function in self.filters.items()}
        self.filters["tojson"] = self._tojson
        self.globals = {
            "range": self._range,
            "dict": dict,
            "namespace": _TemplateNamespace,
            "raise_exception": _refuse,
            "strftime_now": lambda form: today().strftime(_checked_format(form)),
        }

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """No type may be taken apart, whatever the sandbox's own list says."""
        return not isinstance(obj, type) and super().is_safe_attribute(obj, attr, value)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as the library has it
        """Every call of the template: a step, checked when it is a method of a text."""
        __self.budget.step()
        owner = getattr(__obj, "__self__", None)
        if isinstance(owner, str):
            args = __self._checked_method(owner, getattr(__obj, "__name__", ""), args)
        result = super().call(__context, __obj, *args, **kwargs)
        if isinstance(result, str):
            __self.budget.make(len(result))
        elif isinstance(result, list | dict):
            __self.budget.step(len(result))
        return result

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic whose result may be much larger than its operands."""
        if operator == "%" and isinstance(left, str):
            _checked_format(left)
            self.budget.value(right)
        elif operator == "*":
            for one, other in ((left, right), (right, left)):
                if isinstance(one, str | list | tuple) and isinstance(other, int):
                    self.budget.make(len(one) * max(other, 0))
        elif operator == "+" and isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
            self.budget.make(len(left) + len(right))
        if operator in ("*", "**") and isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
            if bits > MAX_INTEGER_BITS:
                raise TemplateError("it makes numbers that are too large")
        return super().call_binop(context, operator, left, right)

    def _checked_method(self, owner: str, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        if name in _PADDING:
            if any(isinstance(one, int) and one > MAX_WIDTH for one in args):
                raise TemplateError(f"it pads a text to more than {MAX_WIDTH:,} characters")
            self.budget.make(len(owner) + owner.count("\t") * MAX_WIDTH * (name == "expandtabs"))
        elif name == "replace" and len(args) >= 2 and isinstance(args[0], str) and isinstance(args[1], str):
            self.budget.make(len(owner) + owner.count(args[0]) * len(args[1]))
        elif name == "join" and args:
            parts = list(self._counted(args[0]))
            self.budget.make(sum(len(one) for one in parts if isinstance(one, str)) + len(owner) * len(parts))
            return (parts,)
        elif name in ("format", "format_map"):
            _checked_format(owner)
            self.budget.value(args)
        elif name == "translate":
            raise TemplateError("it translates characters by a table, which is not supported")
        return args

    def _limited(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter that counts what it is given and what it makes."""
        behind = 1 if hasattr(function, "jinja_pass_arg") else 0  # of the environment, before the value

        @functools.wraps(function)
        def limited(*args: Any, **kwargs: Any) -> Any:
            self.budget.step()
            given = [*args[behind:], *kwargs.values()]
            if given and isinstance(given[0], list | tuple | dict):
                self.budget.step(len(given[0]))
            if name in _TO_TEXT:
                self._check_text_filter(name, given)
            result = function(*args, **kwargs)
            if isinstance(result, str):
                self.budget.make(len(result))
            return result

        return limited

    def _check_text_filter(self, name: str, given: list[Any]) -> None:
        for one in given:
            self.budget.value(one)
        if name in ("center", "indent", "wordwrap", "truncate") and any(
            isinstance(one, int) and one > MAX_WIDTH for one in given[1:]
        ):
            raise TemplateError(f"it pads a text to more than {MAX_WIDTH:,} characters")
        text = given[0] if given and isinstance(given[0], str) else ""
        if name == "format":
            _checked_format(text)
        elif name == "replace" and len(given) >= 3:
            self.budget.make(text.count(str(given[1])) * len(str(given[2])))
        elif name == "indent" and len(given) >= 2:
            self.budget.make(text.count("\n") * (given[1] if isinstance(given[1], int) else len(str(given[1]))))
        elif name == "join" and len(given) >= 2 and isinstance(given[0], str | list | tuple):
            self.budget.make(len(given[0]) * len(str(given[1])))

    def _counted(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self.budget.step()
            yield value

    def _joined(self, *parts: Any) -> str:
        for part in parts:
            self.budget.value(part)
        text = "".join(str(part) for part in parts)
        self.budget.make(len(text))
        return text

    def _range(self, *bounds: int) -> range:
        numbers = range(*bounds)
        self.budget.step(min(len(numbers), MAX_STEPS + 1))
        return numbers

    def _shown(self, value: Any) -> Any:
        self.budget.value(value)
        return value

    def _tojson(
        self,
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        """JSON as transformers writes it for templates: nothing is escaped for HTML."""
        if isinstance(indent, int) and indent > 64:
            raise TemplateError("it indents JSON by more than 64 places")
        encoder = json.JSONEncoder(ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
        pieces = []
        for piece in encoder.iterencode(value):
            self.budget.step()
            self.budget.make(len(piece))
            pieces.append(piece)
        return "".join(pieces)


def _refuse(message: object) -> None:
    raise TemplateError(str(message)[:300])


def _checked_format(form: str) -> str:
    if _WIDE_FORMAT.search(form):
        raise TemplateError("it formats a value to a width that is too large")
    return form


class ChatTemplate:
    """A compiled template. ``variables`` are there in every rendering (the special tokens); ``today`` gives the date.

    Raises :class:`TemplateError` when the source is not a template.
    """

    def __init__(self, source: str, variables: Mapping[str, Any], today: Callable[[], datetime]) -> None:
        self.source = source
        self._variables = dict(variables)
        self._environment = _Environment(today)
        if len(source) > MAX_SOURCE:
            raise TemplateError(f"it has more than {MAX_SOURCE:,} characters")
        try:
            tree = self._environment.parse(source)
            self._names = _names(tree)
            self._template = self._environment.from_string(_Counting().visit(tree))
        except TemplateError:
            raise
        except Exception as error:  # also what compiling a strange template makes Python raise
            raise TemplateError(_first_line(error)) from error

    def uses(self, name: str) -> bool:
        """Whether the template looks at a variable or attribute of this name."""
        return name in self._names

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Mapping[str, Any]] | None,
        options: Mapping[str, Any],
        generation: bool,
    ) -> str:
        """The prompt's text; ``generation`` opens the assistant's turn. :class:`TemplateError` says why not."""
        self._environment.budget = _Budget()
        variables = {
            "documents": None,
            **options,
            **self._variables,
            "messages": list(messages),
            "tools": None if tools is None else list(tools),
            "add_generation_prompt": generation,
        }
        pieces: list[str] = []
        length = 0
        try:
            for piece in self._template.generate(variables):
                self._environment.budget.step()
                length += len(piece)
                if length > MAX_TEXT:
                    raise TemplateError(f"it makes a prompt of more than {MAX_TEXT:,} characters")
                pieces.append(piece)
        except TemplateError:
            raise
        except Exception as error:  # templates make Python raise whatever they like
            raise TemplateError(_first_line(error)) from error
        return "".join(pieces)


def _names(tree: nodes.Template) -> frozenset[str]:
    """Variables, attributes and constant keys that a template looks at."""
    found = {node.name for node in tree.find_all(nodes.Name)}
    found |= {node.attr for node in tree.find_all(nodes.Getattr)}
    keys = (node.arg.value for node in tree.find_all(nodes.Getitem) if isinstance(node.arg, nodes.Const))
    found |= {key for key in keys if isinstance(key, str)}
    return frozenset(found)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300] or type(error).__name__
