"""What somebody must do to be listed for the first time, and how many may be from one place. No I/O.

Not in a network on one machine, whose nodes all have one address and whose owner would only be in the way of himself.
"""

from __future__ import annotations

from engine.bootstrap.configuration import OperatorConfiguration
from engine.bootstrap.registry import Member, Registry
from engine.crypto.identity import node_id_of
from engine.directory.prefix import counting_key, neighbourhood, network_prefix
from engine.directory.work import Newcomers
from engine.errors import DirectoryError, WireError
from engine.ids import NetworkId
from engine.wire.receipts import WorkChallenge, work_solution_decoder


class Entrance:
    """``secret``: 32 random bytes of this run."""

    def __init__(
        self,
        network_id: NetworkId,
        configuration: OperatorConfiguration,
        registry: Registry,
        secret: bytes,
        *,
        one_machine: bool,
    ) -> None:
        """``one_machine``: nobody is stopped."""
        self._configuration = configuration
        self._registry = registry
        self._open = one_machine
        self.newcomers = Newcomers(network_id, secret)

    def admit(self, key: bytes, address: str, work: bytes, wall: float, monotonic: float) -> WorkChallenge | None:
        """Before the node with this key is listed: None lets it in, else it has to solve this first.
        :class:`DirectoryError` if it cannot be let in at all."""
        if self._open or self._registry.is_listed(node_id_of(key), wall):
            return None
        self._check_place(address, wall)
        if node_id_of(key) in self._registry.members:  # it has been here before
            return None
        bits = self.newcomers.bits(monotonic, neighbourhood(address))
        if bits and not self._solved(key, work, wall, bits):
            return self.newcomers.challenge(key, bits, wall)
        return None

    def came(self, member: Member, address: str, monotonic: float, *, is_new: bool) -> None:
        """It is listed now, from this address."""
        member.address, member.neighbourhood = counting_key(address), neighbourhood(address)
        if is_new:
            self.newcomers.came(monotonic, member.neighbourhood)

    def _solved(self, key: bytes, work: bytes, wall: float, price: int) -> bool:
        """What was asked for counts, also when the price has risen a little meanwhile."""
        try:
            return bool(work) and self.newcomers.accepts(key, work_solution_decoder.decode(work), wall, price)
        except WireError as error:
            raise DirectoryError(f"the proof of work cannot be read: {error}") from error

    def _check_place(self, address: str, wall: float) -> None:
        here, around, near = self._registry.listed_from(
            counting_key(address), neighbourhood(address), network_prefix(address), wall
        )
        if here >= self._configuration.maximum_nodes_per_address:
            raise DirectoryError(f"{here} nodes are listed from your address already; more are not taken")
        if around >= self._configuration.maximum_nodes_per_neighbourhood:
            raise DirectoryError(f"{around} nodes are listed from your neighbourhood already; more are not taken now")
        if near >= self._configuration.maximum_nodes_per_prefix:
            raise DirectoryError(f"{near} nodes are listed from your network already; more are not taken now")
