"""One examination: everything that can be found out in well under a minute, in an order that spares the network."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import structs

from engine.api.schema import DoctorStep
from engine.clock import Clock
from engine.doctor.facts import EngineFacts, Facts, IceFact, NatFacts, ServerFacts
from engine.doctor.server_check import check_server, measure_bandwidth
from engine.doctor.session import Session, Visitor, running
from engine.ids import NetworkId
from engine.sentences import say
from engine.transport.bootstrap_state import BootstrapAddress
from engine.transport.ice_servers import IceUrl, OfferedServers
from engine.transport.probes import ProbeReport, choose, probe

_OUTSIDE_IPV6 = "2001:db8::1"
"""An address of documentation (RFC 3849): asking which way leads there sends nothing."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What is examined. ``visitor`` is None where nobody may log in (see ``prepare``); then ``offered`` holds the STUN
    and TURN servers that are known from before. ``tls``: certificate authorities for ``turns:``."""

    address: BootstrapAddress | None
    clock: Clock
    visitor: Visitor | None = None
    offered: OfferedServers = OfferedServers()
    engine: EngineFacts | None = None
    bandwidth: bool = True
    relayed_only: bool = False
    tls: ssl.SSLContext | None = None
    progress: Callable[[DoctorStep], None] = lambda _: None


async def examine(what: Examination) -> Facts:
    """All facts; raises nothing for what a network can do."""
    if what.address is None:
        return Facts(engine=what.engine, nat=NatFacts(ipv6=has_ipv6()))
    what.progress("server")
    server = await _first_to_answer(what.address.urls, what.clock)
    expected = what.address.network_id
    if server.reached and expected is not None and server.network_id != expected.hex():
        detail = say("server.serves", network=server.network_id)
        server = structs.replace(server, problem="other network", detail=detail)
    if server.reached and not server.problem and what.visitor is not None:
        facts = await _visit(what, what.address, what.visitor, server)
    else:
        server = structs.replace(server, private=server.reached and what.visitor is None)
        facts, _ = await _with_ice(what, Facts(server=server, engine=what.engine), what.offered)
    if what.bandwidth and server.reached and not server.problem:
        what.progress("bandwidth")
        facts = structs.replace(facts, bandwidth=await measure_bandwidth(server.url, what.clock))
    return facts


async def _first_to_answer(urls: Sequence[str], clock: Clock) -> ServerFacts:
    """The server that an engine would use: the first that answers, or the first one if none does."""
    silent: list[ServerFacts] = []
    for url in urls:
        server = await check_server(url, clock)
        if server.reached:
            return structs.replace(server, silent=tuple(one.url for one in silent))
        silent.append(server)
    return silent[0]


async def _visit(what: Examination, address: BootstrapAddress, visitor: Visitor, server: ServerFacts) -> Facts:
    """Log in, ask the servers that this login is told of, and make links."""
    expected = address.network_id or NetworkId(bytes.fromhex(server.network_id))
    session = Session(BootstrapAddress(server.url, expected), visitor, what.clock)
    client = session.client
    async with running(client.run()):
        what.progress("login")
        refused = await session.log_in()
        genesis = client.genesis
        server = structs.replace(server, private=bool(genesis and genesis.genesis.parameters.invited_only))
        if refused:
            failed = structs.replace(server, problem="refused", detail=refused)
            return (await _with_ice(what, Facts(server=failed, engine=what.engine), what.offered))[0]
        directory, skew = client.directory, client.state.clock_skew
        server = structs.replace(
            server,
            logged_in=True,
            observed_address=client.observed,
            clock_skew_s=server.clock_skew_s if skew is None else round(skew, 2),
            nodes=len(directory) if directory else 0,
            relays=len(directory.relays()) if directory else 0,
        )
        facts, report = await _with_ice(what, Facts(server=server, engine=what.engine), client.ice)
        what.progress("links")
        links = await session.links(choose(report, client.ice.turn), what.tls, what.relayed_only)
        return structs.replace(facts, links=links)


async def _with_ice(what: Examination, facts: Facts, offered: OfferedServers) -> tuple[Facts, ProbeReport]:
    """Ask all STUN and TURN servers at once."""
    targets = offered.stun_targets()
    if targets or offered.turn:
        what.progress("ice")
    report = await probe(targets, offered.turn, tls=what.tls, clock=what.clock)
    nat = NatFacts(
        mapping=report.mapping.value,
        udp_blocked=report.udp_blocked,
        public_address=next((one.mapped[0] for one in report.stun if one.mapped), ""),
        ipv6=has_ipv6(),
    )
    stun = tuple(_fact(one.url, one.mapped, one.seconds, one.error) for one in report.stun)
    turn = tuple(_fact(one.url, one.relayed, one.seconds, one.error) for one in report.turn)
    return structs.replace(facts, nat=nat, stun=stun, turn=turn), report


def _fact(url: IceUrl, address: tuple[str, int] | None, seconds: float | None, error: str) -> IceFact:
    return IceFact(
        url=str(url),
        transport=url.transport,
        reached=address is not None,
        address=address[0] if address else "",
        latency_ms=None if seconds is None else round(seconds * 1000, 1),
        error=error,
    )


def has_ipv6() -> bool:
    """Whether a way leads out of this machine by IPv6. Nothing is sent."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asked:
            asked.connect((_OUTSIDE_IPV6, 9))
    except OSError:
        return False
    return True
