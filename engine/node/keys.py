"""The keys of one node identity, by role: what is published and what opens what arrives."""

from __future__ import annotations

import functools

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from engine.crypto.identity import Identity
from engine.crypto.sealing import SealingKey
from engine.directory.statements import make_succession
from engine.ids import NetworkId, NodeId
from engine.storage.key_store import KeyStore, RotatingKey
from engine.wire import SUITE_HPKE_MLKEM768_X25519, SUITE_HPKE_X25519, SUITE_ONION_X25519
from engine.wire.records import OnionKey, SealKey, Signed

_SUITES = (SUITE_HPKE_X25519, SUITE_HPKE_MLKEM768_X25519)


class NodeKeys:
    """Identity and the daily keys of relay and model node; yesterday's still open what is on its way."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self.identity: Identity = store.identity("identity")
        self._predecessor: Identity | None = store.predecessor("identity")
        self.client_identity: Identity = store.identity("client-identity")
        self._onion: tuple[RotatingKey, ...] = ()
        self._seal: dict[int, tuple[RotatingKey, ...]] = {}
        self.rotate()

    @property
    def ids(self) -> tuple[NodeId, NodeId]:
        """Of the node and of the client: who sees both knows that they are one machine."""
        return self.identity.node_id, self.client_identity.node_id

    def rotate(self) -> bool:
        """Make the keys of the day if they are due and destroy old ones; True if something changed."""
        onion = self._store.rotating("onion", _new_onion_key)
        seal = {
            suite: self._store.rotating(f"seal-{suite}", functools.partial(_new_seal_key, suite)) for suite in _SUITES
        }
        changed = (onion, seal) != (self._onion, self._seal)
        self._onion, self._seal = onion, seal
        self._opened = [SealingKey.from_bytes(suite, key.secret) for suite, keys in self._seal.items() for key in keys]
        return changed

    def succession(self, network_id: NetworkId, now: float) -> Signed | None:
        """That this identity takes the place of the one before it, for as long as that has to be told."""
        if self._predecessor is None:
            return None
        return make_succession(self._predecessor, self.identity, network_id, now)

    def succession_told(self) -> None:
        """The network knows; the old key is destroyed."""
        self._store.forget_predecessor("identity")
        self._predecessor = None

    def onion_private(self) -> list[bytes]:
        """Private onion keys, today's first."""
        return [key.secret for key in self._onion]

    def sealing(self) -> list[SealingKey]:
        """Private sealing keys of both suites."""
        return self._opened

    def onion_records(self) -> tuple[OnionKey, ...]:
        """What a relay's descriptor says: today's key. Who still has yesterday's has it from an older directory."""
        return tuple(
            OnionKey(
                suite=SUITE_ONION_X25519,
                key=X25519PrivateKey.from_private_bytes(key.secret).public_key().public_bytes_raw(),
                expires=int(key.expires),
            )
            for key in self._onion[:1]
        )

    def seal_records(self) -> tuple[SealKey, ...]:
        """What a model node's descriptor says: today's key of each suite."""
        return tuple(
            SealKey(suite=suite, key=SealingKey.from_bytes(suite, key.secret).public, expires=int(key.expires))
            for suite, keys in self._seal.items()
            for key in keys[:1]
        )


def _new_onion_key() -> bytes:
    return X25519PrivateKey.generate().private_bytes_raw()


def _new_seal_key(suite: int) -> bytes:
    return SealingKey.generate(suite).private_bytes()
