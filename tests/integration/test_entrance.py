"""A flood of newcomers: work is asked, places of one address run out, and who was there before stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.directory import work
from engine.wire.codec import encode
from engine.wire.receipts import WorkChallenge, WorkSolution
from engine.wire.records import Parameters
from engine.wire.signaling import Publish, Published, Refused
from tests.support.bootstrap import network_of, raw_node, running_client, running_server, until
from tests.support.records import descriptor, identity

SEVERAL_MACHINES = Parameters(snapshot_seconds=0.2)


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "FREE", 2)
    monkeypatch.setattr(work, "FIRST_BITS", 10)


async def test_newcomers_of_a_flood_work_and_those_who_were_there_do_not(tmp_path: Path) -> None:
    async with running_server(tmp_path / "s", parameters=SEVERAL_MACHINES) as address:
        network = network_of(tmp_path / "s").network_id
        for number in range(2):
            async with raw_node(address, identity(number)) as node:
                await node.send(Publish(descriptor=descriptor(identity(number), network, _now())))
                await node.expect(Published)
        async with raw_node(address, identity(7)) as node:
            offer = descriptor(identity(7), network, _now())
            for wrong in (b"", encode(WorkSolution(WorkChallenge(bytes(16), 0, 2**40), 0))):
                await node.send(Publish(descriptor=offer, work=wrong))
                asked = await node.expect(WorkChallenge)
                assert isinstance(asked, WorkChallenge)
                assert asked.bits == 10
            await node.send(Publish(descriptor=offer, work=b"nonsense"))
            assert "cannot be read" in str(await node.expect(Refused))
        # A real client solves it and is listed; so is one that was there before, without work.
        for number in (3, 0):
            async with running_client(address, identity(number), tmp_path / f"c{number}") as client:
                await until(lambda: client.state.published)
                assert client.state.warning == ""


async def test_places_of_one_address_and_of_one_prefix_run_out(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    settings = tmp_path / "s" / "bootstrap.toml"
    for setting, words in (("address", "from your address"), ("prefix", "from your network")):
        settings.write_text(f"maximum_nodes_per_{setting} = 2\n")
        async with running_server(tmp_path / "s", parameters=SEVERAL_MACHINES) as address:
            network = network_of(tmp_path / "s").network_id
            told = []
            for number in (0, 1, 2, 0):
                async with raw_node(address, identity(number)) as node:
                    await node.send(Publish(descriptor=descriptor(identity(number), network, _now())))
                    message = await node.receive()
                    while not isinstance(message, Published | Refused | WorkChallenge):
                        message = await node.receive()
                    told.append(message)
            assert [type(message) for message in told] == [Published, Published, Refused, Published]
            assert words in str(told[2])


def _now() -> float:
    return SystemClock().wall()
