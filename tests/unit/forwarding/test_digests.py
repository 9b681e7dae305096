"""Names of prefixes: the same for the cache and for who asks, keyed, and wide enough not to meet by chance."""

import random

import pytest

from engine.errors import WireError
from engine.forwarding import digests
from engine.forwarding.digests import BLOCK_TOKENS, DIGEST_BITS, PUBLISHED_BITS, chunk_of, chunks_of, pack, unpack
from engine.forwarding.hr_tree import HrTree
from engine.inference.scheduling.plan import BLOCK_TOKENS as CACHE_BLOCK
from engine.inference.scheduling.prefix_cache import PUBLIC, PrefixCache

MODEL, TOKENIZER = b"m" * 32, b"t" * 32
ROOT = digests.root_digest(MODEL, TOKENIZER)
IDS = tuple(range(3 * BLOCK_TOKENS + 5))


def test_the_cache_and_who_asks_give_a_prefix_the_same_name() -> None:
    cache = PrefixCache(MODEL, 10, tokenizer_digest=TOKENIZER)
    node = cache.root
    for begin in range(0, 3 * CACHE_BLOCK, CACHE_BLOCK):
        found = cache.insert(node, PUBLIC, IDS[begin : begin + CACHE_BLOCK])
        assert found is not None
        node = found[0]
        cache.commit(node)
    assert digests.prefix_digests(ROOT, IDS, len(IDS)) == cache.events()[-1].path


def test_only_whole_blocks_of_the_public_part_have_a_name() -> None:
    assert len(digests.prefix_digests(ROOT, IDS, len(IDS))) == 3
    assert len(digests.prefix_digests(ROOT, IDS, 2 * BLOCK_TOKENS - 1)) == 1
    assert digests.prefix_digests(ROOT, IDS, BLOCK_TOKENS - 1) == ()
    assert len(digests.prefix_digests(ROOT, IDS[:BLOCK_TOKENS], 10_000)) == 1


def test_names_are_keyed_by_model_and_tokenizer() -> None:
    roots = [digests.root_digest(*keys) for keys in ((MODEL, TOKENIZER), (TOKENIZER, MODEL), (MODEL, b"u" * 32))]
    roots.append(digests.root_digest(MODEL + TOKENIZER, b""))
    assert len({digests.prefix_digests(root, IDS, len(IDS)) for root in roots}) == len(roots)


def test_chunks_travel_as_bytes() -> None:
    chunks = chunks_of(digests.prefix_digests(ROOT, IDS, len(IDS)))
    assert chunks[1] == chunk_of(2, digests.prefix_digests(ROOT, IDS, len(IDS))[1])
    assert [digests.depth_of(one) for one in chunks] == [1, 2, 3]
    data = pack(chunks)
    assert len(data) == 3 * 10
    assert unpack(data) == chunks
    for bad in (data[:-1], data[:10] * 2, bytes(10)):
        with pytest.raises(WireError):
            unpack(bad)


def test_a_set_has_one_digest_in_whatever_order() -> None:
    chunks = chunks_of(digests.prefix_digests(ROOT, IDS, len(IDS)))
    assert digests.set_digest(chunks) == digests.set_digest(reversed(chunks))
    assert digests.set_digest(chunks) != digests.set_digest(chunks[:2])


def false_matches(bits: int, prompts: int) -> float:
    """The share of prompts that nobody has seen which nevertheless find somebody."""
    source = random.Random(7)
    tree: HrTree[int] = HrTree(bits=bits)
    tree.add_member(1)
    for _ in range(500):
        prefixes = chunks_of([source.randbytes(32) for _ in range(16)], bits)
        tree.apply(1, [prefixes[7], prefixes[11], prefixes[15]])
    found = sum(bool(tree.lookup(chunks_of([source.randbytes(32) for _ in range(16)], bits))) for _ in range(prompts))
    return found / prompts


def test_prompts_are_not_taken_for_others() -> None:
    """The released code of the paper takes 62 % of prompts with a 90-token prefix for others, by 8 bits of a hash."""
    assert false_matches(PUBLISHED_BITS, 300) > 0.5
    assert false_matches(DIGEST_BITS, 3_000) == 0
    stored, blocks = 10**6, 1_024  # of the longest prompt; every one may meet any stored chunk
    assert stored * blocks / 2**DIGEST_BITS < 1e-6
