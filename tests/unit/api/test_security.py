"""Hostile requests: web pages, foreign names, wrong tokens, bodies that are too long, broken or too slow."""

from __future__ import annotations

import asyncio
import io
import json
import socket

import aiohttp
import pytest

from tests.support.local_api import API_TOKEN, CONTROL_TOKEN, RunningApi, until

QUESTION = {"model": "gentorrent-builtin", "messages": [{"role": "user", "content": "Hi"}]}
PATHS = ["/v1/models", "/v1/chat/completions", "/metrics", "/control/v1", "/v1/embeddings", "/", "/anything"]


async def error_of(response: aiohttp.ClientResponse) -> dict:
    body = await response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    return body["error"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {API_TOKEN}"},
        {"Authorization": f"Bearer {API_TOKEN}x"},
        {"Authorization": "Bearer \udcff\udcfe"},
    ],
    ids=["none", "empty", "wrong", "basic", "longer", "no text"],
)
async def test_without_the_token_nothing_is_served(api: RunningApi, http, path, headers):
    if "\udcff" in headers.get("Authorization", ""):
        reply = await raw(
            api, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{api.port}\r\n", b"Authorization: Bearer \xff\xfe"
        )
        assert b" 401 " in reply.split(b"\r\n")[0]
        return
    for method in ("GET", "POST"):
        async with http.request(method, f"{api.url}{path}", headers=headers) as response:
            assert response.status == 401
            assert (await error_of(response))["code"] == "invalid_api_key"
    assert api.service.requests == []


async def raw(api: RunningApi, head: str, more: bytes = b"") -> bytes:
    """Send bytes as they are and read until the connection closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(head.encode() + more + b"\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(10):
        reply = await reader.read()
    writer.close()
    return reply


async def test_each_token_opens_its_own_door_only(api: RunningApi, http):
    async with http.get(f"{api.url}/v1/models", headers=api.control_headers) as response:
        assert response.status == 401
    async with http.get(f"{api.url}/control/v1", headers=api.headers) as response:
        assert response.status == 401
    async with http.get(f"{api.url}/v1/models?token={API_TOKEN}&api_key={API_TOKEN}") as response:
        assert response.status == 401
    async with http.get(f"{api.url}/control/v1?token={CONTROL_TOKEN}") as response:
        assert response.status == 401


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", "[::1]", ""],
)
@pytest.mark.parametrize("path", ["/healthz", "/v1/models", "/control/v1"])
async def test_foreign_host_names_are_refused(api: RunningApi, http, host, path):
    headers = {**api.headers, "Host": host.format(port=api.port)}
    async with http.get(f"{api.url}{path}", headers=headers) as response:
        assert response.status in (400, 421)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "[::1]", "127.0.0.1"])
async def test_own_names_are_served(api: RunningApi, http, host):
    async with http.get(f"{api.url}/v1/models", headers={**api.headers, "Host": f"{host}:{api.port}"}) as response:
        assert response.status == 200


async def test_two_host_headers_are_refused(api: RunningApi):
    head = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{api.port}\r\n"
    assert b" 200 " not in (await raw(api, head, b"Host: evil.example")).split(b"\r\n")[0]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000", "http://127.0.0.1:{port}"])
@pytest.mark.parametrize("path", ["/healthz", "/v1/models", "/v1/chat/completions", "/control/v1"])
async def test_web_pages_are_refused_even_with_a_token(api: RunningApi, http, origin, path):
    token = api.control_headers if path.startswith("/control") else api.headers
    headers = {**token, "Origin": origin.format(port=api.port)}
    for method in ("GET", "POST", "OPTIONS"):
        async with http.request(method, f"{api.url}{path}", headers=headers, json=QUESTION) as response:
            assert response.status == 403
            assert not [name for name in response.headers if name.lower().startswith("access-control")]
    assert api.service.requests == []


async def test_requests_that_a_browser_makes_without_origin_are_refused(api: RunningApi, http):
    for site in ("cross-site", "same-site"):
        async with http.get(f"{api.url}/healthz", headers={"Sec-Fetch-Site": site}) as response:
            assert response.status == 403
    async with http.get(f"{api.url}/healthz", headers={"Sec-Fetch-Site": "none"}) as response:
        assert response.status == 200


async def test_an_allowed_page_may_ask_with_the_token(api_with_origin: RunningApi, http):
    api = api_with_origin
    page = {"Origin": "http://localhost:3000"}
    async with http.options(f"{api.url}/v1/models", headers=page) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    async with http.get(f"{api.url}/v1/models", headers=page) as response:
        assert response.status == 401
    async with http.get(f"{api.url}/v1/models", headers={**page, **api.headers}) as response:
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    body = {**QUESTION, "stream": True}
    async with http.post(f"{api.url}/v1/chat/completions", headers={**page, **api.headers}, json=body) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    async with http.get(f"{api.url}/v1/models", headers={"Origin": "http://localhost:3001", **api.headers}) as response:
        assert response.status == 403


async def test_health_needs_no_token_and_tells_nothing(api: RunningApi, http):
    async with http.get(f"{api.url}/healthz") as response:
        assert (response.status, await response.text()) == (200, "ok\n")


async def test_metrics_count_and_name_nobody(api: RunningApi, http):
    async with http.post(f"{api.url}/v1/chat/completions", headers=api.headers, json=QUESTION) as response:
        await response.read()
    async with http.get(f"{api.url}/metrics", headers=api.headers) as response:
        text = await response.text()
    assert 'gentorrent_api_requests_total{status="200"} 1.0' in text
    assert "gentorrent_api_tokens_total 3.0" in text
    assert "Hi" not in text.split()
    assert API_TOKEN not in text


@pytest.mark.parametrize(
    "path",
    ["/v1/embeddings", "/v1/responses", "/v1/audio/speech", "/v1/images/generations", "/v1/files/abc", "/v1/batches",
     "/v1/moderations", "/v1/assistants", "/v1/threads/x/runs", "/v1/fine_tuning/jobs", "/v1/nonsense", "/v1/",
     "/v1/chat/completions/", "/", "/v2/models"],
)  # fmt: skip
async def test_other_paths_are_not_served(api: RunningApi, http, path):
    async with http.post(f"{api.url}{path}", headers=api.headers, json={}) as response:
        assert response.status == 404
        error = await error_of(response)
        assert error["code"] == "not_served"
        assert "POST /v1/chat/completions and POST /v1/completions" in error["message"]


async def test_known_parts_of_openais_api_are_named(api: RunningApi, http):
    async with http.post(f"{api.url}/v1/embeddings", headers=api.headers, json={}) as response:
        assert "Embeddings are not served" in (await error_of(response))["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/models", "GET"),
        ("GET", "/v1/chat/completions", "POST"),
        ("DELETE", "/v1/models/gentorrent-builtin", "GET"),
        ("PUT", "/v1/completions", "POST"),
    ],
)
async def test_other_methods_are_not_served(api: RunningApi, http, method, path, allowed):
    async with http.request(method, f"{api.url}{path}", headers=api.headers) as response:
        assert response.status == 405
        assert allowed in response.headers["Allow"]
        error = await error_of(response)
        assert error["code"] == "method_not_served"
        assert allowed in error["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"model":', b"\xff\xfe", b"[" * 100_000, b"{}" * 5])
async def test_malformed_json(api: RunningApi, http, body):
    async with http.post(f"{api.url}/v1/chat/completions", headers=api.headers, data=body) as response:
        assert response.status == 400
        assert (await error_of(response))["type"] == "invalid_request_error"


async def test_oversized_body(api: RunningApi, http):
    big = json.dumps({**QUESTION, "user": "x" * 1_100_000}).encode()
    async with http.post(f"{api.url}/v1/chat/completions", headers=api.headers, data=io.BytesIO(big)) as response:
        assert response.status == 413
        assert (await error_of(response))["code"] == "body_too_large"
    assert api.service.requests == []


async def test_oversized_body_without_a_length(api: RunningApi, http):
    async def pieces():
        for _ in range(40):
            yield b" " * 50_000

    async with http.post(f"{api.url}/v1/chat/completions", headers=api.headers, data=pieces()) as response:
        assert response.status == 413
    assert api.service.requests == []


async def test_compressed_bodies_are_refused(api: RunningApi, http):
    headers = {**api.headers, "Content-Encoding": "gzip"}
    async with http.post(f"{api.url}/v1/chat/completions", headers=headers, data=b"x") as response:
        assert response.status == 415


async def test_a_body_that_does_not_come_is_given_up(api: RunningApi, monkeypatch):
    monkeypatch.setattr("engine.api.openai.READ_SECONDS", 0.2)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{api.port}\r\nAuthorization: Bearer {API_TOKEN}\r\n"
        "Content-Length: 100"
    )
    reply = await raw(api, head)
    assert b" 408 " in reply.split(b"\r\n")[0]


async def test_a_head_that_does_not_come_is_given_up(monkeypatch, api: RunningApi):
    """The same for a connection that says nothing, with the limit that the server was started with."""
    from engine.api.server import ApiServer
    from engine.clock import SystemClock

    monkeypatch.setattr("engine.api.server.KEEP_ALIVE_SECONDS", 0.3)
    server = ApiServer(api.service, api_token="a" * 20, control_token="b" * 20, port=0, clock=SystemClock())
    port = server.bind()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.run())
        for said in (b"", b"GET /healthz HTTP/1.1\r\nHost: 127."):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()
        task.cancel()


async def test_a_client_that_stops_reading_is_cut(api: RunningApi, monkeypatch):
    monkeypatch.setattr("engine.api.event_stream.WRITE_SECONDS", 0.3)
    api.service.endless = True
    api.service.words = ["x" * 60_000]
    body = json.dumps({**QUESTION, "stream": True}).encode()
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, ("127.0.0.1", api.port))
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{api.port}\r\nAuthorization: Bearer {API_TOKEN}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    await loop.sock_sendall(connection, head.encode() + body)
    await until(lambda: api.service.requests)
    await until(lambda: api.service.running == 0, 10)
    connection.close()


async def test_port_in_use_is_said(api: RunningApi):
    from engine.api.server import ApiServer
    from engine.clock import SystemClock
    from engine.errors import ConfigurationError

    second = ApiServer(api.service, api_token="a", control_token="b", port=api.port, clock=SystemClock())
    with pytest.raises(ConfigurationError, match="--api-port"):
        second.bind()


async def test_a_broken_request_leaves_its_token_out_of_the_log(api, caplog):
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(f"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization Bearer {API_TOKEN}\r\n\r\n".encode())
    assert b" 400" in await reader.readline()
    writer.close()
    assert API_TOKEN not in caplog.text
