"""Identities, descriptors and directories for tests."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from engine.crypto.identity import Identity
from engine.directory.descriptor import check_descriptor, make_descriptor
from engine.directory.directory import Directory, DirectoryNode
from engine.directory.genesis import GenesisRecord, make_genesis
from engine.ids import NetworkId
from engine.wire.records import OnionKey, Parameters, SealKey, ServedModel, Signed

NOW = 1_750_000_000.0
SERVER = Identity.from_seed(b"s" * 32)


def seeded(seed: int) -> Callable[[int], bytes]:
    """Random bytes that are the same in every run."""
    return random.Random(seed).randbytes


def identity(number: int) -> Identity:
    return Identity.from_seed(number.to_bytes(4, "big") * 8)


def genesis(parameters: Parameters | None = None, name: str = "test") -> GenesisRecord:
    return make_genesis(name, SERVER.public_key, parameters or Parameters(), NOW, seeded(1))


def descriptor(
    owner: Identity, network_id: NetworkId, now: float = NOW, *, lifetime: float = 1800.0, relay: bool = True, **more
) -> Signed:
    keys = [OnionKey(suite=1, key=b"o" * 32, expires=int(now) + 100_000)] if relay else []
    return make_descriptor(
        owner,
        network_id,
        now,
        started=now,
        lifetime=lifetime,
        relay=relay,
        onion_keys=more.pop("onion_keys", keys),
        **more,
    )


def seal_key(now: float = NOW) -> SealKey:
    return SealKey(suite=1, key=b"k" * 32, expires=int(now) + 100_000)


def served_model(model_id: str = "m", **changes) -> ServedModel:
    values = {
        "digest": b"d" * 32,
        "tokenizer_digest": b"t" * 32,
        "context_length": 4096,
        "slots": 4,
        "prefill_rate": 100.0,
        "decode_rate": 10.0,
        "kv_tokens_total": 1000,
        "kv_tokens_free": 1000,
    }
    return ServedModel(model_id=model_id, **{**values, **changes})


def directory_of(
    count: int,
    *,
    prefixes: int | None = None,
    families: int | None = None,
    parameters: Parameters | None = None,
    availability: Callable[[int], float] = lambda _: 1.0,
    created: float = NOW,
    models: Callable[[int], Sequence[ServedModel]] = lambda _: (),
) -> Directory:
    """``count`` relays, spread over so many prefixes and families (default: one each, and no family); what each serves
    beside that."""
    network = genesis().network_id
    nodes = []
    for number in range(count):
        owner = identity(number)
        family = "" if families is None else f"family-{number % families}"
        served = models(number)
        signed = descriptor(owner, network, family=family, models=served, seal_keys=[seal_key()] if served else [])
        nodes.append(
            DirectoryNode(
                node_id=owner.node_id,
                descriptor=check_descriptor(signed, network, NOW),
                prefix=f"10.{number if prefixes is None else number % prefixes}.0.0/16",
                first_seen=int(NOW),
                last_seen=int(NOW),
                reputation=0.0,
                availability=availability(number),
            )
        )
    return Directory(
        nodes, parameters=parameters or Parameters(), created=int(created), epoch=1, issued=int(NOW), digest=b"x" * 32
    )
