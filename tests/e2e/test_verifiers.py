"""Four verifiers in one process: they are killed in the middle of an epoch, and one of them makes way for a fifth."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

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
from engine.wire.blocks import Block, block_decoder, certified_block_decoder
from engine.wire.signaling import Publish, Published
from tests.support.bootstrap import raw_node
from tests.support.network import Network, gentorrent
from tests.support.records import descriptor, identity, seal_key, served_model

pytestmark = pytest.mark.timeout(240)
EPOCH_SECONDS = 6
NODE = identity(41)
CLOCK = SystemClock()


def start(network: Network) -> None:
    arguments = ["--bootstrap", network.address, "--data", str(network.folder), "--count", "4"]
    network.children["verifiers"] = network.processes.start("verifiers", "engine.demo.verifiers", arguments)


async def until_up(reader: ChainReader) -> None:
    async with asyncio.timeout(120):
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
        self.signatures: tuple[tuple[int, bytes], ...] = ()
        self._reader = reader

    async def until_epoch(self, epoch: int, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while self.replay.state.epoch < epoch:
                await self._read()

    async def until(self, wanted: Callable[[Block], bool], seconds: float) -> None:
        """The newest block is such a one."""
        async with asyncio.timeout(seconds):
            while not wanted(self.blocks[-1]):
                await self._read()

    async def _read(self) -> None:
        """At most one block."""
        await asyncio.sleep(0.2)
        try:
            found = await self._reader.blocks(self.replay.state.height + 1)
        except BootstrapUnreachableError:
            return
        for encoded in found[:1]:
            assert self.replay.take(encoded, {}), self.replay.problem
            certified = certified_block_decoder.decode(encoded)
            self.signatures = certified.certificate.signatures
            self.blocks.append(block_decoder.decode(certified.block))


def want(network: Network, verifier: int, *options: str) -> dict[str, Any]:
    """A member's owner wants a change; what is wanted then."""
    data = str(network.folder / f"verifier-{verifier}")
    told = gentorrent("committee", "propose", "--json", "--bootstrap", network.address, "--data", data, *options)
    assert told.returncode == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)
    return found


async def test_a_kill_in_mid_epoch_loses_nothing_and_the_committee_changes_while_all_run(
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
            promised = await until_in_epoch(chain, genesis)
            network.kill("verifiers")
            start(network)
            await chain.until_epoch(promised + 1, 120)
            check_promises(chain, promised)

            fifth = gentorrent("identity", "show", "--key", "--data", str(network.folder / "fifth")).stdout.strip()
            network.node("fifth")
            change = ("--add", fifth, "--remove", keys[0])
            assert want(network, 2, *change)["wanted"][0]["by"] == [keys[1]]
            want(network, 3, *change)
            want(network, 1, *change)  # who goes has a say, too
            await chain.until(lambda block: bool(block.next_members), 120)
            changed = chain.replay.state.members
            assert [key.hex() for key in changed] == [*keys[1:], fifth]
            new = changed[-1]
            await chain.until(lambda block: any(signed.key == new for signed in block.commitments), 120)
            await chain.until(lambda _: 3 in {place for place, _ in chain.signatures}, 120)
            shown = gentorrent("committee", "status", "--bootstrap", network.address)
            assert "since block" in shown.stdout
            assert "No change is wanted" in shown.stdout
            assert keys[0] not in shown.stdout
            async with asyncio.timeout(60):
                while "a verifier no longer" not in network.log("verifiers"):
                    await asyncio.sleep(0.2)


async def until_in_epoch(chain: Chain, genesis: GenesisRecord) -> int:
    """Wait until the epoch of which the newest block promises what is done in it has begun a while ago, and runs."""
    await chain.until_epoch(1, 120)
    while True:
        promised = chain.blocks[-1].epoch + 1
        begins = epoch_begins(genesis.genesis, promised)
        await asyncio.sleep(max(0.0, begins + 0.2 * EPOCH_SECONDS - CLOCK.wall()))
        if epoch_at(genesis.genesis, CLOCK.wall()) == promised:
            return promised
        await chain.until_epoch(promised, 120)


def check_promises(chain: Chain, promised: int) -> None:
    """What was promised before the kill has been done after it."""
    done = [one for block in chain.blocks for one in block.unjudged if one.epoch == promised]
    assert NODE.node_id in {one.asked for one in done}
    authors = {one.author for one in done if one.asked == NODE.node_id}
    assert len(authors) == 4, "all members that had to ask it say what came of it"
    assert len(chain.blocks[-1].commitments) == 4
