"""Several relays in one process, each with its own identity, session, links and data directory.

Used by the demo, where sixteen processes would only cost memory: every link between them is a WebRTC connection all the
same. ``python -m engine.demo.relays --bootstrap URL#NETWORKID --data DIR --count N``; ends with its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from engine.clock import SystemClock
from engine.demo.membership import membership_of
from engine.errors import UnknownModelError
from engine.inference.types import GenerationEvent, GenerationRequest, ModelInfo, PromptShape, TokenScores
from engine.lifeline import run_on_loop, stop_with_parent
from engine.node.keys import NodeKeys
from engine.node.peer_presence import PeerPresence
from engine.storage.data_directory import DataDirectory
from engine.storage.key_store import KeyStore


class NoModels:
    """The inference of a relay that serves nothing."""

    def models(self) -> list[ModelInfo]:
        """None."""
        return []

    def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        """Refuses everything."""
        raise UnknownModelError(f"This machine relays only; it does not serve {request.model_id}.")

    async def describe(self, request: GenerationRequest) -> PromptShape | None:
        """Nothing is known of any prompt."""
        return None

    async def score(self, request: GenerationRequest, output_ids: Sequence[int]) -> TokenScores:
        """Refuses everything."""
        raise UnknownModelError(f"This machine relays only; it has no model {request.model_id}.")


def _relay(bootstrap: str, data: Path) -> PeerPresence:
    clock, directory = SystemClock(), DataDirectory(data)
    membership = membership_of(bootstrap, directory, clock)
    keys = NodeKeys(KeyStore(directory.keys, clock))
    return PeerPresence(membership, keys, NoModels(), relays=True, max_tokens_per_second=None)


async def run_relays(bootstrap: str, data: Path, count: int) -> None:
    """Run ``count`` relays until the parent ends or a signal comes."""
    task = asyncio.current_task()
    assert task is not None
    stop_with_parent(task.cancel)
    if sys.platform != "win32":
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        async with asyncio.TaskGroup() as tasks:
            for index in range(count):
                tasks.create_task(_relay(bootstrap, data / f"relay-{index}").run())


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(description="Run relays of a demo network in one process.")
    parser.add_argument("--bootstrap", required=True, metavar="URL#NETWORKID")
    parser.add_argument("--data", required=True, type=Path, metavar="DIR")
    parser.add_argument("--count", type=int, default=1, metavar="N")
    arguments = parser.parse_args()
    run_on_loop(run_relays(arguments.bootstrap, arguments.data, arguments.count))


if __name__ == "__main__":
    main()
