"""Whom a question goes to where some nodes are established, some are new and some were found out."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from engine.directory.directory import DirectoryNode
from engine.directory.standing import StandingBook
from engine.errors import UnknownModelError
from engine.ids import NodeId
from engine.inference.types import GenerationRequest, PromptMessage
from engine.node.target_choice import choose_target
from engine.verification.reputation.page import OURS
from engine.wire.answer import Sampling
from engine.wire.records import Descriptor, SealKey
from tests.support.judging import score
from tests.support.records import NOW, identity, seeded, served_model

KEYS = tuple(SealKey(suite=suite, key=b"k" * 32, expires=int(NOW) + 1_000) for suite in (1, 2))
IDS = [identity(number).node_id for number in range(10)]


def node(node_id: NodeId) -> DirectoryNode:
    descriptor = Descriptor(
        suite=1,
        network_id=b"n" * 32,
        identity_key=b"i" * 32,
        issued=int(NOW),
        expires=int(NOW) + 1_000,
        started=int(NOW),
        minimum_version=1,
        maximum_version=1,
        relay=False,
        onion_keys=(),
        seal_keys=KEYS,
        models=(served_model(),),
        relay_bandwidth=0,
        family="",
        software="",
    )
    return DirectoryNode(node_id, descriptor, "10.0.0.0/16", int(NOW), int(NOW), 1.0, 1.0)


def book(*, established: Sequence[NodeId] = (), excluded: Sequence[NodeId] = ()) -> StandingBook:
    nodes = {one: OURS.judge(OURS.newcomer(one), [[score(-3_000)]] * 12) for one in established}
    nodes |= {one: OURS.judge(OURS.newcomer(one), [[score(5_000)]] * 3) for one in excluded}
    return StandingBook(True, nodes)


def drawn(standings: StandingBook, count: int = 6_000, ids: Sequence[NodeId] = IDS, **more: Any) -> Counter[NodeId]:
    request = GenerationRequest(
        model_id="m", messages=(PromptMessage("user", "hi"),), sampling=Sampling(seed=1), max_tokens=5
    )
    nodes, random_bytes = [node(one) for one in ids], seeded(3)
    preferred, avoid = more.pop("preferred", ()), more.pop("avoid", ())
    return Counter(
        choose_target(nodes, request, preferred, avoid, None, (), NOW, random_bytes, book=standings, **more).node_id
        for _ in range(count)
    )


def test_newcomers_get_a_small_share_and_excluded_ones_nothing() -> None:
    counts = drawn(book(established=IDS[:5], excluded=IDS[8:]))
    assert not counts.keys() & set(IDS[8:])
    newcomers = sum(counts[one] for one in IDS[5:8])
    assert 0.02 * 6_000 < newcomers < 0.035 * 6_000
    assert min(counts[one] for one in IDS[:5]) > 6_000 / 5 * 0.85


def test_a_network_of_newcomers_answers_all_the_same() -> None:
    counts = drawn(book(), 3_000)
    assert len(counts) == 10
    assert max(counts.values()) < 2 * min(counts.values())


def test_who_is_recommended_or_answered_before_is_asked_unless_it_was_excluded() -> None:
    assert drawn(book(established=IDS[:5]), 50, preferred=(IDS[7],)) == {IDS[7]: 50}
    assert IDS[7] not in drawn(book(established=IDS[:5], excluded=[IDS[7]]), 200, preferred=(IDS[7],))


def test_newcomers_are_asked_when_no_other_is_left() -> None:
    counts = drawn(book(established=IDS[:2]), 200, avoid=IDS[:2])
    assert set(counts) == set(IDS[2:])


def test_the_least_standing_that_is_asked_for_is_kept() -> None:
    assert set(drawn(book(established=IDS[:2]), 300, minimum_standing=0.5)) == set(IDS[:2])
    with pytest.raises(UnknownModelError, match="has the standing that is asked for"):
        drawn(book(), 1, minimum_standing=0.5)


def test_where_everybody_was_excluded_that_is_said() -> None:
    with pytest.raises(UnknownModelError, match="found not to serve what it claims"):
        drawn(book(excluded=IDS), 1)
