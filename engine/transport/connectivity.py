"""Which STUN and TURN server the links of this engine use: chosen by probing, remembered per network.

One for an engine. Each identity brings the servers that it was offered, with passwords of its own (one user name for
both would tie the two together); what works here is the same for both and is found out once. On a known network the
remembered servers are used at once and checked meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from engine.clock import Clock
from engine.errors import ConfigurationError
from engine.sentences import say
from engine.transport.ice_servers import IceServers, IceUrl, OfferedServers, TurnServer
from engine.transport.network_memory import NetworkMemory, RememberedNetwork, network_fingerprint
from engine.transport.probes import ProbeReport, failures, probe

LOOK_SECONDS = 5.0
"""Between two looks whether this machine is on another network."""
STALE_SECONDS = 1800.0
"""After which a good choice is checked again."""
RETRY_SECONDS = (10.0, 30.0, 120.0, 600.0)
"""Pauses after probes that found nothing to use."""


class Prober(Protocol):
    """``engine.transport.probes.probe``, or a test's stand-in."""

    def __call__(
        self,
        stun_urls: Sequence[IceUrl],
        turn_servers: Sequence[TurnServer],
        *,
        tls: ssl.SSLContext | None,
        progress: Callable[[ProbeReport], None],
    ) -> Awaitable[ProbeReport]: ...


class Connectivity:
    """The choice for all links. ``changed`` callbacks run on the event loop when it changes."""

    def __init__(
        self,
        memory_file: Path,
        clock: Clock,
        *,
        tls: ssl.SSLContext | None = None,
        prober: Prober = probe,
        fingerprint: Callable[[], str] = network_fingerprint,
    ) -> None:
        self.tls = tls
        self.report = ProbeReport()
        self._clock = clock
        self._memory_file = memory_file
        self._memory: NetworkMemory | None = None
        self._prober = prober
        self._fingerprint = fingerprint
        self._network = ""
        self._offers: dict[str, OfferedServers] = {}
        self._stun: IceUrl | None = None
        self._turn: IceUrl | None = None
        self._listeners: list[Callable[[], None]] = []
        self._settled = asyncio.Event()
        self._wake = asyncio.Event()

    # ------------------------------------------------------------------------------------------------- for the owners

    def listen(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` whenever :meth:`servers` may say something else."""
        self._listeners.append(changed)

    def unlisten(self, changed: Callable[[], None]) -> None:
        """Who listened is gone."""
        self._listeners.remove(changed)

    def offer(self, holder: str, offered: OfferedServers) -> None:
        """The servers that the identity ``holder`` may use from now on."""
        before = self._addresses()
        self._offers[holder] = offered
        if self._addresses() != before:
            self._begin()
        self._tell()

    def servers(self, holder: str) -> IceServers:
        """What links of ``holder`` use now, with its own password."""
        offered = self._offers.get(holder, OfferedServers())
        turn = next((server for server in offered.turn if server.url == self._turn), None)
        if offered.expires <= self._clock.wall():
            turn = None
        return IceServers(self._stun, turn)

    async def settled(self) -> None:
        """Wait until there is a choice: a remembered one at once, else when the first probes have answered. Never
        returns while no servers were offered."""
        await self._settled.wait()

    def network_changed(self) -> None:
        """Look now whether this machine is on another network (it is looked every ``LOOK_SECONDS`` anyway)."""
        self._wake.set()

    @property
    def problem(self) -> str:
        """Why no relay can be used, in words; "" while there is one."""
        if self._turn is not None:
            return ""
        if not any(offered.turn for offered in self._offers.values()):
            return say("network.no_turn")
        tried = failures((str(answer.url), answer.error) for answer in self.report.turn if answer.error)
        return say("network.turn_tried", tried=tried) if tried else say("network.trying_turn")

    async def run(self) -> None:
        """Probe when it is due, until cancelled."""
        failed = 0
        while True:
            self._wake.clear()
            self._look()
            pause = STALE_SECONDS
            if any(self._addresses()):
                found = await self._probe()
                failed = 0 if found else failed + 1
                pause = STALE_SECONDS if found else RETRY_SECONDS[min(failed, len(RETRY_SECONDS)) - 1]
            await self._rest(pause)

    # ------------------------------------------------------------------------------------------------------ internals

    def _addresses(self) -> tuple[tuple[IceUrl, ...], tuple[IceUrl, ...]]:
        """Everything offered: STUN, TURN."""
        stun = dict.fromkeys(url for offered in self._offers.values() for url in offered.stun_targets())
        turn = dict.fromkeys(server.url for offered in self._offers.values() for server in offered.turn)
        return tuple(stun), tuple(turn)

    def _look(self) -> bool:
        """Whether this machine is on another network than before; then its memory is used."""
        network = self._fingerprint()
        if network == self._network:
            return False
        self._network = network
        self._begin()
        return True

    def _begin(self) -> None:
        """Other servers or another network: begin with what is remembered, and probe."""
        self._wake.set()
        stun, turn = self._addresses()
        if not stun and not turn:
            self._choose(None, None)
            if self._offers:
                self._settled.set()
            return
        self._network = self._network or self._fingerprint()
        if self._memory is None:
            self._memory = NetworkMemory(self._memory_file)
        known = self._memory.recall(self._network, self._clock.wall())
        if known is not None:
            texts = {str(url): url for url in (*stun, *turn)}
            self._choose(texts.get(known.stun), texts.get(known.turn))
            if known.turn in texts or (known.stun in texts and not turn):
                self._settled.set()

    async def _probe(self) -> bool:
        """Ask all servers; whether one of each kind that is offered was found."""
        stun, turn = self._addresses()
        network = self._network
        servers = self._with_passwords(turn)
        report = await self._prober(stun, servers, tls=self.tls, progress=self._progress)
        self.report = report
        if (stun, turn) == self._addresses() and network == self._fingerprint():
            best_stun, best_turn = report.best_stun, report.best_turn
            if best_stun or best_turn:  # else this machine has no connection now: what was known stays
                self._choose(best_stun, best_turn)
                self._remember(report)
        self._settled.set()
        self._tell()
        return report.best_turn is not None or (not turn and report.best_stun is not None)

    def _with_passwords(self, urls: tuple[IceUrl, ...]) -> list[TurnServer]:
        """Each address with the password of somebody who may use it."""
        known: dict[IceUrl, TurnServer] = {}
        for offered in self._offers.values():
            for server in offered.turn:
                known.setdefault(server.url, server)
        return [known[url] for url in urls]

    def _progress(self, report: ProbeReport) -> None:
        """Links need not wait for the slowest answer once the best possible ones are there."""
        if report.is_good and not self._settled.is_set():
            self._choose(report.best_stun, report.best_turn)
            self._settled.set()

    def _remember(self, report: ProbeReport) -> None:
        if self._memory is None:
            return
        self._memory.remember(
            self._network,
            RememberedNetwork(
                stun=str(report.best_stun or ""),
                turn=str(report.best_turn or ""),
                mapping=report.mapping.value,
                udp_blocked=report.udp_blocked,
                seen=self._clock.wall(),
            ),
        )

    def _choose(self, stun: IceUrl | None, turn: IceUrl | None) -> None:
        if (stun, turn) != (self._stun, self._turn):
            self._stun, self._turn = stun, turn
            self._tell()

    def _tell(self) -> None:
        for changed in self._listeners:
            changed()

    async def _rest(self, seconds: float) -> None:
        """Until ``seconds`` have passed, somebody wakes us, or the network is another one."""
        end = self._clock.monotonic() + seconds
        while (left := end - self._clock.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, LOOK_SECONDS)):
                    await self._wake.wait()
                    return
            if self._look():
                return


def tls_context(ca_file: str) -> ssl.SSLContext | None:
    """The certificate authorities for ``turns:``: those of the file and the system's; None for the system's alone.

    ``ConfigurationError`` if the file cannot be used.
    """
    if not ca_file:
        return None
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"The certificates in {ca_file} cannot be used ({getattr(error, 'strerror', None) or error}). --turn-ca "
            "names a file with certificates in PEM form."
        ) from error
    return context
