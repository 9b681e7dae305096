"""Which STUN and TURN servers can be reached from here, and what kind of NAT is in the way.

Everything is asked at once, each with a short time-out, so that the whole costs about as long as the slowest answer
and never more than ``PROBE_TIMEOUT``. :class:`ProbeReport` is pure: what follows from the answers. The functions below
it do the asking.
"""

from __future__ import annotations

import asyncio
import enum
import itertools
import os
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aioice import stun
from aioice.turn import create_turn_endpoint

from engine.clock import Clock, SystemClock
from engine.sentences import listed, say
from engine.transport.ice_servers import TRANSPORTS, IceServers, IceUrl, TurnServer

PROBE_TIMEOUT = 1.8
"""Seconds that a server has for its answer."""
STUN_REPEATS = (0.0, 0.2, 0.5, 1.0)
"""Seconds after the start at which a question over UDP is sent (again)."""
_DELETE_TIMEOUT = 0.5
_ADDRESS = tuple[str, int]


class NatMapping(enum.StrEnum):
    """How this network maps one local port to public ones (RFC 4787, section 4.1)."""

    NONE = "none"
    """The public address is this machine's own."""
    ENDPOINT_INDEPENDENT = "endpoint-independent"
    """One public port whoever is asked ("cone"): direct links mostly work."""
    ENDPOINT_DEPENDENT = "endpoint-dependent"
    """A public port for each peer ("symmetric"): with another one of these, links need a relay."""
    UNKNOWN = "unknown"
    """Fewer than two answers to compare."""


@dataclass(frozen=True, slots=True)
class StunProbe:
    """One STUN server's answer: our address as it sees it, or why there is none. ``seconds`` is None until known."""

    url: IceUrl
    mapped: _ADDRESS | None = None
    seconds: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class TurnProbe:
    """One TURN server by one transport: the relayed address that it lent us for a moment, or why it did not."""

    url: IceUrl
    relayed: _ADDRESS | None = None
    seconds: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """All answers. ``local`` is the address and port from which the STUN servers were asked, None if from none."""

    local: _ADDRESS | None = None
    stun: tuple[StunProbe, ...] = ()
    turn: tuple[TurnProbe, ...] = ()

    @property
    def mapping(self) -> NatMapping:
        """The kind of NAT, from all answers. Two answers from one host show only what depends on the port."""
        mapped = [(probe.url, probe.mapped) for probe in self.stun if probe.mapped is not None]
        if any(address == self.local for _, address in mapped):
            return NatMapping.NONE
        if len({(url.host, url.port) for url, _ in mapped}) < 2:
            return NatMapping.UNKNOWN
        if len({address for _, address in mapped}) > 1:
            return NatMapping.ENDPOINT_DEPENDENT
        return NatMapping.ENDPOINT_INDEPENDENT

    @property
    def udp_blocked(self) -> bool:
        """Whether something was asked over UDP and nothing came back."""
        over_udp = [probe for probe in self.turn if probe.url.transport == "udp"]
        if not self.stun and not over_udp:
            return False
        answered = any(probe.mapped for probe in self.stun) or any(probe.relayed for probe in over_udp)
        refused = any(probe.error.startswith("refused:") for probe in over_udp)
        return not answered and not refused

    @property
    def best_stun(self) -> IceUrl | None:
        """The STUN server that answered first."""
        answered = [(probe.seconds or 0.0, place) for place, probe in enumerate(self.stun) if probe.mapped]
        return self.stun[min(answered)[1]].url if answered else None

    @property
    def best_turn(self) -> IceUrl | None:
        """The TURN server that lent an address: over UDP if any did, then TCP, then TLS; of those the quickest."""
        answered = [
            (TRANSPORTS.index(probe.url.transport), probe.seconds or 0.0, place)
            for place, probe in enumerate(self.turn)
            if probe.relayed
        ]
        return self.turn[min(answered)[2]].url if answered else None

    @property
    def is_good(self) -> bool:
        """Whether nothing better can come: both kinds answered, the relay over UDP."""
        turn = self.best_turn
        return self.best_stun is not None and turn is not None and turn.transport == "udp"


def choose(report: ProbeReport, turn: Sequence[TurnServer]) -> IceServers:
    """The servers for connections, with the credentials of ``turn``."""
    best = report.best_turn
    return IceServers(report.best_stun, next((server for server in turn if server.url == best), None))


async def probe(
    stun_urls: Sequence[IceUrl],
    turn_servers: Sequence[TurnServer],
    *,
    tls: ssl.SSLContext | None = None,
    timeout: float = PROBE_TIMEOUT,  # noqa: ASYNC109 - each question has it for itself
    progress: Callable[[ProbeReport], None] | None = None,
    clock: Clock | None = None,
) -> ProbeReport:
    """Ask all servers at once; takes at most about ``timeout`` seconds and raises nothing.

    ``tls`` holds the certificate authorities for ``turns:`` (the system's without it). ``progress`` hears the answers
    that are there after each new one. A TURN server is asked for an address, which is given back at once.
    """
    clock = clock or SystemClock()
    parts = _Parts(stun_urls, turn_servers, progress)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_ask_stun(stun_urls, parts, clock, timeout))
        for place, server in enumerate(turn_servers):
            tasks.create_task(parts.turn_answer(place, probe_turn(server, tls=tls, timeout=timeout, clock=clock)))
    return parts.report()


async def probe_turn(
    server: TurnServer,
    *,
    tls: ssl.SSLContext | None = None,
    timeout: float = PROBE_TIMEOUT,  # noqa: ASYNC109
    clock: Clock | None = None,
) -> TurnProbe:
    """Ask one TURN server for an address and give it back. Raises nothing."""
    clock = clock or SystemClock()
    began = clock.monotonic()
    url = server.url
    context: ssl.SSLContext | bool = (tls or True) if url.transport == "tls" else False
    try:
        async with asyncio.timeout(timeout):
            transport, end = await create_turn_endpoint(
                _End,
                (url.host, url.port),
                server.username,
                server.credential,
                ssl=context or None,
                transport="udp" if url.transport == "udp" else "tcp",
            )
    except Exception as error:  # a boundary: the library and the network raise anything
        return TurnProbe(url, error=turn_problem(error, timeout))
    relayed = transport.get_extra_info("sockname")
    seconds = clock.monotonic() - began
    transport.close()
    await asyncio.wait((end.closed,), timeout=_DELETE_TIMEOUT)
    return TurnProbe(url, relayed=(str(relayed[0]), int(relayed[1])), seconds=seconds)


def failures(refused: Iterable[tuple[str, str]]) -> str:
    """Servers and why each of them is no use, in a list; "" without any."""
    texts = [say("probe.at", server=server, reason=reason) for server, reason in refused]
    return listed("probe.and", texts) if texts else ""


def turn_problem(error: Exception, seconds: float) -> str:
    """Why a TURN server lent no address, in words; begins with ``refused:`` if the server itself said no."""
    if isinstance(error, stun.TransactionFailed):
        meaning = {
            401: say("probe.user"),
            403: say("probe.address"),
            441: say("probe.user"),
            486: say("probe.quota"),
            508: say("probe.full"),
        }
        code = error.response.error_code
        return meaning.get(code or 0) or say("probe.refused", error=str(code))
    if isinstance(error, TimeoutError):
        return say("probe.silent", seconds=seconds)
    if isinstance(error, ssl.SSLCertVerificationError):
        return say("probe.certificate", problem=error.verify_message)
    if isinstance(error, socket.gaierror):
        return say("probe.no_host")
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


class _Parts:
    """The answers so far."""

    def __init__(
        self,
        stun_urls: Sequence[IceUrl],
        turn_servers: Sequence[TurnServer],
        progress: Callable[[ProbeReport], None] | None,
    ) -> None:
        self.local: _ADDRESS | None = None
        self.stun = [StunProbe(url) for url in stun_urls]
        self.turn = [TurnProbe(server.url) for server in turn_servers]
        self._progress = progress

    def report(self) -> ProbeReport:
        return ProbeReport(self.local, tuple(self.stun), tuple(self.turn))

    def changed(self) -> None:
        if self._progress is not None:
            self._progress(self.report())

    async def turn_answer(self, place: int, question: Coroutine[Any, Any, TurnProbe]) -> None:
        self.turn[place] = await question
        self.changed()


class _End(asyncio.DatagramProtocol):
    """The receiving end of a relayed address that nobody sends to."""

    def __init__(self) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


class _StunAsker(asyncio.DatagramProtocol):
    """One UDP port that asks many STUN servers."""

    def __init__(self) -> None:
        self.waiting: dict[tuple[bytes, _ADDRESS], asyncio.Future[_ADDRESS]] = {}

    def datagram_received(self, data: bytes, address: tuple[Any, ...]) -> None:
        try:
            message = stun.parse_message(data)
        except ValueError:
            return
        answer = self.waiting.get((message.transaction_id, (address[0], address[1])))
        mapped = message.attributes.get("XOR-MAPPED-ADDRESS")
        if answer is None or answer.done() or mapped is None or message.message_class is not stun.Class.RESPONSE:
            return
        answer.set_result((mapped[0], mapped[1]))

    def error_received(self, error: Exception) -> None:
        """An ICMP error: which question it belongs to is not told, so all wait on."""


async def _ask_stun(urls: Sequence[IceUrl], parts: _Parts, clock: Clock, seconds: float) -> None:
    """Ask all ``urls`` from one port, so that the answers can be compared."""
    if not urls:
        return
    loop = asyncio.get_running_loop()
    try:
        transport, asker = await loop.create_datagram_endpoint(
            _StunAsker,
            local_addr=("0.0.0.0", 0),  # noqa: S104 - one port for all routes
            family=socket.AF_INET,
        )
    except OSError as error:
        parts.stun = [StunProbe(url, error=_failed(error)) for url in urls]
        return
    port = transport.get_extra_info("sockname")[1]
    try:
        async with asyncio.TaskGroup() as tasks:
            for place, url in enumerate(urls):
                tasks.create_task(_ask_one(place, url, transport, asker, parts, port, clock, seconds))
    finally:
        transport.close()


async def _ask_one(
    place: int,
    url: IceUrl,
    transport: asyncio.DatagramTransport,
    asker: _StunAsker,
    parts: _Parts,
    port: int,
    clock: Clock,
    seconds: float,
) -> None:
    loop = asyncio.get_running_loop()
    began = clock.monotonic()
    try:
        async with asyncio.timeout(seconds):
            found = await loop.getaddrinfo(url.host, url.port, family=socket.AF_INET, type=socket.SOCK_DGRAM)
            address = (str(found[0][4][0]), int(found[0][4][1]))
            source = _source_address(address)
            if parts.local is None:
                parts.local = (source, port)
            request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, transaction_id=os.urandom(12))
            answer: asyncio.Future[_ADDRESS] = loop.create_future()
            asker.waiting[(request.transaction_id, address)] = answer
            for pause in (*(after - before for before, after in itertools.pairwise(STUN_REPEATS)), seconds):
                transport.sendto(bytes(request), address)
                done, _ = await asyncio.wait((answer,), timeout=pause)
                if done:
                    break
            parts.stun[place] = StunProbe(url, mapped=answer.result(), seconds=clock.monotonic() - began)
    except TimeoutError:
        parts.stun[place] = StunProbe(url, error=say("probe.silent", seconds=seconds))
    except OSError as error:
        is_unknown = isinstance(error, socket.gaierror)
        parts.stun[place] = StunProbe(url, error=say("probe.no_host") if is_unknown else _failed(error))
    parts.changed()


def _failed(error: OSError) -> str:
    return error.strerror.lower() if error.strerror else say("probe.no_network")


def _source_address(target: _ADDRESS) -> str:
    """The local address that packets to ``target`` leave from (nothing is sent); ``OSError`` without a route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe_socket:
        probe_socket.connect(target)
        return str(probe_socket.getsockname()[0])
