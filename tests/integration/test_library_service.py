"""Downloads over the control API: what could be here, how far it is, stopped, gone on with, refused."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest

from engine.api import schema
from engine.api.refusals import refusal
from engine.clock import SystemClock
from engine.inference.models.folder import read_model_folder
from engine.node.library_service import LibraryService
from tests.support.hub import HubRepository, loopback_hub
from tests.support.hub_layouts import LAYOUTS, make_layout
from tests.support.local_api import until

LLAMA = LAYOUTS[0]
PAGE = "https://hub.example/page"
PATIENCE = 60.0
"""Seconds for a download on a machine that has much else to do."""


@pytest.fixture
def hub(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    folder = make_layout(LLAMA, tmp_path / "hub")
    with loopback_hub() as served:
        served.repositories[LLAMA.repository] = HubRepository(folder)
        yield served


def catalogue(data: Path, **changes) -> None:
    entry = {
        "id": "Tiny",
        "repository": {"value": LLAMA.repository, "source": PAGE},
        "family": {"value": "llama", "source": PAGE},
        "licence": {"value": "apache-2.0", "source": PAGE},
    }
    data.mkdir(exist_ok=True)
    (data / "catalogue.json").write_text(json.dumps({"models": [entry | changes]}))


@contextlib.asynccontextmanager
async def running(data: Path, hub, **options) -> AsyncIterator[tuple[LibraryService, list]]:
    service = LibraryService(data, data / "models", SystemClock(), {"HF_ENDPOINT": hub.endpoint}, **options)
    told: list[schema.ControlEvent] = []
    async with asyncio.TaskGroup() as group:
        task = group.create_task(service.run())
        await asyncio.sleep(0)
        service.attach(told.append)
        try:
            yield service, told
        finally:
            task.cancel()


async def ask(service: LibraryService, request: schema.LibraryRequest) -> Any:
    """The reply to a request, as a client gets it."""
    try:
        return await service.handle(request)
    except Exception as error:
        return refusal(request, error)


async def fetch(service: LibraryService, model: str, ref: str = "") -> Any:
    """The reply to a request for a model whose licence was read and is accepted."""
    read = await ask(service, schema.GetLicence(model=model))
    return await ask(service, schema.DownloadModel(ref=ref, model=model, terms=getattr(read, "terms", "") or "0" * 64))


def ended(told: list) -> schema.DownloadEnded:
    return next(event for event in told if isinstance(event, schema.DownloadEnded))


async def test_a_model_is_listed_fetched_and_here(tmp_path, hub):
    data = tmp_path / "data"
    catalogue(data)
    async with running(data, hub) as (service, told):
        listed = await ask(service, schema.ListLibrary(ref="l"))
        assert isinstance(listed, schema.Library)
        tiny = next(one for one in listed.models if one.model == "Tiny")
        assert (tiny.licence, tiny.page, tiny.verdict, tiny.size) == ("apache-2.0", PAGE, "unknown", 0)
        known = [one for one in listed.models if one.size]
        assert known
        assert all(one.memory > one.size and one.verdict != "unknown" for one in known)
        reply = await fetch(service, "tiny", "d")
        assert reply == schema.Accepted(ref="d", request="download_model")
        again = await fetch(service, "Tiny", "e")
        assert isinstance(again, schema.Accepted)
        await until(lambda: any(isinstance(event, schema.DownloadEnded) for event in told), PATIENCE)
        assert ended(told) == schema.DownloadEnded(model="Tiny")
        stages = list(dict.fromkeys(one.stage for one in told if isinstance(one, schema.DownloadProgress)))
        assert stages[:2] == ["checking", "downloading"]
        read_model_folder("Tiny", data / "models" / "Tiny")
        listed = await ask(service, schema.ListLibrary(ref="m"))
        assert "Tiny" not in [one.model for one in listed.models]
        assert listed.downloads == ()


async def test_a_stopped_download_goes_on_where_it_was(tmp_path, hub):
    data = tmp_path / "data"
    catalogue(data)
    hub.pace = 0.05
    async with running(data, hub) as (service, told):
        await fetch(service, "Tiny")
        await until(lambda: any(getattr(one, "stage", "") == "downloading" for one in told), PATIENCE)
        late: list[schema.ControlEvent] = []
        service.attach(late.append)
        assert [getattr(one, "model", "") for one in late] == ["Tiny"]
        await ask(service, schema.StopDownload(model="Tiny"))
        assert ended(told).code == "stopped"
        assert not (data / "models" / "Tiny").exists()
        hub.pace = 0.0
        told.clear()
        await fetch(service, "Tiny")
        await until(lambda: any(isinstance(event, schema.DownloadEnded) for event in told), PATIENCE)
        assert ended(told).code == ""
        assert isinstance(await ask(service, schema.StopDownload(ref="s", model="Tiny")), schema.Accepted)


async def test_a_download_that_is_cut_off_takes_the_disk_until_it_is_discarded(tmp_path, hub):
    data = tmp_path / "data"
    catalogue(data)
    hub.pace = 0.05
    staging = data / "models" / ".incomplete"
    async with running(data, hub) as (service, told):
        await fetch(service, "Tiny")
        await until(lambda: any(one.stat().st_size for one in staging.rglob("*.part")), PATIENCE)
        await ask(service, schema.StopDownload(model="Tiny"))
        use = await ask(service, schema.GetDiskUse(ref="u"))
        assert (use.ref, [one.model for one in use.models]) == ("u", ["Tiny"])
        assert use.models[0].files == 0
        assert use.total == use.models[0].unfinished > 0
        assert use.free > 0
        await fetch(service, "Tiny")
        discarded = await ask(service, schema.DiscardDownload(ref="d", model="Tiny"))
        assert discarded == schema.Accepted(ref="d", request="discard_download")
        assert [one.code for one in told if isinstance(one, schema.DownloadEnded)] == ["stopped", "stopped"]
        use = await ask(service, schema.GetDiskUse())
        assert (use.models, use.total) == ((), 0)
        refused = await ask(service, schema.DiscardDownload(model="../../keys"))
        assert isinstance(refused, schema.RequestFailed)


async def test_what_cannot_be_fetched_is_said(tmp_path, hub):
    data = tmp_path / "data"
    catalogue(data)
    async with running(data, hub) as (service, told):
        unknown = await fetch(service, "Nobody", "x")
        assert (unknown.request, unknown.code, unknown.ref) == ("download_model", "model_not_found", "x")
        licence = await ask(service, schema.DownloadModel(model="Tiny"))
        assert (licence.code, "apache-2.0" in licence.text) == ("licence_needed", True)
        hub.repositories.clear()
        await fetch(service, "Tiny")
        await until(lambda: any(isinstance(event, schema.DownloadEnded) for event in told), PATIENCE)
        assert ended(told).code == "hub_not_found"
        assert ended(told).text
        (data / "catalogue.json").write_text("{")
        broken = await ask(service, schema.ListLibrary(ref="y"))
        assert (broken.request, "catalogue" in broken.text) == ("list_library", True)
