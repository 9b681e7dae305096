"""Jinja for strangers' templates: out of reach of Python's insides, and every operation under a budget.

What a chat template has no use for is not there. Loops, calls, filters and list elements are steps; texts are charged
before they are made where little could make much; lists are charged with all they hold when they are put together, so
that nothing can be nested or shared without end. The computing time is looked at in every step, so what remains is the
time of one operation on texts of ``MAX_TEXT`` characters or lists of ``MAX_STEPS`` elements: a fraction of a second.
"""

from __future__ import annotations

import functools
import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from engine.inference.text.template_budget import MAX_STEPS, Budget, TemplateError

MAX_INTEGER_BITS = 4096
MAX_WIDTH = 64
"""Places of indentation, and of rounded numbers."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FREE = _names("count d default first last length")  # filters that cost the same for every value
_LAZY = _names("items list map reject rejectattr reverse select selectattr")  # those that look at one list only
_OTHERS = _names(
    "abs capitalize dictsort e escape float format indent int lower max min replace round safe sort string title trim "
    "unique upper wordcount"
)
_TEXT_METHODS = _names(
    "capitalize casefold count endswith find format index isalnum isalpha isascii isdecimal isdigit islower isnumeric "
    "isspace istitle isupper join lower lstrip partition removeprefix removesuffix replace rfind rindex rpartition "
    "rsplit rstrip split splitlines startswith strip swapcase title upper"
)
_CONTAINER_METHODS = _names("copy count get index items keys values")
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
    "in": lambda left, right: left in right,
    "notin": lambda left, right: left not in right,
}
_WIDE_FORMAT = re.compile(r"\d{4,}|%[^%a-zA-Z]*\*|\{[^{}]*\{")


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of one template. ``budget`` and ``date`` are set anew for each rendering; ``today`` gives the
    date where there is none."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, today: Callable[[], datetime], budget: Budget) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # constants are computed under the budget too
            extensions=[_Generation, loopcontrols],
            finalize=self._shown,
        )
        self.budget = budget
        self.date: datetime | None = None
        filters: dict[str, Any] = self.filters
        tests: dict[str, Any] = self.tests
        self.filters = {name: self._limited(name, filters[name]) for name in _FREE | _LAZY | _OTHERS}
        self.filters |= {"join": self._join, "tojson": self._tojson}
        self.tests = {name: self._limited(name, function) for name, function in tests.items()}
        self.globals = {
            "range": self._range,
            "dict": dict,
            "namespace": _TemplateNamespace,
            "raise_exception": _refuse,
            "strftime_now": lambda form: self._now(today).strftime(_checked_format(form)),
        }

    def guarded(self, tree: nodes.Template) -> nodes.Template:
        """The same template with what it does beside calls and filters under the budget too."""
        guarded: nodes.Template = _Guard().visit(tree)
        return guarded

    def _now(self, today: Callable[[], datetime]) -> datetime:
        return self.date or today()

    # --------------------------------------------------------------------------------- what Jinja asks while it runs

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """No type may be taken apart, whatever the sandbox's own list says."""
        return not isinstance(obj, type) and super().is_safe_attribute(obj, attr, value)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as the library has it
        """Every call of the template."""
        __self.budget.step()
        method = getattr(__obj, "__wrapped__", __obj)  # Jinja puts a function of its own in the place of str.format
        owner, name = getattr(method, "__self__", None), getattr(method, "__name__", "")
        if isinstance(owner, str):
            args = __self._text_method(owner, name, args)
        elif isinstance(owner, Mapping | list | tuple):
            _check_known(name, _CONTAINER_METHODS, "list")
            if name in ("count", "index"):
                __self.budget.value(owner)
        elif isinstance(owner, int | float | bytes):
            raise TemplateError(f"it calls {name[:40]!r} of a number, which is not supported")
        result = super().call(__context, __obj, *args, **kwargs)
        if __obj is dict:
            __self.budget.value(result)
        else:
            __self._charge_size(result)
        return result

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic whose result may be much larger than its operands."""
        if operator == "%" and isinstance(left, str):
            _checked_format(left)
            self.budget.value(right)
        elif operator == "*":
            for one, other in ((left, right), (right, left)):
                if isinstance(one, str | list | tuple) and isinstance(other, int):
                    self._charge_length(one, len(one) * max(other, 0))
        elif operator == "+" and isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
            self._charge_length(left, len(left) + len(right))
        if operator in ("*", "**") and isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
            if bits > MAX_INTEGER_BITS:
                raise TemplateError("it makes numbers that are too large")
        return super().call_binop(context, operator, left, right)

    def _charge_size(self, value: Any) -> None:
        """What a copy of it takes, without what its elements hold."""
        if isinstance(value, str | list | tuple | dict):
            self._charge_length(value, len(value))

    def _charge_length(self, kind: Any, length: int) -> None:
        if isinstance(kind, str):
            self.budget.make(length)
        else:
            self.budget.step(min(length, MAX_STEPS + 1))

    def _text_method(self, owner: str, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        _check_known(name, _TEXT_METHODS, "text")
        self.budget.make(len(owner))
        if name == "replace" and len(args) >= 2 and isinstance(args[0], str) and isinstance(args[1], str):
            self.budget.make(len(owner) + owner.count(args[0]) * len(args[1]))
        elif name == "join" and args:
            parts = list(self.budget.counted(args[0]))
            self._charge_join(owner, parts)
            return (parts,)
        elif name == "format":
            _checked_format(owner)
            self.budget.value(args)
        return args

    def _charge_join(self, between: str, parts: list[Any]) -> None:
        self.budget.make(sum(len(one) for one in parts if isinstance(one, str)) + len(between) * len(parts))

    # ------------------------------------------------------------------------------------------------- filters, tests

    def _limited(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter that is charged for what it is given and what it makes, or a test."""
        behind = 1 if hasattr(function, "jinja_pass_arg") else 0  # of the environment, before the value

        @functools.wraps(function)
        def limited(*args: Any, **kwargs: Any) -> Any:
            self.budget.step()
            given = [*args[behind:], *kwargs.values()]
            if name in _LAZY and given:
                self._charge_size(given[0])
            elif name in _OTHERS:
                self.budget.value(given)
                self._check_filter(name, given)
            elif len(given) > 1:
                self._charge_comparison(given[0], given[1])
            result = function(*args, **kwargs)
            if isinstance(result, str):
                self.budget.make(len(result))
            return result

        return limited

    def _charge_comparison(self, left: Any, right: Any) -> None:
        """Lists inside lists may be shared, and are then compared again and again."""
        if isinstance(left, Mapping | list | tuple) and isinstance(right, Mapping | list | tuple):
            self.budget.value(left)
            self.budget.value(right)

    def _check_filter(self, name: str, given: list[Any]) -> None:
        """Before a filter that could make much from little."""
        text = given[0] if given and isinstance(given[0], str) else ""
        if name in ("indent", "round") and any(isinstance(one, int) and one > MAX_WIDTH for one in given[1:]):
            raise TemplateError(f"it asks for more than {MAX_WIDTH} places")
        if name == "indent" and len(given) >= 2:
            self.budget.make((text.count("\n") + 1) * (MAX_WIDTH + len(str(given[1]))))
        elif name == "replace" and len(given) >= 3:
            self.budget.make(text.count(str(given[1])) * len(str(given[2])))
        elif name == "format":
            _checked_format(text)

    def _join(self, values: Iterable[Any], d: Any = "", attribute: str | int | None = None) -> str:
        """Jinja's filter, which would not count what a lazy sequence holds."""
        parts = []
        for one in self.budget.counted(values):
            part = one if attribute is None else self.getitem(one, attribute)
            self.budget.value(part)
            parts.append(str(part))
        self._charge_join(str(d), parts)
        return str(d).join(parts)

    def _tojson(
        self,
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        """JSON as transformers writes it for templates: nothing is escaped for HTML."""
        if isinstance(indent, int) and indent > MAX_WIDTH:
            raise TemplateError(f"it asks for more than {MAX_WIDTH} places")
        encoder = json.JSONEncoder(ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
        pieces = []
        for piece in encoder.iterencode(value):
            self.budget.step()
            self.budget.make(len(piece))
            pieces.append(piece)
        return "".join(pieces)

    # ------------------------------------------------------------------------------ what _Guard puts into the template

    def _counted(self, values: Iterable[Any]) -> Iterable[Any]:
        return self.budget.counted(values)

    def _built(self, value: Any) -> Any:
        self.budget.value(value)
        return value

    def _joined(self, *parts: Any) -> str:
        self.budget.value(parts)
        return "".join(str(part) for part in parts)

    def _compared(self, name: str, left: Any, right: Any) -> Any:
        self._charge_comparison(left, right)
        return _COMPARISONS[name](left, right)

    def _sliced(self, value: Any, start: Any, stop: Any, step: Any) -> Any:
        result = value[start:stop:step]
        self._charge_size(result)
        return result

    def _range(self, *bounds: int) -> range:
        numbers = range(*bounds)
        self.budget.step(min(len(numbers), MAX_STEPS + 1))
        return numbers

    def _shown(self, value: Any) -> Any:
        self.budget.value(value)
        return value


class _Guard(NodeTransformer):
    """Loops count their turns; texts are joined, lists built and slices taken under the budget."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - the library's naming
        if node.recursive:
            raise TemplateError("it has a recursive loop, which is not supported")
        self.generic_visit(node)
        node.iter = _call("_counted", [node.iter], node)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call("_joined", list(node.nodes), node)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        sides = [node.expr, *(part.expr for part in node.ops)]
        each: list[nodes.Expr] = [
            _call("_compared", [nodes.Const(part.op), left, part.expr], node)
            for left, part in zip(sides, node.ops, strict=False)
        ]
        return functools.reduce(nodes.And, each)

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call("_built", [node], node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call("_built", [node], node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call("_built", [node], node) if node.ctx == "load" else node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if not isinstance(node.arg, nodes.Slice):
            return node
        bounds = [bound or nodes.Const(None) for bound in (node.arg.start, node.arg.stop, node.arg.step)]
        return _call("_sliced", [node.node, *bounds], node)

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802
        if node.name in ("varargs", "kwargs"):  # would nest without _built
            raise TemplateError(f"it uses {node.name!r}, which is not supported")
        return node


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

    def __repr__(self) -> str:
        return "<Namespace>"  # what it holds may be shared without end


def _refuse(message: object) -> None:
    raise TemplateError(str(message)[:300])


def _check_known(name: str, known: frozenset[str], what: str) -> None:
    if name not in known:
        raise TemplateError(f"it calls {name[:40]!r} of a {what}, which is not supported")


def _checked_format(form: str) -> str:
    if _WIDE_FORMAT.search(form):
        raise TemplateError("it formats a value to a width that is too large")
    return form
