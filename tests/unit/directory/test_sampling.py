"""Draws are uniform, paths disjoint and mixed; a naive reference enumerates what is allowed."""

from __future__ import annotations

import itertools
from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.directory.sampling import (
    choose_guards,
    choose_paths,
    draw,
    path_allowed,
    random_below,
    usable_relays,
)
from engine.errors import TooFewRelaysError
from engine.wire.records import Parameters
from tests.support.records import NOW, directory_of, identity, seeded

PARAMETERS = Parameters()
# 99.999 % points of chi-square: a right draw fails one of them less than once in a hundred thousand seeds.
CHI_SQUARE = {5: 30.86, 6: 33.11, 9: 39.34, 11: 43.21, 23: 63.16}


def chi_square(counts: Counter, cells: int) -> float:
    expected = counts.total() / cells
    return sum((count - expected) ** 2 / expected for count in counts.values()) + (cells - len(counts)) * expected


@pytest.mark.parametrize("bound", [6, 7, 10])
def test_integers_are_uniform(bound):
    random_bytes = seeded(3)
    counts = Counter(random_below(bound, random_bytes) for _ in range(6000))
    assert set(counts) == set(range(bound))
    assert chi_square(counts, bound) < CHI_SQUARE[bound - 1]


def test_large_bounds_and_none():
    assert all(random_below(257, seeded(n)) < 257 for n in range(200))
    assert random_below(1, seeded(1)) == 0
    with pytest.raises(ValueError, match="nothing"):
        random_below(0, seeded(1))


def test_sequences_are_uniform():
    random_bytes = seeded(4)
    counts = Counter(tuple(draw("abcd", 2, random_bytes)) for _ in range(6000))
    assert set(counts) == set(itertools.permutations("abcd", 2))
    assert chi_square(counts, 12) < CHI_SQUARE[11]
    with pytest.raises(ValueError, match="cannot draw"):
        draw("ab", 3, random_bytes)


def test_guards_are_uniform_and_different():
    directory = directory_of(7)
    random_bytes = seeded(5)
    counts: Counter = Counter()
    for _ in range(2000):
        guards = choose_guards(directory, random_bytes, NOW, count=3)
        assert len(set(guards)) == 3
        counts.update(guards)
    # Without replacement the cells correlate, so that the statistic is smaller than chi-square's, never larger.
    assert chi_square(counts, 7) < CHI_SQUARE[6]


def test_guards_were_there_most_of_the_week_unless_the_network_is_young():
    old = directory_of(10, availability=lambda n: n / 10, created=NOW - 8 * 86_400)
    assert set(choose_guards(old, seeded(1), NOW)) == {identity(8).node_id, identity(9).node_id}
    young = directory_of(10, availability=lambda n: n / 10, created=NOW - 6 * 86_400)
    assert len(choose_guards(young, seeded(1), NOW)) == 8


def test_guards_that_are_kept_come_first_and_others_are_not_drawn():
    directory = directory_of(6)
    keep = [identity(5).node_id, identity(2).node_id]
    guards = choose_guards(directory, seeded(2), NOW, keep=keep, exclude=[identity(0).node_id])
    assert guards[:2] == keep
    assert sorted(guards[2:]) == sorted(identity(n).node_id for n in (1, 3, 4))


def test_unusable_relays_are_left_out():
    directory = directory_of(4)
    gone = directory.with_away([identity(1).node_id])
    assert len(usable_relays(gone, NOW)) == 3
    assert usable_relays(directory, NOW + 200_000) == []  # onion keys expired
    full = [msgspec.structs.replace(node.descriptor, spare_capacity=False) for node in directory.nodes()]
    assert not any(descriptor.spare_capacity for descriptor in full)


@settings(max_examples=150, deadline=None)
@given(
    count=st.integers(0, 18),
    n=st.integers(1, 4),
    length=st.integers(1, 3),
    prefixes=st.one_of(st.none(), st.integers(1, 6)),
    families=st.one_of(st.none(), st.integers(1, 6)),
    one_prefix=st.booleans(),
    excluded=st.integers(0, 4),
    seed=st.integers(0, 1000),
)
def test_paths_obey_every_rule_or_say_what_is_missing(count, n, length, prefixes, families, one_prefix, excluded, seed):
    parameters = Parameters(one_prefix=one_prefix)
    directory = directory_of(count, prefixes=prefixes, families=families)
    exclude = [identity(number).node_id for number in range(excluded)]
    shunned = {f"family-{number % families}" for number in range(min(excluded, count))} if families else set()
    guards = [node.node_id for node in directory.nodes()]
    random_bytes = seeded(seed)
    try:
        paths = choose_paths(directory, guards, n, min(n, 3), length, parameters, exclude, random_bytes, NOW)
    except TooFewRelaysError as error:
        text = str(error)
        assert "Wait" in text
        allowed = [
            node
            for node in directory.nodes()
            if node.node_id not in exclude and node.descriptor.family not in shunned - {""}
        ]
        # Enough relays, each of its own network and without family, always suffice.
        assert len(allowed) < n * length or (not one_prefix and prefixes is not None) or families is not None
        return
    drawn = [node.node_id for path in paths for node in path]
    assert [len(path) for path in paths] == [length] * n
    assert len(set(drawn)) == len(drawn)
    assert not set(drawn) & set(exclude)
    for path in paths:
        assert path_allowed(path, parameters)
        assert not {node.descriptor.family for node in path} & (shunned - {""})
        if not one_prefix:
            assert len({node.prefix for node in path}) == length


def test_paths_are_uniform_over_all_that_is_allowed():
    """Two guards, four other relays, one pair of them in one family: against plain enumeration."""
    directory = directory_of(6, prefixes=None)
    guards = [identity(0).node_id, identity(1).node_id]
    nodes = {node.node_id: node for node in directory.nodes()}
    rest = [name for name in nodes if name not in guards]
    allowed = set(itertools.permutations(rest, 4))
    random_bytes = seeded(6)
    counts: Counter = Counter()
    for _ in range(6000):
        paths = choose_paths(directory, guards, 2, 2, 3, PARAMETERS, [], random_bytes, NOW)
        assert [path[0].node_id for path in paths] == guards
        counts[tuple(node.node_id for path in paths for node in path[1:])] += 1
    assert set(counts) == allowed
    assert chi_square(counts, 24) < CHI_SQUARE[23]


def test_paths_that_share_networks_are_found_where_they_exist():
    """Twelve relays in three networks: four paths exist, and only with one relay of each network on every path."""
    directory = directory_of(12, prefixes=3)
    guards = [node.node_id for node in directory.nodes()]
    for seed in range(10):
        paths = choose_paths(directory, guards, 4, 3, 3, PARAMETERS, [], seeded(seed), NOW)
        assert all({node.prefix for node in path} == {f"10.{n}.0.0/16" for n in range(3)} for path in paths)


def test_relays_of_the_chats_other_paths_are_not_used_again():
    directory = directory_of(12)
    guards = [node.node_id for node in directory.nodes()]
    used = guards[:9]
    (path,) = choose_paths(directory, guards, 1, 1, 3, PARAMETERS, [], seeded(1), NOW, used=used)
    assert not {node.node_id for node in path} & set(used)


def test_missing_relays_are_counted():
    directory = directory_of(10)
    guards = [node.node_id for node in directory.nodes()]
    with pytest.raises(TooFewRelaysError, match="10 can be used, so 2 are missing"):
        choose_paths(directory, guards, 4, 3, 3, PARAMETERS, [], seeded(1), NOW)


def test_too_few_guards_are_named():
    directory = directory_of(16)
    with pytest.raises(TooFewRelaysError, match="4 guards are needed and only 3"):
        choose_paths(directory, [identity(n).node_id for n in range(3)], 4, 3, 3, PARAMETERS, [], seeded(1), NOW)
