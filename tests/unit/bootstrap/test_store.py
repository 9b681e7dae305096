"""The server's database is opened by the server and by the operator's commands, possibly at the same moment."""

from __future__ import annotations

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from engine.bootstrap.invitation_store import InvitationStore
from engine.bootstrap.store import Store

TOGETHER = 4


async def _open_and_read(path: Path) -> int:
    store = await Store.open(path)
    try:
        return len(await InvitationStore(store).load())
    finally:
        store.close()


def _open(path: Path, barrier) -> int:
    barrier.wait(30)
    return asyncio.run(_open_and_read(path))


def test_a_new_database_may_be_opened_by_several_processes_at_once(tmp_path):
    with (
        multiprocessing.Manager() as manager,
        ProcessPoolExecutor(TOGETHER, mp_context=multiprocessing.get_context("spawn")) as processes,
    ):
        barrier = manager.Barrier(TOGETHER)
        opened = [processes.submit(_open, tmp_path / "bootstrap.sqlite3", barrier) for _ in range(TOGETHER)]
        assert [one.result(50) for one in opened] == [0] * TOGETHER
