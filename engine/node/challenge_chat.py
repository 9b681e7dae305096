"""A verifier has one conversation with a node, as any user would, and keeps what the node signed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import msgspec

from engine.api.service import AnswerDelta, AnswerDone, AnswerRequest
from engine.clock import Clock
from engine.errors import GenTorrentError, RequestError
from engine.ids import NetworkId, NodeId
from engine.inference.types import PromptMessage
from engine.node.answer_progress import Progress
from engine.node.conversations import Conversations
from engine.node.network_answer import NetworkAnswer
from engine.node.overlay_client import OverlayClient
from engine.node.reading import Reading
from engine.node.requests import ALL_TOKENS
from engine.verification.challenges.opening import encoded_challenge, request_id_of
from engine.verification.challenges.plan import Planned
from engine.verification.receipt_file import ReceiptPart
from engine.wire.answer import receipt_decoder
from engine.wire.challenges import PlannedChallenge

ANSWER_SECONDS = 300.0
"""After which an answer is waited for no longer."""

Asking = Callable[[int], None]
"""Hears of a turn."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a node signed of the answer to one turn: a receipt with its opening, tokens from the first one on, and the
    answer as the next question follows it."""

    turn: int
    part: ReceiptPart
    said: str = ""


class NothingSignedError(GenTorrentError):
    """A turn brought no receipt; ``code`` says why, as in ``engine.errors``."""

    def __init__(self, code: str) -> None:
        super().__init__(f"A challenge brought nothing that was signed ({code}).")
        self.code = code


class ChallengeChats:
    """Holds conversations through the engine's own client, which nobody can tell from its owner's."""

    def __init__(
        self, client: OverlayClient, network_id: NetworkId, clock: Clock, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._client = client
        self._network_id = network_id
        self._clock = clock
        self._conversations = Conversations(random_bytes)
        self._random_bytes = random_bytes
        self.sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def hold(
        self, planned: Planned, said: Sequence[str] = (), asking: Asking = lambda _: None
    ) -> AsyncGenerator[Signed, None]:
        """Ask turn after turn, with pauses; :class:`NothingSignedError` where an answer brought nothing. A conversation
        that the node has passed on ends with the first answer: what follows would say nothing of that node. ``said``:
        the answers to the first turns, which are not asked again; ``asking`` hears of each other one before it is."""
        challenge = planned.challenge
        name = self._random_bytes(16).hex()
        messages = [PromptMessage("system", challenge.system)] if challenge.system else []
        written: list[str] = []  # where a text is gone on with: all of it
        for turn, question in enumerate(challenge.turns):
            if turn < len(said):
                messages += [PromptMessage("user", question.text), PromptMessage("assistant", said[turn])]
                written += [question.text, said[turn]]
                continue
            if turn:
                await self.sleep(planned.pauses[turn - 1])
            messages.append(PromptMessage("user", question.text))
            written.append(question.text)
            request = AnswerRequest(
                model_id=challenge.model_id,
                messages=() if challenge.plain else tuple(messages),
                prompt="".join(written) if challenge.plain else None,
                sampling=msgspec.structs.replace(challenge.sampling, seed=question.seed),
                min_tokens=challenge.min_tokens,
                max_tokens=challenge.max_tokens if challenge.max_tokens < ALL_TOKENS else None,
                route="network",
                conversation=name,
                may_forward=challenge.may_forward,
            )
            progress, before = Progress(self._clock.monotonic(), Reading(request)), len(written)
            asking(turn)
            part = await self._ask(request, challenge, turn, progress, written)
            answer = progress.reading.message
            yield Signed(turn, part, "".join(written[before:]) if challenge.plain else answer.content)
            if receipt_decoder.decode(part.record).node_id != challenge.node:
                return
            messages.append(answer)

    async def _ask(
        self,
        request: AnswerRequest,
        challenge: PlannedChallenge,
        turn: int,
        progress: Progress,
        written: list[str],
    ) -> ReceiptPart:
        answer = NetworkAnswer(
            self._client,
            self._network_id,
            self._conversations,
            request,
            challenge.model_digest,
            progress,
            self._clock,
            only=NodeId(challenge.node),
            request_id=request_id_of(encoded_challenge(challenge), turn),
        )
        read, reason = challenge.turns[turn].read, "unsigned"
        try:
            async with asyncio.timeout(ANSWER_SECONDS), aclosing(answer.events()) as events:
                async for event in events:
                    if isinstance(event, AnswerDone):
                        break
                    if isinstance(event, AnswerDelta):
                        written.append(event.text)
                        if len(_signed_tokens(answer.signed)) >= read:
                            break  # a reader who has read enough; what the last checkpoint covers is judged
        except RequestError as error:
            reason = error.code
        except TimeoutError:
            reason = "timeout"
        signed = answer.signed
        if signed is not None and (len(_signed_tokens(signed)) >= read or receipt_decoder.decode(signed.record).final):
            return signed
        if answer.serving not in (None, challenge.node):
            raise NothingSignedError("passed_on")  # who broke it off had no duty to be checked
        raise NothingSignedError("cut_off" if progress.ids else reason)


def _signed_tokens(part: ReceiptPart | None) -> Sequence[int]:
    return part.output_ids or () if part is not None else ()


class ClientChats:
    """The same through a client that may not be there yet, or that is another one after it has begun anew."""

    def __init__(
        self,
        client: Callable[[], OverlayClient | None],
        network_id: NetworkId,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._client = client
        self._network_id = network_id
        self._clock = clock
        self._random_bytes = random_bytes

    async def hold(
        self, planned: Planned, said: Sequence[str] = (), asking: Asking = lambda _: None
    ) -> AsyncGenerator[Signed, None]:
        """See :class:`ChallengeChats`; :class:`NothingSignedError` while there is no client."""
        client = self._client()
        if client is None:
            raise NothingSignedError("network_not_ready")
        chats = ChallengeChats(client, self._network_id, self._clock, self._random_bytes)
        async with aclosing(chats.hold(planned, said, asking)) as held:
            async for signed in held:
                yield signed
