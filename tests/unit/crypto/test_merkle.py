"""Merkle trees of RFC 9162: known values, the definition itself, and paths that do not lead anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.crypto.merkle import EMPTY_ROOT, inclusion_path, is_included, merkle_root
from tests.support.naive_merkle import path_of, tree_hash

# Leaves and roots that implementations of Certificate Transparency share.
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("count", range(9))
def test_the_roots_are_those_of_other_implementations(count: int) -> None:
    assert merkle_root(LEAVES[:count]).hex() == ROOTS[count]
    assert EMPTY_ROOT.hex() == ROOTS[0]


@given(st.lists(st.binary(max_size=40), max_size=70))
def test_root_and_paths_follow_the_definition(leaves: list[bytes]) -> None:
    root = merkle_root(leaves)
    assert root == tree_hash(leaves)
    for index, leaf in enumerate(leaves):
        path = inclusion_path(leaves, index)
        assert path == path_of(index, leaves)
        assert is_included(root, len(leaves), leaf, index, path)


@given(st.data(), st.integers(1, 70))
def test_nothing_else_is_included(data: st.DataObject, count: int) -> None:
    leaves = [bytes((number,)) for number in range(count)]
    index = data.draw(st.integers(0, count - 1))
    root, path = merkle_root(leaves), inclusion_path(leaves, index)
    other = data.draw(st.integers(-1, count + 1).filter(lambda place: place != index))
    assert not is_included(root, count, leaves[index], other, path)
    assert not is_included(root, count, b"another", index, path)
    assert not is_included(bytes(32), count, leaves[index], index, path)
    assert not is_included(root, count, leaves[index], index, (*path, bytes(32)))
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        assert not is_included(root, count, leaves[index], index, (*path[:place], bytes(32), *path[place + 1 :]))
        assert not is_included(root, count, leaves[index], index, path[:-1])


def test_an_inner_node_is_no_leaf() -> None:
    leaves = [b"a", b"b", b"c", b"d"]
    left = merkle_root(leaves[:2])
    assert merkle_root([left, merkle_root(leaves[2:])]) != merkle_root(leaves)
    assert not is_included(merkle_root(leaves), 2, left, 0, [merkle_root(leaves[2:])])


def test_there_is_no_path_to_a_leaf_that_is_not_there() -> None:
    for index in (-1, 2):
        with pytest.raises(IndexError):
            inclusion_path([b"a", b"b"], index)
        assert not is_included(merkle_root([b"a", b"b"]), 2, b"a", index, [bytes(32)])
