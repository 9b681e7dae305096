"""A network of real processes with a committee that does nothing: what it would be shown can be looked at."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.clock import SystemClock
from engine.crypto.identity import Identity
from engine.inference.models.installed import BUILTIN_MODEL
from engine.verification.samples import sign_wanted
from engine.wire.blocks import chain_records_decoder
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord, signed_record_decoder
from tests.support.network import Network

MEMBERS = [Identity.from_seed(bytes((number,)) * 32) for number in range(1, 5)]


@contextmanager
def judged_network(folder: Path, *shape: str) -> Iterator[Network]:
    """Two nodes answer; directly, or over paths of another ``shape`` as ``gentorrent bootstrap`` takes it."""
    with Network(folder) as network:
        keys = [part for member in MEMBERS for part in ("--committee", member.public_key.hex())]
        network.found(*(shape or ("--hops", "0")), *keys)
        for name in ("serving", "other"):
            network.node(name, "--contribute", BUILTIN_MODEL)
        yield network


def samples(network: Network) -> list[SignedRecord]:
    """What a member is shown."""
    url = f"http://127.0.0.1:{network.port}/v1/"
    with urllib.request.urlopen(url + "genesis", timeout=30) as answer:
        network_id = bytes.fromhex(json.loads(answer.read())["network_id"])
    wanted = encode(sign_wanted(MEMBERS[0], network_id, SystemClock().wall()))
    with urllib.request.urlopen(urllib.request.Request(url + "samples/wanted", wanted), timeout=30) as answer:
        return [signed_record_decoder.decode(one) for one in chain_records_decoder.decode(answer.read()).records]


def wait_for_samples(network: Network, seconds: float = 120.0) -> list[SignedRecord]:
    """Those that a member is shown, once there are any."""
    deadline = time.monotonic() + seconds
    while not (found := samples(network)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found
