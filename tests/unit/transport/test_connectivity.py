"""The choice of servers and its memory, with stand-ins for the network and the probes."""

import asyncio
import contextlib
import json

import pytest

from engine.clock import ManualClock
from engine.errors import ConfigurationError
from engine.transport.connectivity import Connectivity, tls_context
from engine.transport.ice_servers import IceServers, IceUrl, OfferedServers, TurnServer
from engine.transport.network_memory import MAXIMUM_NETWORKS, NetworkMemory, RememberedNetwork, network_fingerprint
from engine.transport.probes import ProbeReport, StunProbe, TurnProbe
from tests.support.bootstrap import until

STUN = IceUrl("stun", "s", 3478)
UDP, TLS = IceUrl("turn", "t", 3478), IceUrl("turn", "t", 443, "tls")
OFFER = OfferedServers((STUN,), (TurnServer(UDP, "me", "1"), TurnServer(TLS, "me", "1")))
OTHER = OfferedServers((STUN,), (TurnServer(UDP, "other", "2"), TurnServer(TLS, "other", "2")))
RELAYED = ("198.51.100.7", 1)


class Probes:
    """Answers as told; ``hold`` keeps them back."""

    def __init__(self, *works: IceUrl) -> None:
        self.works = works
        self.calls = 0
        self.hold: asyncio.Event | None = None

    async def __call__(self, stun, turn, *, tls, progress):
        self.calls += 1
        if self.hold is not None:
            await self.hold.wait()
        return ProbeReport(
            ("192.168.1.2", 1),
            tuple(StunProbe(url, RELAYED if url in self.works else None, 0.1) for url in stun),
            tuple(TurnProbe(server.url, RELAYED if server.url in self.works else None, 0.1) for server in turn),
        )


class Place:
    """Where the machine is."""

    name = "home"

    def __call__(self) -> str:
        return self.name


@contextlib.asynccontextmanager
async def running(tmp_path, probes, place=None, clock=None):
    one = Connectivity(tmp_path / "c.json", clock or ManualClock(), prober=probes, fingerprint=place or Place())
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(one.run())
        try:
            yield one
        finally:
            task.cancel()


async def test_the_first_time_links_wait_for_the_probes_and_the_second_time_they_do_not(tmp_path):
    probes = Probes(TLS)
    async with running(tmp_path, probes) as one:
        one.offer("node", OFFER)
        assert one.servers("node") == IceServers()
        await one.settled()
        assert one.servers("node") == IceServers(None, TurnServer(TLS, "me", "1"))
    probes.hold = asyncio.Event()
    async with running(tmp_path, probes) as one:
        one.offer("node", OFFER)
        await asyncio.wait_for(one.settled(), 1.0)  # though no probe has answered
        assert one.servers("node").turn == TurnServer(TLS, "me", "1")
        probes.works = (STUN, UDP)
        probes.hold.set()  # and what the probes find then corrects it
        await until(lambda: one.servers("node") == IceServers(STUN, TurnServer(UDP, "me", "1")))


async def test_both_identities_use_one_choice_with_passwords_of_their_own(tmp_path):
    async with running(tmp_path, Probes(STUN, UDP)) as one:
        one.offer("node", OFFER)
        await one.settled()
        one.offer("client", OTHER)
        assert one.servers("client").turn == TurnServer(UDP, "other", "2")
        assert one.servers("node").turn == TurnServer(UDP, "me", "1")
        assert one.servers("nobody").turn is None


async def test_a_password_that_has_expired_is_not_used(tmp_path):
    clock = ManualClock()
    async with running(tmp_path, Probes(UDP), clock=clock) as one:
        one.offer("node", OfferedServers(OFFER.stun, OFFER.turn, clock.wall() + 10))
        await one.settled()
        assert one.servers("node").turn is not None
        clock.advance(11)
        assert one.servers("node").turn is None


async def test_another_network_has_a_choice_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.transport.connectivity.LOOK_SECONDS", 0.01)
    place, probes = Place(), Probes(UDP)
    told: list[int] = []
    async with running(tmp_path, probes, place) as one:
        one.listen(lambda: told.append(1))
        one.offer("node", OFFER)
        await until(lambda: one.servers("node").turn)
        probes.works, place.name = (TLS,), "café"
        await until(lambda: one.servers("node").turn == TurnServer(TLS, "me", "1"))
        assert told
        probes.hold = asyncio.Event()
        place.name = "home"
        await until(lambda: one.servers("node").turn == TurnServer(UDP, "me", "1"))  # remembered


async def test_no_answer_at_all_keeps_what_was_known(tmp_path):
    async with running(tmp_path, Probes(UDP)) as one:
        one.offer("node", OFFER)
        await one.settled()
    nothing = Probes()
    async with running(tmp_path, nothing) as one:
        one.offer("node", OFFER)
        await until(lambda: nothing.calls)
        await asyncio.sleep(0.01)
        assert one.servers("node").turn == TurnServer(UDP, "me", "1")


async def test_why_there_is_no_relay_is_told(tmp_path):
    async with running(tmp_path, Probes()) as one:
        assert "offers no TURN" in one.problem
        one.offer("node", OFFER)
        await one.settled()
        assert one.servers("node").turn is None
        one.report = ProbeReport(turn=(TurnProbe(UDP, error="no answer within 1.8 s"),))
        assert "no answer" in one.problem


async def test_an_operator_without_servers_costs_no_wait(tmp_path):
    probes = Probes()
    async with running(tmp_path, probes) as one:
        one.offer("node", OfferedServers())
        await asyncio.wait_for(one.settled(), 1.0)
        assert probes.calls == 0


def test_the_memory_is_bounded_and_says_nothing_about_addresses(tmp_path):
    memory = NetworkMemory(tmp_path / "m.json")
    for number in range(MAXIMUM_NETWORKS + 5):
        memory.remember(f"192.168.{number}.0/24", RememberedNetwork(turn=str(number), seen=1000.0 + number))
    again = NetworkMemory(tmp_path / "m.json")
    assert again.recall("192.168.0.0/24", 1100.0) is None
    assert again.recall("192.168.20.0/24", 1100.0) == RememberedNetwork(turn="20", seen=1020.0)
    assert again.recall("192.168.20.0/24", 1100.0 + 31 * 86_400) is None
    text = (tmp_path / "m.json").read_text()
    assert len(json.loads(text)["networks"]) == MAXIMUM_NETWORKS
    assert "192.168" not in text


@pytest.mark.parametrize("text", ["", "{}", '{"salt": "x"}', "\xff", "[]"])
def test_a_damaged_memory_is_begun_anew(tmp_path, text):
    (tmp_path / "m.json").write_text(text, encoding="latin-1")
    memory = NetworkMemory(tmp_path / "m.json")
    assert memory.recall("x", 0.0) is None
    memory.remember("x", RememberedNetwork(seen=1.0))
    assert NetworkMemory(tmp_path / "m.json").recall("x", 2.0) is not None


def test_a_memory_that_cannot_be_written_is_no_error(tmp_path):
    memory = NetworkMemory(tmp_path / "no folder" / "m.json")
    memory.remember("x", RememberedNetwork(seen=1.0))
    assert memory.recall("x", 1.0) is not None


def test_the_fingerprint_names_networks_and_not_this_machine():
    for part in network_fingerprint().split():
        address, _, length = part.partition("/")
        assert 0 <= int(length) <= 128
        assert address


def test_certificates_that_cannot_be_used_are_named(tmp_path):
    assert tls_context("") is None
    (tmp_path / "bad.pem").write_text("nonsense")
    for name in ("bad.pem", "nowhere.pem"):
        with pytest.raises(ConfigurationError, match=name):
            tls_context(str(tmp_path / name))
