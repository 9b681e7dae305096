"""What the demo tells of the committee, and of a machine on which it cannot run."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from engine.demo.following import Following
from engine.demo.run import check_space
from engine.demo.story import tell_cheat, tell_exclusion
from engine.errors import StorageError
from engine.verification.chain.results import Material
from engine.wire.blocks import Block, block_decoder
from tests.support.judging import Judging, judging
from tests.support.records import identity

HONEST, CHEAT = identity(0), identity(1)


class Told:
    """Everything that was said, as lines."""

    def __init__(self) -> None:
        self.text = ""

    def __call__(self, text: str = "", end: str = "\n") -> None:
        self.text += text + end


def followed(network: Judging, told: Told) -> Following:
    names = {HONEST.node_id: "node A", CHEAT.node_id: "node B"}
    return Following(network.genesis, "http://127.0.0.1:1", names, told)


def block(network: Judging, epoch: int, material: Material) -> Block:
    return block_decoder.decode(network.append(epoch, material).block)


def test_an_epoch_without_results_says_what_it_is_for() -> None:
    network, told = judging(), Told()
    following = followed(network, told)
    following._tell(block(network, 0, Material(commitments=network.commit_all(1, [HONEST]))), {})
    assert "epoch 0: nothing to judge; the verifiers bind themselves" in told.text
    assert "node A" not in told.text


def test_results_and_what_brought_nothing_are_told_by_node() -> None:
    network, told = judging(), Told()
    following = followed(network, told)
    network.append(0, Material(commitments=network.commit_all(1, [HONEST, CHEAT])))
    judged = network.judge_epoch(1, [HONEST, CHEAT], {HONEST.node_id: -3_000, CHEAT.node_id: 4_000})
    following.state = network.state
    following._tell(block_decoder.decode(judged.block), {CHEAT.node_id: Counter({"not answered in time": 1})})
    head, honest, cheat = told.text.splitlines()
    assert re.search(r"epoch 1: \d+ answers judged", head)
    assert re.search(r"node A +reputation 0\.\d\d +suspicion +0\.00 +\d passed$", honest)
    assert re.search(r"node B +(reputation 0\.|EXCLUDED).*suspicion +[\d.]+ +\d failed, 1 not answered in time$", cheat)


def test_the_exclusion_is_told_with_its_epochs() -> None:
    told = Told()
    tell_cheat("node B", "answers with weights of 4 bits", told)
    tell_exclusion("node B", 4, 2, 0, told)
    assert "node B is dishonest: it answers with weights of 4 bits." in told.text
    assert "excluded node B in epoch 4, the 3rd epoch in which it was checked, and no honest node" in told.text


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    check_space(tmp_path, 0)
    with pytest.raises(StorageError, match=r"is full: .* TMPDIR"):
        check_space(tmp_path, 1 << 60)
