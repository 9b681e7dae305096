"""The golden bytes of set-up packets, their answers and cells: ``python -m tests.support.path_vectors`` writes them."""

import hashlib
import json
from pathlib import Path
from typing import Any

from engine.crypto import onion
from engine.ids import CircuitId, NodeId
from engine.paths.cells import PAYLOAD_LENGTH, LayerCipher, peel_forward, seal_layers, wrap_backward
from engine.paths.fragments import fragment

FOLDER = Path(__file__).parents[1] / "vectors"
NOW = 1_750_000_017.0


class Stream:
    """Bytes that look random and are the same everywhere: SHA-256 of name and counter."""

    def __init__(self, name: str) -> None:
        self._name, self._counter = name.encode(), 0

    def __call__(self, length: int) -> bytes:
        out = b""
        while len(out) < length:
            out += hashlib.sha256(self._name + self._counter.to_bytes(8, "big")).digest()
            self._counter += 1
        return out[:length]


def private_keys() -> list[bytes]:
    return [Stream(f"onion key {i}")(32) for i in range(3)]


def hops() -> list[onion.Hop]:
    return [
        onion.Hop(
            NodeId(Stream(f"node {i}")(20)),
            onion.public_onion_key(private),
            CircuitId(int.from_bytes(Stream(f"circuit {i}")(8), "big")),
            8_000 - 2_000 * i,
        )
        for i, private in enumerate(private_keys())
    ]


def _keys(keys: onion.HopKeys) -> dict[str, Any]:
    names = ("forward_key", "backward_key", "reply_key")
    numbers = ("forward_base", "backward_base", "forward_delta", "backward_delta")
    return {name: getattr(keys, name).hex() for name in names} | {name: getattr(keys, name) for name in numbers}


def onion_vectors() -> dict[str, Any]:
    path = hops()
    packet, keys = onion.build(path, NOW, Stream("client"))
    packets, tags = [packet], []
    for i, private in enumerate(private_keys()):
        peeled = onion.peel(packets[-1], path[i].node_id, [private], NOW, Stream(f"relay {i}"))
        tags.append(peeled.replay_tag.hex())
        if peeled.next_packet is not None:
            packets.append(peeled.next_packet)
    replies = [onion.seal_reply(keys[2], b"\0" * onion.BODY_LENGTH, Stream("reply"))]
    for i in (1, 0):
        replies.append(onion.wrap_reply(keys[i], replies[-1]))
    return {
        "now": NOW,
        "hops": [
            {
                "node_id": hop.node_id.hex(),
                "private_onion_key": private.hex(),
                "circuit_id": f"{hop.circuit_id:016x}",
                "reply_timeout_ms": hop.reply_timeout_ms,
            }
            for hop, private in zip(path, private_keys(), strict=True)
        ],
        "packets": [packet.hex() for packet in packets],
        "replay_tags": tags,
        "keys": [_keys(own) for own in keys],
        "replies": [reply.hex() for reply in replies],
        "stale_reply": onion.stale_reply(keys[0], Stream("stale")).hex(),
    }


def cell_vectors() -> dict[str, Any]:
    keys = [Stream(f"layer {i}")(32) for i in range(3)]
    layers = [LayerCipher(key) for key in keys]
    headers = [(int.from_bytes(Stream(f"id {i}")(8), "big"), 1_000_000 * (i + 1)) for i in range(3)]
    (payload,) = fragment(7, b"a message")
    forward = [seal_layers(layers, headers, Stream("filler")(32), payload)]
    for i in (0, 1):
        forward.append(peel_forward(layers[i], forward[-1], *headers[i + 1], Stream(f"filler {i}")(16)))
    backward = [layers[2].add(*headers[2], Stream("origin")(32), payload)]
    for i in (1, 0):
        backward.append(wrap_backward(layers[i], backward[-1], *headers[i]))
    assert len(payload) == PAYLOAD_LENGTH
    return {
        "layer_keys": [key.hex() for key in keys],
        "headers": [{"circuit_id": f"{circuit_id:016x}", "sequence": sequence} for circuit_id, sequence in headers],
        "payload": payload.hex(),
        "forward": [cell.hex() for cell in forward],
        "backward": [cell.hex() for cell in backward],
    }


if __name__ == "__main__":
    for name, vectors in (("onion", onion_vectors()), ("cells", cell_vectors())):
        (FOLDER / f"{name}.json").write_text(json.dumps(vectors, indent=1) + "\n")
