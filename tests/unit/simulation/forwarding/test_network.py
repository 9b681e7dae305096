"""The simulated group: delays, books, sessions, refusals, determinism."""

from __future__ import annotations

import math
from array import array
from dataclasses import replace

import pytest
from msgspec.structs import replace as replace_struct

from engine.bench.forwarding_page import as_text as as_page
from engine.crypto.identity import Identity
from engine.errors import ConfigurationError
from engine.forwarding.pace import quiet_interval
from engine.forwarding.policies.registry import NAMES
from engine.forwarding.speaking import Speaker
from engine.inference.scheduling.plan import CacheEvent
from engine.simulation.forwarding.claims import oracle_is_best
from engine.simulation.forwarding.compare import Case, Results, compare
from engine.simulation.forwarding.generated import generate
from engine.simulation.forwarding.network import ORACLE, Network, Plan
from engine.simulation.forwarding.node_kinds import kind_of
from engine.simulation.forwarding.options import chosen_policies, make_plan, make_trace
from engine.simulation.forwarding.run import as_text, simulate
from engine.simulation.forwarding.saturation import at_load, saturation_goodput
from engine.simulation.forwarding.trace import Request, Texts, numbered
from engine.simulation.forwarding.views import Group

A100 = kind_of("a100-8b")
PLAN = Plan(policy="none", kinds=[A100], nodes=4)


def single(t: float, session: str, tokens: int = 900, output: int = 20) -> Request:
    return Request(t, session, Texts().of(array("I")), array("I", range(tokens)), output)


def test_at_low_load_the_first_token_takes_reading_and_the_ways_of_a_forward() -> None:
    requests = numbered(single(10.0 * number, f"s{number}") for number in range(40))
    for policy in ("none", "random"):
        network = Network(replace(PLAN, policy=policy, access=(0.02, 0.02)))
        for one in network.run(requests):
            way = 0.08 if one.forwarded else 0.0
            assert one.first_token - one.arrived == pytest.approx(A100.prefill_seconds(0, 900) + way)
        assert any(one.forwarded for one in network.outcomes) == (policy == "random")


@pytest.mark.parametrize("policy", ["none", "random", "round-robin", "least-load"])
def test_every_request_ends_once_and_every_token_is_read_or_cached(policy: str) -> None:
    requests = generate("mixed", 150, seed=2, rate=12)
    network = Network(replace(PLAN, policy=policy))
    outcomes = network.run(requests)
    assert all(one.done != one.rejected for one in outcomes)
    done = [one for one in outcomes if one.done]
    prefilled = sum(node.prefilled for node in network.group.nodes)
    assert prefilled + sum(one.cached for one in done) == sum(one.prompt_tokens for one in done)
    for node in network.group.nodes:
        node.cache.check_integrity()
        assert node.memory.held == 0
    result = simulate(replace(PLAN, policy=policy), requests)
    assert result["finished"] + result["rejected"] == result["requests"] == 150
    assert result["prefilled_tokens"] == prefilled
    assert sum(result["node_share"].values()) == pytest.approx(1, abs=1e-5)
    assert "150" in as_text(result)


def test_a_seed_gives_the_same_run_and_another_seed_another() -> None:
    requests = generate("tooluse", 80, seed=1, rate=8)
    plan = replace(PLAN, policy="least-load", seed=5)
    assert simulate(plan, requests) == simulate(plan, requests)
    assert simulate(plan, requests) != simulate(replace(plan, seed=6), requests)


def test_nodes_without_forwarding_are_single_nodes_side_by_side() -> None:
    """What each of four nodes does with its requests, one node alone does too."""
    requests = generate("tooluse", 120, seed=7, rate=8)
    together = Network(PLAN).run(requests)
    for place in range(4):
        numbers = [number for number, one in enumerate(together) if one.node == place]
        mine = numbered(replace(requests[number], answer=None) for number in numbers)
        alone = Network(replace(PLAN, nodes=1)).run(mine)
        for number, one in zip(numbers, alone, strict=True):
            # Another number of finished answers is known when it begins: only what is expected differs, not time.
            assert one.first_token == pytest.approx(together[number].first_token)
            assert one.finished == pytest.approx(together[number].finished)


def test_entry_nodes_can_be_given_and_others_are_drawn() -> None:
    requests = numbered(single(10.0 * number, f"s{number}") for number in range(40))
    entries = [number % 3 for number in range(20)] + [-1] * 10
    outcomes = Network(replace(PLAN, entries=entries)).run(requests)
    assert [one.node for one in outcomes[:20]] == entries[:20]
    assert {one.node for one in outcomes[20:]} == {0, 1, 2, 3}
    dead = Network(replace(PLAN, entries=[0]))
    dead.group.alive[0] = False
    assert dead.run(requests[:1])[0].node != 0


def test_later_turns_stay_with_their_node_under_every_policy() -> None:
    requests = generate("chat", 150, seed=3, rate=2)
    for policy in ("none", "random", "least-load"):
        network = Network(replace(PLAN, policy=policy))
        nodes: dict[str, set[int]] = {}
        for request, one in zip(requests, network.run(requests), strict=True):
            nodes.setdefault(request.session, set()).add(one.node)
        assert all(len(places) == 1 for places in nodes.values())
        assert len(set.union(*nodes.values())) == 4


def test_full_nodes_refuse_and_the_request_is_tried_elsewhere() -> None:
    small = replace_struct(A100, slots=1, queue=0)
    requests = numbered(single(0.001 * number, f"s{number}") for number in range(12))
    network = Network(Plan(policy="none", kinds=[small], nodes=6))
    outcomes = network.run(requests)
    assert 4 <= sum(one.done for one in outcomes) <= 6
    assert sum(one.rejected for one in outcomes) == 12 - sum(one.done for one in outcomes)


def test_a_load_is_a_share_of_what_the_nodes_can_do_at_most() -> None:
    plan = replace(PLAN, kinds=[replace_struct(A100, slots=8)], nodes=2)
    requests = numbered(single(0.1 * number, f"s{number}", tokens=300 + number % 200) for number in range(600))
    goodput = saturation_goodput(plan, requests)
    assert saturation_goodput(replace(plan, nodes=4), requests) == pytest.approx(2 * goodput, rel=0.1)
    some = simulate(plan, at_load(requests, goodput, 0.5))
    assert some["goodput_tokens_per_s"] == pytest.approx(0.5 * goodput, rel=0.05)
    assert simulate(plan, at_load(requests, goodput, 0.9))["rejected"] == 0
    assert 0.9 * goodput < simulate(plan, at_load(requests, goodput, 2.0))["goodput_tokens_per_s"] < 1.05 * goodput


def test_when_nodes_die_their_answers_go_on_elsewhere_and_none_is_lost() -> None:
    requests = generate("coding", 200, seed=4, rate=10)
    network = Network(replace(PLAN, policy="least-load", churn_per_minute=6.0, away_seconds=5.0, seed=3))
    outcomes = network.run(requests)
    assert all(one.done != one.rejected for one in outcomes)
    assert sum(one.rejected for one in outcomes) <= 10
    moved = [one for one in outcomes if one.handed_over]
    assert len(moved) >= 3
    assert all(one.first_token < one.finished for one in moved)
    calm = Network(replace(PLAN, policy="least-load", seed=3)).run(requests)
    assert sum(one.read for one in outcomes) > sum(one.read for one in calm)


def test_a_warm_up_is_not_counted() -> None:
    requests = generate("tooluse", 60, seed=1, rate=4)
    whole, later = simulate(PLAN, requests), simulate(PLAN, requests, warm_up=0.5)
    assert (whole["requests"], later["requests"]) == (60, 30)
    assert later["hit_rate"] > whole["hit_rate"]


def test_nodes_that_say_they_are_faster_than_they_are_do_not_get_more_for_long() -> None:
    """With nothing to find in caches, only speed would draw requests."""
    requests = numbered(single(0.08 * number, f"s{number}", tokens=1_800, output=60) for number in range(900))
    plan = Plan(policy="cost", kinds=[A100], nodes=4, overstating=0.25)
    network = Network(plan)
    outcomes = network.run(requests)
    (liar,) = network.group.overstating
    late = [one.node for one in outcomes if one.arrived > 40]
    assert late.count(liar) / len(late) < 0.4


def test_the_oracle_is_not_worse_than_any_policy() -> None:
    case = Case(trace="tooluse", requests=160, nodes=4)
    policies = (*[name for name in NAMES if name not in ("random", "round-robin")], ORACLE)
    found = compare(case, Results(), ["tooluse"], [0.7], policies, sweeps={})
    assert oracle_is_best(found, slack=0.05) == []
    assert {row["policy"] for row in found["rows"]} == set(policies)
    page = as_page(found)
    assert "| cost " in page
    assert "claims hold" in page


def test_groups_make_statements_as_often_as_real_ones() -> None:
    assert make_plan(policy="none", nodes=16).gossip_seconds == 0.25
    assert make_plan(policy="none", nodes=17).gossip_seconds == 1.0
    assert make_plan(policy="none", nodes=1_024).gossip_seconds == 8.0
    assert make_plan(policy="none", nodes=1_024, gossip_seconds=2.0).gossip_seconds == 2.0


def test_saying_how_often_a_group_speaks_anyway_changes_nothing() -> None:
    assert make_plan(policy="none", gossip_seconds=0.25) == make_plan(policy="none")
    assert make_plan(policy="none").interject
    assert not make_plan(policy="none", gossip_seconds=0.2).interject
    assert not make_plan(policy="none", nodes=17, gossip_seconds=1.0).interject


@pytest.mark.parametrize("nodes", [3, 20])
def test_simulated_nodes_speak_exactly_when_real_ones_do(nodes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real ``Speaker`` beside each node, told of its load and of its cache whenever the node has a turn."""
    requests = generate("tooluse", 60, seed=4, rate=1.5)
    plan = replace(make_plan(policy="random", nodes=nodes), newcomers=0.0)
    network = Network(plan)
    identity = Identity.from_seed(bytes(32))
    speakers = [Speaker(identity, bytes(32), bytes(32), 1) for _ in range(nodes)]
    spoken, quiet = [0] * nodes, [0] * nodes
    interval = plan.gossip_seconds
    state = Group.state

    def compared(group: Group, place: int, statement: int, silent: float = math.inf, *, early: bool = False) -> None:
        speaker, node, now = speakers[place], group.nodes[place], network.now
        changes = list(node.cache._events)
        for number, _ in enumerate(changes):
            digest = b"%d %d %r" % (place, number, now)
            speaker.sentry.apply([CacheEvent(True, (digest,), ())])
        speaker.report(node.load(), True, now)
        due = speaker.due(now + 1e-9, interval, quiet_interval(interval), interjects=plan.interject)
        before = group.latest[place]
        state(group, place, statement, silent, early=early)
        assert due == (group.latest[place] is not before)
        if due:
            speaker.speak(now, now, 1 << 20, interval=interval)
        spoken[place] += due
        quiet[place] += not due

    monkeypatch.setattr(Group, "state", compared)
    network.run(requests)
    assert sum(spoken) > 100
    assert sum(quiet) > 100


def test_policies_of_a_comparison() -> None:
    assert chosen_policies(None) == (*NAMES, ORACLE)
    assert chosen_policies("sglang, random") == ("none", "random", "sglang", "cost", ORACLE)
    with pytest.raises(ConfigurationError, match="round-robin"):
        chosen_policies("robin")


def test_what_does_not_exist_is_said() -> None:
    with pytest.raises(ConfigurationError, match="a100-8b"):
        make_plan(policy="none", kinds=["b200"])
    with pytest.raises(ConfigurationError, match="least-load"):
        make_plan(policy="best")
    with pytest.raises(ConfigurationError, match="NAME=VALUE"):
        make_plan(policy="none", parameters=["x"])
    with pytest.raises(ConfigurationError, match="tooluse"):
        make_trace("nowhere.jsonl", 10, 1)
