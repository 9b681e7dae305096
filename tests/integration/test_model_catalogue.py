"""The catalogue for a page over the control API: what is here, on its way, could be here; importing and removing."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from engine.api import schema
from engine.clock import SystemClock
from engine.directory.manifests import fingerprint_of
from engine.errors import LicenceNeededError
from engine.library import keeping
from engine.library.agreements import terms_of
from engine.library.folders import ModelsFolder
from engine.library.published import PublishedModels
from engine.node import imports
from engine.node.model_catalogue import ModelUse
from engine.wire.manifests import ManifestFile
from tests.integration.test_library_service import PATIENCE, ask, catalogue, fetch, hub, running  # noqa: F401
from tests.support.hub_layouts import MODELS
from tests.support.local_api import until
from tests.support.manifests import DAY, FILES, LAB, signed

SOURCE = MODELS / "qwen2-concat"


async def shown(service, model: str) -> schema.CatalogueModel:
    reply = await ask(service, schema.GetCatalogue(ref="c"))
    assert isinstance(reply, schema.Catalogue)
    assert schema.event_decoder.decode(schema.encode(reply)) == reply
    return next(one for one in reply.models if one.model == model)


async def gone(service, model: str) -> bool:
    reply = await ask(service, schema.GetCatalogue())
    return model not in [one.model for one in reply.models]


def ended(told: list, model: str) -> list[str]:
    kinds = (schema.DownloadEnded, schema.ImportEnded)
    return [one.code for one in told if isinstance(one, kinds) and one.model == model]


async def test_what_is_known_of_every_model(tmp_path, hub):  # noqa: F811
    data = tmp_path / "data"
    catalogue(data)
    uses = {"gentorrent-builtin": ModelUse(loaded=True, tokens_per_s=321.0)}
    async with running(data, hub, uses=lambda: uses, limit=lambda: 10**12) as (service, _):
        builtin = await shown(service, "gentorrent-builtin")
        assert (builtin.source, builtin.state, builtin.use, builtin.reviewed) == ("program", "here", "loaded", True)
        assert builtin.size > 1_000_000
        assert (builtin.fit.verdict, builtin.fit.tokens_per_s, builtin.fit.speed_known) == ("fits", 321.0, "measured")
        assert builtin.precision
        known = await shown(service, "Llama-3.2-1B-Instruct")
        assert (known.title, known.source, known.state) == ("Llama 3.2 1B Instruct", "catalogue", "available")
        assert known.size == known.fit.disk > 1e8
        assert known.fit.memory > known.size
        assert known.fit.memory_total >= known.fit.memory_free > 0
        assert (known.fit.speed_known, known.fit.tokens_per_s > 0) == ("estimated", True)
        whole = await ask(service, schema.GetCatalogue())
        assert whole.models[0].model == "gentorrent-builtin"
        assert whole.room.limit == 10**12
        assert 0 < whole.room.left <= whole.room.free
        details = await ask(service, schema.GetModelDetails(ref="d", model="gentorrent-builtin"))
        assert isinstance(details, schema.ModelDetails)
        assert len(details.digest) == len(details.tokenizer_digest) == 64
        assert "config.json" in [one.name for one in details.files]
        details = await ask(service, schema.GetModelDetails(model="Llama-3.2-1B-Instruct"))
        assert details.files
        assert details.variants
        unknown = await ask(service, schema.GetModelDetails(model="nobody"))
        assert (unknown.code, bool(unknown.words)) == ("model_not_found", True)


async def test_a_newer_version_of_a_publisher_is_told(tmp_path, hub):  # noqa: F811
    data, now = tmp_path / "data", int(SystemClock().wall())
    published, times = PublishedModels(data / "published", SystemClock()), {"created": now - 60, "expires": now + DAY}
    place = ModelsFolder(data / "models").place(f"{fingerprint_of(LAB.public_key)}/our-model-1b")
    shutil.copytree(SOURCE, place)
    async with running(data, hub) as (service, _):
        name = f"{fingerprint_of(LAB.public_key)}/our-model-1b"
        assert not (await shown(service, name)).newer
        digest = (await ask(service, schema.GetModelDetails(model=name))).digest
    published.add(signed(digest=bytes.fromhex(digest), **times))
    async with running(data, hub) as (service, _):
        assert not (await shown(service, name)).newer
    published.add(signed(version=2, **times))
    async with running(data, hub) as (service, _):
        model = await shown(service, name)
        assert (model.newer, model.state, model.source) == (True, "here", "publisher")
        assert model.new_licence == "apache-2.0", "nobody knows what was accepted"


async def test_a_newer_version_says_where_its_licence_is_another(tmp_path, hub):  # noqa: F811
    data, now = tmp_path / "data", int(SystemClock().wall())
    name = f"{fingerprint_of(LAB.public_key)}/our-model-1b"
    models, published = ModelsFolder(data / "models"), PublishedModels(data / "published", SystemClock())
    shutil.copytree(SOURCE, models.place(name))
    for version, licence, text, new in (
        (2, "apache-2.0", "ab", None),
        (3, "research-only", "ab", "research-only"),
        (4, "apache-2.0", "cd", "apache-2.0"),
        (5, "apache-2.0", "", "apache-2.0"),
    ):
        more = (ManifestFile("LICENSE", 3, bytes.fromhex(text * 32)),) if text else ()
        times = {"created": now - 60, "expires": now + DAY}
        published.add(signed(version=version, licence=licence, files=(*more, *FILES), **times))
        if version == 2:
            models.agreements.agree(name, "an older version", terms_of(published.manifest(name)).digest)
        async with running(data, hub) as (service, _):
            model = await shown(service, name)
            assert (model.newer, model.new_licence, model.code) == (True, new, ""), version


async def test_the_same_files_under_another_licence_wait_until_it_is_accepted(tmp_path, hub):  # noqa: F811
    data, now = tmp_path / "data", int(SystemClock().wall())
    name = f"{fingerprint_of(LAB.public_key)}/our-model-1b"
    models = ModelsFolder(data / "models")
    published = PublishedModels(data / "published", SystemClock(), models.agreements)
    shutil.copytree(SOURCE, models.place(name))
    digest = models.catalogue().open(name).digest
    times = {"digest": digest, "created": now - 60, "expires": now + DAY}
    published.add(signed(**times))
    published.confirm(name)
    published.trust(fingerprint_of(LAB.public_key))
    models.agreements.agree(name, digest.hex(), terms_of(published.manifest(name)).digest)
    published.check_serving(name, digest)
    assert published.check_asking(name, here=True) is None
    published.add(signed(version=2, licence="research-only", **times))
    with pytest.raises(LicenceNeededError, match="research-only"):
        published.check_serving(name, digest)
    with pytest.raises(LicenceNeededError, match="research-only"):
        published.check_asking(name, here=True)
    assert published.check_asking(name, here=False) == digest, "others answer with copies of theirs"
    async with running(data, hub, published=published) as (service, _):
        model = await shown(service, name)
        assert (model.newer, model.new_licence, model.code) == (True, "research-only", "licence_needed")
        assert model.words["text"]
        refused = await ask(service, schema.DownloadModel(model=name))
        assert (refused.code, "research-only" in refused.text) == ("licence_needed", True)
    models.agreements.agree(name, digest.hex(), terms_of(published.manifest(name)).digest)
    published.check_serving(name, digest)
    async with running(data, hub, published=published) as (service, _):
        assert not (await shown(service, name)).newer


async def test_a_paused_download_asks_where_the_licence_is_another_meanwhile(tmp_path, hub):  # noqa: F811
    data, now = tmp_path / "data", int(SystemClock().wall())
    name = f"{fingerprint_of(LAB.public_key)}/our-model-1b"
    published = PublishedModels(data / "published", SystemClock(), ModelsFolder(data / "models").agreements)
    times = {"created": now - 60, "expires": now + DAY, "files": FILES}  # without a text: that is on no hub here
    published.add(signed(**times))
    async with running(data, hub, published=published) as (service, told):
        first = await ask(service, schema.GetLicence(model=name))
        assert (first.licence, first.name, len(first.terms)) == ("apache-2.0", "", 64)
        published.add(signed(version=2, licence="research-only", **times))
        swapped = await ask(service, schema.DownloadModel(model=name, terms=first.terms))
        assert (swapped.code, "research-only" in swapped.text) == ("licence_needed", True)
        assert isinstance(await fetch(service, name), schema.Accepted)
        await until(lambda: ended(told, name), PATIENCE)  # its address leads nowhere
        assert (await shown(service, name)).again
        published.add(signed(version=3, licence="mit", **times))
        one = await shown(service, name)
        assert (one.again, one.new_licence) == (False, "mit")
        assert (await ask(service, schema.DownloadModel(model=name))).code == "licence_needed"
        assert isinstance(await fetch(service, name), schema.Accepted)


async def test_a_queue_goes_on_with_nothing_that_nobody_has_agreed_to(tmp_path, hub):  # noqa: F811
    data = tmp_path / "data"
    catalogue(data)
    hub.pace = 0.05
    async with running(data, hub) as (service, told):
        await fetch(service, "Tiny")
        await until(lambda: any(getattr(one, "stage", "") == "downloading" for one in told), PATIENCE)
    hub.pace = 0.0
    (next(iter(hub.repositories.values())).folder / "LICENSE").write_text("Pay me first.")
    async with running(data, hub) as (service, told):  # another engine goes on by itself
        await until(lambda: ended(told, "Tiny"), PATIENCE)
        one = await shown(service, "Tiny")
        assert (one.state, one.code, one.again) == ("failed", "licence_needed", False)
        assert not (data / "models" / "Tiny").exists()
        await fetch(service, "Tiny")
        await until(lambda: ended(told, "Tiny") == ["licence_needed", ""], PATIENCE)


async def test_downloads_wait_in_their_order(tmp_path, hub):  # noqa: F811
    data = tmp_path / "data"
    repository = next(iter(hub.repositories))
    entry = {
        "repository": {"value": repository, "source": "https://x/y"},
        "family": {"value": "llama", "source": "https://x/y"},
    }
    data.mkdir()
    names = ["One", "Two", "Three", "Four"]
    (data / "catalogue.json").write_text(json.dumps({"models": [{"id": name, **entry} for name in names]}))
    hub.pace = 0.05
    async with running(data, hub) as (service, told):
        for name in names:
            assert isinstance(await fetch(service, name), schema.Accepted)
        states = [(await shown(service, name)).state for name in names]
        assert states == ["downloading", "downloading", "waiting", "waiting"]
        await ask(service, schema.StopDownload(model="Three"))
        assert ((await shown(service, "Three")).state, ended(told, "Three")) == ("paused", ["stopped"])
        await ask(service, schema.StopDownload(model="One"))
        await until(lambda: any(getattr(one, "model", "") == "Four" for one in told), PATIENCE)
        assert (await shown(service, "One")).state == "paused"
        assert not [one for one in told if isinstance(one, schema.DownloadProgress) and one.model == "Three"]
        # Licences were accepted; who goes on stands at the end of the line.
        assert isinstance(await ask(service, schema.DownloadModel(model="One")), schema.Accepted)
        assert isinstance(await ask(service, schema.DownloadModel(model="Three")), schema.Accepted)
        order = [one.model for one in (await ask(service, schema.GetCatalogue())).models if one.again]
        assert order == ["Two", "Four", "One", "Three"]
    # Another engine goes on with all of them.
    hub.pace = 0.0
    async with running(data, hub) as (service, told):
        await until(lambda: all(ended(told, name) == [""] for name in names), PATIENCE)
        assert [(await shown(service, name)).state for name in names] == ["here"] * 4
        assert any(isinstance(one, schema.CatalogueChanged) for one in told)


async def test_what_would_exceed_the_owners_limit_is_refused_before_it_begins(tmp_path, hub):  # noqa: F811
    data = tmp_path / "data"
    catalogue(data)
    async with running(data, hub, limit=lambda: 50_000_000) as (service, told):
        known = await shown(service, "Llama-3.2-1B-Instruct")
        refused = await fetch(service, known.model)
        assert (refused.code, "50 MB" in refused.text) == ("disk_limit", True)
        assert (await shown(service, known.model)).state == "available"
    async with running(data, hub, limit=lambda: 1_000) as (service, told):
        # Nobody knew its size before the hub was asked.
        await fetch(service, "Tiny")
        await until(lambda: ended(told, "Tiny"), PATIENCE)
        tiny = await shown(service, "Tiny")
        assert (ended(told, "Tiny"), tiny.state, tiny.code) == (["disk_limit"], "failed", "disk_limit")
        assert not [path for path, _, _ in hub.requests if path.startswith("/cdn/")]
        await ask(service, schema.DiscardDownload(model="Tiny"))
        assert (await shown(service, "Tiny")).state == "available"


async def test_a_repository_that_nobody_has_reviewed(tmp_path, hub):  # noqa: F811
    data = tmp_path / "data"
    repository = next(iter(hub.repositories))
    hub.found = [{"id": "somebody/Else", "tags": ["license:mit"], "downloads": 7, "gated": False}]
    async with running(data, hub) as (service, told):
        results = await ask(service, schema.SearchHub(ref="s", words="else"))
        assert (results.ref, [(one.model, one.licence) for one in results.models]) == ("s", [("somebody/Else", "mit")])
        hub.repositories["somebody/Else"] = hub.repositories[repository]
        await fetch(service, "somebody/Else")
        await until(lambda: ended(told, "Else"), PATIENCE)
        found = await shown(service, "Else")
        assert (found.state, found.source, found.origin) == ("here", "hub", "somebody/Else")
        assert found.reviewed is False


async def test_removing(tmp_path, hub):  # noqa: F811
    data = tmp_path / "data"
    shutil.copytree(SOURCE, data / "models" / "mine")
    uses: dict[str, ModelUse] = {}
    asked: list[str] = []
    going = asyncio.Event()

    @asynccontextmanager
    async def let_go(model: str) -> AsyncIterator[None]:
        asked.append(model)
        try:
            await going.wait()
            yield
        finally:
            asked.remove(model)

    async with running(data, hub, uses=lambda: uses, let_go=let_go) as (service, told):
        for use, code in ((ModelUse(contributed=True), "model_contributed"), (ModelUse(answering=2), "model_answers")):
            uses["mine"] = use
            refused = await ask(service, schema.RemoveModel(ref="r", model="mine"))
            assert (refused.code, refused.ref, bool(refused.words)) == (code, "r", True)
            assert not asked
        uses["mine"] = ModelUse(contributed=True, answering=2)
        async with asyncio.TaskGroup() as tasks:
            removing = tasks.create_task(ask(service, schema.RemoveModel(ref="s", model="mine", stop=True)))
            await until(lambda: asked, PATIENCE)
            assert (data / "models" / "mine").exists(), "others are being answered"
            removing.cancel()
        assert not asked
        uses["mine"] = ModelUse(loaded=True)
        size = (await shown(service, "mine")).size
        assert await ask(service, schema.RemoveModel(ref="r", model="mine")) == schema.ModelRemoved(
            ref="r", model="mine", freed=size
        )
        assert await gone(service, "mine")
        assert (await ask(service, schema.RemoveModel(model="gentorrent-builtin"))).code == "model_stays"
        for name in ("mine", "../../keys"):
            assert isinstance(await ask(service, schema.RemoveModel(model=name)), schema.RequestFailed)
        await until(lambda: any(isinstance(one, schema.CatalogueChanged) for one in told), PATIENCE)


async def test_removing_what_others_are_answered_with(tmp_path, hub):  # noqa: F811
    data = tmp_path / "data"
    shutil.copytree(SOURCE, data / "models" / "mine")
    here: list[bool] = []

    @asynccontextmanager
    async def let_go(model: str) -> AsyncIterator[None]:
        here.append((data / "models" / model).exists())
        yield
        here.append((data / "models" / model).exists())

    uses = {name: ModelUse(contributed=True) for name in ("mine", "gone")}
    async with running(data, hub, uses=lambda: uses, let_go=let_go) as (service, _):
        assert isinstance(await ask(service, schema.RemoveModel(model="gone", stop=True)), schema.RequestFailed)
        assert here == [], "nothing ends for what is not there"
        removed = await ask(service, schema.RemoveModel(ref="r", model="mine", stop=True))
        assert isinstance(removed, schema.ModelRemoved)
    assert here == [True, False]


async def test_removing_a_variant(tmp_path, hub):  # noqa: F811
    data = tmp_path / "data"
    mine = data / "models" / "mine"
    shutil.copytree(SOURCE, mine)
    graphs = sorted(mine.rglob("*.onnx"))
    shutil.copyfile(graphs[0], graphs[0].with_name("model_bf16.onnx"))
    let_go: list[str] = []
    uses = {"mine": ModelUse(answering=1)}

    @asynccontextmanager
    async def going(model: str) -> AsyncIterator[None]:
        let_go.append(model)
        yield

    async with running(data, hub, uses=lambda: uses, let_go=going) as (service, _):
        remove = schema.RemoveModel(ref="r", model="mine", variant="bf16")
        assert (await ask(service, remove)).code == "model_answers"
        uses["mine"] = ModelUse(contributed=True)
        assert (await ask(service, remove)).code == "model_contributed"
        other = schema.RemoveModel(model="mine", variant="q8", stop=True)
        assert isinstance(await ask(service, other), schema.RequestFailed)
        assert not let_go, "nothing ends for what is not there"
        removed = await ask(service, msgspec.structs.replace(remove, stop=True))
        assert (removed.model, removed.variant, removed.freed) == ("mine", "bf16", graphs[0].stat().st_size)
        assert let_go == ["mine"]
        assert sorted(mine.rglob("*.onnx")) == graphs
        assert (await shown(service, "mine")).state == "here"


async def test_importing_a_folder(tmp_path, hub):  # noqa: F811
    data = tmp_path / "data"
    mine = tmp_path / "mine"
    shutil.copytree(SOURCE, mine)
    (mine / "setup.py").write_text("raise SystemExit")
    async with running(data, hub) as (service, told):
        assert isinstance(await ask(service, schema.ImportModel(folder=str(mine))), schema.Accepted)
        await until(lambda: ended(told, "mine"), PATIENCE)
        assert ended(told, "mine") == [""]
        one = await shown(service, "mine")
        assert (one.state, one.source, one.reviewed, one.linked) == ("here", "folder", False, False)
        assert not (data / "models" / "mine" / "setup.py").exists()
        stages = [one.stage for one in told if isinstance(one, schema.ImportProgress)]
        assert "copying" in stages
        details = await ask(service, schema.GetModelDetails(model="mine"))
        assert all(len(one.sha256) == 64 for one in details.files)
        taken = await ask(service, schema.ImportModel(folder=str(mine)))
        assert (taken.code, "mine" in taken.text) == ("storage_failed", True)
        await ask(service, schema.ImportModel(folder=str(mine), name="linked", link=True))
        await until(lambda: ended(told, "linked"), PATIENCE)
        one = await shown(service, "linked")
        assert (one.linked, one.origin) == (True, str(mine))
        freed = await ask(service, schema.RemoveModel(model="linked"))
        assert (freed.freed, (mine / "model.onnx").exists() or (mine / "onnx").is_dir()) == (0, True)


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ([], []),
        (["tokenizer.json"], ["tokenizer.json"]),
        (["config.json", "tokenizer.json"], ["config.json", "tokenizer.json"]),
        (["onnx"], [".onnx"]),
        (["onnx", "config.json", "tokenizer.json"], [".onnx", "config.json", "tokenizer.json"]),
        (["generation_config.json"], ["eos_token_id"]),
    ],
)
async def test_a_folder_that_is_no_model_says_exactly_what_is_missing(tmp_path, hub, missing, said):  # noqa: F811
    data, mine = tmp_path / "data", tmp_path / "mine"
    shutil.copytree(SOURCE, mine)
    config = json.loads((mine / "config.json").read_text())
    config.pop("eos_token_id", None)
    (mine / "config.json").write_text(json.dumps(config))
    for name in missing:
        path = mine / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    async with running(data, hub) as (service, _):
        reply = await ask(service, schema.ImportModel(folder=str(mine)))
        if not missing:
            assert isinstance(reply, schema.Accepted)
            return
        assert reply.code == "no_model"
        assert reply.words["text"]
        for part in (".onnx", "config.json or", "tokenizer.json", "eos_token_id"):
            assert (part in reply.text) == any(part.startswith(one) for one in said)
        assert not (data / "models").exists() or not list((data / "models").glob("mine"))


async def test_other_bad_folders(tmp_path, hub):  # noqa: F811
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    async with running(tmp_path / "data", hub) as (service, _):
        for folder, code in (("mine", "invalid_request"), ("/no/such", "no_model"), ("file", "no_model")):
            path = folder if folder in ("mine", "/no/such") else str(tmp_path / folder)
            reply = await ask(service, schema.ImportModel(folder=path))
            assert (folder, reply.code) == (folder, code)
        unreadable = schema.ImportModel(folder="/" + "a" * 300, name="mine")  # the system refuses even to look
        assert (await ask(service, unreadable)).code == "storage_failed"
        reply = await ask(service, schema.ImportModel(folder=str(tmp_path / "empty"), name="../../keys"))
        assert isinstance(reply, schema.RequestFailed)


async def test_looking_through_a_folder_shows_and_can_be_stopped(tmp_path, hub, monkeypatch):  # noqa: F811
    """The folder is one that takes for ever to look through."""

    def endless(folder, meter):
        for seen in range(1_000_000):
            meter.looked(seen)
            time.sleep(0.01)

    monkeypatch.setattr(keeping, "check_extent", endless)
    monkeypatch.setattr(imports, "TELL_SECONDS", 0.0)
    async with running(tmp_path / "data", hub) as (service, told):
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(ask(service, schema.ImportModel(folder=str(tmp_path), name="mine")))
            await until(lambda: any(getattr(one, "looked", 0) > 1 for one in told), PATIENCE)
            assert (await shown(service, "mine")).state == "importing"
            assert isinstance(await ask(service, schema.StopImport(model="mine")), schema.Accepted)
        refused = asked.result()
        assert (refused.code, bool(refused.words)) == ("stopped", True)
        assert await gone(service, "mine")
        assert not list((tmp_path / "data").rglob("mine*"))
        await until(lambda: any(isinstance(one, schema.CatalogueChanged) for one in told), PATIENCE)


async def test_the_whole_disk_is_refused_at_once(tmp_path, hub):  # noqa: F811
    async with running(tmp_path / "data", hub) as (service, _):
        refused = await ask(service, schema.ImportModel(folder="/"))
        assert (refused.code, refused.words["text"][0].code) == ("no_model", "import.whole_disk")


async def test_a_broken_model_says_why(tmp_path, hub):  # noqa: F811
    data = tmp_path / "data"
    shutil.copytree(SOURCE, data / "models" / "mine")
    (data / "models" / "mine" / "tokenizer.json").unlink()
    async with running(data, hub) as (service, _):
        one = await shown(service, "mine")
        assert (one.state, one.code) == ("broken", "no_model")
        assert "tokenizer.json" in one.text


async def test_an_import_that_does_not_fit(tmp_path, hub):  # noqa: F811
    data = tmp_path / "data"
    async with running(data, hub, limit=lambda: 1000) as (service, told):
        await ask(service, schema.ImportModel(folder=str(SOURCE), name="mine"))
        await until(lambda: ended(told, "mine"), PATIENCE)
        assert ended(told, "mine") == ["disk_limit"]
        assert await gone(service, "mine")
        use = await ask(service, schema.GetDiskUse())
        assert use.total == 0
