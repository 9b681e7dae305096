"""One process of the network of ``gentorrent bench verification``: as ``drivers.overlay``, with protection to switch.

``python -m engine.bench.drivers.security client|model|relays --bootstrap URL#NETWORKID --data DIR [--count N]``. The
client keeps several chats busy at once; the model node can let a stand-in for a fast GPU make the tokens, and reads
answers again as a verifier does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import psutil

from engine.api.service import AnswerDelta, AnswerDone, AnswerRequest
from engine.bench.drivers.overlay import listen, run_as, run_with_node, state_handler
from engine.bench.drivers.unsealed import Protection, compose
from engine.demo.relays import run_relays
from engine.errors import GenTorrentError
from engine.inference.models.installed import BUILTIN_MODEL
from engine.inference.types import Delta, Done, GenerationEvent, GenerationRequest, PromptMessage, Started
from engine.lifeline import run_on_loop
from engine.node.node import Node
from engine.wire.answer import Sampling

QUESTION = "Who can read my question, and how is it kept from the others on its way?"
AGAIN_SECONDS = 0.1


async def processor(_: dict[str, Any]) -> dict[str, Any]:
    """The command ``processor``: seconds used so far by this process and those that it started."""
    own = psutil.Process()
    total = 0.0
    for one in (own, *own.children(recursive=True)):
        with suppress(psutil.Error):
            times = one.cpu_times()
            total += times.user + times.system
    return {"s": total}


class Maker:
    """Between the engine and its worker. ``rate``: tokens per second of one answer at most; ``stand_in``: tokens come
    from nowhere, at that rate, whatever was asked."""

    def __init__(self, node: Node) -> None:
        self._generate = node.backend.generate
        self._score = node.backend.score
        self._latest: tuple[GenerationRequest, tuple[int, ...]] | None = None
        self.rate: float | None = None
        self.stand_in = False
        self.scored = 0
        node.backend.generate = self.generate  # type: ignore[method-assign]

    async def set(self, command: dict[str, Any]) -> dict[str, Any]:
        """The command ``make``."""
        self.rate, self.stand_in = command["rate"], command["stand_in"]
        return {}

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        """See ``InferenceBackend``."""
        request = msgspec.structs.replace(request, max_tokens_per_second=self.rate)
        events = self._stand_in(request) if self.stand_in else self._generate(request)
        ids: list[int] = []
        try:
            async for event in events:
                if isinstance(event, Delta):
                    ids += event.ids
                elif isinstance(event, Done) and not self.stand_in:
                    self._latest = request, tuple(ids)
                yield event
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()

    async def _stand_in(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        """Each token at its time; one that is late does not delay the others."""
        yield Started(tuple(range(100)))
        begun = time.monotonic()
        tokens = request.max_tokens or 0
        for number in range(tokens):
            await asyncio.sleep(max(0.0, begun + (number + 1) / (self.rate or 1000.0) - time.monotonic()))
            yield Delta((number,), " word")
        yield Done("length", 100, tokens)

    async def score(self, command: dict[str, Any]) -> dict[str, Any]:
        """The command ``score``: read the newest answer again ``times`` times, as a verifier's worker does."""
        for _ in range(command["times"]):
            if self._latest is None:
                break
            request, ids = self._latest
            await self._score(msgspec.structs.replace(request, max_tokens_per_second=None), ids)
            self.scored += 1
        return {"scored": self.scored}


class Crowd:
    """Chats that ask question after question, each in a conversation of its own. Counts tokens as they arrive."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._ended = asyncio.Event()
        self._questions = 0
        self.tokens = self.answers = self.failed = 0
        self.why = ""

    async def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        """The command ``ask``: one answer of ``tokens`` tokens in each of ``chats`` conversations, all at once; how
        long each took as a whole."""
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self._answer(chat, command["tokens"])) for chat in range(command["chats"])]
        return {"s": [one.result() for one in running]}

    async def keep_busy(self, command: dict[str, Any]) -> dict[str, Any]:
        """The command ``keep_busy``: ask in so many chats, again and again, until ``end``."""
        self._ended.clear()
        async with asyncio.TaskGroup() as tasks:
            asking = [tasks.create_task(self._keep_asking(chat, command["tokens"])) for chat in range(command["chats"])]
            await self._ended.wait()
            for one in asking:
                one.cancel()
        return {}

    async def end(self, _: dict[str, Any]) -> dict[str, Any]:
        """The command ``end``."""
        self._ended.set()
        return {}

    async def counted(self, _: dict[str, Any]) -> dict[str, Any]:
        """The command ``counted``: since the start of this process."""
        return {
            "tokens": self.tokens,
            "answers": self.answers,
            "failed": self.failed,
            "why": self.why,
            "at": time.monotonic(),
        }

    async def _keep_asking(self, chat: int, tokens: int) -> None:
        while True:
            try:
                await self._answer(chat, tokens)
            except GenTorrentError as error:
                self.failed += 1
                self.why = str(error)[:200]
                await asyncio.sleep(AGAIN_SECONDS)

    async def _answer(self, chat: int, tokens: int) -> float:
        self._questions += 1
        request = AnswerRequest(
            model_id=BUILTIN_MODEL,
            messages=(PromptMessage("user", f"Question {self._questions}: {QUESTION}"),),
            sampling=Sampling(seed=self._questions, temperature=1.0),
            max_tokens=tokens,
            min_tokens=tokens,
            route="network",
            conversation=f"chat {chat}",
        )
        begun, receipt = time.monotonic(), ""
        async for event in self._node.answer(request):
            if isinstance(event, AnswerDelta):
                self.tokens += len(event.ids)
            elif isinstance(event, AnswerDone):
                receipt = event.receipt
        if receipt != "verified":
            raise GenTorrentError("An answer came without a receipt that holds.")
        self.answers += 1
        return time.monotonic() - begun


def _handlers(node: Node, role: str, protection: Protection) -> dict[str, Callable[..., Any]]:
    common = {"state": state_handler(node), "protect": protection.set, "processor": processor}
    if role == "client":
        crowd = Crowd(node)
        return common | {"ask": crowd.ask, "keep_busy": crowd.keep_busy, "end": crowd.end, "counted": crowd.counted}
    maker = Maker(node)
    return common | {"make": maker.set, "score": maker.score}


async def _relays(bootstrap: str, data: Path, count: int, protection: Protection) -> None:
    task = asyncio.current_task()
    assert task is not None
    listen({"protect": protection.set, "processor": processor}, task.cancel)
    await run_relays(bootstrap, data, count)


def main() -> None:
    """The command line of this module."""
    given = run_as("One process of the network of gentorrent bench verification.")
    protection = Protection()
    compose(protection)
    if given.role == "relays":
        run_on_loop(_relays(given.bootstrap, given.data, given.count, protection))
    else:
        run_with_node(given.role, given.bootstrap, given.data, lambda node: _handlers(node, given.role, protection))


if __name__ == "__main__":
    main()
