"""Downloads from a hub on loopback that cuts connections, serves wrong bytes, stalls, lies and redirects."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import huggingface_hub.constants
import onnx
import pytest

from engine.errors import ContentError, HubError, ModelBusyError, ModelFolderError, StorageError
from engine.inference.models.folder import read_model_folder
from engine.library.download import Order, download, prepare
from engine.library.fetching import Patience
from engine.library.fit import Machine
from engine.library.folders import ModelsFolder
from engine.library.hub import Hub
from engine.library.keeping import remove
from engine.library.progress import Meter, Progress
from tests.support.hub import COMMIT, HubRepository, LoopbackHub, loopback_hub, sha256
from tests.support.hub_layouts import LAYOUTS, MODELS, make_layout

LLAMA = LAYOUTS[0]
REPOSITORY = LLAMA.repository
GRAPH = "onnx/model_q4.onnx"
HASTY = Patience(connect=2.0, silence=0.3, attempts=3, first_pause=0.01, longest_pause=0.05)
PROGRAM = [sys.executable, "-m", "engine.cli", "models"]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def hub(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    folder = make_layout(LLAMA, tmp_path / "hub")
    with loopback_hub() as served:
        served.repositories[REPOSITORY] = HubRepository(folder)
        yield served


@pytest.fixture
def models(tmp_path):
    return ModelsFolder(tmp_path / "data" / "models")


def order(**changes) -> Order:
    return Order(**{"repository": REPOSITORY, "variant": "q4"} | changes)


async def get(hub: LoopbackHub, models: ModelsFolder, told=None, patience=HASTY, token=None, **changes):
    client = Hub(hub.endpoint, token)
    plan = await prepare(order(**changes), client, models)
    meter = Meter((told if told is not None else []).append, time.monotonic)
    models.agreements.agree(plan.name, "", plan.terms.digest)
    return await download(plan, client, models, meter, patience)


def environment(hub: LoopbackHub, tmp_path: Path) -> dict[str, str]:
    changes = {"HF_ENDPOINT": hub.endpoint, "GENTORRENT_DATA": str(tmp_path / "data"), "HF_HUB_OFFLINE": "0"}
    return {**os.environ, **changes, "HF_HOME": str(tmp_path / "hf"), "PYTHONPATH": str(ROOT)}


def run(hub, tmp_path, *arguments, **options):
    return subprocess.run(
        [*PROGRAM, *arguments],
        env=environment(hub, tmp_path),
        capture_output=True,
        text=True,
        timeout=180,
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        check=False,
        **options,
    )


# ------------------------------------------------------------------------------------------------- what should happen


async def test_one_variant_with_its_pins(hub, models):
    told: list[Progress] = []
    model = await get(hub, models, told)
    source = hub.repositories[REPOSITORY].folder
    assert model.digest == read_model_folder("x", source, variant="q4").digest
    assert {one.name for one in model.path.rglob("*.onnx*")} == {"model_q4.onnx"}
    pin = models.pins.get("Llama-3.2-1B-Instruct")
    assert pin is not None
    assert (pin.origin, pin.repository, pin.commit, pin.licence) == ("hub", REPOSITORY, COMMIT, "apache-2.0")
    for name, file in pin.files.items():
        assert file.sha256 == sha256(source / name)
        assert file.size == (source / name).stat().st_size
    assert (told[-1].stage, told[-1].done) == ("done", told[-1].total)
    assert next(one.stage for one in told) == "checking"
    assert not any(path.name.endswith(".part") for path in models.path.rglob("*"))
    assert models.catalogue().open("Llama-3.2-1B-Instruct:q4").digest == model.digest


async def test_a_second_variant_joins_the_first(hub, models):
    first = await get(hub, models)
    hub.requests.clear()
    second = await get(hub, models, variant="fp16")
    assert {one.name for one in second.path.rglob("*.onnx*")} == {
        "model_q4.onnx",
        "model_fp16.onnx",
        "model_fp16.onnx_data",
    }
    assert hub.asked("tokenizer.json") == []  # it is here already
    assert models.catalogue().open("Llama-3.2-1B-Instruct:q4").digest == first.digest
    pin = models.pins.get("Llama-3.2-1B-Instruct")
    assert pin is not None
    assert {"onnx/model_q4.onnx", "onnx/model_fp16.onnx_data"} <= set(pin.files)


@pytest.mark.parametrize(("gpu", "variant"), [(0, "q4"), (10**10, "fp16")])
async def test_the_variant_that_suits_the_machine(hub, models, gpu, variant):
    machine = Machine(10**10, 10**10, 1e10, "card" if gpu else "", gpu, 1e11)
    assert (await get(hub, models, variant="", machine=machine)).variant == variant


async def test_the_catalogues_licence_where_the_hub_has_none(hub, models):
    hub.repositories[REPOSITORY].licence = ""
    plan = await prepare(order(licence="llama3.2"), Hub(hub.endpoint), models)
    assert plan.licence == "llama3.2"


async def test_what_is_here_is_not_fetched_again(hub, models):
    await get(hub, models)
    hub.requests.clear()
    await get(hub, models)
    assert not [path for path, _, _ in hub.requests if path.startswith("/cdn/")]


async def test_weights_that_only_the_graph_names(hub, models, tmp_path):
    folder = tmp_path / "other"
    shutil.copytree(MODELS / "qwen2-concat", folder)
    graph = onnx.load(folder / "onnx" / "model.onnx")
    onnx.save(
        graph, folder / "onnx" / "model.onnx", save_as_external_data=True, location="weights.data", size_threshold=256
    )
    hub.repositories["a/b"] = HubRepository(folder)
    model = await get(hub, models, repository="a/b", variant="")
    assert (model.path / "onnx" / "weights.data").is_file()


# ------------------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize("fault", ["cut", "stall", "503"])
async def test_a_broken_connection_is_taken_up_where_it_broke(hub, models, fault):
    hub.faults[GRAPH] = [fault, fault]
    told: list[Progress] = []
    model = await get(hub, models, told)
    assert model.variant == "q4"
    spans = hub.asked(GRAPH)
    assert len(spans) == 3
    if fault != "503":
        assert spans[0] == ""
        begins = [int(span.removeprefix("bytes=").removesuffix("-")) for span in spans[1:]]
        assert 0 < begins[0] < begins[1]
    assert any("next attempt" in one.note for progress in told for one in progress.files)


async def test_a_hub_that_gives_little_at_a_time_is_given_up_in_the_end(hub, models, monkeypatch):
    monkeypatch.setattr("engine.library.fetching.MAX_ATTEMPTS", 4)
    hub.faults[GRAPH] = ["cut"] * 9
    with pytest.raises(HubError, match="can go on from there"):
        await get(hub, models)
    assert len(hub.asked(GRAPH)) == 4


@pytest.mark.parametrize("fault", ["no-range", "other-range", "416"])
async def test_a_hub_that_cannot_go_on_begins_anew(hub, models, fault):
    hub.faults[GRAPH] = ["cut", fault]
    assert (await get(hub, models)).variant == "q4"


async def test_given_up_after_some_attempts_and_gone_on_with_later(hub, models):
    hub.faults[GRAPH] = ["cut"] + ["503"] * 10
    with pytest.raises(HubError, match=r"model_q4\.onnx .* can go on from there"):
        await get(hub, models)
    assert not models.place("Llama-3.2-1B-Instruct").exists()
    hub.faults.clear()
    hub.requests.clear()
    await get(hub, models)
    (span,) = hub.asked(GRAPH)
    assert span.startswith("bytes=")


async def test_wrong_bytes_are_fetched_again_once(hub, models):
    hub.faults[GRAPH] = ["wrong"]
    hub.faults["config.json"] = ["wrong"]  # a small file, known by git's hash alone
    told: list[Progress] = []
    model = await get(hub, models, told)
    assert model.digest == read_model_folder("x", hub.repositories[REPOSITORY].folder, variant="q4").digest
    assert len(hub.asked(GRAPH)) == 2
    assert len(hub.asked("/config.json")) == 2
    assert any("wrong content" in one.note for progress in told for one in progress.files)


@pytest.mark.parametrize("name", [GRAPH, "config.json"])
async def test_wrong_bytes_twice_name_file_expected_and_found(hub, models, name):
    hub.faults[name] = ["wrong", "wrong"]
    with pytest.raises(ContentError) as caught:
        await get(hub, models)
    said = str(caught.value)
    assert name in said
    path = hub.repositories[REPOSITORY].folder / name
    assert sha256(path) in said or "expected" in said
    assert "found" in said
    assert not models.place("Llama-3.2-1B-Instruct").exists()
    hub.faults.clear()
    await get(hub, models)


async def test_more_bytes_than_announced_are_not_kept(hub, models):
    hub.faults[GRAPH] = ["long"]
    model = await get(hub, models)
    source = hub.repositories[REPOSITORY].folder
    assert (model.path / GRAPH).stat().st_size == (source / GRAPH).stat().st_size


@pytest.mark.parametrize(
    ("fault", "said"),
    [("403", "not open to everybody"), ("404", "status 404"), ("http", "not encrypted"), ("gzip", "compressed")],
)
async def test_refusals_are_final_and_explained(hub, models, fault, said):
    hub.faults[GRAPH] = [fault] * 9
    with pytest.raises(HubError, match=said):
        await get(hub, models)
    assert len(hub.asked(GRAPH)) == 1


async def test_redirects_without_end(hub, models):
    hub.redirect_to = f"/{REPOSITORY}/resolve/{COMMIT}/config.json"
    with pytest.raises(HubError, match="more than 5 times"):
        await get(hub, models)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (401, "RepoNotFound", "HF_TOKEN"),
        (403, "GatedRepo", "Accept its terms"),
        (404, "RepoNotFound", "no repository"),
        (429, "", "too often"),
        (500, "", "status 500"),
    ],
)
async def test_a_repository_that_is_not_open(hub, models, status, code, said):
    hub.repositories[REPOSITORY].status = status
    hub.repositories[REPOSITORY].error_code = code
    with pytest.raises(HubError, match=said):
        await get(hub, models)


async def test_a_hub_that_is_not_there(hub, models):
    hub.endpoint = "http://127.0.0.1:9"
    with pytest.raises(HubError, match="cannot be reached"):
        await get(hub, models)
    assert not models.path.exists()


@pytest.mark.parametrize(
    ("kind", "said"),
    [("endless", "longer than"), ("slow", "does not end"), ("compressed", "compressed"), ("page", "not understood")],
)
async def test_an_answer_about_a_repository_has_an_end(hub, models, kind, said, monkeypatch):
    """Whatever a hub sends, in memory there is never more than one answer's worth, and the wait ends."""
    monkeypatch.setattr("engine.library.hub.MAX_REPLY", 1 << 20)
    hub.answers = kind
    with pytest.raises(HubError, match=said):
        await prepare(order(), Hub(hub.endpoint, timeout=1.0 if kind == "slow" else 20.0), models)


def test_a_hub_that_sends_the_head_of_its_answer_byte_by_byte_keeps_no_program(tmp_path):
    """The thread that waits for it ends with the program, and not the program with the thread."""
    script = (
        "import asyncio, sys\nfrom engine.library.hub import Hub\nfrom engine.errors import HubError\n"
        "try:\n    asyncio.run(Hub(sys.argv[1], timeout=1.0).search('x'))\nexcept HubError as e:\n    print(e)\n"
    )
    stop = threading.Event()

    def serve(listener: socket.socket) -> None:
        with listener.accept()[0] as connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not stop.wait(0.1):
                connection.sendall(b"a")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            done = subprocess.run(
                [sys.executable, "-c", script, f"http://127.0.0.1:{listener.getsockname()[1]}"],
                env={**os.environ, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                timeout=180,
                check=False,
            )
        finally:
            stop.set()
            thread.join(60)
    assert "cannot be reached (no answer within" in done.stdout, done.stderr
    assert done.returncode == 0


async def test_no_such_revision(hub, models):
    with pytest.raises(HubError, match="no such revision"):
        await get(hub, models, revision="v9")


async def test_the_token_is_for_the_hub_alone(hub, models):
    with loopback_hub() as store:
        store.repositories = hub.repositories
        hub.store = store.endpoint
        await get(hub, models, token="hf_secret")
    assert {token for _, _, token in hub.requests} == {"Bearer hf_secret"}
    assert store.requests
    assert {token for _, _, token in store.requests} == {""}


async def test_hostile_names_in_the_list(hub, models):
    listed = [
        {"rfilename": "onnx/model_q4.onnx_data/../../../evil.json", "size": 3},
        {"rfilename": "../../evil.json", "size": 3},
        {"rfilename": "/etc/evil.json", "size": 3},
        {"rfilename": "onnx\\..\\evil.json", "size": 3},
    ]
    hub.repositories[REPOSITORY].listed = listed
    with pytest.raises(ContentError, match="leads out"):
        await get(hub, models)
    hub.repositories[REPOSITORY].listed = listed[1:]  # these belong to no variant, whatever they are called
    await get(hub, models)
    assert not list(models.path.parents[2].rglob("*evil*"))


async def test_a_model_that_the_engine_cannot_read_is_not_installed(hub, models):
    hub.repositories[REPOSITORY].hidden = frozenset({"tokenizer.json"})
    with pytest.raises(ModelFolderError, match=r"tokenizer\.json"):
        await get(hub, models)
    assert not models.place("Llama-3.2-1B-Instruct").exists()
    assert models.pins.all() == {}


# ---------------------------------------------------------------------------------------------------------- pins


async def test_a_file_that_changed_on_the_hub_is_refused_until_repin(hub, models):
    await get(hub, models)
    path = hub.repositories[REPOSITORY].folder / "generation_config.json"
    path.write_text(path.read_text() + "\n")
    with pytest.raises(ContentError, match=r"generation_config\.json was [0-9a-f]{16}…, is [0-9a-f]{16}…"):
        await get(hub, models)
    model = await get(hub, models, repin=True)
    pin = models.pins.get("Llama-3.2-1B-Instruct")
    assert pin is not None
    assert pin.files["generation_config.json"].sha256 == sha256(path)
    assert (model.path / "generation_config.json").read_bytes() == path.read_bytes()


async def test_a_pin_counts_where_a_hub_gives_no_hashes(hub, models):
    hub.repositories[REPOSITORY].hashes = False
    await get(hub, models)
    path = hub.repositories[REPOSITORY].folder / "tokenizer_config.json"
    was = sha256(models.place("Llama-3.2-1B-Instruct") / "tokenizer_config.json")
    path.write_bytes(path.read_bytes().replace(b"{", b" ", 1).replace(b" ", b"{", 1)[:-1] + b" ")
    (models.place("Llama-3.2-1B-Instruct") / "tokenizer_config.json").unlink()
    with pytest.raises(ContentError, match=f"earlier download was: expected {was}, found {sha256(path)}"):
        await get(hub, models)


async def test_what_was_damaged_on_the_disk_is_fetched_again(hub, models):
    await get(hub, models)
    place = models.place("Llama-3.2-1B-Instruct")
    (place / GRAPH).write_bytes(b"damaged on the disk")
    hub.requests.clear()
    model = await get(hub, models)
    assert sha256(model.path / GRAPH) == sha256(hub.repositories[REPOSITORY].folder / GRAPH)
    assert len(hub.asked(GRAPH)) == 1


async def test_another_model_of_the_same_name(hub, models, tmp_path):
    await get(hub, models)
    hub.repositories["other/Llama-3.2-1B-Instruct"] = hub.repositories[REPOSITORY]
    with pytest.raises(HubError, match="--as"):
        await get(hub, models, repository="other/Llama-3.2-1B-Instruct")
    other = await get(hub, models, repository="other/Llama-3.2-1B-Instruct", name="second")
    assert other.path.name == "second"


# ------------------------------------------------------------------------------------ cancelled, killed, disk full


async def test_cancelled_it_goes_on_later(hub, models):
    hub.pace = 0.02
    async with asyncio.TaskGroup() as group:
        task = group.create_task(get(hub, models))
        await until(lambda: any(one.stat().st_size > 20_000 for one in models.path.rglob("*.onnx.*part")))
        task.cancel()
    assert task.cancelled()
    assert not models.place("Llama-3.2-1B-Instruct").exists()
    hub.pace = 0
    hub.requests.clear()
    await get(hub, models)
    (span,) = hub.asked(GRAPH)
    assert span.startswith("bytes=")


async def test_what_is_cancelled_while_it_is_installed_holds_its_lock_until_that_is_over(hub, models, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()
    install = models.install

    def slowly(*arguments):
        begun.set()
        assert go_on.wait(120)
        install(*arguments)

    monkeypatch.setattr(models, "install", slowly)
    name = "Llama-3.2-1B-Instruct"
    async with asyncio.TaskGroup() as group:
        task = group.create_task(get(hub, models))
        await until(begun.is_set)
        task.cancel()
        await asyncio.sleep(0.1)
        with pytest.raises(ModelBusyError):
            remove(models, name)
        go_on.set()
    assert task.cancelled()
    assert read_model_folder(name, models.place(name)).digest
    assert remove(models, name) > 0
    assert not models.place(name).exists()


async def test_two_at_once(hub, models):
    hub.pace = 0.02
    async with asyncio.TaskGroup() as group:
        task = group.create_task(get(hub, models))
        await until(lambda: bool(list(models.path.rglob("*.part"))))
        with pytest.raises(ModelBusyError):
            await get(hub, ModelsFolder(models.path))
        hub.pace = 0
    assert task.result().variant == "q4"


def test_killed_it_goes_on_later(hub, models, tmp_path):
    hub.pace = 0.02
    process = subprocess.Popen(
        [*PROGRAM, "download", "Llama-3.2-1B-Instruct:q4", "--yes"],
        env=environment(hub, tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
    )
    try:
        end = time.monotonic() + 120
        while not any(one.stat().st_size > 20_000 for one in models.path.rglob("*.onnx.*part")):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait(120)
    hub.pace = 0
    hub.requests.clear()
    done = run(hub, tmp_path, "download", "Llama-3.2-1B-Instruct:q4", "--yes")
    assert done.returncode == 0, done.stderr
    (span,) = hub.asked(GRAPH)
    assert span.startswith("bytes=")
    assert run(hub, tmp_path, "verify").returncode == 0


def test_disk_full_while_downloading(hub, models, tmp_path):
    """A limit for the size of files stands for the disk: the write itself fails, as on a full one."""

    resource = pytest.importorskip("resource", reason="no limits of this kind on Windows")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    full = run(hub, tmp_path, "download", "Llama-3.2-1B-Instruct:q4", "--yes", preexec_fn=limit)
    assert full.returncode == 1
    assert "disk is full" in full.stderr
    assert "Traceback" not in full.stderr
    assert not models.place("Llama-3.2-1B-Instruct").exists()
    hub.requests.clear()
    assert run(hub, tmp_path, "download", "Llama-3.2-1B-Instruct:q4", "--yes").returncode == 0
    assert hub.asked(GRAPH) == ["bytes=100000-"]


async def test_no_room_is_said_before_anything_is_fetched(hub, models, monkeypatch):
    monkeypatch.setattr("engine.library.disk_use.RESERVE", 1 << 60)
    with pytest.raises(StorageError, match="Free"):
        await get(hub, models)
    assert not [path for path, _, _ in hub.requests if path.startswith("/cdn/")]


# ------------------------------------------------------------------------------------------------- the command line


def test_the_licence_is_accepted_by_somebody(hub, tmp_path):
    refused = run(hub, tmp_path, "download", "Llama-3.2-1B-Instruct")
    assert refused.returncode == 2
    assert "apache-2.0" in refused.stderr
    assert "--yes" in refused.stderr
    accepted = run(hub, tmp_path, "download", "Llama-3.2-1B-Instruct", "--yes")
    assert accepted.returncode == 0
    again = run(hub, tmp_path, "download", "Llama-3.2-1B-Instruct:fp16")  # accepted already
    assert again.returncode == 0


def test_a_hub_whose_words_reach_the_terminal(hub, tmp_path):
    hub.found = [
        {"id": "a/b\x1b]0;owned\x07", "tags": ["license:mit\x1b[2J"]},
        {"id": "good/one", "tags": ["onnx", "license:mit\x1b[2J"], "downloads": 7},
    ]
    hub.repositories[REPOSITORY].licence = "evil\x1b]0;owned\x07"
    found = run(hub, tmp_path, "search", "--hub", "x")
    assert found.returncode == 0
    assert "good/one" in found.stdout
    told = run(hub, tmp_path, "download", "Llama-3.2-1B-Instruct", "--yes")
    hub.repositories[REPOSITORY].listed = [{"rfilename": "onnx/model_\x1b[2J.onnx", "size": 5}]
    refused = run(hub, tmp_path, "download", f"{REPOSITORY}:no-such", "--as", "x", "--yes")
    assert "model_[2J" in refused.stderr
    assert "\x1b" not in found.stdout + found.stderr + told.stdout + told.stderr + refused.stderr
    assert "evil" in told.stderr


def test_nothing_of_a_token_is_shown(hub, tmp_path):
    hub.faults[GRAPH] = ["403"]
    env = environment(hub, tmp_path) | {"HF_TOKEN": "hf_verysecret"}
    command = [*PROGRAM, "download", "Llama-3.2-1B-Instruct:q4", "--yes"]
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL, cwd=ROOT, check=False
    )
    assert done.returncode == 1
    assert any(token == "Bearer hf_verysecret" for _, _, token in hub.requests)
    assert "verysecret" not in done.stdout + done.stderr
    for path in (tmp_path / "data").rglob("*"):
        assert not path.is_file() or b"verysecret" not in path.read_bytes()


async def until(condition, seconds=60.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
