"""A history of chats on the disk, with a played engine that answers, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.chats.history import ChatHistory
from tests.support.chats import Client, history_at
from tests.support.local_api import PlayedService


@pytest.fixture
def service() -> PlayedService:
    return PlayedService()


@pytest.fixture
async def history(tmp_path: Path, service: PlayedService) -> AsyncIterator[ChatHistory]:
    async with history_at(tmp_path / "chats.db", service) as history:
        yield history


@pytest.fixture
def client(history: ChatHistory) -> Client:
    return Client(history)
