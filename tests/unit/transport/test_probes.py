import asyncio
import contextlib
import ssl

import pytest

from engine.transport.ice_servers import IceServers, IceUrl, TurnServer
from engine.transport.probes import NatMapping, ProbeReport, StunProbe, TurnProbe, choose, probe, probe_turn
from tests.support.ice_server import pretended_ice_server

HERE = ("192.168.1.5", 5000)
PUBLIC, OTHER = ("203.0.113.9", 61_000), ("203.0.113.9", 61_001)
FIRST, SECOND = IceUrl("stun", "a", 3478), IceUrl("stun", "b", 3478)
UDP, TCP, TLS = (IceUrl("turn", "t", port, kind) for port, kind in ((3478, "udp"), (3478, "tcp"), (443, "tls")))


@pytest.mark.parametrize(
    ("answers", "mapping"),
    [
        ((PUBLIC, PUBLIC), NatMapping.ENDPOINT_INDEPENDENT),
        ((PUBLIC, OTHER), NatMapping.ENDPOINT_DEPENDENT),
        ((HERE, HERE), NatMapping.NONE),
        ((PUBLIC, None), NatMapping.UNKNOWN),
        ((None, None), NatMapping.UNKNOWN),
    ],
)
def test_two_answers_tell_the_kind_of_nat(answers, mapping):
    probes = tuple(StunProbe(url, mapped, 0.1) for url, mapped in zip((FIRST, SECOND), answers, strict=True))
    assert ProbeReport(HERE, probes).mapping is mapping


def test_one_server_asked_twice_tells_nothing():
    twice = (StunProbe(FIRST, PUBLIC, 0.1), StunProbe(FIRST, PUBLIC, 0.2))
    assert ProbeReport(HERE, twice).mapping is NatMapping.UNKNOWN


def test_the_best_relay_is_over_udp_then_tcp_then_tls_and_of_those_the_quickest():
    relayed = ("198.51.100.7", 1)
    slow_udp = TurnProbe(IceUrl("turn", "slow", 3478), relayed, 0.9)
    quick_udp = TurnProbe(UDP, relayed, 0.5)
    tcp, tls = TurnProbe(TCP, relayed, 0.1), TurnProbe(TLS, relayed, 0.05)
    report = ProbeReport(turn=(tls, slow_udp, tcp, quick_udp))
    assert report.best_turn == UDP
    assert ProbeReport(turn=(tls, tcp)).best_turn == TCP
    assert ProbeReport(turn=(tls, TurnProbe(TCP, error="no"))).best_turn == TLS
    assert ProbeReport(turn=(TurnProbe(UDP, error="no"),)).best_turn is None
    servers = [TurnServer(TLS, "u", "c"), TurnServer(UDP, "u", "d")]
    assert choose(report, servers) == IceServers(None, TurnServer(UDP, "u", "d"))


def test_udp_counts_as_blocked_only_if_it_was_tried_and_nothing_came_back():
    silent = StunProbe(FIRST, error="no answer")
    assert ProbeReport(stun=(silent,), turn=(TurnProbe(TLS, ("x", 1), 0.1),)).udp_blocked
    assert not ProbeReport(turn=(TurnProbe(TLS, ("x", 1), 0.1),)).udp_blocked
    assert not ProbeReport(stun=(silent,), turn=(TurnProbe(UDP, error="refused: no quota"),)).udp_blocked
    assert not ProbeReport(stun=(silent, StunProbe(SECOND, PUBLIC, 0.1))).udp_blocked


async def test_everything_is_asked_at_once_and_the_borrowed_address_is_given_back():
    async with pretended_ice_server() as first, pretended_ice_server() as second:
        first.mapped, second.mapped = PUBLIC, OTHER
        seen: list[ProbeReport] = []
        server = TurnServer(IceUrl("turn", "127.0.0.1", first.port), first.username, first.password)
        stuns = [IceUrl("stun", "127.0.0.1", port) for port in (first.port, second.port)]
        report = await probe(stuns, [server], progress=seen.append)
        assert report.mapping is NatMapping.ENDPOINT_DEPENDENT
        assert report.best_turn == server.url
        assert report.best_stun in stuns
        assert report.turn[0].relayed == ("198.51.100.7", 40_000)
        assert (first.allocated, first.released) == (1, 1)
        assert report.is_good
        assert seen[-1] == report
        assert len(seen) == 3


async def test_without_nat_the_answer_is_our_own_address():
    async with pretended_ice_server() as first, pretended_ice_server() as second:
        report = await probe([IceUrl("stun", "127.0.0.1", port) for port in (first.port, second.port)], [])
        assert report.mapping is NatMapping.NONE
        assert report.local == report.stun[0].mapped
        assert not report.is_good  # no relay


@pytest.mark.parametrize(
    ("code", "says"), [(486, "quota of relayed links is used up"), (508, "no room"), (500, "error 500")]
)
async def test_a_server_that_says_no_is_quoted_in_words(code, says):
    async with pretended_ice_server() as server:
        server.turn_error = code
        answer = await probe_turn(TurnServer(IceUrl("turn", "127.0.0.1", server.port), "user", "secret"))
        assert answer.relayed is None
        assert answer.error.startswith("refused:")
        assert says in answer.error


async def test_wrong_credentials_are_told():
    async with pretended_ice_server() as server:
        answer = await probe_turn(TurnServer(IceUrl("turn", "127.0.0.1", server.port), "user", "wrong"))
        assert "user name and password" in answer.error


async def test_silence_costs_no_more_than_the_time_out():
    async with pretended_ice_server() as server:
        server.silent = True
        url = IceUrl("stun", "127.0.0.1", server.port)
        turn = TurnServer(IceUrl("turn", "127.0.0.1", server.port), "u", "p")
        report = await probe([url], [turn], timeout=0.3)
        assert report.udp_blocked
        assert report.stun[0].error == report.turn[0].error == "no answer within 0.3 s"
        assert choose(report, [turn]) == IceServers()


@contextlib.asynccontextmanager
async def closed_port():
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    yield port


async def test_hosts_that_are_not_there_are_answers_and_not_errors():
    async with closed_port() as port:
        turn = [TurnServer(IceUrl("turn", "127.0.0.1", port, kind)) for kind in ("udp", "tcp", "tls")]
        turn.append(TurnServer(IceUrl("turn", "no-such-host.invalid", 3478)))
        report = await probe([IceUrl("stun", "no-such-host.invalid", 3478)], turn, timeout=1.0)
        assert report.stun[0].error
        assert all(answer.error and answer.relayed is None for answer in report.turn)
        assert not report.is_good


async def test_garbage_from_a_server_is_survived():
    async def babble(_reader, writer):
        writer.write(b"HTTP/1.1 400 What\r\n\r\n" * 50)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        answers = await asyncio.gather(
            *(probe_turn(TurnServer(IceUrl("turn", "127.0.0.1", port, kind)), timeout=0.5) for kind in ("tcp", "tls"))
        )
    finally:
        server.close()
        await server.wait_closed()
    assert all(answer.error for answer in answers)


def test_a_certificate_that_is_not_trusted_is_named():
    from engine.transport.probes import turn_problem

    error = ssl.SSLCertVerificationError("bad")
    error.verify_message = "self-signed certificate"
    assert turn_problem(error, 1.0) == "its certificate is not trusted: self-signed certificate"
