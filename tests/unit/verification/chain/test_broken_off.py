"""Who breaks off what it does not want to answer gains no standing by it, and nobody is excluded for what broke off."""

from __future__ import annotations

import msgspec
import pytest

from engine.errors import VerificationError
from engine.verification.chain.block import check_block
from engine.verification.chain.broken_off import LEFT_OF_TEN, broken_by, take_broken
from engine.verification.chain.certificate import check_certified
from engine.verification.chain.checkpoint import make_checkpoint, open_checkpoint
from engine.verification.chain.records import RecordBook
from engine.verification.chain.results import Material
from engine.verification.chain.state import WINDOW, first_state
from engine.verification.challenges.duties import Basis
from engine.verification.reputation.page import OURS
from engine.verification.signing import digest_of
from engine.wire.blocks import NodeStanding, block_decoder
from engine.wire.codec import encode
from tests.support.judging import Judging, judging
from tests.support.records import identity

NODE, OTHER = identity(1), identity(2)
NODES = [NODE, OTHER]


def begun(members: int = 4) -> Judging:
    network = judging(members)
    network.append(0, Material(commitments=network.commit_all(1, NODES)))
    return network


def of(network: Judging) -> NodeStanding:
    return network.state.standing_of(NODE.node_id)


def test_one_members_word_in_an_epoch_in_which_all_check_changes_nothing() -> None:
    network = begun()
    for epoch in range(1, 3):
        network.judge_epoch(epoch, NODES, {}, {NODE.node_id: 1})
    for epoch in range(3, 6):
        network.judge_epoch(epoch, NODES, {})
    assert of(network).good >= 10
    assert of(network).reputation > OURS.start
    assert len(block_decoder.decode(network.blocks[1].block).unjudged) == 1


def test_more_than_f_words_end_the_row_of_good_ones_and_take_a_part_of_the_reputation() -> None:
    network, twin = begun(), begun()
    for epoch in range(1, 4):
        network.judge_epoch(epoch, NODES, {}, {NODE.node_id: 2} if epoch == 1 else {})
        twin.judge_epoch(epoch, NODES, {}, {NODE.node_id: 1} if epoch == 1 else {})
        if epoch <= WINDOW:
            assert of(network).good == 4 * epoch - 2, "until the epoch is told completely"
    assert of(network).good == 0
    before = of(twin).reputation
    assert of(network).reputation < before
    assert not of(network).excluded
    assert of(network).suspicion == of(network).lapses == 0, "it is no fail"
    assert network.state.standing_of(OTHER.node_id) == twin.state.standing_of(OTHER.node_id)


def test_who_always_breaks_off_half_of_what_it_is_asked_stays_below_those_that_get_traffic() -> None:
    network = begun()
    seen = []
    for epoch in range(1, 30):
        network.judge_epoch(epoch, NODES, {}, {NODE.node_id: 2})
        seen.append(of(network))
    assert max(one.good for one in seen[WINDOW:]) == 0
    assert max(one.reputation for one in seen[8:]) < 500_000
    assert not seen[-1].excluded
    for epoch in range(30, 36):
        network.judge_epoch(epoch, NODES, {})
    assert of(network).good >= 10, "and is back when it answers"
    assert of(network).reputation > 800_000


@pytest.mark.parametrize(("words", "public", "good", "kept"), [(1, False, 0, 10), (1, True, 30, 10), (2, True, 0, 7)])
def test_a_word_about_a_node_of_standing_has_it_checked_as_a_new_one_is(
    words: int, public: bool, good: int, kept: int
) -> None:
    standing = msgspec.structs.replace(OURS.newcomer(NODE.node_id), good=30, reputation=900_000)
    seen = msgspec.structs.replace(standing, good=3) if public else standing
    basis = Basis(members=(b"a", b"b", b"c", b"d"), output=b"o", standings={NODE.node_id: seen}, commitments={})
    standings = {NODE.node_id: standing}
    take_broken(standings, basis, {NODE.node_id: words}, 1)
    assert standings[NODE.node_id] == msgspec.structs.replace(standing, good=good, reputation=90_000 * kept)
    assert LEFT_OF_TEN == 7


def test_strangers_and_the_excluded_are_left_alone_and_former_members_say_nothing() -> None:
    excluded = msgspec.structs.replace(OURS.newcomer(NODE.node_id), excluded=True, good=5)
    basis = Basis(members=(), output=b"o", standings={}, commitments={})
    standings = {NODE.node_id: excluded}
    take_broken(standings, basis, {NODE.node_id: 4, OTHER.node_id: 4}, 1)
    assert standings == {NODE.node_id: excluded}
    assert broken_by([(b"a", NODE.node_id), (b"b", NODE.node_id)], [b"b"]) == {NODE.node_id: 1}


def test_it_stands_beside_what_was_judged_of_the_conversation_and_once() -> None:
    network = begun()
    member = network.members[0]
    book = RecordBook()
    evidence = network.evidence(1, member, NODE.node_id, NODE)
    broken = network.unanswered(1, member, NODE.node_id, "cut_off")
    for signed in (evidence, broken):
        assert book.add(signed, network.state, 1)
    attested = {digest_of(evidence): network.attestations(evidence, NODE.node_id)}
    promised = network.commit_all(2, NODES)
    network.append(1, Material(commitments=promised, records=[evidence, broken], attestations=attested))
    block = block_decoder.decode(network.blocks[-1].block)
    assert [(one.asked, one.broken) for one in block.unjudged] == [(NODE.node_id, True)]
    assert len(block.entries) == 1
    assert network.state.epochs[1].broken == {(member.public_key, NODE.node_id)}
    book.decided(network.state, network.blocks[-1].block)
    assert broken not in book.of_member(member.public_key, network.state)
    again = block_decoder.decode(network.make(2, Material(records=[broken])))
    assert again.unjudged == ()
    forged = encode(msgspec.structs.replace(again, unjudged=block.unjudged))
    with pytest.raises(VerificationError, match="brought nothing"):
        check_block(network.state, forged)
    state = open_checkpoint(make_checkpoint(network.state), first_state(network.genesis), network.blocks[-1])
    assert state == network.state
    replayed = first_state(network.genesis)
    for certified in network.blocks:
        replayed = check_certified(replayed, certified)
    assert replayed == network.state


def test_a_block_that_says_otherwise_than_the_record_is_refused() -> None:
    network = begun()
    silent = network.unanswered(1, network.members[0], NODE.node_id, "timeout")
    honest = block_decoder.decode(network.make(1, Material(records=[silent])))
    assert [one.broken for one in honest.unjudged] == [False]
    unjudged = tuple(msgspec.structs.replace(one, broken=True) for one in honest.unjudged)
    forged = encode(msgspec.structs.replace(honest, unjudged=unjudged))
    with pytest.raises(VerificationError, match="broken off"):
        check_block(network.state, forged, record_of=network.records.get)
