"""A real engine is killed in the middle of a download; the next one goes on with it from where it was."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from engine.api import schema
from engine.commands.control_client import with_engine
from tests.integration.test_library_service import LLAMA, catalogue, hub  # noqa: F401
from tests.support.running_engine import ROOT, running

GRAPH = "onnx/model_q4.onnx"
PATIENCE = 120.0


async def state(client, model: str) -> str:
    found = await client.ask(schema.GetCatalogue(), schema.Catalogue)
    return next(one.state for one in found.models if one.model == model)


async def wait(condition) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            await asyncio.sleep(0.1)


def command(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "engine.cli", "models", *arguments, "--data", str(data)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_killed_engine_goes_on_with_its_download(tmp_path, hub, monkeypatch):  # noqa: F811
    data = tmp_path / "data"
    catalogue(data)
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    hub.pace = 0.5

    def arrived() -> int:
        return sum(one.stat().st_size for one in (data / "models").rglob(f"{Path(GRAPH).name}.*.part"))

    async def begin(client) -> None:
        read = await client.ask(schema.GetLicence(model="Tiny"), schema.LicenceText)
        await client.ask(schema.DownloadModel(model="Tiny", terms=read.terms), schema.Accepted)

        async def half() -> bool:
            return arrived() > 4096

        await wait(half)

    with running(data) as engine:
        with_engine(data, begin)
        engine.process.kill()  # SIGKILL
        engine.process.wait()
    kept = arrived()
    assert kept > 4096
    hub.pace = 0.0
    hub.requests.clear()

    async def end(client) -> None:
        async def here() -> bool:
            return await state(client, "Tiny") == "here"

        await wait(here)

    with running(data):
        with_engine(data, end)
        assert hub.asked(GRAPH)[0] == f"bytes={kept}-"
        # The same from a terminal.
        told = json.loads(command(data, "catalogue", "--json").stdout)
        assert "here" in [one["state"] for one in told["models"] if one["model"] == "Tiny"]
        stays = command(data, "remove", "Tiny", "--yes", "--json")
        assert json.loads(stays.stdout)["freed"] > 0
        refused = command(data, "start", "Tiny")
        assert (refused.returncode, "licence" in refused.stderr) == (2, True)
        pause = command(data, "pause", "Tiny")
        assert (pause.returncode, "no download" in pause.stderr) == (1, True)
