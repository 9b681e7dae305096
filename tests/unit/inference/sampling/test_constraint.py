"""Constraints: whatever is drawn among what is allowed matches, for the tokenizers of every family."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders

from engine.errors import InferenceError, InvalidRequestError
from engine.inference.sampling.batch import Draw, choose_batch
from engine.inference.sampling.constraint import KEPT_GRAMMARS, MAX_CHARACTERS, GrammarFactory
from engine.inference.sampling.history import TokenHistory
from engine.inference.sampling.tool_grammar import CallForm, forced_call
from engine.inference.types import Constraint
from engine.wire.answer import Sampling

REPOSITORY = Path(__file__).parents[4]
FAMILIES = REPOSITORY / "tests" / "families" / "models"
NAMES = ["llama", "qwen2", "qwen3", "mistral", "gemma2", "gemma3", "phi3", "phi4-mini"]
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 6},
        "ways": {"type": "array", "items": {"enum": ["north", "south", 3, None]}, "minItems": 1, "maxItems": 3},
        "sure": {"type": "boolean"},
    },
    "required": ["name", "ways", "sure"],
    "additionalProperties": False,
}
ANSWER = Constraint("json_schema", json.dumps(SCHEMA))


def text_of(name):
    place = REPOSITORY / "resources/engine/builtin/model" if name == "built-in" else FAMILIES / f"{name}-gqa"
    return (place / "tokenizer.json").read_text("utf-8")


def end_of(tokenizer):
    names = ("<|im_end|>", "</s>", "<eos>", "<|end|>", "<|eot_id|>", "<|endoftext|>")
    return next(found for found in map(tokenizer.token_to_id, names) if found is not None)


def made(name):
    tokenizer = Tokenizer.from_str(text_of(name))
    vocabulary = tokenizer.get_vocab_size() + 13  # models' logits are often wider than their tokenizer
    return tokenizer, GrammarFactory(lambda: text_of(name), vocabulary, {end_of(tokenizer)})


@pytest.fixture(scope="module")
def builtin():
    return made("built-in")


def allowed(matcher):
    return np.flatnonzero(np.unpackbits(matcher.allowed(), bitorder="little")).tolist()


def said(factory, constraint, text, tokenizer):
    """A matcher that has accepted ``text``."""
    matcher = factory.matcher(constraint)
    for token in tokenizer.encode(text, add_special_tokens=False).ids:
        matcher.accept(token)
    return matcher


@pytest.mark.parametrize("name", ["built-in", *NAMES])
def test_whatever_is_drawn_matches_the_schema(name):
    tokenizer, factory = made(name)
    end = end_of(tokenizer)
    for seed in range(5):
        chance = random.Random(seed)
        matcher, ids = factory.matcher(ANSWER), []
        while True:
            choices = allowed(matcher)
            assert (end in choices) == matcher.may_end
            token = chance.choice(choices)
            matcher.accept(token)
            if token == end:
                break
            ids.append(token)
            assert len(ids) < 1000
        assert matcher.finished
        answer = json.loads(tokenizer.decode(ids, skip_special_tokens=False))
        assert sorted(answer) == ["name", "sure", "ways"]
        assert len(answer["name"]) <= 6
        assert set(answer["ways"]) <= {"north", "south", 3, None}
        assert isinstance(answer["sure"], bool)


@pytest.mark.parametrize(
    "decoder", [decoders.Metaspace(), decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback()])]
)
def test_other_ways_to_write_the_same_tokenizer(decoder):
    tokenizer = Tokenizer.from_str(text_of("gemma2"))
    tokenizer.decoder = decoder
    factory = GrammarFactory(tokenizer.to_str, tokenizer.get_vocab_size(), {end_of(tokenizer)})
    matcher = factory.matcher(Constraint("regex", "a b"))
    matcher.accept(tokenizer.token_to_id("a"))
    assert tokenizer.token_to_id("▁") in allowed(matcher)


def test_a_tokenizer_that_cannot_be_constrained():
    tokenizer = Tokenizer.from_str(text_of("gemma2"))
    tokenizer.decoder = decoders.WordPiece()
    factory = GrammarFactory(tokenizer.to_str, tokenizer.get_vocab_size(), {1})
    with pytest.raises(InvalidRequestError, match="its tokenizer is of a kind"):
        factory.matcher(ANSWER)


def test_drawn_through_the_sampler(builtin):
    tokenizer, factory = builtin
    matcher, end = factory.matcher(ANSWER), end_of(tokenizer)
    ids: list[int] = []
    logits = np.random.default_rng(1).normal(0, 3, (1, tokenizer.get_vocab_size() + 13)).astype(np.float32)
    logits[0, end] = 100.0  # the model wants to stop at once
    history = TokenHistory(())
    while not ids or ids[-1] != end:
        draw = Draw(Sampling(seed=4, top_p=0.9), len(ids), history, (), matcher.allowed(), None)
        token = choose_batch([draw], logits)[0].token
        matcher.accept(token)
        history.append(token)
        ids.append(token)
    assert set(json.loads(tokenizer.decode(ids))) == {"name", "sure", "ways"}


def test_the_end_comes_exactly_where_the_grammar_may_end(builtin):
    tokenizer, factory = builtin
    end = end_of(tokenizer)
    matcher = factory.matcher(Constraint("regex", "ab?"))
    assert end not in allowed(matcher)
    assert not matcher.may_end
    matcher.accept(tokenizer.token_to_id("a"))
    assert end in allowed(matcher)
    assert (matcher.may_end, matcher.finished) == (True, False)
    matcher.accept(tokenizer.token_to_id("b"))
    assert allowed(matcher) == [end]
    assert (matcher.may_end, matcher.finished) == (True, True)
    matcher.accept(end)
    assert (matcher.may_end, matcher.finished) == (True, True)


def test_blanks_come_to_an_end(builtin):
    tokenizer, factory = builtin
    blank = tokenizer.token_to_id("Ġ")
    matcher = said(factory, Constraint("json_object"), "{", tokenizer)
    with pytest.raises(InferenceError, match="not what the JSON object permits"):
        for _ in range(100):
            matcher.accept(blank)


def test_a_continued_answer_goes_on_where_it_was(builtin):
    tokenizer, factory = builtin
    text = '{"name": "x", "ways": ["no'
    ids = tokenizer.encode(text).ids
    matcher = factory.matcher(ANSWER)
    matcher.replay(ids)
    assert allowed(matcher) == allowed(said(factory, ANSWER, text, tokenizer))
    with pytest.raises(InvalidRequestError, match="from token 0 on"):
        factory.matcher(ANSWER).replay(tokenizer.encode("no").ids)


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        (Constraint("json_schema", "[1"), "it is not JSON: Expecting ',' delimiter"),
        (Constraint("json_schema", ""), "it is not JSON"),
        (Constraint("json_schema", "[1]"), "a schema is a JSON object"),
        (Constraint("json_schema", '{"type": "objct"}'), "Invalid type: objct"),
        (Constraint("json_schema", '{"$ref": "#/nowhere"}'), "Pointer '/nowhere' does not exist"),
        (Constraint("json_schema", '{"$ref": "https://example.com/schema"}'), "example.com"),
        (Constraint("json_schema", '{"type": "string", "pattern": "("}'), "unclosed group"),
        (Constraint("json_schema", '{"type": "object", "unevaluatedProperties": false}'), "unevaluatedProperties"),
        (Constraint("json_schema", '{"$ref": "#"}'), "no text matches it"),
        (Constraint("json_schema", '{"type": "integer", "minimum": 5, "maximum": 3}'), "minimum"),
        (Constraint("json_schema", '{"a":' * 101 + "1" + "}" * 101), "100 levels"),
        (Constraint("json_schema", "[" * 60_000), "100 levels|not JSON"),
        (Constraint("json_schema", " " * (MAX_CHARACTERS + 1)), "at most 65536"),
        (Constraint("regex", "[a-"), "unclosed character class"),
        (Constraint("regex", "(" * 5000), "100 levels"),
        (Constraint("lark", 'x: "a"'), "no start rule"),
        (Constraint("lark", 'start: "a" y'), "unknown name"),
        (Constraint("lark", "start: " + "(" * 90 + '"a"' + ")" * 90), "deeply nested"),
        (Constraint("lark", 'start: start "a"'), "no text matches it"),
    ],
)
def test_what_is_wrong_is_said(builtin, constraint, words):
    with pytest.raises(InvalidRequestError, match=words):
        builtin[1].matcher(constraint)


def test_a_grammar_that_explodes_ends_its_own_answer_only(builtin):
    tokenizer, factory = builtin
    matcher = factory.matcher(Constraint("regex", "(.{1,200}[aeiou]){1,200}"))
    chance = random.Random(1)
    with pytest.raises(InferenceError, match="regular expression"):
        for _ in range(200):
            matcher.accept(chance.choice(allowed(matcher)))
    assert allowed(factory.matcher(Constraint("regex", "a"))) == [tokenizer.token_to_id("a")]


def test_grammars_are_kept_and_their_number_is_bounded(builtin, monkeypatch):
    compiled = []
    factory = GrammarFactory(lambda: text_of("built-in"), 3072, {2})
    original = factory._compile

    def compile_and_note(constraint):
        compiled.append(constraint)
        return original(constraint)

    monkeypatch.setattr(factory, "_compile", compile_and_note)
    for _ in range(3):
        first = factory.matcher(ANSWER)
        first.accept(allowed(first)[0])  # one answer's steps are not another's
    assert compiled == [ANSWER]
    for number in range(KEPT_GRAMMARS):
        factory.matcher(Constraint("regex", str(number)))
    factory.matcher(ANSWER)
    assert compiled.count(ANSWER) == 2


def test_the_tokenizer_is_read_once_and_not_before_it_is_needed():
    read = []

    def text():
        read.append(1)
        return text_of("built-in")

    factory = GrammarFactory(text, 3072, {2})
    assert not read
    factory.load()
    factory.matcher(ANSWER)
    assert len(read) == 1


def tool(name, **parameters):
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = json.dumps(
    [
        tool("weather", properties={"place": {"$ref": "#/$defs/p"}}, **{"$defs": {"p": {"enum": ["Rome"]}}}),
        {"type": "function", "function": {"name": "now"}},
    ]
)
FORM = CallForm(begin="<|im_start|>\n", end="\n</call>", between="\n", several=True)


def test_forced_calls(builtin):
    tokenizer, factory = builtin
    constraint = forced_call(TOOLS, None, FORM, factory.literal)
    assert " <|im_start|> " in constraint.text  # the special token itself, not its spelling
    one = '<|im_start|>\n{"name": "weather", "arguments": {"place": "Rome"}}\n</call>'
    two = '<|im_start|>\n{"name": "now", "arguments": { }}\n</call>'
    assert said(factory, constraint, one, tokenizer).may_end
    assert said(factory, constraint, f"{one}\n{two}", tokenizer).may_end
    with pytest.raises(InferenceError):
        said(factory, constraint, one.replace("Rome", "Oslo"), tokenizer)
    with pytest.raises(InferenceError):
        said(factory, constraint, "Hello", tokenizer)


def test_a_named_call(builtin):
    tokenizer, factory = builtin
    constraint = forced_call(TOOLS, "now", CallForm(arguments_key="parameters"), factory.literal)
    assert said(factory, constraint, '{"name": "now", "parameters": {}}', tokenizer).finished
    with pytest.raises(InferenceError):
        said(factory, constraint, '{"name": "weather"', tokenizer)


@pytest.mark.parametrize(
    ("tools", "name", "words"),
    [
        ("[", None, "JSON array"),
        ("{}", None, "JSON array"),
        ("[]", None, "none is listed"),
        ("[1]", None, "Every tool must be"),
        ('[{"function": {"name": "f", "parameters": 1}}]', None, "no JSON schema"),
        (TOOLS, "moon", "called 'moon'"),
    ],
)
def test_tools_that_cannot_be_forced(builtin, tools, name, words):
    with pytest.raises(InvalidRequestError, match=words):
        forced_call(tools, name, FORM, builtin[1].literal)
