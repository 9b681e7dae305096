"""A synthetic network of any size: signed descriptors of nodes that stay, renew, join and leave without a word."""

from __future__ import annotations

import hashlib
import random

from engine.crypto.identity import Identity
from engine.directory.descriptor import make_descriptor
from engine.directory.genesis import GenesisRecord
from engine.ids import NodeId
from engine.wire import SUITE_HPKE_MLKEM768_X25519, SUITE_HPKE_X25519, SUITE_ONION_X25519
from engine.wire.records import OnionKey, SealKey, ServedModel, Signed

MODEL_NODES = 10
"""One node in so many serves a model; all relay."""
STAY_SECONDS = 3600.0
"""A node stays for an hour on average, then another one takes its place in the crowd."""
_DAY = 86_400


class Crowd:
    """``count`` nodes at a time, which relay; a model node also has a sealing key of each suite."""

    def __init__(self, count: int, genesis: GenesisRecord, seed: int = 1) -> None:
        self.count = count
        self._genesis = genesis
        self._random = random.Random(seed)
        self._nodes: list[tuple[int, Identity, Descriptors]] = []
        self.names: list[NodeId] = []
        self._made = 0
        for _ in range(count):
            self._nodes.append(self._make())
            self.names.append(self._nodes[-1][1].node_id)

    def _make(self) -> tuple[int, Identity, Descriptors]:
        number, self._made = self._made, self._made + 1
        identity = Identity.from_seed(hashlib.sha256(b"bench node %d" % number).digest())
        return number, identity, Descriptors(self._random, serves=number % MODEL_NODES == 0)

    def prefix(self, place: int) -> str:
        """The address prefix that the server sees the node at this place in."""
        number = self._nodes[place][0]
        return f"{number % 223 + 1}.{number // 223 % 256}.0.0/16"

    def descriptor(self, place: int, now: float) -> Signed:
        """A new descriptor of the node at this place."""
        _, identity, made = self._nodes[place]
        expires = int(now) // _DAY * _DAY + 2 * _DAY
        lifetime = self._genesis.parameters.descriptor_seconds
        return make_descriptor(
            identity,
            self._genesis.network_id,
            now,
            started=now - 3600,
            lifetime=lifetime,
            relay=True,
            onion_keys=made.onion_keys(expires),
            seal_keys=made.seal_keys(expires),
            models=made.models(self._random),
            relay_bandwidth=2_500_000,
            software="gentorrent 0.1.0",
        )

    def leavers(self, seconds: float) -> list[int]:
        """The places of those who leave within ``seconds``."""
        share = seconds / STAY_SECONDS
        return [place for place in range(self.count) if self._random.random() < share]

    def replace(self, place: int) -> None:
        """Somebody new takes this place."""
        self._nodes[place] = self._make()
        self.names[place] = self._nodes[place][1].node_id


class Descriptors:
    """What stays the same in all descriptors of one node."""

    def __init__(self, source: random.Random, *, serves: bool) -> None:
        self._onion = source.randbytes(32)
        lengths = {SUITE_HPKE_X25519: 32, SUITE_HPKE_MLKEM768_X25519: 1_216}
        self._seal = [(suite, source.randbytes(length)) for suite, length in lengths.items()] if serves else []
        self._serves = serves
        self._digests = source.randbytes(32), source.randbytes(32)

    def onion_keys(self, expires: int) -> list[OnionKey]:
        """What a relay says."""
        return [OnionKey(SUITE_ONION_X25519, self._onion, expires)]

    def seal_keys(self, expires: int) -> list[SealKey]:
        """What a model node says."""
        return [SealKey(suite, key, expires) for suite, key in self._seal]

    def models(self, source: random.Random) -> list[ServedModel]:
        """What a model node says of its model."""
        if not self._serves:
            return []
        rates = round(source.uniform(100, 1000), 1), round(source.uniform(5, 50), 1)
        return [ServedModel("qwen2.5-0.5b-instruct", *self._digests, 32_768, 8, *rates, 65_536, 40_000)]
