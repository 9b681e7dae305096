"""The rules for a hub's addresses, and what its replies become."""

import types

import pytest

from engine.errors import ConfigurationError, HubError
from engine.library.hub import Hub, _as_found, _as_repository, checked_endpoint

HUBS = [
    "https://huggingface.co",
    "https://hf-mirror.com/x/",
    "http://127.0.0.1:80",
    "http://[::1]:9",
    "http://localhost:1",
]
NO_HUBS = ["", "huggingface.co", "http://huggingface.co", "http://192.168.1.2", "ftp://x.org", "https://u:p@x.org"]
NO_HUBS += ["https://x.org?q=1", "https://x:y", "file:///etc"]


@pytest.mark.parametrize("text", HUBS)
def test_addresses_of_hubs(text):
    assert checked_endpoint(text) == text.rstrip("/")


@pytest.mark.parametrize("text", NO_HUBS)
def test_no_addresses_of_hubs(text):
    with pytest.raises(ConfigurationError, match="HF_ENDPOINT"):
        checked_endpoint(text)


def allowed(hub, url):
    try:
        hub.refuse(url)
    except HubError:
        return False
    return True


def test_redirects_go_to_https_or_stay():
    hub = Hub("https://huggingface.co")
    assert allowed(hub, "https://huggingface.co/a")
    assert allowed(hub, "https://cdn-lfs.hf.co/x?sig=1")
    no_address = ("//x", "", "https://[", "https://x:y/")
    for url in ("http://cdn-lfs.hf.co/x", "http://huggingface.co/a", "ftp://x.org/", "file:///etc/passwd", *no_address):
        assert not allowed(hub, url), url
    for url in ("https://127.0.0.1/x", "https://localhost/x", "http://127.0.0.1:8765/v1/models", "https://[::1]/"):
        assert not allowed(hub, url), url
    local = Hub("http://127.0.0.1:5000")
    assert allowed(local, "http://127.0.0.1:6000/x")
    assert allowed(local, "https://cdn.example.com/x")
    assert not allowed(local, "http://cdn.example.com/x")


def test_the_token_goes_to_the_hub_alone():
    hub = Hub("https://huggingface.co", token="hf_secret")
    assert hub.headers("https://huggingface.co/a")["Authorization"] == "Bearer hf_secret"
    for url in ("https://cdn.hf.co/a", "https://huggingface.co:444/a", "http://huggingface.co/a"):
        assert "Authorization" not in hub.headers(url)
    assert "hf_secret" not in repr(hub)


def info(**changes):
    made = {
        "id": "a/b",
        "sha": "a" * 40,
        "siblings": [],
        "tags": ["onnx", "license:mit"],
        "downloads": 3,
        "gated": False,
    }
    return types.SimpleNamespace(**(made | changes))


def sibling(name, **more):
    return types.SimpleNamespace(rfilename=name, **({"size": 3, "blob_id": "b" * 40, "lfs": None} | more))


def test_what_a_hub_says():
    large = sibling("m.onnx", lfs={"size": 9, "sha256": "c" * 64})
    found = _as_repository("a/b", "main", info(siblings=[sibling("config.json"), large]))
    assert (found.commit, found.licence) == ("a" * 40, "mit")
    small, weights = found.files
    assert (small.size, small.sha256, small.git_id, small.identity) == (3, "", "b" * 40, "b" * 40)
    assert (weights.size, weights.sha256, weights.git_id, weights.identity) == (9, "c" * 64, "", "c" * 64)


@pytest.mark.parametrize("changes", [{"sha": None}, {"sha": "main"}, {"sha": "z" * 40}, {"siblings": [0] * 20_001}])
def test_replies_that_make_no_sense(changes):
    with pytest.raises(HubError, match="not understood"):
        _as_repository("a/b", "main", info(**changes))


def test_wrong_kinds_of_values_are_unknown_values():
    strange = sibling("x", size="12", blob_id=5, lfs={"size": True, "sha256": "C" * 64})
    (file,) = _as_repository("a/b", "main", info(siblings=[strange], tags=None)).files
    assert (file.size, file.identity) == (-1, "")
    found = _as_found(info(downloads="many", tags=[5, "license:" + "x" * 500]))
    assert found.downloads == 0
    assert len(found.licence) <= 100


async def test_names_that_are_no_repositories_are_never_asked_for():
    hub = Hub("http://127.0.0.1:1")
    for name in ("../x", "a/b/c", "a/b?x", ""):
        with pytest.raises(HubError, match="OWNER/NAME"):
            await hub.repository(name)
    with pytest.raises(HubError, match="revision"):
        await hub.repository("a/b", "../x")
