"""What an answer may look like: JSON schemas, regular expressions and grammars, token by token, by llguidance. Pure.

A grammar is compiled once and kept; every answer gets its own :class:`Matcher`, which says after each token what may
come next. Sizes and the work of one step are bounded, because schemas come from strangers.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np
from llguidance import LLMatcher, LLParserLimits, LLTokenizer
from numpy.typing import NDArray

from engine.errors import InferenceError, InvalidRequestError
from engine.inference.types import Constraint

MAX_CHARACTERS = 65_536
"""Of a schema, regular expression or grammar."""
MAX_NESTING = 100
"""Brackets inside brackets: the compilers follow them by recursion."""
KEPT_GRAMMARS = 32
PARAMETER = "response_format"
"""What the local API calls a constraint."""
ANY_OBJECT = '{"type": "object"}'
WHITESPACE = r"[ \t\r\n]{0,32}"
"""Between the parts of JSON; without a bound a model may write blanks for ever."""

_NAMES = {
    "json_schema": "JSON schema",
    "json_object": "JSON object",
    "regex": "regular expression",
    "lark": "grammar",
}
_PLACE = re.compile(r"^\s*at \d+\(\d+\): (?:failed to compile JSON schema: )?")
_LISTING = re.compile(r"\s+\d+ \| ")
"""Where llguidance begins to repeat the grammar, line by line."""
_LIMITS = LLParserLimits(
    initial_lexer_fuel=2_000_000,  # about 40 ms
    step_lexer_fuel=300_000,  # about 20 ms
    step_max_items=50_000,
    max_items_in_row=10_000,
    max_lexer_states=50_000,  # up to 2 KB each
    max_grammar_size=100_000,
    verbose_errors=False,
)


class Matcher:
    """How far one answer has come in its grammar."""

    def __init__(self, matcher: LLMatcher, name: str) -> None:
        self._matcher = matcher
        self._name = name
        self._ended = False

    @property
    def finished(self) -> bool:
        """Whether nothing but an end-of-turn token may follow, or has come."""
        return self._ended or self._matcher.is_stopped()

    @property
    def may_end(self) -> bool:
        """Whether the text so far is complete, so that an end-of-turn token is allowed."""
        return self._ended or self._matcher.is_accepting()

    def allowed(self) -> NDArray[np.uint8]:
        """The tokens that may come next, one bit each, lowest bit first; end-of-turn tokens exactly where the text is
        complete. :class:`InferenceError` when following the grammar would take too long."""
        mask = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        self._check()
        return mask

    def accept(self, token: int) -> None:
        """Go on by one token that :meth:`allowed` permits; :class:`InferenceError` for any other."""
        if not self._matcher.consume_token(token):
            reason = _short(self._matcher.get_error().partition("<")[0])
            raise InferenceError(f"Token {token} is not what the {self._name} permits at this place: {reason}.")
        self._ended = self._matcher.stop_reason() == "EndOfSentence"

    def replay(self, tokens: Iterable[int]) -> None:
        """Go through the tokens of an answer that is continued; :class:`InvalidRequestError` if they do not fit."""
        for number, token in enumerate(tokens):
            try:
                self.accept(token)
            except InferenceError as error:
                raise InvalidRequestError(
                    f"The answer to be continued does not match its {self._name} from token {number} on. "
                    "Ask again from the beginning."
                ) from error

    def _check(self) -> None:
        if self._matcher.is_error():
            raise InferenceError(
                f"The {self._name} that the answer must match cannot be followed here: "
                f"{_short(self._matcher.get_error())}. Make it simpler."
            )


class GrammarFactory:
    """Makes matchers for one model's tokenizer.

    ``tokenizer_json`` is called once, at the first constraint, for the content of the model's tokenizer.json;
    ``vocabulary`` is the width of the model's logits; ``end_ids`` are its end-of-turn tokens.
    """

    def __init__(self, tokenizer_json: Callable[[], str], vocabulary: int, end_ids: Collection[int]) -> None:
        self._tokenizer_json = tokenizer_json
        self._vocabulary = vocabulary
        self._end_ids = sorted(end_ids)
        self._loaded: LLTokenizer | None = None
        self._grammars: OrderedDict[Constraint, LLMatcher] = OrderedDict()

    def matcher(self, constraint: Constraint) -> Matcher:
        """A matcher at the beginning of an answer; :class:`InvalidRequestError` says what is wrong with the schema."""
        compiled = self._grammars.get(constraint)
        if compiled is None:
            compiled = self._compile(constraint)
            self._grammars[constraint] = compiled
            if len(self._grammars) > KEPT_GRAMMARS:
                self._grammars.popitem(last=False)
        self._grammars.move_to_end(constraint)
        return Matcher(compiled.deep_copy(), _NAMES[constraint.kind])

    def load(self) -> None:
        """Read the tokenizer now: with a large vocabulary that takes more than a second, which the first request with
        a constraint, and all that are answered beside it, would have to wait."""
        self._tokenizer()

    def literal(self, text: str) -> str:
        """``text`` as it must stand in a grammar of kind "lark": by name where it is a special token of this model."""
        ids = self._tokenizer().tokenize_str(text, parse_special=True)
        if len(ids) != 1 or not self._tokenizer().is_special_token(ids[0]):
            return json.dumps(text)
        return text if re.fullmatch(r"<[^<>\s]+>", text) else f"<[{ids[0]}]>"

    def anything_but_the_end(self) -> NDArray[np.uint8]:
        """A mask as :meth:`Matcher.allowed` gives it, for text that has no form but is not the last either."""
        width = -(-self._vocabulary // 32) * 32
        allowed = np.ones(width, dtype=bool)
        allowed[self._end_ids] = False
        return np.packbits(allowed, bitorder="little")

    def _compile(self, constraint: Constraint) -> LLMatcher:
        name = _NAMES[constraint.kind]
        check_size(constraint)
        try:
            grammar = _grammar(constraint)
        except ValueError as error:
            raise _wrong(name, str(error)) from error
        compiled = LLMatcher(self._tokenizer(), grammar, log_level=0, limits=_LIMITS)
        if compiled.is_error():
            raise _wrong(name, compiled.get_error())
        compiled.compute_bitmask()  # the first step is the one that unfolds most of the grammar
        if compiled.is_error():
            raise _wrong(name, compiled.get_error())
        return compiled

    def _tokenizer(self) -> LLTokenizer:
        if self._loaded is None:
            try:
                text = _with_known_decoder(self._tokenizer_json())
                self._loaded = LLTokenizer(text, n_vocab=self._vocabulary, eos_token=self._end_ids or None)
            except (ValueError, RuntimeError) as error:
                raise InvalidRequestError(
                    "Answers of this model cannot be made to match a schema or grammar, because its tokenizer is of a "
                    f"kind that does not allow it: {_short(str(error))}. Send the request without response_format, or "
                    "choose another model.",
                    PARAMETER,
                ) from error
        return self._loaded


def _with_known_decoder(tokenizer_json: str) -> str:
    """The tokenizer with a decoder of the kind "Metaspace", which llguidance does not know, spelt out in parts."""
    content = json.loads(tokenizer_json)
    decoder = content.get("decoder")
    if not isinstance(decoder, dict) or decoder.get("type") != "Metaspace":
        return tokenizer_json
    blank = {"type": "Replace", "pattern": {"String": decoder.get("replacement", "\u2581")}, "content": " "}
    parts = [blank, {"type": "ByteFallback"}, {"type": "Fuse"}]
    return json.dumps(content | {"decoder": {"type": "Sequence", "decoders": parts}})


def check_size(constraint: Constraint) -> None:
    """:class:`InvalidRequestError` for what is too long or too deeply nested; needs no tokenizer."""
    name = _NAMES[constraint.kind]
    if len(constraint.text) > MAX_CHARACTERS:
        raise InvalidRequestError(
            f"The {name} has {len(constraint.text)} characters; at most {MAX_CHARACTERS} are served. Shorten it.",
            PARAMETER,
        )
    depth = _json_depth(constraint) if constraint.kind == "json_schema" else _bracket_depth(constraint.text)
    if depth > MAX_NESTING:
        raise InvalidRequestError(
            f"The {name} is nested more than {MAX_NESTING} levels deep. Make it flatter.", PARAMETER
        )


def _json_depth(constraint: Constraint) -> int:
    """Levels of a schema; text that is no JSON is refused here."""
    try:
        schema = json.loads(constraint.text)
    except ValueError as error:
        raise _wrong(_NAMES[constraint.kind], f"it is not JSON: {error}") from error
    except RecursionError:
        return MAX_NESTING + 1
    if not isinstance(schema, dict):
        raise _wrong(_NAMES[constraint.kind], "a schema is a JSON object")
    level: list[Any] = [schema]
    depth = 0
    while level and depth <= MAX_NESTING:
        depth += 1
        parts = [part for value in level for part in (value.values() if isinstance(value, dict) else value)]
        level = [part for part in parts if isinstance(part, dict | list)]
    return depth


def _bracket_depth(text: str) -> int:
    """Brackets inside brackets, those after a backslash not counted."""
    depth = deepest = 0
    for character in re.sub(r"\\.", "", text, flags=re.DOTALL):
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth = max(0, depth - 1)
    return deepest


def _grammar(constraint: Constraint) -> str:
    """The constraint in llguidance's own form."""
    if constraint.kind == "regex":
        return LLMatcher.grammar_from_regex(constraint.text)
    if constraint.kind == "lark":
        return LLMatcher.grammar_from_lark(constraint.text)
    schema = ANY_OBJECT if constraint.kind == "json_object" else constraint.text
    return LLMatcher.grammar_from_json_schema(schema, overrides={"whitespace_pattern": WHITESPACE})


def _wrong(name: str, reason: str) -> InvalidRequestError:
    if reason.startswith("NoExtension"):
        reason = "no text matches it"
    reason = _LISTING.split(_PLACE.sub("", reason))[0]
    return InvalidRequestError(
        f"The {name} cannot be used: {_short(reason)}. Correct it, or send the request without.", PARAMETER
    )


def _short(text: str) -> str:
    """The first lines of a library's message, on one line."""
    return " ".join(text.split())[:400].rstrip(".")
