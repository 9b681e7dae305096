"""What a manifest may name: no path out of its folder, nothing twice, no address of a local network."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigurationError, ManifestError
from engine.library.manifests import check_manifest, is_local, make_manifest, parse_address
from engine.library.names import problem_of
from engine.wire.manifests import ManifestFile
from tests.support.manifests import FILES, LAB, NOW, published

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def refusal(**changes: object) -> str:
    with pytest.raises(ManifestError) as told:
        check_manifest(published(**changes))
    return told.value.args[0].parts[0].code


def with_file(name: str, size: int = 10) -> tuple[ManifestFile, ...]:
    return (*FILES, ManifestFile(name, size, bytes(32)))


def test_a_good_one() -> None:
    assert check_manifest(published()).name == "our-model-1b"


@pytest.mark.parametrize(
    "name",
    [
        "../model.json",
        "onnx/../../model.json",
        "/etc/passwd.json",
        "C:\\model.json",
        "onnx\\model.json",
        "onnx//x.json",
        ".hidden.json",
        "nul.json",
        "modeling_ours.py",
        "run.sh",
        "weights.pkl",
        "x\u202ejson",
        "a/b/c/d/e/f/g.json",
    ],
)
def test_names_of_files(name: str) -> None:
    assert refusal(files=with_file(name)) == "manifest.file"


@given(st.text(max_size=60))
def test_whatever_passes_stays_in_its_folder(name: str) -> None:
    if not name or len(name) > 240:
        return
    try:
        check_manifest(published(files=with_file(name)))
    except ManifestError:
        return
    assert not problem_of(name)
    assert ".." not in name.split("/")
    assert not name.startswith("/")


def test_sizes_and_duplicates() -> None:
    assert refusal(files=with_file("more.json", 1 << 40)) == "manifest.file"
    assert refusal(files=with_file("onnx/more.onnx_data", (1 << 40) + 1)) == "manifest.file"
    assert refusal(files=with_file("config.json")) == "manifest.twice"
    assert refusal(files=with_file("Config.JSON".replace("JSON", "json"))) == "manifest.twice"
    assert refusal(files=(*FILES, ManifestFile("tokenizer.json/x.json", 1, bytes(32)))) == "manifest.twice"
    assert refusal(graph="onnx/other.onnx") == "manifest.graph"
    assert refusal(graph="config.json") == "manifest.graph"


@pytest.mark.parametrize(
    "address",
    [
        "http://models.example.org/x/",
        "https://models.example.org/x",
        "https://user:secret@models.example.org/x/",
        "https://models.example.org/x/?token=1",
        "https://models.example.org/x/#part",
        "https://models.example.org:99999/x/",
        "ftp://models.example.org/x/",
        "file:///etc/",
        "https:///x/",
        "hub:owner/name@main",
        f"hub:../name@{COMMIT}",
        f"hub:owner/a/b@{COMMIT}",
        "https://models.example.org/a b/",
        "https://models.exämple.org/",
    ],
)
def test_addresses_that_nobody_asks(address: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_address(address)
    assert refusal(addresses=(address,)) == "manifest.address"


@pytest.mark.parametrize(
    "page",
    ["file:///etc/passwd", "javascript:alert(1)", "http://x.org/", "https://[x", "https://", "https://x.org/a b"],
)
def test_pages_that_no_browser_is_sent_to(page: str) -> None:
    assert refusal(source=page) == "manifest.address"
    with pytest.raises(ConfigurationError, match="--source"):
        made(source=page)


def test_addresses() -> None:
    hub = parse_address(f"hub:owner/name@{COMMIT}")
    assert (hub.repository, hub.commit) == ("owner/name", COMMIT)
    web = parse_address("https://models.example.org/x/")
    assert web.of("onnx/model a.onnx") == "https://models.example.org/x/onnx/model%20a.onnx"
    assert parse_address("http://127.0.0.1:8000/x/").url == "http://127.0.0.1:8000/x/"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "127.9.9.9",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:192.168.1.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_addresses_of_local_networks(host: str) -> None:
    assert is_local(host)


def test_public_addresses() -> None:
    for host in ("example.org", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"):
        assert not is_local(host)


def made(**changes: object) -> object:
    fields: dict[str, object] = {
        "public_key": LAB.public_key,
        "publisher": "A Small Lab",
        "name": "ours",
        "version": 1,
        "now": NOW,
        "days": 30,
        "digests": (bytes(32), bytes(32)),
        "context_length": 100,
        "graph": "onnx/model.onnx",
        "files": FILES,
        "addresses": ["https://models.example.org/"],
        "licence": "mit",
    }
    return make_manifest(**fields | changes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "Ours"}, "--name"),
        ({"publisher": " "}, "--publisher"),
        ({"licence": ""}, "licence"),
        ({"note": "two\nlines"}, r"--note is one line .* character 4 of what was given, U\+000A, cannot"),
        ({"publisher": "A \u202elab"}, r"character 3 of what was given, U\+202E RIGHT-TO-LEFT OVERRIDE, cannot"),
        ({"publisher": "A\udcff"}, r"--publisher is one line .* character 2 of what was given, U\+DCFF,"),
        ({"publisher": "A" * 101}, "at most 100 characters, and 101 were given"),
        ({"source": "http://x"}, "--source"),
        ({"addresses": ["http://example.org/"]}, "only https"),
        ({"files": FILES * 20}, "at most 64"),
    ],
)
def test_mistakes_of_a_publisher_are_told_before_anything_is_signed(changes: dict[str, object], told: str) -> None:
    made()
    with pytest.raises(ConfigurationError, match=told):
        made(**changes)
