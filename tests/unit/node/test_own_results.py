"""A node learns how its answers fared: from few blocks, only from those that count, whatever the server shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from engine.errors import BootstrapUnreachableError
from engine.ids import NodeId
from engine.node import own_results
from engine.node.own_results import OwnResults
from engine.verification.chain.own_results import Results
from engine.verification.chain.standings import CheckedStandings, check_standings
from engine.wire.codec import encode
from tests.support.judging import Judging
from tests.support.records import identity, seeded
from tests.unit.node.test_standings import NODES, judged

GOOD, BAD = NODES[0].node_id, NODES[2].node_id


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_results, "FIRST_RETRY", 0.01)
    monkeypatch.setattr(own_results, "LAST_RETRY", 0.02)


class Server:
    """Shows a network's blocks; ``fails``: so many times it does not. ``lies``: shows its first block for each."""

    def __init__(self, network: Judging) -> None:
        self.network, self.fails, self.lies = network, 0, False
        self.asked: list[int] = []

    async def read(self, path: str, limit: int) -> bytes:
        height = int(path.removeprefix("/v1/chain/"))
        self.asked.append(height)
        if self.fails:
            self.fails -= 1
            raise BootstrapUnreachableError("down")
        data = encode(self.network.blocks[0 if self.lies else height - 1])
        assert len(data) <= limit
        return data


def head(network: Judging) -> CheckedStandings:
    return check_standings(network.signed_standings(), network.genesis)


async def read(
    server: Server, path: Path, node: NodeId, until: Callable[[OwnResults], bool] | None = None
) -> OwnResults:
    newest = head(server.network)
    found = OwnResults(node, server.network.genesis, server.read, path, seeded(1))
    found.look(newest)
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(found.run())
        while not (until or (lambda one: one._kept.height == newest.height))(found):
            await asyncio.sleep(0.005)
        running.cancel()
    return found


async def test_results_are_those_of_all_blocks_and_as_many_as_the_standing_counts(tmp_path: Path) -> None:
    network = judged(3)
    for number, node in enumerate((GOOD, BAD)):
        found = await read(Server(network), tmp_path / str(number), node)
        assert found.results is not None
        assert found.results.answers == head(network).nodes[node].judged > 0
        assert found.results.last == 3
        assert (found.results.failed == 0) == (node == GOOD)
        assert (found.results.passed == 0) == (node == BAD)


async def test_nothing_is_read_of_whom_nobody_has_judged(tmp_path: Path) -> None:
    server = Server(judged(2))
    found = await read(server, tmp_path / "own", identity(500).node_id)
    assert found.results == Results()
    assert server.asked == []


async def test_after_a_restart_only_what_is_new_is_read(tmp_path: Path) -> None:
    network = judged(2)
    server = Server(network)
    before = (await read(server, tmp_path / "own", GOOD)).results
    server.asked.clear()
    assert (await read(server, tmp_path / "own", GOOD)).results == before
    assert server.asked == []
    network.judge_epoch(3, NODES, {})
    after = (await read(server, tmp_path / "own", GOOD)).results
    assert server.asked == [4]
    assert before is not None
    assert after is not None
    assert after.answers == head(network).nodes[GOOD].judged > before.answers


async def test_only_the_newest_blocks_count_and_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_results, "BLOCKS", 2)
    server = Server(judged(4))
    found = await read(server, tmp_path / "own", GOOD)
    assert server.asked == [5, 4]
    assert found.results is not None
    assert 0 < found.results.answers < head(server.network).nodes[GOOD].judged


async def test_a_server_that_fails_or_lies_is_asked_again_and_never_believed(tmp_path: Path) -> None:
    server = Server(judged(3))
    server.lies = True
    found = await read(server, tmp_path / "own", GOOD, lambda _: len(server.asked) >= 3)
    assert found.results is None
    server.lies, server.fails = False, 2
    found = await read(server, tmp_path / "own", GOOD)
    assert found.results is not None
    assert found.results.answers == head(server.network).nodes[GOOD].judged


async def test_a_chain_that_does_not_lead_back_to_what_was_read_says_nothing(tmp_path: Path) -> None:
    network = judged(2)
    server, path = Server(network), tmp_path / "own"
    found = await read(server, path, GOOD)
    kept = msgspec.structs.replace(found._kept, digest="00" * 32)
    path.write_bytes(msgspec.json.encode(kept))
    network.judge_epoch(3, NODES, {})
    server.asked.clear()
    found = await read(server, path, GOOD, lambda _: len(server.asked) >= 1)
    assert found._kept == kept


@pytest.mark.parametrize("content", [b"x", b"{}", b'{"height": -1}', b'{"node": "other", "height": 9}'])
async def test_what_is_damaged_or_of_another_node_is_read_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "own").write_bytes(content)
    found = await read(Server(judged(1)), tmp_path / "own", GOOD)
    assert found.results is not None
    assert found.results.passed > 0
