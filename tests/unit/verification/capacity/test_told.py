"""Who is slower than it says is told in plain words: by verify-chain, by committee status, by the node itself."""

from __future__ import annotations

import json

import msgspec
import pytest

from engine.commands import committee, verify_chain
from engine.directory.standing import StandingBook
from engine.ids import node_id_text
from engine.inference.types import ModelInfo
from engine.node.standings import machine_standing, slower_words
from engine.verification.chain.replay import Replay
from engine.wire.codec import encode
from tests.support.judging import MODEL, Judging
from tests.unit.verification.capacity.test_speeds import HONEST, SLOW, begun, go_on, report

SLOW_NAME = node_id_text(SLOW.node_id)


@pytest.fixture(scope="module")
def network() -> Judging:
    found = begun()
    for _ in range(3):
        epoch = found.state.epoch
        go_on(found, [report(found, member, epoch) for member in found.members])
    return found


def replayed(network: Judging) -> Replay:
    replay = Replay(network.genesis)
    for block in network.blocks:
        assert replay.take(encode(block), network.records), replay.problem
    return replay


def test_verify_chain_says_how_much_was_measured_and_who_is_slower(
    network: Judging, capsys: pytest.CaptureFixture[str]
) -> None:
    found = verify_chain._Found(replayed(network))
    verify_chain._tell(found, False)
    told = capsys.readouterr().out
    assert "24 measured, of 2 nodes" in told
    assert f"{SLOW_NAME} reads 250 tokens a second with model {MODEL[:8].hex()}..., less than it says" in told
    assert node_id_text(HONEST.node_id) not in told
    verify_chain._tell(found, True)
    document = json.loads(capsys.readouterr().out)
    assert document["speeds_measured"] == 24
    assert document["slower"] == {SLOW_NAME: {MODEL[:8].hex(): 250}}


def test_committee_status_says_who_is_slower(network: Judging, capsys: pytest.CaptureFixture[str]) -> None:
    slower = ((SLOW_NAME, network.state.standings[SLOW.node_id].slower),)
    found = committee._Committee(network.genesis, network.state, network.state.epoch, (), slower)
    committee._tell(found, False)
    assert f"Found slower than it says: node {SLOW_NAME} reads 250 tokens a second" in capsys.readouterr().out
    committee._tell(found, True)
    (one,) = json.loads(capsys.readouterr().out)["slower"]
    assert one == {"node": SLOW_NAME, "tokens_per_s": {MODEL[:8].hex(): 250}}


def test_the_owner_of_a_slower_machine_hears_it_with_the_models_name(network: Judging) -> None:
    book = StandingBook(True, network.state.standings)
    info = ModelInfo(model_id="some/model", digest=MODEL, tokenizer_digest=MODEL, context_length=4096, slots=1)
    other = msgspec.structs.replace(info, model_id="other", digest=b"x" * 32)
    told = slower_words(book, SLOW.node_id, [other, info])
    assert "reads 250 tokens a second with some/model, less than it says" in told
    assert "other," not in told
    assert slower_words(book, SLOW.node_id, [other]) == slower_words(book, HONEST.node_id, [info]) == ""
    assert machine_standing(book, SLOW.node_id, 0.0, 600.0).slower
    assert not machine_standing(book, HONEST.node_id, 0.0, 600.0).slower
