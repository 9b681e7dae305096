"""One process of the benchmark's network: what ``gentorrent node`` and the demo's relays run, and a clock beside it.

``python -m engine.bench.drivers.overlay client|model|relays --bootstrap URL#NETWORKID --data DIR [--count N]``.
Commands come as JSON lines and are answered by one line each; the process ends with its standard input. The client asks
through the network, the model node answers the same question directly: both by ``Node.answer``, which the local API
calls, too. Times are of the system's monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import aioice
import msgspec

from engine.api.service import AnswerDelta, AnswerDone, AnswerRequest
from engine.config import Configuration
from engine.demo.relays import run_relays
from engine.inference.models.installed import BUILTIN_MODEL
from engine.inference.types import Delta, GenerationEvent, GenerationRequest, PromptMessage
from engine.lifeline import run_on_loop
from engine.node.node import Node, run_node
from engine.paths.circuits import CircuitClient
from engine.paths.effects import CircuitOpened
from engine.wire.answer import Sampling

HEADERS = 28
"""Bytes of the IPv4 and UDP headers of a datagram."""
Handler = Callable[[dict[str, Any]], Coroutine[Any, Any, dict[str, Any]]]


class Counters:
    """What is counted in this process from its start on."""

    def __init__(self) -> None:
        self.bytes = 0
        self.datagrams = 0
        self.set_ups: list[float] = []

    def count(self) -> None:
        """Put the counters where every datagram of a link leaves, and where paths are opened."""
        send = aioice.Connection.send
        on_reply = CircuitClient._on_reply

        async def counted(connection: aioice.Connection, data: bytes) -> None:
            self.bytes += len(data) + HEADERS
            self.datagrams += 1
            await send(connection, data)

        def timed(client: CircuitClient, *arguments: Any) -> Any:
            effects = on_reply(client, *arguments)
            self.set_ups += [effect.set_up_seconds for effect in effects if isinstance(effect, CircuitOpened)]
            return effects

        aioice.Connection.send = counted  # type: ignore[method-assign, assignment]
        CircuitClient._on_reply = timed  # type: ignore[method-assign, assignment]

    async def read(self, _: dict[str, Any]) -> dict[str, Any]:
        """The command ``counters``."""
        return {"bytes": self.bytes, "datagrams": self.datagrams}

    async def opened(self, _: dict[str, Any]) -> dict[str, Any]:
        """The command ``set_ups``: how long the paths took that were opened since the last time it was asked."""
        opened, self.set_ups = self.set_ups, []
        return {"ms": [round(seconds * 1000, 3) for seconds in opened]}


class Pace:
    """Between the engine and its worker: the owner's limit of speed for whoever asks, and when tokens were made."""

    def __init__(self, generate: Callable[[GenerationRequest], AsyncIterator[GenerationEvent]]) -> None:
        self._generate = generate
        self.rate: float | None = None
        self.asked = self.first = 0.0

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        """See ``InferenceBackend``."""
        self.asked, self.first = time.monotonic(), 0.0
        events = self._generate(msgspec.structs.replace(request, max_tokens_per_second=self.rate))
        try:
            async for event in events:
                if isinstance(event, Delta) and event.ids and not self.first:
                    self.first = time.monotonic()
                yield event
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()

    async def set(self, command: dict[str, Any]) -> dict[str, Any]:
        """The command ``pace``."""
        self.rate = command["rate"]
        return {}

    async def marks(self, _: dict[str, Any]) -> dict[str, Any]:
        """The command ``marks``: when the worker was last asked, and when its first token came."""
        return {"asked": self.asked, "first": self.first}


def ask_handler(node: Node, route: str) -> Handler:
    """The command ``ask``: one whole answer, timed."""

    async def ask(command: dict[str, Any]) -> dict[str, Any]:
        tokens = command["tokens"]
        request = AnswerRequest(
            model_id=BUILTIN_MODEL,
            messages=(PromptMessage("user", command["text"]),),
            sampling=Sampling(seed=7, temperature=1.0),
            max_tokens=tokens,
            min_tokens=tokens,
            route="local" if route == "local" else "network",
            conversation=command["text"][:64],
        )
        asked = time.monotonic()
        arrivals: list[tuple[float, int]] = []
        pieces: list[str] = []
        done: AnswerDone | None = None
        async for event in node.answer(request):
            if isinstance(event, AnswerDelta) and event.ids:
                arrivals.append((time.monotonic(), len(event.ids)))
                pieces.append(event.text)
            elif isinstance(event, AnswerDone):
                done = event
        ended = time.monotonic()
        assert done is not None
        return {
            "asked": asked,
            "first": arrivals[0][0],
            "last": arrivals[-1][0],
            "ended": ended,
            "first_tokens": arrivals[0][1],
            "tokens": sum(count for _, count in arrivals),
            "answer_bytes": len("".join(pieces).encode()),
            "text": "".join(pieces),
            "receipt": done.receipt,
            "paths": len(done.paths),
            "cached_tokens": done.cached_tokens,
        }

    return ask


def state_handler(node: Node) -> Handler:
    """The command ``state``: what decides whether the network is ready."""

    async def state(_: dict[str, Any]) -> dict[str, Any]:
        found = node.state()
        serving = [model.nodes for model in found.models if model.id == BUILTIN_MODEL]
        return {
            "network": found.network.status,
            "relays": found.network.relays,
            "paths": found.network.paths,
            "serving": serving[0] if serving else 0,
            "contributing": found.contributing.status,
        }

    return state


def listen(handlers: dict[str, Handler], stop: Callable[[], object]) -> None:
    """Answer commands in a thread, each on the running loop; ``stop`` is called there when standard input ends.
    Those with ``background`` are answered at once and go on."""
    loop = asyncio.get_running_loop()

    def work() -> None:
        for line in sys.stdin:
            command = json.loads(line)
            try:
                running = asyncio.run_coroutine_threadsafe(handlers[command["do"]](command), loop)
                reply = {} if command.get("background") else running.result()
            except Exception as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(reply), flush=True)
        loop.call_soon_threadsafe(stop)

    threading.Thread(target=work, daemon=True, name="commands").start()


def run_with_node(role: str, bootstrap: str, data: Path, handlers: Callable[[Node], dict[str, Handler]]) -> None:
    """An engine as ``gentorrent node`` runs it, a client or a model node, that takes commands."""
    contribute = BUILTIN_MODEL if role == "model" else ""
    configuration = Configuration(
        data_directory=data, bootstrap=bootstrap, api_port=0, relay=False, contribute=contribute, sensors=False
    )  # without sensors other programs do not make it pause
    run_node(configuration, started=lambda node: listen(handlers(node), node.shutdown))


def run_engine(role: str, bootstrap: str, data: Path, counters: Counters) -> None:
    """The client or the model node."""

    def handlers(node: Node) -> dict[str, Handler]:
        pace = Pace(node.backend.generate)
        node.backend.generate = pace.generate  # type: ignore[method-assign]
        return {
            "counters": counters.read,
            "set_ups": counters.opened,
            "pace": pace.set,
            "marks": pace.marks,
            "ask": ask_handler(node, "local" if role == "model" else "network"),
            "state": state_handler(node),
        }

    run_with_node(role, bootstrap, data, handlers)


async def _relays(bootstrap: str, data: Path, count: int, counters: Counters) -> None:
    task = asyncio.current_task()
    assert task is not None
    listen({"counters": counters.read}, task.cancel)
    await run_relays(bootstrap, data, count)


def run_as(what: str) -> argparse.Namespace:
    """The command line of a driver: which ``role``, where."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("role", choices=("client", "model", "relays"))
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--count", type=int, default=1)
    os.environ["GENTORRENT_KEYRING"] = "off"
    return parser.parse_args()


def main() -> None:
    """The command line of this module."""
    given = run_as("One process of the network of gentorrent bench overlay.")
    counters = Counters()
    counters.count()
    if given.role == "relays":
        run_on_loop(_relays(given.bootstrap, given.data, given.count, counters))
    else:
        run_engine(given.role, given.bootstrap, given.data, counters)


if __name__ == "__main__":
    main()
