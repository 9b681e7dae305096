"""The requests of a run are the same at every rate, shared as the setting says, and what the simulator reads."""

from collections import Counter
from dataclasses import replace

import msgspec
import pytest

from engine.bench.forwarding.setting import SETTINGS
from engine.bench.forwarding.workload import make_questions, trace_lines, words
from engine.simulation.forwarding.trace import read

SETTING = replace(SETTINGS["built-in"], public=60, private=12, requests=400, texts=10)


def count(text):
    """A tokenizer: one token for each three characters."""
    return -(-len(text) // 3)


def test_another_rate_moves_the_same_questions():
    slow, fast = make_questions(SETTING, 1.0, count), make_questions(SETTING, 4.0, count)
    assert [one.t / 4 for one in slow] == pytest.approx([one.t for one in fast])
    assert [(one.system, one.user, one.output) for one in slow] == [(one.system, one.user, one.output) for one in fast]
    assert 0.8 < slow[-1].t / len(slow) < 1.25


def test_shared_beginnings_follow_zipf_and_questions_are_new():
    questions = make_questions(SETTING, 1.0, count)
    assert len({one.user for one in questions}) == len({one.session for one in questions}) == SETTING.requests
    asked = Counter(one.text for one in questions)
    assert len({one.system for one in questions}) == len(asked) == SETTING.texts
    weights = [rank**-1.1 for rank in range(1, 11)]
    assert asked[0] / SETTING.requests == pytest.approx(weights[0] / sum(weights), abs=0.07)
    assert asked[0] > asked[2] > asked[9]
    assert sum(one.output for one in questions) / len(questions) == pytest.approx(SETTING.output, rel=0.1)


def test_a_text_has_the_tokens_that_it_should_have():
    for tokens in (4, 50, 900):
        assert count(words(tokens, "a", count)) == pytest.approx(tokens, rel=0.1, abs=1)
    assert words(50, "a", count) == words(50, "a", count) != words(50, "b", count)
    assert words(50, "a", len) != words(50, "a", count)  # another tokenizer, another length


def test_the_simulator_reads_the_trace(tmp_path):
    questions = make_questions(SETTING, 2.0, count)

    def rendered(messages, public):
        assert public == 1
        system, user = messages
        return (*system.content.encode(), 0, *user.content.encode()), len(system.content)

    file = tmp_path / "trace.jsonl"
    file.write_bytes(b"\n".join(msgspec.json.encode(line) for line in trace_lines(questions, rendered)))
    requests = read(file)
    assert [one.t for one in requests] == pytest.approx([one.t for one in questions], abs=1e-5)
    assert [one.output_tokens for one in requests] == [one.output for one in questions]
    assert len({one.public.digest for one in requests}) == len({one.system for one in questions})
    assert all(len(one.public) == len(question.system) for one, question in zip(requests, questions, strict=True))
