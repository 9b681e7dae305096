"""Which set-ups and requests this machine has taken, those of earlier runs included: nothing is taken twice."""

from __future__ import annotations

from pathlib import Path

from engine.clock import Clock
from engine.crypto.onion import REPLAY_MEMORY
from engine.directory.genesis import GenesisRecord
from engine.ids import NetworkId
from engine.paths.admission import REPLAY_MEMORY as REQUEST_MEMORY
from engine.paths.admission import Admission
from engine.paths.relay_limits import RelayLimits
from engine.paths.setup import ReplayCache
from engine.storage.replay_log import ReplayLog
from engine.verification.challenges.opening import answers_within


class TakenMemory:
    """Opens its logs in ``networks`` as they are asked for; ``close()`` when the presence ends."""

    def __init__(self, networks: Path, clock: Clock) -> None:
        self._networks = networks
        self._clock = clock
        self._logs: list[ReplayLog] = []

    def set_ups(self, network_id: NetworkId) -> ReplayCache:
        """Those of earlier runs included: onion keys live for two days, whatever is restarted."""
        log = self._log(network_id, "set-ups", REPLAY_MEMORY)
        now, wall = self._clock.monotonic(), self._clock.wall()
        # Of a clock that was set back nothing is forgotten too soon.
        kept = ((now + min(date + REPLAY_MEMORY - wall, REPLAY_MEMORY), tag) for date, tag in log.load())
        return ReplayCache(RelayLimits().replay_tags, kept, log.append)

    def requests(self, genesis: GenesisRecord, started: float) -> Admission:
        """Those of earlier runs included: an answer that is made twice would be signed twice. ``started``: seconds
        since 1970; requests sealed before are refused."""
        memory = REQUEST_MEMORY
        if genesis.genesis.committee_keys:
            memory += answers_within(genesis.genesis)
        log = self._log(genesis.network_id, "requests", memory)
        kept = log.load()
        return Admission(started, kept, log.append, memory, log.forgotten)

    def close(self) -> None:
        """Give the files free."""
        while self._logs:
            self._logs.pop().close()

    def _log(self, network_id: NetworkId, name: str, memory: float) -> ReplayLog:
        log = ReplayLog(self._networks / network_id.hex() / name, memory, self._clock.wall)
        self._logs.append(log)
        return log
