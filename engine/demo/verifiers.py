"""The demo's verifiers in one process: each has its own identity, client, links, data directory and place in the
committee; the reference model's worker, which starts when there is something to judge, is everybody's.

``python -m engine.demo.verifiers --bootstrap URL#NETWORKID --data DIR --count N``; ends with its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

from engine.clock import SystemClock
from engine.demo.identities import node_identity
from engine.demo.membership import membership_of
from engine.inference.models.installed import Catalogue
from engine.inference.supervisor.pool import WorkerPool
from engine.inference.supervisor.settings import InferenceSettings
from engine.lifeline import run_on_loop, stop_with_parent
from engine.node.client_presence import ClientPresence
from engine.node.keys import NodeKeys
from engine.node.peer_presence import PeerPresence
from engine.node.verifying import verifier_maker
from engine.storage.data_directory import DataDirectory
from engine.storage.key_store import KeyStore


def verifier_data(data: Path, index: int) -> DataDirectory:
    """The data directory of one of them."""
    return DataDirectory(data / f"verifier-{index + 1}")


def make_verifier_keys(data: Path, count: int) -> list[bytes]:
    """Make the identities of so many verifiers; their public keys, which the genesis has to name."""
    return [node_identity(verifier_data(data, index)).public_key for index in range(count)]


async def _verifier(bootstrap: str, directory: DataDirectory, reference: WorkerPool) -> None:
    clock = SystemClock()
    membership = membership_of(bootstrap, directory, clock)
    keys = NodeKeys(KeyStore(directory.keys, clock))
    client = ClientPresence(membership, keys)
    peer = PeerPresence(
        membership,
        keys,
        reference,
        relays=False,
        max_tokens_per_second=None,
        make_verifier=verifier_maker(lambda: client.client, reference, directory.path / "questions", clock),
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(client.run())
        tasks.create_task(peer.run())


async def run_verifiers(bootstrap: str, data: Path, count: int) -> None:
    """Run ``count`` verifiers until the parent ends or a signal comes."""
    task = asyncio.current_task()
    assert task is not None
    stop_with_parent(task.cancel)
    if sys.platform != "win32":
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    reference = WorkerPool(Catalogue(None), SystemClock(), InferenceSettings())
    with contextlib.suppress(asyncio.CancelledError):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(reference.run())
            for index in range(count):
                tasks.create_task(_verifier(bootstrap, verifier_data(data, index), reference))


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(description="Run the verifiers of a demo network in one process.")
    parser.add_argument("--bootstrap", required=True, metavar="URL#NETWORKID")
    parser.add_argument("--data", required=True, type=Path, metavar="DIR")
    parser.add_argument("--count", type=int, default=4, metavar="N")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    logging.getLogger("engine").setLevel(logging.INFO)
    run_on_loop(run_verifiers(arguments.bootstrap, arguments.data, arguments.count))


if __name__ == "__main__":
    main()
