"""What goes wrong with downloads, as the control API says it: each with its code, and nothing is lost that arrived."""

import errno
import io
import types

import pytest

from engine.api import schema
from engine.library import part_file
from engine.library.fetching import Patience
from tests.integration.test_library_service import LLAMA, PATIENCE, ask, catalogue, fetch, hub, running  # noqa: F401
from tests.integration.test_model_catalogue import ended, shown
from tests.support.local_api import until

GRAPH = "onnx/model_q4.onnx"


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    patience = Patience(connect=2.0, silence=0.5, attempts=3, first_pause=0.01, longest_pause=0.05)
    monkeypatch.setattr("engine.library.download.Patience", lambda: patience)


async def failed(service, told, terms="") -> schema.CatalogueModel:
    """The model after a download that did not end well; its sentence can be said in the window's language. ``terms``:
    of a licence that was read before."""
    asked = ask(service, schema.DownloadModel(model="Tiny", terms=terms)) if terms else fetch(service, "Tiny")
    assert isinstance(await asked, schema.Accepted)
    await until(lambda: ended(told, "Tiny"), PATIENCE)
    one = await shown(service, "Tiny")
    last = [event for event in told if isinstance(event, schema.DownloadEnded)][-1]
    assert (one.code, one.text, one.words) == (last.code, last.text, last.words)
    assert one.words["text"][0].code
    return one


async def goes_on(service, told) -> None:
    """The same again, and it is here."""
    told.clear()
    await ask(service, schema.DownloadModel(model="Tiny"))
    await until(lambda: ended(told, "Tiny"), PATIENCE)
    assert (ended(told, "Tiny"), (await shown(service, "Tiny")).state) == ([""], "here")


async def test_a_link_that_is_cut_off(tmp_path, hub):  # noqa: F811
    catalogue(tmp_path / "data")
    hub.faults[GRAPH] = ["cut"] + ["503"] * 3
    async with running(tmp_path / "data", hub) as (service, told):
        one = await failed(service, told)
        assert (one.state, one.code, one.again) == ("failed", "cut_off", True)
        assert GRAPH in one.text
        assert one.done > 0
        hub.faults.clear()
        hub.requests.clear()
        await goes_on(service, told)
        assert hub.asked(GRAPH)[0].startswith("bytes=")  # not from the beginning


async def test_a_checksum_that_is_wrong_names_the_file(tmp_path, hub):  # noqa: F811
    catalogue(tmp_path / "data")
    hub.faults[GRAPH] = ["wrong", "wrong"]
    async with running(tmp_path / "data", hub) as (service, told):
        one = await failed(service, told)
        assert (one.state, one.code) == ("failed", "wrong_content")
        assert GRAPH in one.text
        await goes_on(service, told)


async def test_a_hub_that_is_away_wants_an_account_or_has_nothing(tmp_path, hub):  # noqa: F811
    catalogue(tmp_path / "data")
    async with running(tmp_path / "data", hub) as (service, told):
        terms = (await ask(service, schema.GetLicence(model="Tiny"))).terms
        there = hub.repositories.pop(LLAMA.repository)
        assert (await failed(service, told, terms)).code == "hub_not_found"
        hub.repositories[LLAMA.repository] = there
        there.status, there.error_code = 403, "GatedRepo"
        told.clear()
        one = await failed(service, told, terms)
        assert (one.code, LLAMA.repository in one.text) == ("hub_gated", True)
        there.status, there.error_code = 200, ""
        await goes_on(service, told)
    nobody = types.SimpleNamespace(endpoint="http://127.0.0.1:9")
    async with running(tmp_path / "other", nobody) as (service, told):
        catalogue(tmp_path / "other")
        assert (await failed(service, told, terms)).code == "hub_unreachable"


async def test_a_disk_that_is_full_at_99_percent_pauses_and_loses_nothing(tmp_path, hub, monkeypatch):  # noqa: F811
    catalogue(tmp_path / "data")
    size = (hub.repositories[LLAMA.repository].folder / GRAPH).stat().st_size
    room = size * 99 // 100

    class FullDisk(io.FileIO):
        def write(self, data) -> int:
            left = room - self.tell()
            if left <= 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(memoryview(data)[:left])

    async with running(tmp_path / "data", hub) as (service, told):
        with monkeypatch.context() as patched:
            patched.setattr(part_file, "io", types.SimpleNamespace(FileIO=FullDisk))
            one = await failed(service, told)
        assert (one.state, one.code, one.again) == ("paused", "disk_full", True)
        assert "missing" in one.text
        assert one.done >= room
        hub.requests.clear()
        await goes_on(service, told)
        (asked,) = hub.asked(GRAPH)
        assert asked == f"bytes={room}-"
