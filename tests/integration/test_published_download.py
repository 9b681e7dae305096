"""Published models fetched from a hub and a web folder on loopback that change files, cut connections and redirect."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import huggingface_hub.constants
import msgspec
import onnx
import pytest

from engine.clock import SystemClock
from engine.directory.manifests import Published, read_record, sign_record
from engine.errors import ContentError, HubError, HubUnreachableError, ManifestError, ModelFolderError, StorageError
from engine.inference.models.folder import ModelFolder, read_model_folder
from engine.library import licences
from engine.library.agreements import terms_of
from engine.library.fetching import Patience
from engine.library.folders import ModelsFolder
from engine.library.hub import Hub
from engine.library.keeping import installed, remove, verify
from engine.library.licences import licence_of_manifest
from engine.library.progress import Meter
from engine.library.published import PublishedModels
from engine.library.published_download import download_published, plan
from engine.library.publishing import hub_address, publish
from tests.support.hub import COMMIT, HubRepository, LoopbackHub, loopback_hub
from tests.support.hub_layouts import LAYOUTS, make_layout
from tests.support.manifests import LAB, OTHER, hashed, terms

LLAMA = LAYOUTS[0]
REPOSITORY = "lab/our-model"
HASTY = Patience(connect=2.0, silence=0.5, attempts=3, first_pause=0.01, longest_pause=0.05)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with loopback_hub() as served:
        served.repositories[REPOSITORY] = HubRepository(make_layout(LLAMA, tmp_path / "hub"))
        yield served


@pytest.fixture
def models(tmp_path: Path) -> ModelsFolder:
    return ModelsFolder(tmp_path / "data" / "models")


def published_of(folder: Path, tmp_path: Path, **changes: object) -> Published:
    known = PublishedModels(tmp_path / "publisher" / "published", SystemClock())
    address = f"hub:{REPOSITORY}@{COMMIT}"
    said = terms(**{"addresses": [address]} | changes)
    return publish(LAB, hashed(folder, "q4"), said, known, SystemClock().wall())


async def get(record: Published, hub: LoopbackHub, models: ModelsFolder, *, allow_local: bool = False) -> ModelFolder:
    meter = Meter(lambda _: None, time.monotonic)
    wanted = plan(record, models)
    manifest = wanted.manifest
    models.agreements.agree(wanted.model_id, manifest.digest.hex(), terms_of(manifest).digest)
    return await download_published(
        wanted, models, meter, hub=Hub(hub.endpoint), allow_local=allow_local, patience=HASTY
    )


async def test_from_a_hub(hub: LoopbackHub, models: ModelsFolder, tmp_path: Path) -> None:
    source = hub.repositories[REPOSITORY].folder
    record = published_of(source, tmp_path)
    folder = await get(record, hub, models)
    assert folder.model_id == record.model_id
    assert folder.digest == read_model_folder("x", source, variant="q4").digest
    assert folder.path == models.place(record.model_id)
    assert models.catalogue().open(record.model_id).digest == folder.digest
    assert [one.name for one in installed(models) if one.pinned == "pinned"] == [record.model_id]
    assert not verify(models, Meter(lambda _: None, time.monotonic), [record.model_id])[0].wrong
    assert plan(record, models).present
    before = len(hub.requests)
    await get(record, hub, models)
    assert len(hub.requests) == before
    assert remove(models, record.model_id) > 0
    assert not models.place(record.model_id).exists()


async def test_a_file_that_was_changed_behind_its_address(
    hub: LoopbackHub, models: ModelsFolder, tmp_path: Path
) -> None:
    source = hub.repositories[REPOSITORY].folder
    record = published_of(source, tmp_path)
    config = source / "tokenizer_config.json"
    config.write_text(config.read_text().replace("a", "e", 1))
    with pytest.raises(ContentError) as told:
        await get(record, hub, models)
    assert told.value.args[0].parts[0].code == "manifest.changed"
    assert not models.place(record.model_id).exists()


async def test_another_address_helps(hub: LoopbackHub, models: ModelsFolder, tmp_path: Path) -> None:
    source = hub.repositories[REPOSITORY].folder
    good = f"hub:{REPOSITORY}@{COMMIT}"
    record = published_of(source, tmp_path, addresses=[f"{hub.endpoint}/nowhere/", good])
    await get(record, hub, models, allow_local=True)


async def test_cut_off_and_resumed(hub: LoopbackHub, models: ModelsFolder, tmp_path: Path) -> None:
    record = published_of(hub.repositories[REPOSITORY].folder, tmp_path)
    hub.faults["onnx/model_q4.onnx"] = ["cut"]
    await get(record, hub, models)
    assert any(span for span in hub.asked("model_q4.onnx"))


async def test_local_addresses_need_the_owners_word(hub: LoopbackHub, models: ModelsFolder, tmp_path: Path) -> None:
    record = published_of(hub.repositories[REPOSITORY].folder, tmp_path, addresses=[f"{hub.endpoint}/nowhere/"])
    asked = len(hub.requests)
    with pytest.raises(HubError, match="local network"):
        await get(record, hub, models)
    assert len(hub.requests) == asked
    with pytest.raises(HubError, match="404"):
        await get(record, hub, models, allow_local=True)


async def test_files_that_are_another_model_together(hub: LoopbackHub, models: ModelsFolder, tmp_path: Path) -> None:
    record = published_of(hub.repositories[REPOSITORY].folder, tmp_path)
    manifest = record.manifest
    assert manifest is not None
    lying = read_record(sign_record(LAB, msgspec.structs.replace(manifest, digest=bytes(32), version=9)))
    with pytest.raises(ManifestError) as told:
        await get(lying, hub, models)
    assert told.value.args[0].parts[0].code == "manifest.other_model"
    assert not models.place(lying.model_id).exists()


async def test_a_new_version_takes_the_place_of_the_old_one(
    hub: LoopbackHub, models: ModelsFolder, tmp_path: Path
) -> None:
    source = hub.repositories[REPOSITORY].folder
    first = published_of(source, tmp_path)
    await get(first, hub, models)
    template = source / "tokenizer_config.json"
    template.write_text(template.read_text() + "\n")
    second = published_of(source, tmp_path)
    assert second.record.version == first.record.version + 1
    wanted = plan(second, models)
    assert not wanted.present
    assert wanted.missing == template.stat().st_size
    asked = len(hub.asked("model_q4.onnx"))
    folder = await get(second, hub, models)
    assert len(hub.asked("model_q4.onnx")) == asked
    assert second.manifest is not None
    assert folder.digest == second.manifest.digest


async def test_a_graph_that_wants_its_weights_from_elsewhere(
    hub: LoopbackHub, models: ModelsFolder, tmp_path: Path
) -> None:
    """A publisher signs what its own program would refuse: the reader refuses it, too."""
    source = hub.repositories[REPOSITORY].folder
    record = published_of(source, tmp_path)
    assert record.manifest is not None
    graph = source / record.manifest.graph
    model = onnx.load(graph, load_external_data=False)
    weight = model.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    for location in ("../../../secret", graph.name):
        del weight.external_data[:]
        entry = weight.external_data.add()
        entry.key, entry.value = "location", location
        graph.write_bytes(model.SerializeToString())
        with pytest.raises(ModelFolderError):
            published_of(source, tmp_path)


async def test_the_hub_must_have_the_very_files(hub: LoopbackHub, tmp_path: Path) -> None:
    source = hub.repositories[REPOSITORY].folder
    files = hashed(source, "q4")
    assert await hub_address(Hub(hub.endpoint), REPOSITORY, files) == f"hub:{REPOSITORY}@{COMMIT}"
    config = source / "config.json"
    config.write_text(config.read_text() + " ")
    with pytest.raises(HubError, match="another file"):
        await hub_address(Hub(hub.endpoint), REPOSITORY, files)
    config.unlink()
    with pytest.raises(HubError, match="no file"):
        await hub_address(Hub(hub.endpoint), REPOSITORY, files)


async def test_links_are_not_published(hub: LoopbackHub, tmp_path: Path) -> None:
    source = hub.repositories[REPOSITORY].folder
    (tmp_path / "elsewhere.json").write_text((source / "config.json").read_text())
    (source / "config.json").unlink()
    (source / "config.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(ModelFolderError):
        hashed(source, "q4")


async def test_nobody_else_can_take_the_name(hub: LoopbackHub, models: ModelsFolder, tmp_path: Path) -> None:
    record = published_of(hub.repositories[REPOSITORY].folder, tmp_path)
    assert record.manifest is not None
    with pytest.raises(ManifestError):
        read_record(sign_record(OTHER, record.manifest))


async def test_the_licence_comes_from_whichever_address_has_it(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = hub.repositories[REPOSITORY].folder
    (source / "LICENSE").write_text("Do what you like.\n" * 1000)
    record = published_of(source, tmp_path, addresses=[f"{hub.endpoint}/nowhere/", f"hub:{REPOSITORY}@{COMMIT}"])
    assert record.manifest is not None
    found = await licence_of_manifest(record.manifest, Hub(hub.endpoint), allow_local=True)
    assert found.text.startswith("Do what you like.")
    monkeypatch.setattr(licences, "LONGEST_SECONDS", 0.3)
    hub.pace = 0.2  # for each of its pieces
    with pytest.raises(HubUnreachableError):
        await licence_of_manifest(record.manifest, Hub(hub.endpoint), allow_local=True)


async def test_a_licence_that_has_no_place_to_lie_is_refused_in_words(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = hub.repositories[REPOSITORY].folder
    (source / "LICENSE").write_text("Do what you like.")
    record = published_of(source, tmp_path)
    assert record.manifest is not None
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(StorageError):
        await licence_of_manifest(record.manifest, Hub(hub.endpoint), allow_local=True)
