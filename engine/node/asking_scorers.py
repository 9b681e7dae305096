"""A verifier asks drawn nodes to score an answer that it cannot score itself: as a client, over anonymous paths.

Each is asked in a chat of its own, so over paths of its own; none learns who asks, who answered, or whom else is asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Protocol

from engine.crypto.identity import node_id_of
from engine.errors import GenTorrentError, VerificationError
from engine.ids import NetworkId, NodeId, short_id
from engine.node.overlay_client import OverlayClient
from engine.paths.outgoing import Question, Target
from engine.verification.challenges.opening import OpenedEvidence
from engine.verification.large_models.transcript import open_report, transcript_of_evidence
from engine.wire.answer import Finished
from engine.wire.challenges import MIN_REPORTS
from engine.wire.signed import SignedRecord

logger = logging.getLogger(__name__)
ANSWER_SECONDS = 120.0
"""In which a node has to give its score."""
PublicKeyOf = Callable[[NodeId], bytes | None]


class Scorers(Protocol):
    """Who asks: :class:`ScorerChats`."""

    async def ask(self, opened: OpenedEvidence, nodes: Sequence[NodeId]) -> list[SignedRecord]:
        """The reports of as many of ``nodes``, in their order, as it takes to have three; fewer where they do not
        answer."""
        ...


class ScorerChats:
    """Asks through the engine's own client (None: there is none now). ``key_of``: a node's identity key, as the
    directory has it."""

    def __init__(
        self,
        client: Callable[[], OverlayClient | None],
        network_id: NetworkId,
        key_of: PublicKeyOf,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._client = client
        self._network_id = network_id
        self._key_of = key_of
        self._random_bytes = random_bytes

    async def ask(self, opened: OpenedEvidence, nodes: Sequence[NodeId]) -> list[SignedRecord]:
        """See :class:`Scorers`: three at once, and who does not answer is replaced by the next."""
        found: dict[NodeId, SignedRecord] = {}
        waiting = list(nodes)
        while waiting and len(found) < MIN_REPORTS:
            now, waiting = waiting[: MIN_REPORTS - len(found)], waiting[MIN_REPORTS - len(found) :]
            given = await asyncio.gather(*(self._one(opened, node) for node in now))
            found |= {node: report for node, report in zip(now, given, strict=True) if report is not None}
        return [found[node] for node in nodes if node in found]

    async def _one(self, opened: OpenedEvidence, node: NodeId) -> SignedRecord | None:
        client = self._client()
        if client is None:
            return None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._asked(client, opened, node)
        except TimeoutError:
            logger.info("%s gives no score: it takes too long", short_id(node))
        except GenTorrentError as error:
            logger.info("%s gives no score: %s", short_id(node), error)
        return None

    async def _asked(self, client: OverlayClient, opened: OpenedEvidence, node: NodeId) -> SignedRecord:
        request = opened.request
        target: Target = client.target_of(node, request.model_id, request.model_digest)
        chat = self._random_bytes(16)
        shape = await client.wait_ready(chat)
        question = Question(
            model_id=request.model_id,
            messages=request.messages,
            prompt=request.prompt,
            sampling=request.sampling,
            min_tokens=request.min_tokens,
            max_tokens=request.max_tokens,
            continue_tokens=opened.output_ids,
            score_key=opened.evidence.key,
            prompt_commitment=opened.receipt.prompt_commitment,
        )
        async with aclosing(client.ask(chat, question, target, shape)) as served:
            async for one in served:
                for event in one.events:
                    if isinstance(event, Finished):
                        return self._report(opened, node, event)
        raise VerificationError("The node has ended without a report.")

    def _report(self, opened: OpenedEvidence, node: NodeId, event: Finished) -> SignedRecord:
        signed = SignedRecord(record=event.record, key=self._key_of(node) or bytes(32), signature=event.signature)
        signer, report = open_report(signed, self._network_id)
        if signer != node or node_id_of(signed.key) != node:
            raise VerificationError("A report is signed by another node than was asked.")
        if report.transcript != transcript_of_evidence(opened, self._network_id):
            raise VerificationError("A report is about another answer.")
        return signed
