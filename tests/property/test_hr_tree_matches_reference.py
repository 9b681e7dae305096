"""The HR-tree says what a search through everybody's chunks says, whatever members come, go, tell and lie."""

from functools import cache

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.forwarding.digests import chunk_of, chunks_of, next_digest
from engine.forwarding.hr_tree import HrTree, TreeLimits
from tests.support.counts import examples
from tests.support.naive_hr_tree import NaiveHrTree

MEMBERS = st.sampled_from("abcde")
PROMPTS = st.integers(1, (1 << 9) - 1).map(lambda number: f"{number:b}"[1:])


@cache
def digests_of(letters):
    digests, digest = [], b""
    for letter in letters:
        digest = next_digest(digest, (int(letter),) * 32)
        digests.append(digest)
    return digests


def prefixes(prompts):
    """Ends of some prefixes of prompts, not only those that an honest member would name."""
    chunks: dict[tuple[int, bytes], None] = {}
    for letters, some in prompts:
        chunks.update({(depth, one): None for depth, one in enumerate(digests_of(letters), 1) if some >> depth & 1})
    return list(chunks)


CHUNKS = st.lists(st.tuples(PROMPTS, st.integers(0, 1023)), max_size=3).map(prefixes)


class HrTreeMachine(RuleBasedStateMachine):
    @initialize(
        member=st.integers(1, 12), total=st.integers(5, 30), cut=st.integers(1, 4), bits=st.sampled_from([8, 64])
    )
    def start(self, member, total, cut, bits):
        self.tree: HrTree[str] = HrTree(TreeLimits(member, total), bits, cut)
        self.naive = NaiveHrTree(member, total, cut)
        self.bits = bits

    def named(self, chunks):
        return [chunk_of(depth, digest, self.bits) for depth, digest in chunks]

    def cut_off(self, chunks):
        """As the tree sees them: the digest's first bits."""
        return [(depth, digest[: self.bits // 8]) for depth, digest in chunks]

    @rule(member=MEMBERS)
    def come(self, member):
        self.tree.add_member(member)
        self.naive.add_member(member)

    @rule(member=MEMBERS)
    def go(self, member):
        self.tree.drop_member(member)
        self.naive.drop_member(member)

    @precondition(lambda self: self.naive.held)
    @rule(data=st.data(), added=CHUNKS, removed=CHUNKS)
    def tell(self, data, added, removed):
        member = data.draw(st.sampled_from(sorted(self.naive.held)))
        refused = self.tree.apply(member, self.named(added), self.named(removed))
        assert refused == self.naive.apply(member, self.cut_off(added), self.cut_off(removed))
        assert not refused or not self.tree.complete(member)

    @precondition(lambda self: self.naive.held)
    @rule(data=st.data(), chunks=CHUNKS)
    def tell_all(self, data, chunks):
        member = data.draw(st.sampled_from(sorted(self.naive.held)))
        refused = self.tree.replace(member, self.named(chunks))
        assert refused == self.naive.replace(member, self.cut_off(chunks))
        assert self.tree.complete(member) == (refused == 0)

    @precondition(lambda self: self.naive.held)
    @rule(data=st.data(), doubted=st.booleans())
    def doubt(self, data, doubted):
        member = data.draw(st.sampled_from(sorted(self.naive.held)))
        self.tree.doubt(member, doubted)
        self.naive.doubted.discard(member)
        if doubted:
            self.naive.doubted.add(member)

    @rule(letters=PROMPTS)
    def ask(self, letters):
        digests = digests_of(letters)
        expected = self.naive.lookup([digest[: self.bits // 8] for digest in digests])
        assert self.tree.lookup(chunks_of(digests, self.bits)) == expected

    @invariant()
    def the_same_chunks(self):
        if not hasattr(self, "tree"):
            return
        self.tree.check_integrity()
        assert set(self.tree.members) == set(self.naive.held)
        for member, chunks in self.naive.held.items():
            assert self.tree.chunks(member) == self.named(chunks)
        assert len(self.tree) == len({chunk for chunks in self.naive.held.values() for chunk in chunks})


HrTreeMachine.TestCase.settings = settings(max_examples=examples(40), stateful_step_count=25, deadline=None)
TestHrTree = HrTreeMachine.TestCase
