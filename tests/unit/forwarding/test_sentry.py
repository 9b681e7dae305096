"""Sentry by hand: boundaries follow what prompts have in common; only the cache's own events count."""

from engine.forwarding.digests import chunk_of, chunks_of, depth_of, prefix_digests, root_digest
from engine.forwarding.hr_tree import CUT_BLOCKS, HrTree
from engine.forwarding.sentry import Delta, Sentry
from engine.inference.scheduling.plan import BLOCK_TOKENS, CacheEvent
from engine.inference.scheduling.prefix_cache import PUBLIC, PrefixCache

ROOT = root_digest(b"m" * 32, b"t" * 32)


def path(text: str) -> tuple[bytes, ...]:
    """Digests of a prompt with one block for each letter."""
    ids = [ord(letter) for letter in text for _ in range(BLOCK_TOKENS)]
    return prefix_digests(ROOT, ids, len(ids))


def inserted(text: str, since: int = 0) -> list[CacheEvent]:
    whole = path(text)
    return [CacheEvent(True, whole[:depth], ()) for depth in range(since + 1, len(whole) + 1)]


def evicted(text: str, down_to: int) -> list[CacheEvent]:
    whole = path(text)
    return [CacheEvent(False, whole[:depth], ()) for depth in range(len(whole), down_to, -1)]


def depths(delta: Delta) -> tuple[list[int], list[int]]:
    return [depth_of(one) for one in delta.added], [depth_of(one) for one in delta.removed]


def test_a_way_is_cut_at_its_end_and_at_fixed_places() -> None:
    sentry = Sentry(cut=8)
    sentry.apply(inserted("twenty blocks of it."))
    assert depths(sentry.take(100, 100)) == ([8, 16, 20], [])
    assert not sentry.waiting


def test_boundaries_follow_where_prompts_part() -> None:
    sentry = Sentry(cut=8)
    sentry.apply(inserted("systemone"))
    assert depths(sentry.take(100, 100)) == ([8, 9], [])
    sentry.apply(inserted("systemtwo", since=6))
    added = sentry.take(100, 100)
    assert sorted(depth_of(one) for one in added.added) == [6, 8, 9]
    assert chunk_of(6, path("system")[-1]) in added.added
    sentry.apply(evicted("systemtwo", 6))  # the branch goes, and with it the reason to cut there
    assert sorted(depths(sentry.take(100, 100))[1]) == [6, 8, 9]


def test_the_end_moves_with_the_cache() -> None:
    sentry = Sentry(cut=8)
    sentry.apply(inserted("abc"))
    assert depths(sentry.take(100, 100)) == ([3], [])
    sentry.apply(inserted("abcde", since=3))
    assert depths(sentry.take(100, 100)) == ([5], [3])
    sentry.apply(evicted("abcde", 2))
    assert depths(sentry.take(100, 100)) == ([2], [5])
    sentry.apply([*inserted("abcd", since=2), *evicted("abcd", 2)])  # came and went between two looks
    assert not sentry.take(100, 100)


def test_two_caches_of_one_machine_are_told_as_one() -> None:
    sentry = Sentry(cut=8)
    sentry.apply(inserted("abc"), "gpu 0")
    sentry.apply(inserted("abc"), "gpu 1")
    assert depths(sentry.take(100, 100)) == ([3], [])
    sentry.reset("gpu 0")
    assert not sentry.take(100, 100)
    sentry.reset("gpu 1")
    assert depths(sentry.take(100, 100)) == ([], [3])


def test_a_worker_that_begins_anew_has_an_empty_cache() -> None:
    sentry = Sentry(cut=8)
    sentry.apply(inserted("systemone"))
    sentry.take(100, 100)
    sentry.reset()
    sentry.apply(inserted("system"))
    delta = sentry.take(100, 100)
    assert depths(delta) == ([6], [8, 9])


def test_what_has_been_asked_for_is_not_cache_content() -> None:
    """production-stack #590: what does not fit, or has been evicted, is not told, however often it was asked for."""
    cache = PrefixCache(b"m" * 32, 4, tokenizer_digest=b"t" * 32)
    sentry = Sentry(cut=8)

    def ask(text: str) -> None:
        node = cache.root
        for letter in text:
            found = cache.insert(node, PUBLIC, (ord(letter),) * BLOCK_TOKENS)
            if found is None:
                return
            node, new = found
            if new:
                cache.commit(node)

    ask("abcd")
    sentry.apply(cache.events())
    sentry.take(100, 100)
    assert list(sentry.told) == [chunk_of(4, path("abcd")[-1])]
    ask("wxyz")  # takes the place of the other
    sentry.apply(cache.events())
    sentry.take(100, 100)
    assert list(sentry.told) == [chunk_of(4, path("wxyz")[-1])]
    ask("longer than the cache")
    sentry.apply(cache.events())
    sentry.take(100, 100)
    tree: HrTree[int] = HrTree()
    tree.add_member(1)
    tree.replace(1, sentry.told)
    assert tree.lookup(chunks_of(path("abcd"))) == {}
    assert tree.lookup(chunks_of(path("longer than the cache"))) == {1: 4}


def test_blocks_are_followed_up_to_a_bound() -> None:
    sentry = Sentry(cut=8, most_blocks=5)
    sentry.apply(inserted("abcdefgh"))
    assert depths(sentry.take(100, 100)) == ([5], [])
    sentry.apply(evicted("abcde", 0))
    sentry.apply(inserted("xyz"))
    assert depths(sentry.take(100, 100)) == ([3], [5])


def test_a_long_prompt_is_found_but_for_less_than_one_cut() -> None:
    sentry = Sentry()
    text = "x" * 1_000
    sentry.apply(inserted(text))
    tree: HrTree[int] = HrTree()
    tree.add_member(1)
    tree.apply(1, sentry.take(10_000, 10_000).added)
    for length in (10, 500, 999, 1_000):
        found = tree.lookup(chunks_of(path(text[:length] + "y")))[1]
        assert length - CUT_BLOCKS < found <= length
