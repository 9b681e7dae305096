"""Traces: what a file must say, and that generated ones are what they claim to be."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigurationError
from engine.inference.scheduling.plan import BLOCK_TOKENS
from engine.simulation.forwarding.generated import CODING, LONG_DOC, TOOL_USE, TRACES, Workload, generate
from engine.simulation.forwarding.trace import describe, read, rescaled, write

GOOD = {"t": 0.5, "session": "a", "prompt": [1, 2, 3], "public_tokens": 2, "output_tokens": 4}


def stored(folder: Path, *lines: object) -> Path:
    path = folder / "trace.jsonl"
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 2: Input data was truncated"),
        ({**GOOD, "t": -1}, "line 2: t is -1.0"),
        ({**GOOD, "t": 0.4}, "line 2: t is 0.4, less than 0.5"),
        ({**GOOD, "prompt": []}, "line 2: prompt has 0 tokens"),
        ({**GOOD, "prompt": [1, -2]}, "line 2: prompt has a token id"),
        ({**GOOD, "prompt": "abc"}, r"line 2: .*\$\.prompt"),
        ({**GOOD, "public_tokens": 4}, "line 2: public_tokens is 4"),
        ({**GOOD, "output_tokens": 0}, "line 2: output_tokens is 0"),
        ({**GOOD, "outputs": 1}, "line 2: .*outputs"),
        ({"t": 1}, "line 2: .*missing required field"),
    ],
)
def test_a_bad_line_is_named_with_what_is_wrong(tmp_path: Path, line: object, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read(stored(tmp_path, GOOD, line))


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail_otherwise(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    path = tmp_path_factory.mktemp("noise") / "trace.jsonl"
    path.write_bytes(noise)
    with pytest.raises(ConfigurationError):
        read(path)


def test_an_empty_or_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="has no requests"):
        read(stored(tmp_path))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read(tmp_path / "none.jsonl")


def test_what_is_written_is_read_back_and_public_texts_are_kept_once(tmp_path: Path) -> None:
    made = generate("mixed", 60, seed=3)
    write(made, tmp_path / "trace.jsonl")
    found = read(tmp_path / "trace.jsonl")
    assert [(one.t, one.session, one.prompt(), len(one.public), one.output_tokens) for one in made] == [
        (one.t, one.session, one.prompt(), len(one.public), one.output_tokens) for one in found
    ]
    texts = {one.public.digest: one.public for one in found}
    assert all(texts[one.public.digest] is one.public for one in found)


def test_public_tokens_may_be_absent_and_a_session_a_number(tmp_path: Path) -> None:
    (found,) = read(stored(tmp_path, {"t": 0, "session": 7, "prompt": [1] * 40, "output_tokens": 1}))
    assert (len(found.public), found.public.digest, found.session) == (0, b"", "7")
    assert found.blocks() == ((1,) * BLOCK_TOKENS,)


def test_a_turn_knows_the_answer_that_the_next_turn_shows(tmp_path: Path) -> None:
    first = {"t": 0, "session": "a", "prompt": [1, 2], "output_tokens": 3}
    second = {"t": 9, "session": "a", "prompt": [1, 2, 7, 8, 9, 3], "output_tokens": 3}
    other = {"t": 10, "session": "a", "prompt": [5], "output_tokens": 3}
    found = read(stored(tmp_path, first, second, other))
    assert [one.answer for one in found] == [array("I", [7, 8, 9]), None, None]


def test_rescaling_makes_arrivals_faster_and_leaves_the_rest(tmp_path: Path) -> None:
    made = generate("tooluse", 50, seed=1)
    faster = rescaled(made, 4)
    assert [one.t for one in faster] == pytest.approx([one.t / 4 for one in made])
    assert [one.prompt() for one in faster] == [one.prompt() for one in made]


@pytest.mark.parametrize("name", TRACES)
def test_a_seed_gives_one_trace_and_another_seed_another(name: str) -> None:
    one, same, other = generate(name, 40, 1), generate(name, 40, 1), generate(name, 40, 2)
    assert [(a.t, a.prompt()) for a in one] == [(a.t, a.prompt()) for a in same]
    assert [a.prompt() for a in one] != [a.prompt() for a in other]
    assert [a.number for a in one] == list(range(40))


@pytest.mark.parametrize(("name", "workload"), [("tooluse", TOOL_USE), ("coding", CODING), ("longdoc", LONG_DOC)])
def test_lengths_and_popularity_are_those_that_were_asked_for(name: str, workload: Workload) -> None:
    made = generate(name, 3_000, seed=5, rate=10)
    found = describe(made)
    assert found["prompt_tokens"] == pytest.approx(workload.public + workload.private, rel=0.1)
    assert found["public_tokens"] == pytest.approx(workload.public, rel=0.1)
    assert found["output_tokens"] == pytest.approx(workload.output, rel=0.15)
    assert made[-1].t == pytest.approx(300, rel=0.1)
    ranked = [count for _, count in Counter(one.public.digest for one in made).most_common()]
    assert ranked[0] / sum(ranked) == pytest.approx(
        1 / sum(rank**-workload.zipf for rank in range(1, workload.texts + 1)), rel=0.35
    )
    preambles = {tuple(one.public.ids[: workload.preamble]) for one in made}
    assert len(preambles) == 1


def test_bursts_have_the_same_mean_rate_and_come_in_heaps() -> None:
    def dispersion(name: str) -> float:
        counts = Counter(int(one.t) for one in generate(name, 6_000, seed=2, rate=20))
        seconds = [counts[second] for second in range(max(counts))]
        mean = sum(seconds) / len(seconds)
        assert mean == pytest.approx(20, rel=0.25)
        return sum((one - mean) ** 2 for one in seconds) / len(seconds) / mean

    assert dispersion("tooluse") < 1.5  # a Poisson process has 1
    assert dispersion("bursts") > 5


def test_turns_of_a_chat_begin_with_the_turns_before() -> None:
    made = generate("chat", 400, seed=4)
    sessions: dict[str, list[array[int]]] = {}
    for one in made:
        sessions.setdefault(one.session, []).append(one.prompt())
    assert max(map(len, sessions.values())) > 3
    for prompts in sessions.values():
        for before, after in pairwise(prompts):
            assert after[: len(before)] == before
    assert all(one.answer is not None for one in made if sessions[one.session][-1] != one.prompt())


def test_an_unknown_trace_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="tooluse"):
        generate("tools", 10, 1)
