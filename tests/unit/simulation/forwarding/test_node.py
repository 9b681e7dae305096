"""The simulated node: queueing formulas, a node that makes every step, the books of tokens and memory."""

from __future__ import annotations

import math
import random
from array import array

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.simulation.forwarding.job import Job
from engine.simulation.forwarding.node import SimulatedNode
from engine.simulation.forwarding.node_kinds import NodeKind, kind_of, load_kinds
from engine.simulation.forwarding.trace import Prompt, PublicText, Texts
from tests.support.stepwise_node import Asked, play

QUICK = NodeKind(
    title="test",
    source="test",
    prefill_rate=1000.0,
    attention_seconds=0.0,
    step_seconds=0.0,
    answer_seconds=0.001,
    kv_token_seconds=0.0,
    kv_tokens=1 << 30,
    slots=1,
    queue=1 << 30,
)
NOTHING = Texts().of(array("I"))


def job(key: int, prompt: int, output: int = 1, public: PublicText = NOTHING, salt: bytes = b"") -> Job:
    return Job(key, Prompt(public.blocks), prompt, output, output, public, salt)


def run(node: SimulatedNode, arrivals: list[tuple[float, Job]]) -> None:
    """Let all arrive and finish, in any order of internal events."""
    waiting = sorted(arrivals, key=lambda one: one[0])
    while waiting or node.next_event() < math.inf:
        if waiting and waiting[0][0] <= node.next_event():
            t, one = waiting.pop(0)
            node.advance(t)
            assert node.offer(one, t)
        else:
            node.advance(node.next_event())


@pytest.mark.parametrize("load", [0.3, 0.6, 0.85])
def test_one_place_and_equal_prompts_wait_as_in_an_m_d_1_queue(load: float) -> None:
    """Pollaczek and Khinchine: the mean wait of M/D/1 is load / (2 (1 - load)) services."""
    draw, t, jobs = random.Random(1), 0.0, []
    for key in range(20_000):
        t += draw.expovariate(load / 0.1)
        jobs.append((t, job(key, 100)))
    run(SimulatedNode(QUICK), jobs)
    waits = [one.first_token - t - 0.1 for t, one in jobs]
    assert sum(waits) / len(waits) == pytest.approx(0.1 * load / (2 * (1 - load)), rel=0.08)


def test_one_place_and_any_answers_wait_as_lindley_says() -> None:
    """Of a queue with one server: a wait is the wait before and its service, less the time between the arrivals."""
    draw, t, jobs = random.Random(2), 0.0, []
    for key in range(5_000):
        t += draw.expovariate(0.7 / 0.5)
        jobs.append((t, job(key, 100, max(1, round(draw.expovariate(1 / 400))))))
    run(SimulatedNode(QUICK), jobs)
    wait = before = service = 0.0
    for t, one in jobs:
        wait = max(0.0, wait + service - (t - before))
        before, service = t, 0.1 + (one.output_tokens - 1) / 1000
        assert one.first_token - t == pytest.approx(wait + 0.1, abs=1e-6)
        assert one.finished - t == pytest.approx(wait + service, abs=1e-6)


def test_an_idle_node_answers_in_the_time_of_its_steps() -> None:
    kind = kind_of("a100-8b")
    node, one = SimulatedNode(kind), job(1, 7_000, 50)
    run(node, [(3.0, one)])
    assert one.first_token == pytest.approx(3 + kind.prefill_seconds(0, 7_000))
    steps = sum(kind.decode_seconds(1, 7_001 + made) for made in range(49))
    assert one.finished == pytest.approx(one.first_token + steps, rel=0.001)
    short = job(2, 10, 1)
    run(node, [(100.0, short)])
    assert short.finished == pytest.approx(100 + kind.step_seconds)


def test_where_reading_and_writing_take_turns_an_answer_waits_for_every_prompt() -> None:
    """100 tokens of an answer take 1 s; a prompt of 3,000 that comes meanwhile 3 s, and 0.5 s beside its tokens."""
    kind = replace(
        QUICK, slots=2, step_seconds=0.009, overlaps=False, request_seconds=0.5, longest_wait=0.25, step_tokens=250
    )
    node, one, two = SimulatedNode(kind), job(1, 100, 101), job(2, 3_000)
    run(node, [(0.0, one), (0.6, two)])
    assert one.first_token == pytest.approx(0.6)
    steps = 3.5 / 0.25  # with prompts, each writing one token
    assert two.first_token == pytest.approx(0.6 + 3.5 + steps * 0.01, abs=0.02)
    assert one.finished == pytest.approx(0.6 + 3.5 + 1.0, abs=0.02)


def test_a_step_without_answers_takes_as_many_tokens_as_that_of_a_worker() -> None:
    """``engine.inference.scheduling.choosing``: nobody waits for it, so it may take twelve times as long."""
    kind = replace(QUICK, prefill_rate=100.0, slots=2, step_seconds=0.01, step_tokens=512, longest_wait=0.25)
    node, one, two = SimulatedNode(kind), job(1, 1_000, 300), job(2, 1_000)
    assert node.offer(one, 0.0)
    assert node.next_event() == pytest.approx(kind.chunk_seconds_alone) == 12 * 0.25
    node.advance(10.2)
    assert one.first_token == pytest.approx(10.0)
    assert node.offer(two, node.now)
    node.advance(node.next_event())  # the end of the step that was being made
    assert node.next_event() - node.now == pytest.approx(kind.chunk_seconds + kind.answer_seconds, abs=1e-6)
    assert kind.chunk_seconds == 0.25
    quick = replace(kind, prefill_rate=10_000.0)
    assert quick.chunk_seconds_alone == quick.chunk_seconds == 0.0512


asked = st.builds(
    Asked,
    arrives=st.floats(0, 3),
    prompt_tokens=st.integers(1, 4_000),
    output_tokens=st.integers(1, 60),
)


@settings(max_examples=150)
@given(
    st.lists(asked, min_size=1, max_size=12, unique_by=lambda one: one.arrives),  # the first one begins a step alone
    st.integers(1, 6),
    st.booleans(),
    st.sampled_from([0.0, 0.05]),
)
def test_jumping_while_nothing_is_read_is_the_same_as_making_every_step(
    requests: list[Asked], slots: int, overlaps: bool, request_seconds: float
) -> None:
    kind = replace(kind_of("a100-8b"), slots=slots, queue=100, overlaps=overlaps, request_seconds=request_seconds)
    jobs = [(one.arrives, job(key, one.prompt_tokens, one.output_tokens)) for key, one in enumerate(requests)]
    ends = play(kind, requests)
    # Who comes at the very end of a step is in the next one or the one after, by the last digit of a sum.
    assume(all(abs(end - one.arrives) > 1e-4 for end in ends for one in requests))
    run(SimulatedNode(kind), jobs)
    for (_, one), expected in zip(jobs, requests, strict=True):
        assert one.first_token == pytest.approx(expected.first_token, abs=0.002)
        assert one.finished == pytest.approx(expected.finished, abs=0.002)


def test_who_comes_while_a_step_is_made_waits_for_its_end_and_gets_its_token_at_the_end_of_the_next() -> None:
    kind = replace(QUICK, slots=4, step_tokens=500, longest_wait=0.5)
    node, long, short = SimulatedNode(kind), job(1, 2_000), job(2, 10)
    run(node, [(0.0, long), (0.1, short)])
    assert short.first_token == pytest.approx(1.0)  # the first step ends at 0.5 s, the next one has 500 tokens, too
    assert long.first_token == pytest.approx(2.01)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(sorted(load_kinds())))
def test_every_token_is_accounted_for_and_all_memory_comes_back(seed: int, name: str) -> None:
    draw, texts = random.Random(seed), Texts()
    kind = replace(kind_of(name), kv_tokens=6_400, slots=draw.randrange(1, 6), queue=1_000)
    node = SimulatedNode(kind)
    public = [texts.of(array("I", draw.choices(range(2), k=draw.randrange(0, 600)))) for _ in range(4)]
    jobs = []
    for key in range(60):
        text, private = draw.choice(public), array("I", draw.choices(range(3), k=draw.randrange(1, 200)))
        whole = text.ids + private
        blocks = tuple(tuple(whole[at : at + 32]) for at in range(0, len(whole) // 32 * 32, 32))
        one = Job(key, Prompt(blocks), len(whole), draw.randrange(1, 80), 30, text, b"s%d" % draw.randrange(9))
        jobs.append((draw.random() * 20, one))
    run(node, jobs)
    node.cache.check_integrity()
    assert all(t < one.first_token <= one.finished < math.inf for t, one in jobs)
    assert node.prefilled == sum(one.prompt_tokens - one.cached for _, one in jobs)
    assert (node.memory.held, node.memory.free) == (0, node.memory.total)
    assert node.cache.held <= node.memory.total
    load = node.load()
    assert (load.queue_tokens, load.waiting, load.running, load.context_tokens, load.output_tokens) == (0, 0, 0, 0, 0)


def test_whoever_needs_what_another_one_is_reading_waits_and_finds_it() -> None:
    text = Texts().of(array("I", range(3_200)))
    kind = kind_of("a100-8b")
    node = SimulatedNode(kind)
    one, two = job(1, 3_300, 5, text, b"a"), job(2, 3_300, 5, text, b"b")
    run(node, [(0.0, one), (0.001, two)])
    assert (one.cached, two.cached) == (0, 3_200)
    assert node.prefilled == 3_300 + 100


def test_what_it_keeps_of_an_answered_request_is_prompt_and_answer_once() -> None:
    text = Texts().of(array("I", range(320)))
    node = SimulatedNode(kind_of("a100-8b"))
    blocks = (*text.blocks, (1,) * 32, (2,) * 32)
    run(node, [(0.0, Job(1, Prompt(blocks), 390, 60, 60, text, b"a"))])
    assert node.cache.held == (390 + 60) // 32


def test_a_full_node_refuses_and_what_never_fits_too() -> None:
    node = SimulatedNode(replace(QUICK, slots=1, queue=1, kv_tokens=3_200))
    assert node.offer(job(1, 100), 0.0)
    assert node.offer(job(2, 100), 0.0)
    assert not node.offer(job(3, 100), 0.0)
    assert not SimulatedNode(replace(QUICK, kv_tokens=320)).offer(job(4, 400), 0.0)


def test_a_node_that_leaves_gives_back_its_requests_and_holds_nothing() -> None:
    node = SimulatedNode(QUICK)
    for key in range(3):
        node.offer(job(key, 100, 3), 0.0)
    assert [one.key for one in node.leave(0.05)] == [0, 1, 2]
    assert node.next_event() == math.inf
    assert (node.load().running, node.load().waiting, node.now) == (0, 0, 0.05)


def test_a_load_statement_says_what_is_left() -> None:
    node = SimulatedNode(replace(QUICK, slots=2))
    node.offer(job(1, 1_000, 100), 0.0)
    node.offer(job(2, 1_000, 100), 0.0)
    node.offer(job(3, 500, 100), 0.0)
    node.advance(0.6)
    load = node.load()
    assert (load.running, load.waiting, load.slots) == (2, 1, 2)
    assert load.queue_tokens == pytest.approx(2_500 - 512, abs=1)  # after one step
    assert load.output_tokens == 300
    node.advance(2.05)
    load = node.load()
    assert load.queue_tokens == pytest.approx(500, abs=1)
    assert load.context_tokens == pytest.approx(2_002 + 2 * 25, abs=60)
    assert load.output_tokens < 280
