"""The radix tree says what a search through all prefixes says: hits, numbers, who goes, and what is told of it."""

import hashlib
import struct

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.inference.scheduling.plan import BLOCK_TOKENS
from engine.inference.scheduling.prefix_cache import PUBLIC, CacheNode, PrefixCache, scope_at
from tests.support.counts import examples
from tests.support.naive_prefix_cache import NaivePrefixCache

LETTERS = st.lists(st.integers(0, 2), max_size=5)
DIGEST, TOKENIZER = b"model digest", b"tokenizer digest"


def ids_of(letters):
    return [letter for letter in letters for _ in range(BLOCK_TOKENS)]


def path_of(letters, public_blocks, salt):
    """What may be kept of a prompt, as the reference names it."""
    path = []
    for depth, letter in enumerate(letters):
        scope = scope_at(depth, public_blocks, salt)
        if scope is None:
            break
        path.append((scope, (letter,) * BLOCK_TOKENS))
    return tuple(path)


def digests(path):
    keys = b"".join(struct.pack(">H", len(one)) + one for one in (DIGEST, TOKENIZER))
    chain = hashlib.sha256(b"gentorrent/prefix-cache/v1" + keys).digest()
    result = []
    for _, ids in path:
        chain = hashlib.sha256(chain + struct.pack(f"<{BLOCK_TOKENS}I", *ids)).digest()
        result.append(chain)
    return tuple(result)


PROMPTS = st.tuples(LETTERS, st.integers(0, 5), st.sampled_from([b"", b"one", b"two"]))


class PrefixCacheMachine(RuleBasedStateMachine):
    @initialize(budget=st.integers(0, 8))
    def start(self, budget):
        self.cache = PrefixCache(DIGEST, budget, tokenizer_digest=TOKENIZER)
        self.naive = NaivePrefixCache(budget)
        self.nodes: dict[tuple, CacheNode] = {(): self.cache.root}  # path -> the tree's node, as long as it lives
        self.held: list[tuple] = []
        self.pending: list[tuple] = []

    @rule(prompt=PROMPTS, limit=st.integers(0, 6), again=st.booleans())
    def match(self, prompt, limit, again):
        letters, public_blocks, salt = prompt
        path = path_of(letters, public_blocks, salt)[:limit]
        ids = [*ids_of(letters), 7]
        node = self.cache.match(ids, public_blocks, salt, min(limit, len(letters)))
        found = self.naive.match(path)
        assert node.depth == len(found)
        assert node is self.nodes[found]
        numbers = tuple(self.naive.entries[found[:depth]].number for depth in range(1, len(found) + 1))
        assert self.cache.blocks(node) == numbers
        if again:  # going on from what was found finds the same
            assert self.cache.match(ids, public_blocks, salt, min(limit, len(letters)), since=node) is node
            self.naive.match(path)

    @rule(prompt=PROMPTS)
    def acquire(self, prompt):
        letters, public_blocks, salt = prompt
        path = self.naive.match(path_of(letters, public_blocks, salt))
        node = self.cache.match(ids_of(letters), public_blocks, salt, len(letters))
        if path:
            self.cache.acquire(node)
            self.naive.entries[path].references += 1
            self.held.append(path)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data):
        path = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        self.cache.release(self.nodes[path])
        self.naive.entries[path].references -= 1

    @rule(prompt=PROMPTS, fill=st.booleans())
    def insert(self, prompt, fill):
        letters, public_blocks, salt = prompt
        path = path_of(letters, public_blocks, salt)
        for depth in range(1, len(path) + 1):
            scope, ids = path[depth - 1]
            before = set(self.naive.entries)
            expected = self.naive.insert(path[:depth])
            found = self.cache.insert(self.nodes[path[: depth - 1]], scope, ids)
            self.forget(before)
            if expected is None:
                assert found is None
                return
            assert found is not None
            node, new = found
            assert new == expected
            assert node.block == self.naive.entries[path[:depth]].number
            self.nodes[path[:depth]] = node
            if new:
                self.pending.append(path[:depth])
                if fill:
                    self.commit_all()

    @rule()
    def commit_all(self):
        for path in self.pending:
            self.cache.commit(self.nodes[path])
            self.naive.commit(path)
        self.pending.clear()

    @rule()
    def abandon_all(self):
        # A held block under a pending one cannot be: only filled ones are found.
        for path in reversed(self.pending):
            self.cache.abandon(self.nodes.pop(path))
            self.naive.remove(path)
        self.pending.clear()

    @rule(prompt=PROMPTS)
    def drop(self, prompt):
        letters, public_blocks, salt = prompt
        path = self.naive.match(path_of(letters, public_blocks, salt))
        node = self.cache.match(ids_of(letters), public_blocks, salt, len(letters))
        before = set(self.naive.entries)
        self.naive.drop(path)
        self.cache.drop(node)
        self.forget(before)

    @rule(budget=st.integers(0, 8))
    def set_budget(self, budget):
        before = set(self.naive.entries)
        assert self.cache.set_budget(budget) == self.naive.set_budget(budget)
        self.forget(before)

    @rule()
    def news(self):
        expected = [(inserted, digests(path), path[-1][1] if inserted else ()) for inserted, path in self.naive.events]
        assert [(one.inserted, one.path, one.ids) for one in self.cache.events()] == expected
        self.naive.events.clear()

    def forget(self, before):
        for path in before - set(self.naive.entries):
            assert not self.nodes.pop(path).alive

    @invariant()
    def the_same_blocks(self):
        if not hasattr(self, "cache"):
            return
        self.cache.check_integrity()
        assert self.cache.held == len(self.naive.entries)
        assert {path for path, node in self.nodes.items() if path and node.alive} == set(self.naive.entries)
        public = {
            digests(path)
            for path, entry in self.naive.entries.items()
            if entry.ready and all(scope == PUBLIC for scope, _ in path)
        }
        assert {event.path for event in self.cache.public_blocks()} == public


PrefixCacheMachine.TestCase.settings = settings(max_examples=examples(100), stateful_step_count=40, deadline=None)
TestPrefixCache = PrefixCacheMachine.TestCase
