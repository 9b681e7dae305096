"""How busy this machine's worker is reaches its group: from the process that computes, through the engine."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.clock import SystemClock
from engine.config import Configuration
from engine.crypto.identity import Identity
from engine.forwarding.policies.registry import by_name
from engine.ids import NetworkId
from engine.inference.models.installed import BUILTIN_MODEL
from engine.inference.types import Delta, GenerationRequest, PromptMessage
from engine.node.group import GroupRole
from engine.node.node import Node
from engine.storage.data_directory import DataDirectory, acquire_lock
from engine.wire.answer import Sampling
from tests.integration.test_forwarding import pin, ready
from tests.support.answering_overlay import Reader, request
from tests.support.bootstrap import until

SLOW = GenerationRequest(
    model_id=BUILTIN_MODEL,
    messages=(PromptMessage("user", "What is a relay?"),),
    sampling=Sampling(seed=1),
    max_tokens=400,
    min_tokens=400,
    max_tokens_per_second=20.0,
)


@pytest.mark.timeout(120)
async def test_what_a_worker_says_of_its_work_reaches_the_group_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The group's own loop does not run here, so that it cannot look by itself."""
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    monkeypatch.setattr(Node, "changed", lambda _: None)  # what the window would show
    configuration = Configuration(data_directory=tmp_path, api_port=0, threads=1, sensors=False)
    with acquire_lock(DataDirectory(tmp_path).lock) as lock:
        node = Node(configuration, lock, SystemClock())
        identity, network = Identity.from_seed(b"i" * 32), NetworkId(b"n" * 32)
        group = GroupRole(identity, network, node.backend, node.prefixes, SystemClock(), os.urandom)
        rates: list[float] = []
        node.keeper.peer = cast(
            Any, SimpleNamespace(group=group, refresh=lambda: None, refresh_rates=lambda: rates.append(rate()))
        )

        def rate() -> float:
            return max((info.prefill_rate for info in node.backend.models()), default=0.0)

        def running() -> list[int]:
            return [machine._speaker.load.running for machine in group._machines.values()]

        async def read() -> None:
            events = node.backend.generate(SLOW)
            async for event in events:
                if isinstance(event, Delta):
                    begun.set()

        begun = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(node.inference.run())
            await node.inference.start([BUILTIN_MODEL])
            group.offer(frozenset({BUILTIN_MODEL}))
            assert running() == [0]
            reading = tasks.create_task(read())
            await begun.wait()
            await until(lambda: running() == [1])
            reading.cancel()
            await until(lambda: running() == [0])
            assert max(rates) > 0, "and its speed reaches the directory"
            keeping.cancel()
        node.api._socket.close()


async def test_a_burst_at_one_machine_is_passed_on_before_its_worker_has_counted_it() -> None:
    """The worker here never says that it has anything to do; only what the entry node counts itself keeps it from
    keeping everything."""
    overlay = await ready(models=4, policy=by_name("least-load"))
    entry = overlay.machines[0]
    pin(overlay, entry)
    async with overlay.running(entry):
        readers = [Reader(overlay, request(conversation=f"chat {number}")) for number in range(8)]
        await overlay.until_true(lambda: sum(len(one.writer.asked) for one in overlay.machines) == 8, 10)
        kept = len(entry.writer.asked)
        for reader in readers:
            reader.task.cancel()
        await overlay.pass_time(1.0)
    assert 1 <= kept <= 4
    assert entry.entry_role.forwarded == 8 - kept
