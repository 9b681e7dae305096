"""Nothing of a local network is asked because a stranger's manifest says so."""

from __future__ import annotations

import socket

import pytest

from engine.errors import HubError
from engine.library.hub import Hub
from engine.library.manifests import parse_address
from engine.library.sources import FolderSource, HubSource, PublicResolver, local_allowed

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PUBLIC = parse_address("https://models.example.org/ours/")
LOCAL = parse_address("http://127.0.0.1:8000/ours/")


@pytest.mark.parametrize(
    "url",
    [
        "http://models.example.org/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://10.0.0.1/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/x",
        "https://LOCALHOST./x",
        "https://user:secret@example.org/x",
        "file:///etc/passwd",
        "ftp://example.org/x",
        "",
        "https://[",
    ],
)
def test_where_a_redirect_must_not_lead(url: str) -> None:
    source = FolderSource(PUBLIC)
    source.refuse(source.file_url("", "", "config.json"))
    source.refuse("https://cdn.example.net/blob")
    with pytest.raises(HubError):
        source.refuse(url)


def test_local_addresses_are_asked_only_where_the_owner_allows_it() -> None:
    with pytest.raises(HubError, match="GENTORRENT_LOCAL_SOURCES=on"):
        FolderSource(LOCAL).refuse(LOCAL.of("config.json"))
    FolderSource(LOCAL, allow_local=True).refuse(LOCAL.of("config.json"))
    with pytest.raises(HubError):
        FolderSource(LOCAL, allow_local=True).refuse("http://models.example.org/x")
    assert local_allowed({"GENTORRENT_LOCAL_SOURCES": "on"})
    assert not local_allowed({"GENTORRENT_LOCAL_SOURCES": "off"})
    assert not local_allowed({})


def test_the_hubs_redirects() -> None:
    source = HubSource(Hub("https://hub.example.org", "token"), parse_address(f"hub:owner/name@{COMMIT}"))
    url = source.file_url("", "", "onnx/model.onnx")
    assert url == f"https://hub.example.org/owner/name/resolve/{COMMIT}/onnx/model.onnx"
    source.refuse(url)
    source.refuse("https://cdn.example.net/blob")
    with pytest.raises(HubError):
        source.refuse("https://192.168.1.1/blob")
    assert "Authorization" in source.headers(url)
    assert "Authorization" not in source.headers("https://cdn.example.net/blob")
    assert "Authorization" not in FolderSource(PUBLIC).headers(url)


async def test_a_name_for_a_local_address_is_no_name() -> None:
    resolver = PublicResolver()
    for name in ("localhost", "127.1", "2130706433"):
        with pytest.raises(OSError, match=r"local network|not known|Name"):
            await resolver.resolve(name, 80, socket.AF_INET)
    assert await PublicResolver(["LocalHost"]).resolve("localhost", 80, socket.AF_INET)
    await resolver.close()
