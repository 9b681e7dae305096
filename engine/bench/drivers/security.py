"""One process of the network of ``gentorrent bench verification``: as ``drivers.overlay``, with protection to switch.

``python -m engine.bench.drivers.security client|model|relays --bootstrap URL#NETWORKID --data DIR [--count N]``. The
client asks in several chats at once; the model node can let a stand-in for a fast GPU make the tokens, and reads
answers again as a verifier does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
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


async def processor(_: dict[str, Any]) -> dict[str, Any]:
    """The command ``processor``: seconds used so far by this process and those that it started, and by these alone."""
    own = psutil.Process()
    children = sum(_seconds_of(one) for one in own.children(recursive=True))
    return {"s": _seconds_of(own) + children, "children": children}


def _seconds_of(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


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
    """Chats that ask together, each in a conversation of its own."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._questions = 0

    async def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        """The command ``ask``: one answer of ``tokens`` tokens in each of ``chats`` conversations, all at once; how
        long each took as a whole (``s``), and all of them together (``took``). ``why``: what the last one that failed
        said, if any did."""
        begun = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self._tried(chat, command["tokens"])) for chat in range(command["chats"])]
        found = [one.result() for one in running]
        return {
            "s": [one for one in found if isinstance(one, float)],
            "took": time.monotonic() - begun,
            "why": next((one for one in reversed(found) if isinstance(one, str)), ""),
        }

    async def _tried(self, chat: int, tokens: int) -> float | str:
        try:
            return await self._answer(chat, tokens)
        except GenTorrentError as error:
            return str(error)[:200] or type(error).__name__

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
        begun, receipt, came = time.monotonic(), "", 0
        async for event in self._node.answer(request):
            if isinstance(event, AnswerDelta):
                came += len(event.ids)
            elif isinstance(event, AnswerDone):
                receipt = event.receipt
        if receipt != "verified" or came != tokens:
            raise GenTorrentError(f"An answer of {came} tokens came, or one without a receipt that holds.")
        return time.monotonic() - begun


def _handlers(node: Node, role: str, protection: Protection) -> dict[str, Callable[..., Any]]:
    common = {"state": state_handler(node), "protect": protection.set, "processor": processor}
    if role == "client":
        return common | {"ask": Crowd(node).ask}
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
