"""A verifier's part in testing claimed speeds: whom it has to time in an epoch, and what it reports in the end."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence

from engine.clock import Clock
from engine.crypto.ecvrf import prove
from engine.crypto.ecvrf import verify as verify_proof
from engine.crypto.identity import Identity
from engine.directory.directory import Directory, DirectoryNode
from engine.node.asking_speed import Timing
from engine.verification.capacity.draw import FIRST, USUAL, Claimant, Rates, groups_of, is_known
from engine.verification.chain.state import ChainState
from engine.verification.challenges.duties import ALWAYS_BELOW, is_kin
from engine.verification.epochs import epoch_begins
from engine.verification.members import duties_alpha, faulty
from engine.verification.reputation.rule import THRESHOLD
from engine.wire.challenges import SpeedMeasured, SpeedReport
from engine.wire.records import ServedModel

LEAD_SECONDS = 90.0
"""Before the moment at which a group is asked its members are asked the short questions."""
KEPT_EPOCHS = 8
"""For which it is known that they were reported; nobody is waited for so long."""
LEAST_CLAIM = 1.0
"""Tokens a second; who claims less claims nothing that could be tested."""


class CapacityRole:
    """Look again with :meth:`look`, again and again. ``timing`` asks (None: nobody is timed)."""

    def __init__(self, identity: Identity, clock: Clock) -> None:
        self._identity = identity
        self._clock = clock
        self._planned = -1
        self._running: dict[int, int] = {}  # groups of an epoch that are being asked
        self._shown: set[int] = set()
        self._measured: dict[int, dict[tuple[bytes, bytes], SpeedMeasured]] = {}
        self.timing: Timing | None = None
        self.directory: Directory | None = None
        self.rates: Rates = USUAL
        self.sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def look(self, tasks: asyncio.TaskGroup, state: ChainState, epoch: int) -> None:
        """Begin what is due in ``epoch``, as tasks: once, when the block that begins it is there."""
        found = state.epochs.get(epoch)
        if self.timing is None or self.directory is None or found is None or epoch <= self._planned:
            return
        self._planned = epoch
        alpha = duties_alpha(state.network_id, epoch, found.basis.output)
        output = verify_proof(self._identity.public_key, alpha, prove(self._identity.seed, alpha))
        seconds = state.genesis.parameters.epoch_seconds
        into = self._clock.wall() - epoch_begins(state.genesis, epoch)
        claimants = self._claimants(state, epoch, output)
        for share, group in groups_of(claimants, output, len(state.members), seconds, self.rates):
            left = share * seconds - into
            lead = min(LEAD_SECONDS, FIRST * seconds)
            if left >= lead / 2:  # else this machine was not here in time, and the block has come late
                self._running[epoch] = self._running.get(epoch, 0) + 1
                tasks.create_task(self._ask(self.timing, epoch, group, left, lead))

    def to_show(self, epoch: int, state: ChainState) -> list[SpeedReport]:
        """What was measured in epochs that are over, once: before, nodes could see who asks."""
        over = [one for one in self._measured if one < epoch and (one < epoch - 1 or not self._running.get(one))]
        self._shown = {one for one in self._shown | set(over) if one >= epoch - KEPT_EPOCHS}
        reports = []
        for one in over:
            measured = sorted(self._measured.pop(one).items())
            if measured:
                items = tuple(item for _, item in measured)
                member = self._identity.public_key
                reports.append(SpeedReport(network_id=state.network_id, epoch=one, member=member, measured=items))
        return reports

    async def _ask(self, timing: Timing, epoch: int, group: Sequence[Claimant], left: float, lead: float) -> None:
        try:
            await self.sleep(max(0.0, left - lead))
            left = min(left, lead)
            found = await asyncio.gather(*(timing.measure(one, left) for one in group))
            for item in found:
                if item is not None and epoch not in self._shown:
                    self._measured.setdefault(epoch, {})[item.node, item.model] = item
        finally:
            self._running[epoch] -= 1
            if not self._running[epoch]:
                del self._running[epoch]

    def _claimants(self, state: ChainState, epoch: int, output: bytes) -> list[Claimant]:
        """Who can be timed: listed nodes that get traffic as others do, none of this member's own. While newcomers are
        checked in every epoch they are not timed, so that nobody has too much of both."""
        commitment = state.epochs[epoch].basis.commitments.get(self._identity.public_key)
        found = []
        for node in self.directory.nodes() if self.directory is not None else ():
            standing = state.epochs[epoch].basis.standings.get(node.node_id)
            if standing is None:
                continue  # no block takes a report of it
            is_new = standing.good < ALWAYS_BELOW and not standing.suspicion
            gets_traffic = standing.reputation >= THRESHOLD and not standing.excluded and not is_new
            if node.away or node.node_id == self._identity.node_id or is_kin(commitment, node.node_id):
                continue
            model = _model_of(node, output)
            if gets_traffic and model is not None:
                found.append(self._claimant(state, node, model))
        return found

    def _claimant(self, state: ChainState, node: DirectoryNode, model: ServedModel) -> Claimant:
        moments = state.speeds.of(node.node_id, model.digest, self._identity.public_key)
        return Claimant(
            node_id=node.node_id,
            model=model.digest,
            prefix=node.prefix,
            family=node.descriptor.family,
            first_seen=node.first_seen,
            model_id=model.model_id,
            claimed=model.prefill_rate,
            context=model.context_length,
            known=is_known(moments, model.prefill_rate, faulty(len(state.members))),
        )


def _model_of(node: DirectoryNode, output: bytes) -> ServedModel | None:
    """Of a node's models that claim a speed, one by lot."""
    models = [one for one in node.descriptor.models if one.prefill_rate >= LEAST_CLAIM]
    lot = int.from_bytes(hashlib.sha256(b"gentorrent/capacity-model/v1" + output + node.node_id).digest()[:8], "big")
    return models[lot % len(models)] if models else None
