"""The views of the simulator, all made from one tree, against a true replica of the HR-tree for each member."""

from __future__ import annotations

import random
from array import array

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.forwarding.digests import chunks_of
from engine.forwarding.hr_tree import HrTree
from engine.forwarding.policies.interface import Asked
from engine.simulation.forwarding.generated import generate
from engine.simulation.forwarding.network import Network, Plan
from engine.simulation.forwarding.news import Clockwork, IrregularClockwork, VersionedTree, place_of
from engine.simulation.forwarding.node_kinds import kind_of
from engine.simulation.forwarding.trace import Request, Texts, numbered
from engine.simulation.forwarding.views import View


class Replicas:
    """For each member a tree of its own, to which statements are applied when they are heard there."""

    def __init__(self, members: int, clockwork: Clockwork) -> None:
        self.clockwork = clockwork
        self.trees: list[HrTree[int]] = [HrTree() for _ in range(members)]
        for tree in self.trees:
            for member in range(members):
                tree.add_member(member)
        self.applied = np.full((members, members), -1)
        self.deltas: dict[tuple[int, int], list[tuple[bool, int]]] = {}

    def told(self, member: int, statement: int, came: bool, chunk: int) -> None:
        self.deltas.setdefault((member, statement), []).append((came, chunk))

    def lookup(self, viewer: int, now: float, chunks: tuple[int, ...]) -> dict[int, int]:
        tree = self.trees[viewer]
        for member, heard in enumerate(self.clockwork.heard(viewer, now).tolist()):
            for statement in range(int(self.applied[viewer, member]) + 1, heard + 1):
                for came, chunk in self.deltas.get((member, statement), []):
                    tree.apply(member, [chunk] if came else [], [] if came else [chunk])  # type: ignore[list-item]
            self.applied[viewer, member] = max(heard, self.applied[viewer, member])
        return tree.lookup(chunks)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 64), st.integers(0, 2**32))
def test_every_view_equals_a_true_replica(members: int, seed: int) -> None:
    draw = random.Random(seed)
    delays = np.array([[0.0 if i == j else draw.uniform(0, 2.5) for j in range(members)] for i in range(members)])
    clockwork = Clockwork(1.0, [draw.random() for _ in range(members)], delays)
    chain = tuple(bytes([depth]) * 32 for depth in range(20))
    chunks = chunks_of(chain)
    tree, replicas, held, latest = VersionedTree(), Replicas(members, clockwork), [0] * members, [-1] * members
    now = 0.0
    for _ in range(100):
        now += draw.expovariate(20)
        member = draw.randrange(members)
        statement = clockwork.next_statement(member, now)
        if statement > latest[member]:
            latest[member] = statement
        while draw.random() < 0.8 and held[member] < len(chain):
            tree.insert(member, chain[held[member]], statement)
            replicas.told(member, statement, True, chunks[held[member]])
            held[member] += 1
        while draw.random() < 0.5 and held[member]:
            held[member] -= 1
            tree.evict(member, chain[held[member]], statement)
            replicas.told(member, statement, False, chunks[held[member]])
        viewer = draw.randrange(members)
        length = draw.randrange(1, len(chain) + 1)
        found = tree.depths(chain[:length], clockwork.heard(viewer, now).tolist())
        assert found == replicas.lookup(viewer, now, chunks[:length])
        if draw.random() < 0.3:
            tree.forget(clockwork.heard_by_all(now))


@pytest.mark.parametrize("interject", [False, True])
def test_what_a_member_sees_in_a_run_is_what_a_replica_of_its_own_would_say(interject: bool) -> None:
    """In a whole run with evictions, at every choice."""
    requests = generate("tooluse", 120, seed=3, rate=12)
    network = Network(Plan(policy="random", kinds=[kind_of("rtx-4090-8b")], nodes=5, interject=interject))
    group = network.group
    replicas = Replicas(5, group.clockwork)
    checked = evicted = 0
    names: dict[bytes, int] = {}

    def chunk_of(block: bytes) -> int:
        return names.setdefault(block, 0)

    def learned(text: object) -> None:
        type(group).learn(group, text)
        for digest, chain in group.texts.values():
            del digest
            names.update(zip(chain, chunks_of(chain), strict=True))

    class Told(VersionedTree):
        def insert(self, member: int, block: bytes, statement: int) -> None:
            super().insert(member, block, statement)
            replicas.told(member, statement, True, chunk_of(block))

        def evict(self, member: int, block: bytes, statement: int) -> None:
            nonlocal evicted
            evicted += 1
            super().evict(member, block, statement)
            replicas.told(member, statement, False, chunk_of(block))

    group.tree = Told()
    for one in requests:
        learned(one.public)

    for place, view in enumerate(network.views):
        assert isinstance(view, View)

        class Checked:
            def __init__(self, policy: object, place: int, view: View) -> None:
                self.policy, self.place, self.view = policy, place, view
                self.name = "checked"

            def choose(self, asked: Asked, seen: View, now: float, draw: random.Random) -> object:
                nonlocal checked
                _, chain = group.texts[asked.prefix]
                expected = replicas.lookup(self.place, now, chunks_of(chain))
                expected.pop(self.place, None)
                found = {place_of(name): tokens // 32 for name, tokens in seen.cached(asked).items()}
                found.pop(self.place, None)
                assert found == expected
                checked += bool(expected)
                return self.policy.choose(asked, seen, now, draw)  # type: ignore[attr-defined]

        network.policies[place] = Checked(network.policies[place], place, view)  # type: ignore[call-overload]
    network.run(requests)
    assert checked > 60
    assert evicted > 100


@pytest.mark.parametrize("nodes", [5, 65])
def test_what_was_sent_counts_until_a_statement_that_is_later(nodes: int) -> None:
    network = Network(Plan(policy="random", kinds=[kind_of("a100-8b")], nodes=nodes, access=(0.01, 0.01)))
    requests = numbered([Request(0.0, "a", Texts().of(array("I")), array("I", range(64)), 4)])
    network.run(requests)
    view = network.views[0]
    now = network.now
    view.look(now)
    asked = Asked(prompt_tokens=800, output_tokens=30)
    view.note(7, 1, asked, 300, now + 0.02)
    view.look(now)
    sent = view.members[1]
    assert (sent.sent_tokens, sent.sent_requests, sent.sent_output_tokens) == (500, 1, 30)
    assert sent.round_trip == pytest.approx(0.04)
    assert view.members[0].round_trip == 0
    assert view.members[2].sent_requests == 0


@pytest.mark.parametrize("nodes", [5, 65])
def test_who_does_not_keep_its_promises_is_trusted_less(nodes: int) -> None:
    network = Network(Plan(policy="random", kinds=[kind_of("a100-8b")], nodes=nodes, beliefs=True))
    view, asked = network.views[0], Asked(prompt_tokens=800, output_tokens=30)
    for key in range(4):
        view.look(0.1)
        view.note(key, 1, asked, 0, 0.2)
        view.beliefs.first_token(key, 3.0)
    view.look(4.0)
    assert view.members[1].trust < 0.3
    assert view.members[2].trust == 1.0


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 8), st.integers(0, 2**32))
def test_what_is_said_before_its_turn_is_heard_as_late_as_the_way_is_long(members: int, seed: int) -> None:
    """Beside a list of everything that was said."""
    draw = random.Random(seed)
    delays = np.array([[0.0 if i == j else draw.uniform(0, 0.5) for j in range(members)] for i in range(members)])
    phases = [draw.random() for _ in range(members)]
    clockwork = IrregularClockwork(1.0, phases, delays)
    said: list[list[float]] = [[] for _ in range(members)]
    now = 0.0
    for _ in range(100):
        now += draw.expovariate(10)
        member, viewer = draw.randrange(members), draw.randrange(members)
        statement = clockwork.next_statement(member, now)
        assert clockwork.time(member, statement) == (said[member][-1] + 1.0 if said[member] else phases[member])
        if draw.random() < 0.5:
            assert clockwork.made_at(member, statement, now)
            said[member].append(now)
            assert not clockwork.made_at(member, statement, now), "it has been made"
        heard = [sum(t <= now - delays[one][viewer] for t in times) - 1 for one, times in enumerate(said)]
        assert clockwork.heard(viewer, now).tolist() == heard
        assert clockwork.made(now).tolist() == [len(times) - 1 for times in said]
        everybody = [clockwork.heard(one, now) for one in range(members)]
        assert clockwork.heard_by_all(now) == np.min(everybody, axis=0).tolist()
