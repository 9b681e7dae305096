"""The owner hands in an answer that it doubts: each receipt, and nothing else, goes over anonymous paths to a model
node that is a stranger to whom it is about, and from there to the server.

So the server and that node learn which node signed for how many tokens, when and of which model; neither who asks, nor
the question or the answer. Where questions go directly, the node that brings it sees who sends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from engine.clock import Clock
from engine.directory.sampling import random_below
from engine.errors import InvalidRequestError, NetworkNotReadyError, ReceiptError, RequestError, request_error
from engine.ids import NetworkId, NodeId
from engine.node.overlay_client import OverlayClient
from engine.paths.outgoing import Question, Target
from engine.sentences import said_by, say
from engine.verification.receipt_file import PartReport, verify_export
from engine.wire.answer import Failed, Finished, Sampling
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord

TRIES = 2
"""Nodes that are asked to bring a receipt, one after the other."""
ANSWER_SECONDS = 25.0
"""For each of them."""


class SampleReports:
    """``network``: the engine's own client and its network, None while there is none."""

    def __init__(
        self,
        network: Callable[[], tuple[OverlayClient, NetworkId] | None],
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._network = network
        self._clock = clock
        self._random_bytes = random_bytes

    async def report(self, data: bytes, *, hidden: bool = False) -> int:
        """Hand in each part of an exported receipt; how many nodes they are of. ``RequestError`` with the reason.
        ``hidden``: over anonymous paths or not at all."""
        found = self._network()
        if found is None:
            raise NetworkNotReadyError(say("sample.no_network"))
        client, network_id = found
        try:
            parts = verify_export(data, network_id, self._clock.wall()).parts
        except ReceiptError as error:
            raise InvalidRequestError(said_by(error)) from error
        newest = {NodeId(part.receipt.node_id): part for part in parts}
        await asyncio.gather(*(self._one(client, node, part, hidden) for node, part in newest.items()))
        return len(newest)

    async def _one(self, client: OverlayClient, node: NodeId, part: PartReport, hidden: bool) -> None:
        sample = SignedRecord(record=part.record, key=part.receipt.node_key, signature=part.signature)
        bearers = sorted(client.bearers(node), key=lambda _: random_below(1 << 32, self._random_bytes))
        error: RequestError = NetworkNotReadyError(say("sample.nobody"))
        for model_id, target in bearers[:TRIES]:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await self._brought(client, model_id, target, encode(sample), hidden)
            except TimeoutError:
                error = NetworkNotReadyError(say("sample.silent"))
            except RequestError as refused:
                error = refused
        raise error

    async def _brought(self, client: OverlayClient, model_id: str, target: Target, sample: bytes, hidden: bool) -> None:
        """In a chat of its own, so over paths that nothing else uses."""
        chat = self._random_bytes(16)
        shape = await client.wait_ready(chat)
        if hidden and shape.direct:
            raise NetworkNotReadyError(say("sample.direct"))
        question = Question(model_id=model_id, messages=(), sampling=Sampling(seed=0), max_tokens=1, sample=sample)
        async with aclosing(client.ask(chat, question, target, shape)) as served:
            async for one in served:
                for event in one.events:
                    if isinstance(event, Failed):
                        raise request_error(event.code, event.text)
                    if isinstance(event, Finished):
                        if event.reason != "brought":
                            raise InvalidRequestError(say("sample.something_else"))
                        return
        raise NetworkNotReadyError(say("sample.not_brought"))
