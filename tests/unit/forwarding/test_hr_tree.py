"""The HR-tree by hand: who holds most of a prompt, shares, and what liars cannot do."""

import pytest

from engine.forwarding.digests import Chunk, chunk_of, chunks_of, next_digest
from engine.forwarding.hr_tree import HrTree, TreeLimits


def prompt(text: str) -> list[bytes]:
    """Digests of a prompt with one block for each letter."""
    digests, digest = [], b""
    for letter in text:
        digest = next_digest(digest, (ord(letter),) * 32)
        digests.append(digest)
    return digests


def ends(text: str, *depths: int) -> list[Chunk]:
    digests = prompt(text)
    return [chunk_of(depth, digests[depth - 1]) for depth in depths]


def tree(*members: str, cut: int = 4, limits: TreeLimits | None = None) -> HrTree[str]:
    made: HrTree[str] = HrTree(limits, cut=cut)
    for member in members:
        made.add_member(member)
    return made


def test_everybody_is_found_with_the_longest_prefix_it_holds() -> None:
    found = tree("a", "b", "c")
    found.apply("a", ends("systemquestion", 4, 6, 8, 12, 14))
    found.apply("b", ends("systemanother", 4, 6, 8, 12, 13))
    found.apply("c", ends("nothing", 4, 7))
    assert found.lookup(chunks_of(prompt("systemquestion"))) == {"a": 14, "b": 6}
    assert found.lookup(chunks_of(prompt("systemquest"))) == {"a": 8, "b": 6}
    assert found.lookup(chunks_of(prompt("systemx"))) == {"a": 6, "b": 6}
    assert found.lookup(chunks_of(prompt("nothing at all"))) == {"c": 7}
    assert found.lookup(chunks_of(prompt("else"))) == {}
    assert found.lookup(()) == {}


def test_members_may_cut_the_same_prefix_differently() -> None:
    found = tree("a", "b")
    found.apply("a", ends("systemquestion", 4, 8, 12, 14))
    found.apply("b", ends("systemquestion", 4, 6, 7, 8, 12, 13))
    assert found.lookup(chunks_of(prompt("systemquestion"))) == {"a": 14, "b": 13}
    assert found.lookup(chunks_of(prompt("systemq"))) == {"a": 4, "b": 7}
    assert len(found) == 7


def test_what_is_evicted_is_not_found() -> None:
    found = tree("a", "b")
    for member in "ab":
        found.apply(member, ends("systemquestion", 4, 8, 12, 14))
    found.apply("a", [], ends("systemquestion", 12, 14))
    assert found.lookup(chunks_of(prompt("systemquestion"))) == {"a": 8, "b": 14}
    found.drop_member("b")
    assert found.lookup(chunks_of(prompt("systemquestion"))) == {"a": 8}
    found.replace("a", [])
    assert len(found) == 0


def test_a_chunk_without_those_before_it_says_nothing() -> None:
    """Who says that it holds the end of a prompt must say so of its beginning."""
    found = tree("a")
    found.apply("a", ends("systemquestion", 12, 14))
    assert found.lookup(chunks_of(prompt("systemquestion"))) == {}


def test_a_liar_fills_its_own_share_only() -> None:
    found = tree("liar", "honest", limits=TreeLimits(member=50, total=80))
    lies = [Chunk((8 << 64) + number) for number in range(1_000)]
    assert found.apply("liar", lies) == 960
    assert found.apply("honest", ends("systemquestion", 4, 8, 12, 14)) == 0
    assert found.lookup(chunks_of(prompt("systemquestion"))) == {"honest": 14}
    assert (found.count("liar"), found.complete("liar"), found.complete("honest")) == (40, False, True)
    found.add_member("third")
    assert (found.count("liar"), found.count("honest")) == (26, 4)


def test_the_index_never_grows_without_bound() -> None:
    """dynamo #4429: hours of news, ten thousand chunks a minute, and the books stay as small as the caches."""
    found = tree("a", "b", limits=TreeLimits(member=300, total=1_000))
    for minute in range(50):
        new = [Chunk((8 << 64) + minute * 1_000 + number) for number in range(1_000)]
        old = [Chunk((8 << 64) + (minute - 1) * 1_000 + number) for number in range(1_000)]
        found.apply("a", new, old)
        found.apply("b", new)
        assert len(found) <= 600
    found.check_integrity()


def test_who_is_doubted_is_not_found_until_it_is_taken_back() -> None:
    found = tree("a", "b")
    for member in "ab":
        found.apply(member, ends("system", 4, 6))
    found.doubt("a")
    assert found.lookup(chunks_of(prompt("system"))) == {"b": 6}
    found.doubt("a", False)
    assert found.lookup(chunks_of(prompt("system"))) == {"a": 6, "b": 6}
    found.doubt("b")
    found.drop_member("b")
    found.add_member("c")
    found.apply("c", ends("system", 4, 6))
    assert found.lookup(chunks_of(prompt("system"))) == {"a": 6, "c": 6}


def test_a_thousand_members_that_hold_a_prompt_are_all_found() -> None:
    found: HrTree[int] = HrTree(cut=4)
    for member in range(1_000):
        found.add_member(member)
        found.apply(member, ends("systemquestion", 4, 8) if member % 3 else ends("systemquestion", 4))
    expected = {member: 8 if member % 3 else 4 for member in range(1_000)}
    assert found.lookup(chunks_of(prompt("systemquestion"))) == expected


def test_who_was_not_added_holds_nothing() -> None:
    found = tree("a")
    assert found.chunks("b") == []
    assert found.count("b") == 0
    assert not found.complete("b")
    with pytest.raises(KeyError):
        found.apply("b", [Chunk(1 << 64)])
