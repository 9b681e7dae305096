"""Whom a verifier can check, and with which of its models."""

import os

import pytest

from engine.directory.directory import Directory
from engine.node import checkable
from engine.node.checkable import Checkable
from tests.support.records import directory_of, identity, served_model

HELD, OTHER = b"h" * 32, b"o" * 32


def directory(count: int, families: int | None = None) -> Directory:
    """Nodes 0 to ``count``, of which each but the first serves two models."""
    both = (served_model("other", digest=OTHER), served_model("held", digest=HELD))
    return directory_of(count, families=families, models=lambda number: both if number else ())


def test_listed_nodes_with_a_model_can_be_checked_and_the_owner_is_none_of_them() -> None:
    nodes = directory(5).nodes()
    known = Checkable(nodes[-1].node_id, os.urandom)
    assert known.candidates() == []
    assert known.key_of(nodes[0].node_id) is None
    known.update(directory(5), ())
    listed = {node.node_id for node in nodes}
    serving = {node.node_id for node in nodes if node.descriptor.models}
    assert {one.node_id for one in known.candidates()} == serving - {nodes[-1].node_id}
    assert all(known.lists(one) for one in listed)
    assert known.key_of(nodes[0].node_id) == nodes[0].descriptor.identity_key
    assert not known.lists(identity(4_000).node_id)


def test_who_has_left_stays_where_a_block_has_judged_it() -> None:
    all_of_them, fewer = directory(6), directory(3)
    known = Checkable(identity(4_000).node_id, os.urandom)
    known.update(all_of_them, ())
    left = [node.node_id for node in all_of_them.nodes() if node.node_id not in fewer]
    known.update(fewer, left[:1])
    served = {one.node_id for one in known.candidates()}
    assert served & set(left) == set(left[:1])
    assert not known.lists(left[0])
    known.update(fewer, ())
    assert not {one.node_id for one in known.candidates()} & set(left)


def test_of_those_who_are_remembered_the_first_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkable, "MAX_MODELS", 2)
    known = Checkable(identity(4_000).node_id, os.urandom)
    known.update(directory(6), ())
    assert len(known.candidates()) == 2


def test_of_a_nodes_models_one_that_is_held_here_is_asked() -> None:
    known = Checkable(identity(4_000).node_id, os.urandom)
    known.update(directory(3), ())
    known.holds, known.texts_percent = lambda digest: digest == HELD, lambda digest: 80 if digest == HELD else 0
    for _ in range(20):
        assert {(one.model_digest, one.texts_percent) for one in known.candidates()} == {(HELD, 80)}
    known.holds = lambda _: False
    asked = {one.model_digest for _ in range(200) for one in known.candidates()}
    assert asked == {HELD, OTHER}, "of those that nobody here can score any"


def test_kin_are_the_listed_nodes_of_the_owners_family() -> None:
    listed = directory(6, families=2)
    owner = listed.nodes()[0]
    known = Checkable(owner.node_id, os.urandom)
    known.family = owner.descriptor.family
    assert known.family
    assert known.kin() == frozenset()
    known.update(listed, ())
    same = {node.node_id for node in listed.nodes() if node.descriptor.family == known.family}
    assert known.kin() == same - {owner.node_id}
    assert len(known.kin()) == 2
    known.family = ""
    assert known.kin() == frozenset()
