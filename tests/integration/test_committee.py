"""Four members of a committee over links in memory: real link messages, real blocks without content, real disks."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.directory.genesis import GenesisRecord, make_genesis
from engine.errors import StorageError, VerificationError
from engine.ids import NodeId
from engine.node import committee_chain
from engine.node.committee_role import CommitteeRole
from engine.node.committee_store import CommitteeStore
from engine.node.overlay_peer import OverlayPeer
from engine.simulation.loops import SimulatedLoop
from engine.transport.memory import MemoryInternet
from engine.transport.scheduler import ManualScheduler
from engine.verification.chain.block import check_block, make_block
from engine.verification.chain.certificate import check_certified
from engine.verification.chain.checkpoint import make_checkpoint
from engine.verification.chain.results import Material
from engine.verification.chain.state import ChainState, first_state
from engine.verification.epochs import epoch_at
from engine.verification.signing import sign_record
from engine.wire.blocks import CertifiedBlock, CommitteeChange, CommitteeHave, CommitteeNews, block_decoder
from engine.wire.challenges import ChallengeCommitment, SpeedMeasured, SpeedReport
from engine.wire.codec import encode
from engine.wire.receipts import Contradiction
from engine.wire.records import Parameters
from engine.wire.signed import SignedRecord

EPOCH = 60.0
IDENTITIES = [Identity.from_seed(bytes([number]) * 32) for number in range(1, 5)]


class WrongClock:
    """Runs as another one does, ``ahead`` of it by so many seconds."""

    def __init__(self, clock: Clock, ahead: float) -> None:
        self._clock = clock
        self._ahead = ahead

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def wall(self) -> float:
        return self._clock.wall() + self._ahead


class Maker:
    """Blocks in which nothing is judged."""

    def __init__(self, identity: Identity, state: ChainState, clock: Clock) -> None:
        self.identity = identity
        self.state = state
        self.records: list[SignedRecord] = []
        self.senders: list[bytes] = []
        self.changes: list[SignedRecord] = []
        self._clock = clock

    def propose(self, round_number: int) -> bytes | None:
        wall = self._clock.wall()
        epoch = epoch_at(self.state.genesis, wall)
        if epoch <= self.state.epoch:
            return None
        material = Material(changes=self.changes)
        return make_block(
            self.state, material, epoch=epoch, round_number=round_number, proposer=self.identity, issued=int(wall)
        )

    def refusal(self, encoded: bytes, *, seen: bool = False) -> str | None:
        try:
            check_block(self.state, encoded, now=self._clock.wall(), is_new=not seen)
        except VerificationError as error:
            return str(error)
        return None

    def records_of(self, block: bytes) -> list[SignedRecord]:
        return self.records

    def decided(self, state: ChainState, block: bytes) -> None:
        self.state = state

    def heard(self, signed: SignedRecord, sender: bytes) -> str:
        self.records.append(signed)
        self.senders.append(sender)
        return ""


class Node:
    """One member's machine; :meth:`start` again is a restart."""

    def __init__(self, network: Network, identity: Identity, folder: Path, ahead: float) -> None:
        self.network = network
        self.clock = WrongClock(network.scheduler.clock, ahead)
        self.identity = identity
        self.folder = folder
        self.contradictions: list[Contradiction] = []
        self.notices: list[str] = []
        self.start()

    def start(self) -> None:
        network = self.network
        state = first_state(network.genesis)
        self.maker = Maker(self.identity, state, self.clock)
        self.store = CommitteeStore(self.folder)
        self.role = CommitteeRole(self.identity, state, self.maker, self.store, self.clock)
        self.role.loop = SimulatedLoop(network.scheduler, self.role.loop)
        self.role.contradicted, self.role.notice = self.contradictions.append, self.notices.append
        peer = OverlayPeer(
            self.identity.node_id,
            network.genesis.network_id,
            tuple,
            tuple,
            network.scheduler.clock,
            os.urandom,
            parameters=network.genesis.parameters,
            started=0.0,
            relays=False,
        )
        self.endpoint = network.internet.endpoint(self.identity.node_id, peer)
        peer.sender = self.role.sender = self.endpoint
        peer.heard_committee = self.role.heard
        self.role.members_changed = self.link
        for _ in self.role.replay():
            pass
        self.link()
        self.role.loop.wake()

    def link(self) -> None:
        others = self.role.neighbours()
        lower = {node_id for node_id in others if node_id < self.identity.node_id}
        self.endpoint.want(others - lower, expected=lower)

    def kill(self) -> None:
        assert isinstance(self.role.loop, SimulatedLoop)
        self.role.loop.alive = False
        self.network.internet.kill(self.identity.node_id)

    @property
    def height(self) -> int:
        return self.role.state.height

    @property
    def chain(self) -> list[CertifiedBlock]:
        blocks = [self.store.block(height) for height in range(1, self.height + 1)]
        return [block for block in blocks if block is not None]


class Network:
    def __init__(self, folder: Path, seed: int = 1, ahead: Sequence[float] = (0.0, 0.0, 0.0, 0.0)) -> None:
        self.scheduler = ManualScheduler()
        self.internet = MemoryInternet(self.scheduler, random.Random(seed))
        self.genesis: GenesisRecord = make_genesis(
            "committee",
            bytes(32),
            Parameters(epoch_seconds=EPOCH),
            self.scheduler.clock.wall(),
            random.Random(seed).randbytes,
            [identity.public_key for identity in IDENTITIES],
        )
        self.nodes = [
            Node(self, identity, folder / str(place), ahead[place]) for place, identity in enumerate(IDENTITIES)
        ]

    def epochs(self, count: float = 1.0) -> None:
        self.scheduler.advance(count * EPOCH)

    def check(self) -> None:
        """All chains agree as far as they go, and nobody has contradicted itself."""
        longest = max((node.chain for node in self.nodes), key=len)
        for node in self.nodes:
            mine = [block.certificate.digest for block in node.chain]
            assert mine == [block.certificate.digest for block in longest[: len(mine)]]
            assert node.contradictions == []


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return Network(tmp_path)


def test_four_members_agree_on_a_block_in_every_epoch(network: Network) -> None:
    network.epochs(5)
    assert [node.height for node in network.nodes] == [5] * 4
    network.check()
    blocks = [block_decoder.decode(block.block) for block in network.nodes[0].chain]
    assert [block.epoch for block in blocks] == [0, 1, 2, 3, 4]
    assert [block.round for block in blocks] == [0] * 5
    assert len({block.proposer for block in blocks}) > 1  # the leader is drawn


def test_who_was_away_gets_the_blocks_of_the_others_and_votes_again(network: Network) -> None:
    network.epochs(1)
    away = network.nodes[2]
    away.kill()
    network.epochs(3)
    assert {node.height for node in network.nodes if node is not away} == {4}
    assert away.height == 1
    away.start()
    assert away.height == 1  # from its disk
    network.epochs(1)
    assert away.height == 5
    network.nodes[0].kill()
    network.epochs(2)  # a quorum takes the one that was away
    assert away.height >= 6
    network.check()


def test_a_restart_in_the_middle_of_a_height_contradicts_nothing(network: Network) -> None:
    network.epochs(1)
    for place in (0, 1, 2, 3, 0):
        network.scheduler.advance(EPOCH * 0.7 + 0.12)  # votes are under way
        network.nodes[place].kill()
        network.nodes[place].start()
        network.scheduler.advance(EPOCH * 0.3 - 0.12)
    network.epochs(2)
    assert min(node.height for node in network.nodes) >= 7
    network.check()


def test_all_restart_at_once_in_the_middle_of_a_height(network: Network) -> None:
    network.scheduler.advance(EPOCH * 0.7 + 0.1)
    for node in network.nodes:
        node.kill()
    for node in network.nodes:
        node.start()
    network.epochs(1.2)
    assert [node.height for node in network.nodes] == [2] * 4
    network.check()


def test_without_a_quorum_nothing_is_decided_and_afterwards_it_goes_on(network: Network) -> None:
    network.epochs(1)
    ids = [node.identity.node_id for node in network.nodes]
    network.internet.partition(ids[:2], ids[2:])
    network.epochs(3)
    assert [node.height for node in network.nodes] == [1] * 4
    network.internet.heal()
    network.epochs(2)
    assert {node.height for node in network.nodes} == {3}
    assert block_decoder.decode(network.nodes[0].chain[-1].block).epoch == 5
    network.check()


@pytest.mark.parametrize("ahead", [(0.0, 0.0, 0.0, 0.0), (0.0, 10.0, -5.0, 3.0)], ids=["right clocks", "wrong clocks"])
@pytest.mark.parametrize("healed", [0.9, 0.97, 0.99, 1.0, 1.03, 1.2])
def test_rounds_that_go_on_beyond_an_epoch_end_in_a_block(
    tmp_path: Path, healed: float, ahead: Sequence[float]
) -> None:
    """What is proposed of an epoch that is over for its voters fails one round, and the next leader's does not."""
    network = Network(tmp_path, ahead=ahead)
    ids = [node.identity.node_id for node in network.nodes]
    network.internet.partition(ids[:2], ids[2:])
    network.epochs(healed)
    network.internet.heal()
    network.epochs(2.3 - healed)
    assert min(node.height for node in network.nodes) >= 1
    network.epochs(3)
    assert min(node.height for node in network.nodes) >= 4
    network.check()


def test_members_whose_clocks_differ_agree_in_every_epoch(tmp_path: Path) -> None:
    network = Network(tmp_path, ahead=(0.0, 12.0, -6.0, 5.0))
    network.epochs(5.2)
    assert [node.height for node in network.nodes] == [5] * 4
    network.check()


def test_a_member_that_has_lost_its_memory_signs_nothing_at_the_height_under_way(network: Network) -> None:
    network.epochs(2)
    node = network.nodes[1]
    node.kill()
    (node.folder / "memory").unlink()
    node.start()
    sent: list[bytes] = []
    plain = node.endpoint.send

    def watch(peer: NodeId, channel: Any, data: bytes) -> bool:
        sent.append(data)
        return plain(peer, channel, data)

    node.endpoint.send = watch  # type: ignore[method-assign]
    network.epochs(1)
    assert node.height == 3
    own = node.identity.public_key
    assert not [data for data in sent if own in data]
    network.epochs(2)
    assert [data for data in sent if own in data]  # after a block that was made since
    network.check()


def test_a_disk_that_refuses_costs_one_vote_and_is_told(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    node = network.nodes[3]

    def refuse(memory: object) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(node.store, "remember", refuse)
    network.epochs(2)
    assert [one.height for one in network.nodes] == [2] * 4
    assert any("could not write" in text for text in node.notices)
    signers = {place for block in network.nodes[0].chain for place, _ in block.certificate.signatures}
    assert signers == {0, 1, 2}


def test_the_committee_changes_by_its_own_certificate(network: Network) -> None:
    smaller = tuple(identity.public_key for identity in (*IDENTITIES[:3], Identity.from_seed(b"\x09" * 32)))
    network.epochs(1)
    changes = [
        sign_record(
            identity,
            CommitteeChange(
                network_id=network.genesis.network_id,
                member=identity.public_key,
                since=0,
                until=9,
                issued=1,
                add=smaller[3:],
                remove=(IDENTITIES[3].public_key,),
            ),
        )
        for identity in IDENTITIES[:3]
    ]
    for node in network.nodes:
        node.maker.changes = changes
    network.epochs(1)
    assert {node.role.state.members for node in network.nodes} == {smaller}
    network.epochs(1)
    assert {node.height for node in network.nodes[:3]} == {3}  # three of four, without the new one
    assert network.nodes[3].role.neighbours() == frozenset()  # it has left
    network.check()


def test_records_that_are_no_votes_go_to_the_maker_and_strangers_are_not_heard(network: Network) -> None:
    network.epochs(0.1)
    first, second = network.nodes[:2]
    record = ChallengeCommitment(network.genesis.network_id, 1, first.identity.public_key, bytes(32), 3)
    signed = SignedRecord(encode(record), first.identity.public_key, bytes(64))
    first.role.tell(signed)
    network.epochs(0.1)
    assert [node.maker.records for node in network.nodes[1:]] == [[signed]] * 3
    stranger = Identity.from_seed(b"\x0a" * 32).node_id
    network.epochs(1)
    assert second.store.records(1) == [signed]  # evidence is kept with the block
    assert first.store.records(1) == []
    network.epochs(1)
    assert CommitteeStore(second.folder).load() == second.height
    assert second.store.records(2) == [signed]
    second.role.heard(stranger, CommitteeNews(signed))
    assert second.maker.records == [signed]
    assert second.role.dropped["no member"] == 1
    second.role.heard(network.nodes[2].identity.node_id, CommitteeNews(signed))
    assert second.maker.senders == [first.identity.public_key, network.nodes[2].identity.public_key]
    second.maker.records.pop()
    measured = (SpeedMeasured(bytes(20), bytes(8), 100, 100, 1, 1, 0),)
    speeds = encode(SpeedReport(network.genesis.network_id, 0, first.identity.public_key, measured))
    other = CommitteeNews(SignedRecord(speeds, first.identity.public_key, bytes(64)))
    second.role.heard(network.nodes[2].identity.node_id, other)
    assert second.maker.records == [signed], "of what blocks may leave out members tell their own alone"
    assert second.role.dropped["another's record"] == 1


def test_a_flood_of_one_member_is_cut_off(network: Network) -> None:
    node, peer = network.nodes[0], network.nodes[1].identity.node_id
    message = CommitteeHave(1, 0, False, False, b"", b"", b"")
    for _ in range(5000):
        node.role.heard(peer, message)
    assert node.role.dropped["too fast"] >= 900
    network.epochs(2)
    assert [one.height for one in network.nodes] == [2] * 4


async def test_missing_blocks_come_from_the_server(network: Network, tmp_path: Path) -> None:
    network.epochs(3)
    chain = network.nodes[0].chain
    state = first_state(network.genesis)
    identity = Identity.from_seed(b"\x0b" * 32)  # no member: it only follows
    asked: list[int] = []

    async def fetch(height: int) -> list[CertifiedBlock]:
        asked.append(height)
        return chain[height - 1 : height + 1]

    maker = Maker(identity, state, network.scheduler.clock)
    store = CommitteeStore(tmp_path / "follower")
    role = CommitteeRole(identity, state, maker, store, network.scheduler.clock, fetch=fetch)
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(role.run())
        while len(asked) < 3:
            await asyncio.sleep(0.01)
        running.cancel()
    assert role.state.height == 3
    assert asked == [1, 3, 4]
    assert role.neighbours() == frozenset()


async def test_a_member_that_has_lost_its_whole_disk_hears_of_the_chain_before_it_signs(
    network: Network, tmp_path: Path
) -> None:
    network.epochs(3.5)
    chain, lost = network.nodes[0].chain, network.nodes[1]
    answers: list[list[CertifiedBlock]] = [chain, []]

    async def fetch(height: int) -> list[CertifiedBlock]:
        return answers.pop(0)

    state = first_state(network.genesis)
    maker = Maker(lost.identity, state, network.scheduler.clock)
    store = CommitteeStore(tmp_path / "empty")
    role = CommitteeRole(lost.identity, state, maker, store, network.scheduler.clock, fetch=fetch)
    await role.load()
    for asked in (False, True):
        network.scheduler.clock.advance(EPOCH)  # the time of height 1 has come, and later that of height 4
        role._tick()
        assert role._agreement is not None
        assert role._agreement.round == 0
        assert store.memory() is None  # nothing was signed
        if not asked:
            async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
                running = tasks.create_task(role.chain.keep_up())
                while answers:
                    await asyncio.sleep(0.01)
                running.cancel()
            assert role.state.height == 3


def test_a_torn_or_foreign_file_of_blocks_is_cut_and_fetched_again(network: Network) -> None:
    network.epochs(3)
    node = network.nodes[0]
    node.kill()
    file = node.folder / "blocks"
    whole = file.read_bytes()
    for cut in (len(whole) - 1, len(whole) - 300, 30, 5):
        file.write_bytes(whole[:cut])
        store = CommitteeStore(node.folder)
        assert store.load() < 3
    file.write_bytes(whole[:-1])
    node.start()
    assert node.height == 2
    network.epochs(1)
    assert node.height == 4
    assert CommitteeStore(node.folder).load() == 4
    network.check()


def test_what_another_version_has_kept_is_put_aside_and_fetched_again(network: Network) -> None:
    network.epochs(3)
    node = network.nodes[0]
    node.kill()
    older = b"gentorrent-chain-1\nblocks of that version"
    (node.folder / "blocks").write_bytes(older)
    (node.folder / "checkpoint").write_bytes(b"gentorrent-checkpoint-1\nstate of that version")
    (node.folder / "memory").write_bytes(b"\x95 votes of that version")
    node.start()
    assert node.height == 0
    assert (node.folder / "blocks.other-version").read_bytes() == older
    assert CommitteeStore(node.folder).memory() is None
    network.epochs(2)
    assert node.height == 5
    network.check()


def test_a_forged_block_is_refused(network: Network) -> None:
    network.epochs(2)
    node = network.nodes[0]
    block = node.chain[1]
    forged = CertifiedBlock(block.block + b"x", block.certificate)
    assert node.maker.refusal(forged.block)
    assert not node.role.chain.append(forged)
    assert node.role.chain.refused["refused block"] == 1


def test_a_start_begins_at_the_checkpoint_and_with_a_damaged_one_at_the_genesis(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.epochs(4)
    node = network.nodes[0]
    node.store.keep_checkpoint(make_checkpoint(node.role.state))
    network.epochs(2)
    whole, state = (node.folder / "checkpoint").read_bytes(), node.role.state
    checked: list[int] = []

    def count(before: ChainState, block: CertifiedBlock) -> ChainState:
        checked.append(before.height + 1)
        return check_certified(before, block)

    monkeypatch.setattr(committee_chain, "check_certified", count)
    for data, replayed in ((whole, [5, 6]), (whole[:-1], [1, 2, 3, 4, 5, 6]), (b"", [1, 2, 3, 4, 5, 6])):
        node.kill()
        (node.folder / "checkpoint").write_bytes(data)
        checked.clear()
        node.start()
        assert checked == replayed
        assert node.role.state == state
    node.kill()
    (node.folder / "checkpoint").write_bytes(whole)
    node.store.keep(2)  # the blocks that it follows are gone
    checked.clear()
    node.start()
    assert checked == [1, 2]
    network.epochs(1)
    assert node.height == 7
    network.check()
