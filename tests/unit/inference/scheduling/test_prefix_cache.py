"""What may be found by whom, what goes first, and what is told of it."""

import sys

import pytest

from engine.inference.scheduling.plan import BLOCK_TOKENS
from engine.inference.scheduling.prefix_cache import PUBLIC, PrefixCache


def ids_of(letters):
    return [ord(letter) for letter in letters for _ in range(BLOCK_TOKENS)]


def store(cache, letters, public=0, salt=b"salt"):
    """Store a prompt whole; the deepest node, or None where there was no room."""
    node, ids = cache.root, ids_of(letters)
    for depth in range(len(letters)):
        scope = PUBLIC if depth < public else salt
        found = cache.insert(node, scope, tuple(ids[depth * BLOCK_TOKENS : (depth + 1) * BLOCK_TOKENS]))
        if found is None:
            return None
        node, new = found
        if new:
            cache.commit(node)
    return node


def insert(cache, parent, scope, letter):
    found = cache.insert(parent, scope, tuple(ids_of(letter)))
    assert found is not None
    return found


def hit(cache, letters, public=0, salt=b"salt"):
    return cache.match(ids_of(letters), public, salt, len(letters)).depth


def test_the_public_part_is_everybodys_and_the_rest_its_clients_alone():
    cache = PrefixCache(b"m", 10)
    store(cache, "abcd", public=2, salt=b"mine")
    assert hit(cache, "abcd", public=2, salt=b"mine") == 4
    assert hit(cache, "abcd", public=2, salt=b"other") == 2
    assert hit(cache, "abcd", public=2, salt=b"") == 2
    assert hit(cache, "abcd", public=0, salt=b"mine") == 0  # the same words, but declared private: another path
    assert hit(cache, "abcd", public=4, salt=b"mine") == 2


def test_nothing_private_is_kept_without_a_salt():
    cache = PrefixCache(b"m", 10)
    store(cache, "ab", salt=b"one")
    assert hit(cache, "ab", salt=b"") == 0


def test_a_block_is_found_only_once_it_is_filled():
    cache = PrefixCache(b"m", 10)
    node, new = insert(cache, cache.root, PUBLIC, "a")
    assert new
    assert hit(cache, "a", public=1) == 0
    assert cache.events() == []
    assert cache.insert(cache.root, PUBLIC, tuple(ids_of("a"))) == (node, False)
    cache.commit(node)
    assert hit(cache, "a", public=1) == 1
    assert [event.inserted for event in cache.events()] == [True]


def test_the_leaf_that_was_used_longest_ago_goes_first():
    cache = PrefixCache(b"m", 4)
    store(cache, "ab")
    store(cache, "cd")
    hit(cache, "ab")
    store(cache, "e")
    assert [hit(cache, "ab"), hit(cache, "cd"), hit(cache, "e")] == [2, 1, 1]
    assert cache.held == 4


def test_what_is_read_stays_whatever_the_budget():
    cache = PrefixCache(b"m", 4)
    node = store(cache, "abc")
    cache.acquire(node)
    store(cache, "d")
    assert cache.set_budget(1) == 2
    assert [hit(cache, "abc"), hit(cache, "d")] == [3, 0]
    cache.release(node)
    assert cache.set_budget(1) == 0
    assert hit(cache, "abc") == 1
    with pytest.raises(ValueError):
        cache.release(node)


def test_a_new_block_never_pushes_out_the_one_before_it():
    cache = PrefixCache(b"m", 2)
    node = store(cache, "ab")
    assert store(cache, "abc") is None
    assert hit(cache, "abc") == 2
    assert node.alive


def test_freed_numbers_are_told_and_used_again_lowest_first():
    cache = PrefixCache(b"m", 3)
    store(cache, "abc")
    cache.set_budget(1)
    assert cache.freed
    assert sorted(cache.take_freed()) == [1, 2]
    assert cache.take_freed() == ()
    cache.set_budget(3)
    node, _ = insert(cache, cache.root, b"s", "x")
    assert node.block == 1


def test_events_name_public_blocks_by_their_chain_of_digests():
    cache = PrefixCache(b"m", 10)
    store(cache, "abc", public=2)
    first, second = cache.events()
    assert (first.inserted, first.ids) == (True, tuple(ids_of("a")))
    assert second.path[:1] == first.path
    assert len(second.path) == 2
    assert len({*second.path, cache.root.digest}) == 3
    cache.set_budget(0)
    assert [(event.inserted, event.path, event.ids) for event in cache.events()] == [
        (False, second.path, ()),
        (False, first.path, ()),
    ]
    other = PrefixCache(b"another model", 10)
    store(other, "a", public=1)
    assert other.events()[0].path != first.path


def test_changes_are_the_events_by_their_digests_alone():
    cache, same = PrefixCache(b"m", 3), PrefixCache(b"m", 3)
    for one in (cache, same):
        store(one, "ab", public=2)
        store(one, "cd", public=2)
    assert cache.changes() == [(event.inserted, event.path[-1]) for event in same.events()]
    assert cache.changes() == []


def test_events_that_nobody_takes_are_given_up_and_a_snapshot_takes_their_place():
    cache = PrefixCache(b"m", 100, event_limit=3)
    store(cache, "abcde", public=5)
    assert cache.events_lost == 1
    assert len(cache.events()) <= 3
    assert [len(event.path) for event in cache.public_blocks()] == [1, 2, 3, 4, 5]


def test_what_is_broken_is_forgotten_as_far_as_nothing_else_hangs_on_it():
    cache = PrefixCache(b"m", 10)
    node = store(cache, "abcd")
    store(cache, "abx")
    cache.drop(node)
    assert [hit(cache, "abcd"), hit(cache, "abx")] == [2, 3]
    cache.drop(node)  # it is gone already
    cache.check_integrity()


def test_a_prompt_of_any_length_needs_no_recursion():
    blocks = 3 * sys.getrecursionlimit()
    cache = PrefixCache(b"m", blocks)
    node = store(cache, "a" * blocks, public=blocks)
    assert hit(cache, "a" * blocks, public=blocks) == blocks
    assert len(cache.blocks(node)) == blocks
    cache.check_integrity()
    cache.set_budget(0)
    assert cache.held == 0


def test_misuse_is_refused():
    cache = PrefixCache(b"m", 10)
    node = store(cache, "a")
    with pytest.raises(ValueError, match="32 tokens"):
        cache.insert(node, b"salt", (1, 2))
    with pytest.raises(ValueError, match="public block"):
        cache.insert(node, PUBLIC, tuple(ids_of("b")))
    with pytest.raises(ValueError, match="pending"):
        cache.abandon(node)
    cache.set_budget(0)
    with pytest.raises(ValueError, match="gone"):
        cache.insert(node, b"salt", tuple(ids_of("b")))


def test_the_books_of_many_changes_stay_bounded():
    cache = PrefixCache(b"m", 50, event_limit=100)
    for number in range(20_000):
        node, new = insert(cache, cache.root, PUBLIC, chr(number))
        assert new
        cache.commit(node)
        if number % 3 == 0:
            cache.drop(node)
        cache.take_freed()
    cache.check_integrity()
    assert cache.held <= 50
