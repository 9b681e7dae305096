"""A form holds from the end of the reasoning on, and not before."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from engine.errors import InferenceError
from engine.inference.sampling.after_reasoning import AfterReasoning
from engine.inference.sampling.constraint import GrammarFactory
from engine.inference.types import Constraint

TEXT = (Path(__file__).parents[3] / "families/models/qwen3-gqa/tokenizer.json").read_text("utf-8")
TOKENIZER = Tokenizer.from_str(TEXT)
END = TOKENIZER.token_to_id("<|im_end|>")
WIDTH = TOKENIZER.get_vocab_size() + 5


def ids(text):
    return TOKENIZER.encode(text, add_special_tokens=False).ids


@pytest.fixture
def factory():
    return GrammarFactory(lambda: TEXT, WIDTH, {END})


def waiting(factory, mark="</think>"):
    matcher = factory.matcher(Constraint("json_object"))
    decode = lambda some: TOKENIZER.decode(some, skip_special_tokens=False)  # noqa: E731
    return AfterReasoning(matcher, factory.anything_but_the_end(), decode, mark)


def allowed(matcher):
    return set(np.flatnonzero(np.unpackbits(matcher.allowed(), bitorder="little")).tolist())


def test_reasoning_is_free_but_does_not_end_the_answer(factory):
    matcher = waiting(factory)
    assert allowed(matcher) >= set(range(WIDTH)) - {END}
    assert END not in allowed(matcher)
    assert matcher.allowed().size == factory.matcher(Constraint("json_object")).allowed().size


@pytest.mark.parametrize("mark", ["</think>", "END OF THOUGHT"])
def test_the_form_begins_behind_the_mark(factory, mark):
    matcher = waiting(factory, mark)
    for token in ids("hello there " * 20 + mark):
        matcher.accept(token)
    assert END not in allowed(matcher)
    with pytest.raises(InferenceError):
        matcher.accept(ids("hello")[0])
    matcher = waiting(factory, mark)
    matcher.replay(ids("hello" + mark + '{"a": 1}'))
    assert END in allowed(matcher)


def test_a_continued_answer_may_still_reason(factory):
    matcher = waiting(factory)
    matcher.replay(ids("hello"))
    assert set(ids("there")) <= allowed(matcher)
