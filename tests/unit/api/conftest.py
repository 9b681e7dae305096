"""A running API over a service that answers as it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.support.local_api import PlayedService, RunningApi, serve


@pytest.fixture
async def api() -> AsyncIterator[RunningApi]:
    async for running in serve(PlayedService()):
        yield running


@pytest.fixture
async def api_with_origin() -> AsyncIterator[RunningApi]:
    async for running in serve(PlayedService(), ("http://localhost:3000",)):
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:
        yield session
