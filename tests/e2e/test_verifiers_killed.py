"""Four verifiers in one process that dies in the middle of an epoch: what they had promised for it is still done."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from engine.clock import SystemClock
from engine.demo.verifiers import make_verifier_keys
from engine.directory.genesis import GenesisRecord, from_file
from engine.errors import BootstrapUnreachableError
from engine.ids import NetworkId
from engine.transport.chain_http import ChainReader
from engine.verification.chain.replay import Replay
from engine.verification.epochs import epoch_at, epoch_begins
from engine.wire.signaling import Publish, Published
from engine.wire.verification import Block, block_decoder, certified_block_decoder
from tests.support.bootstrap import raw_node
from tests.support.network import Network
from tests.support.records import descriptor, identity, seal_key, served_model

pytestmark = pytest.mark.timeout(150)
EPOCH_SECONDS = 8
NODE = identity(41)
CLOCK = SystemClock()


def start(network: Network) -> None:
    arguments = ["--bootstrap", network.address, "--data", str(network.folder), "--count", "4"]
    network.children["verifiers"] = network.processes.start("verifiers", "engine.demo.verifiers", arguments)


async def until_up(reader: ChainReader) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await reader.height()
            except BootstrapUnreachableError:
                await asyncio.sleep(0.1)
            else:
                return


class Chain:
    """What the server has, block by block."""

    def __init__(self, reader: ChainReader, genesis: GenesisRecord) -> None:
        self.replay = Replay(genesis)
        self.blocks: list[Block] = []
        self._reader = reader

    async def until_epoch(self, epoch: int, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while self.replay.state.epoch < epoch:
                await asyncio.sleep(0.2)
                try:
                    found = await self._reader.blocks(self.replay.state.height + 1)
                except BootstrapUnreachableError:
                    continue
                for encoded in found:
                    assert self.replay.take(encoded, {}), self.replay.problem
                    self.blocks.append(block_decoder.decode(certified_block_decoder.decode(encoded).block))


async def test_what_was_promised_before_a_kill_is_done_after_it_in_the_same_epoch(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Network(tmp_path_factory.mktemp("killed")) as network:
        keys = [key.hex() for key in make_verifier_keys(network.folder, 4)]
        members = [option for key in keys for option in ("--committee", key)]
        network.found("--hops", "0", "--epoch-seconds", str(EPOCH_SECONDS), *members)
        async with aiohttp.ClientSession() as session:
            reader = ChainReader(session, f"http://127.0.0.1:{network.port}")
            await until_up(reader)
            genesis = from_file(await reader.genesis(), NetworkId(bytes.fromhex(network.address.split("#")[1])))
            async with raw_node(network.address, NODE) as node:  # listed with a model, and silent to all questions
                now = CLOCK.wall()
                model = {"models": (served_model(),), "seal_keys": (seal_key(now),)}
                listed = descriptor(NODE, genesis.network_id, now, relay=False, **model)
                await node.send(Publish(listed))
                await node.expect(Published)
            start(network)
            chain = Chain(reader, genesis)
            await chain.until_epoch(1, 60)
            promised = chain.blocks[-1].epoch + 1
            begins = epoch_begins(genesis.genesis, promised)
            await asyncio.sleep(max(0.0, begins + 0.2 * EPOCH_SECONDS - CLOCK.wall()))
            assert epoch_at(genesis.genesis, CLOCK.wall()) == promised
            network.kill("verifiers")
            start(network)
            await chain.until_epoch(promised + 1, 60)
    done = [one for block in chain.blocks for one in block.unjudged if one.epoch == promised]
    assert {one.asked for one in done} == {NODE.node_id}
    assert len({one.author for one in done}) == 2, "both members that had to ask it say what came of it"
    assert len(chain.blocks[-1].commitments) == 4
