"""The committee's standings reach a node, however often the server fails or lies, and stay after a restart."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from engine.directory.standing import StandingBook
from engine.errors import BootstrapUnreachableError
from engine.node import standings
from engine.node.standings import StandingsFollower
from engine.verification.chain.results import Material
from engine.wire.codec import encode
from tests.support.judging import Judging, judging
from tests.support.records import identity, seeded

NODES = [identity(number) for number in range(3)]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standings, "FIRST_RETRY", 0.01)
    monkeypatch.setattr(standings, "LAST_RETRY", 0.02)
    monkeypatch.setattr(standings, "MOST_SPREAD_SECONDS", 0.01)


def judged(epochs: int = 1) -> Judging:
    network = judging()
    network.append(0, Material(commitments=network.commit_all(1, NODES)))
    for epoch in range(1, epochs + 1):
        network.judge_epoch(epoch, NODES, {NODES[2].node_id: 5_000})
    return network


class Server:
    """Answers in turn; an exception is raised, the last answer stays."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def read(self, path: str, limit: int) -> bytes:
        self.asked.append(path)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        assert len(answer) <= limit
        return answer


async def follow(
    network: Judging, server: Server, path: Path, height: int, until: Callable[[StandingsFollower], bool]
) -> StandingsFollower:
    follower = StandingsFollower(network.genesis, server.read, path, seeded(1))
    books: list[StandingBook] = []
    follower.changed = books.append
    directory: Any = SimpleNamespace(chain_height=height)
    follower.look(directory)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(follower.run())
        while not until(follower):
            await asyncio.sleep(0.005)
        running.cancel()
    assert [book.height for book in books] == sorted({book.height for book in books})
    return follower


async def test_the_newest_standings_are_fetched_checked_and_kept(tmp_path: Path) -> None:
    network, path = judged(2), tmp_path / "standings"
    server = Server(BootstrapUnreachableError("down"), encode(network.signed_standings()))
    follower = await follow(network, server, path, 3, lambda one: one.book.height == 3 and path.exists())
    assert server.asked == ["/v1/standings"] * 2
    assert follower.book.of(NODES[2].node_id).excluded
    assert follower.book.of(NODES[0].node_id).established
    assert follower.problem == ""
    silent = Server(BootstrapUnreachableError("down"))
    again = await follow(network, silent, path, 0, lambda one: one.book.height == 3)
    assert again.book.nodes == follower.book.nodes
    assert silent.asked == []


async def test_forged_and_older_ones_change_nothing(tmp_path: Path) -> None:
    network, path = judged(1), tmp_path / "standings"
    old = encode(network.signed_standings())
    network.judge_epoch(2, NODES, {})
    newest = network.signed_standings()
    await follow(network, Server(encode(newest)), path, 3, lambda one: one.book.height == 3 and path.exists())
    forged = encode(msgspec.structs.replace(newest, standings=newest.standings[:-1] + b"\x00"))
    server = Server(old, forged, b"no standings", old)
    follower = await follow(network, server, path, 9, lambda one: len(server.asked) >= 5)
    assert follower.book.height == 3
    assert "older ones are used" in follower.problem
    assert path.read_bytes() == encode(newest)


async def test_a_damaged_file_is_fetched_anew(tmp_path: Path) -> None:
    network, path = judged(1), tmp_path / "standings"
    path.write_bytes(b"\x00" * 100)
    server = Server(encode(network.signed_standings()))
    follower = await follow(network, server, path, 2, lambda one: one.book.height == 2)
    assert follower.book.committee


async def test_a_network_without_a_committee_asks_for_nothing(tmp_path: Path) -> None:
    network = judging(0)
    server = Server(b"")
    follower = StandingsFollower(network.genesis, server.read, tmp_path / "standings", seeded(1))
    directory: Any = SimpleNamespace(chain_height=5)
    follower.look(directory)
    await follower.run()
    assert server.asked == []
    assert follower.book.of(NODES[0].node_id).established
