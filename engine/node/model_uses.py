"""What this machine does with each of its models now, and how much of the disk its owner allows for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from engine.errors import ModelInUseError
from engine.node.model_catalogue import ModelUse
from engine.sentences import say

if TYPE_CHECKING:
    from engine.node.node import Node

GIGABYTE = 10**9
LOOK_SECONDS = 0.05


def model_uses(node: Node) -> dict[str, ModelUse]:
    """By model; all variants of one together."""
    uses: dict[str, ModelUse] = {}
    contributed = _whole(node.contributed_model) if node.contribute_wanted else ""
    for info in node.inference.models():
        name = _whole(info.model_id)
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


@asynccontextmanager
async def let_go(node: Node, model: str) -> AsyncIterator[None]:
    """Within, nobody else is answered with this model any more, and its memory is free: answers go on at other
    machines, or are made first, as the owner's rules say. When it is gone then, the engine contributes what it
    chooses, or nothing where its settings name this one; where another variant is left, it goes on with that."""
    if node.answers.running_here:  # it would lose its worker
        raise ModelInUseError(say("remove.own_answer", model=model), "model_answers")
    node.leaving.add(model)
    node.governed()
    try:
        while _holds(node, model):  # noqa: ASYNC110 - the keeper and the workers tell nobody
            await asyncio.sleep(LOOK_SECONDS)
        yield
        await _contribute_another(node, model)
    finally:
        node.leaving.discard(model)
        node.governed()


def _holds(node: Node, model: str) -> bool:
    return _whole(node.keeper.model) == model or bool(model_uses(node).get(model, ModelUse()).answering)


async def _contribute_another(node: Node, model: str) -> None:
    await node.inference.refresh()
    if any(info.model_id == node.contributed_model for info in node.inference.models()):
        return
    rules = node.governing.rules
    if _whole(rules.model) == model and not node.governing.in_doubt:
        node.governing.set_rules(msgspec.structs.replace(rules, model=""))
    node.automatic.gone(model)
    if node.contribute_wanted and _whole(node.contributed_model) == model:
        node.contribute_wanted = False
        node.governing.decide()


def _whole(name: str) -> str:
    """A model with all its variants."""
    return name.partition(":")[0]
