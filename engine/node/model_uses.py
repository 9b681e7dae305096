"""What this machine does with each of its models now, and how much of the disk its owner allows for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.node.model_catalogue import ModelUse

if TYPE_CHECKING:
    from engine.node.node import Node

GIGABYTE = 10**9


def model_uses(node: Node) -> dict[str, ModelUse]:
    """By model; all variants of one together."""
    uses: dict[str, ModelUse] = {}
    contributed = node.contributed_model.partition(":")[0] if node.contribute_wanted else ""
    for info in node.inference.models():
        name = info.model_id.partition(":")[0]
        before = uses.get(name, ModelUse())
        uses[name] = ModelUse(
            loaded=before.loaded or bool(info.provider),
            contributed=name == contributed,
            answering=before.answering + info.running + info.waiting,
            tokens_per_s=before.tokens_per_s or info.decode_rate_alone,
        )
    if contributed and contributed not in uses:
        uses[contributed] = ModelUse(contributed=True)
    return uses


def disk_limit(node: Node) -> int | None:
    """Bytes; None: as many as the disk has."""
    allowed = node.governing.rules.disk_gigabytes
    return None if allowed is None else round(allowed * GIGABYTE)
