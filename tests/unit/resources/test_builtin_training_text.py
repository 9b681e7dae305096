"""The generator of the training text: every topic is covered, nothing held-out leaks in, a round can be made again."""

from __future__ import annotations

import importlib
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / "resources" / "engine" / "builtin" / "scripts"


@pytest.fixture(scope="module", autouse=True)
def scripts_on_path():
    sys.path.insert(0, str(SCRIPTS))
    yield
    sys.path.remove(str(SCRIPTS))


@pytest.fixture(scope="module")
def generate(scripts_on_path) -> ModuleType:
    return importlib.import_module("generate")


@pytest.fixture(scope="module")
def overlap(scripts_on_path) -> ModuleType:
    return importlib.import_module("overlap")


def test_every_topic_has_many_phrasings_and_keywords(generate) -> None:
    generator = generate.load_generator(stage=len(generate.STAGES) - 1)
    assert len(generator.topics) >= 30
    for topic in generator.topics:
        assert len(generator.help_patterns[topic.identifier]) >= 12, topic.identifier
        assert len(generator.keywords[topic.identifier]) >= 15, topic.identifier


def test_a_round_can_be_made_again(generate, overlap) -> None:
    stages = generate.load_stages(overlap.Exclusion())
    assert generate.round_conversations(stages, 3) == generate.round_conversations(stages, 3)
    assert generate.round_conversations(stages, 3) != generate.round_conversations(stages, 4)


def test_answers_are_the_facts_and_refusals_are_honest(generate) -> None:
    generator = generate.load_generator()
    answers = {topic.identifier: topic.answer for topic in generator.topics}
    rng = random.Random(5)
    turns = [generator.turn(rng) for _ in range(3000)]
    assert {turn.topic for turn in turns} >= {*answers, "decline", "chat"}
    for turn in turns:
        if turn.topic in answers:
            assert turn.answer == answers[turn.topic]
    assert "built-in" in generate.DECLINE
    assert "bigger model" in generate.DECLINE


def test_every_answer_carries_its_own_key_facts(generate) -> None:
    check = importlib.import_module("check")
    for topic in generate.read_topics():
        assert check.is_right(topic.answer, topic.key_facts), topic.identifier
        if topic.identifier != "who-are-you":
            assert not check.is_right(generate.DECLINE, topic.key_facts), topic.identifier


def test_grams_of_short_and_long_texts(overlap) -> None:
    assert overlap.grams("What is it?") == [("what", "is", "it")]
    assert overlap.grams("How do I turn it off?") == [
        ("how", "do", "i", "turn"),
        ("do", "i", "turn", "it"),
        ("i", "turn", "it", "off"),
    ]
    assert overlap.grams("?!") == []


def test_exclusion_keeps_two_fifths_of_a_question_out(overlap) -> None:
    text = "how do I turn the relay off at night"
    exclusion = overlap.make_exclusion([text], [text, "how do I turn the wheel"])
    assert not exclusion.allows(text)
    training = {gram for gram in overlap.grams(text) if gram not in exclusion.forbidden}
    assert overlap.shared_fractions([text], training)[0] <= overlap.SHARED_LIMIT
    assert exclusion.allows("how do I turn the wheel")


def test_training_text_shares_little_with_the_held_out_questions(generate, overlap) -> None:
    stages = generate.load_stages(generate.exclusion_from_sample())
    held_out = overlap.held_out_texts()
    assert len(held_out) >= 130
    training = {
        gram
        for number in (0, 1, *(stage.first_round for stage in generate.STAGES[1:]))
        for conversation, _ in generate.round_conversations(stages, number)
        for turn in conversation.turns
        for gram in overlap.grams(turn.question)
    }
    assert max(overlap.shared_fractions(held_out, training)) <= overlap.SHARED_LIMIT


@pytest.mark.parametrize("pattern", ["(a|b", "[a", "a)", "{unknown}"])
def test_broken_patterns_are_refused(scripts_on_path, pattern: str) -> None:
    grammar = importlib.import_module("grammar")
    with pytest.raises(ValueError, match=r".+"):
        grammar.Grammar({}).compile(pattern)


def test_patterns_give_every_choice(scripts_on_path) -> None:
    grammar = importlib.import_module("grammar")
    node = grammar.read_names(["thing: cup | pot"]).compile("(a|the) [big] {thing}")
    rng = random.Random(1)
    assert {node(rng) for _ in range(200)} == {
        f"{article}{size} {thing}" for article in ("a", "the") for size in ("", " big") for thing in ("cup", "pot")
    }
