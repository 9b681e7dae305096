"""The control WebSocket: greeting, answers, the switch, slow and broken clients."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import pytest

from engine.api import schema
from engine.api.schema import Chat, ChatDelta, ChatDone, ChatFailed, ChatStage, ChatText, RequestFailed, State, Welcome
from engine.api.service import AnswerDelta
from engine.clock import SystemClock
from engine.errors import NetworkNotReadyError, ServingNodeLostError, StorageError
from engine.inference.text.answer_parts import Content, Reasoning
from tests.support.chats import history_at
from tests.support.local_api import API_TOKEN, CONTROL_TOKEN, PlayedService, RunningApi, serve, until


class Client:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, request: schema.ControlRequest) -> None:
        await self.socket.send_str(schema.encode(request))

    async def next(self) -> schema.Event:
        async with asyncio.timeout(5):
            return schema.event_decoder.decode(await self.socket.receive_str())

    async def find(self, kind: type) -> schema.Event:
        while True:
            event = await self.next()
            if isinstance(event, kind):
                return event

    async def closed(self) -> int | None:
        async with asyncio.timeout(5):
            while (await self.socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        return self.socket.close_code


@contextlib.asynccontextmanager
async def connected(api: RunningApi, http: aiohttp.ClientSession, hello: bool = True) -> AsyncIterator[Client]:
    async with http.ws_connect(f"{api.url}{schema.CONTROL_PATH}", headers=api.control_headers) as socket:
        client = Client(socket)
        if hello:
            await client.send(schema.Hello(version=schema.CONTROL_VERSION, client="test"))
        yield client


@pytest.fixture
async def client(api: RunningApi, http) -> AsyncIterator[Client]:
    async with connected(api, http) as client:
        yield client


def chat(chat_id: str = "one", model: str = "gentorrent-builtin", **more) -> Chat:
    return Chat(id=chat_id, model=model, messages=(ChatText("user", "Hi"),), **more)


async def test_greeting_and_state(client):
    assert isinstance(await client.next(), (Welcome, State))
    state = await client.find(State)
    assert state.network.status == "none"
    assert [model.id for model in state.models] == ["gentorrent-builtin", "someone/Model-7B"]


@pytest.mark.parametrize(
    "first",
    ["x", "{}", '{"type":"get_state"}', '{"type":"hello","version":2}', '{"type":"hello"}', "[" * 9999],
)
async def test_without_a_hello_of_this_version_it_is_closed(api, http, first):
    async with connected(api, http, hello=False) as client:
        await client.socket.send_str(first)
        assert await client.closed() == schema.CLOSE_REFUSED


async def test_silence_is_closed(api, http, monkeypatch):
    monkeypatch.setattr("engine.api.control.HELLO_SECONDS", 0.1)
    async with connected(api, http, hello=False) as client:
        assert await client.closed() == schema.CLOSE_REFUSED


async def test_an_answer(client, api):
    await client.send(chat(conversation="c1", max_tokens=9))
    stage = await client.find(ChatStage)
    assert (stage.id, stage.stage, stage.place) == ("one", "queued", 1)
    text = ""
    while not isinstance(event := await client.next(), ChatDone):
        if isinstance(event, ChatDelta):
            text += event.text
    assert text == "Hello world"
    assert event.badge == "signed"
    assert event.paths == (("g1", "m1", "p1"), ("g2", "m2", "p2"))
    assert event.receipt == '{"format":"gentorrent-receipt"}'
    asked = api.service.requests[0]
    assert (asked.conversation, asked.max_tokens) == ("c1", 9)
    assert event.seed == asked.sampling.seed


async def test_reasoning_is_told_apart(client, api):
    api.service.script = [
        AnswerDelta((1,), "<think>Why", (Reasoning("Why"),)),
        AnswerDelta((2,), "?</think>", (Reasoning("?"),)),
        AnswerDelta((3,), "So.", (Content("So."),)),
    ]
    await client.send(chat())
    stages, thought, said = [], "", ""
    while not isinstance(event := await client.next(), ChatDone):
        if isinstance(event, ChatStage):
            stages.append(event.stage)
        elif isinstance(event, ChatDelta):
            thought, said = thought + event.reasoning, said + event.text
    assert (stages, thought, said) == (["queued", "thinking"], "Why?", "So.")


async def test_failure_in_mid_answer(client, api):
    api.service.failure = ServingNodeLostError("The node went away. Ask again.")
    await client.send(chat())
    failed = await client.find(ChatFailed)
    assert (failed.id, failed.code, failed.text) == ("one", "serving_node_lost", "The node went away. Ask again.")


async def test_mistake_of_ours(client, api, caplog):
    api.service.crash = RuntimeError("secret detail")
    await client.send(chat())
    failed = await client.find(ChatFailed)
    assert failed.code == "internal_error"
    assert "secret" not in failed.text
    await client.send(schema.GetState())
    await client.find(State)


async def test_unknown_model(client):
    await client.send(chat(model="absent"))
    assert (await client.find(ChatFailed)).code == "model_not_found"


async def test_contradicting_limits(client):
    await client.send(chat(min_tokens=5, max_tokens=2))
    assert (await client.find(ChatFailed)).code == "invalid_request"


async def test_stopping_an_answer_leaves_the_others(client, api):
    api.service.endless = True
    api.service.pause = 0.02
    await client.send(chat("one"))
    await client.send(chat("two"))
    await until(lambda: api.service.running == 2)
    await client.send(schema.StopChat(id="one"))
    failed = await client.find(ChatFailed)
    assert (failed.id, failed.code) == ("one", "cancelled")
    assert api.service.running == 1
    while (await client.find(ChatDelta)).id != "two":
        pass
    await client.send(schema.StopChat(id="absent"))
    await client.send(chat("one"))
    await until(lambda: api.service.running == 2)


async def test_an_id_in_use_is_refused(client, api):
    api.service.endless = True
    api.service.pause = 0.02
    await client.send(chat("one"))
    await client.send(chat("one"))
    refused = await client.find(RequestFailed)
    assert refused.request == "chat"
    assert api.service.running == 1


async def test_too_many_answers_at_a_time(client, api, monkeypatch):
    monkeypatch.setattr("engine.api.control.MAX_CHATS", 1)
    api.service.endless = True
    api.service.pause = 0.02
    await client.send(chat("one"))
    await client.send(chat("two"))
    assert (await client.find(ChatFailed)).code == "overloaded"


async def test_leaving_stops_the_answers(api, http):
    api.service.endless = True
    api.service.pause = 0.02
    async with connected(api, http) as client:
        await client.send(chat())
        await until(lambda: api.service.running == 1)
    await until(lambda: api.service.running == 0)
    assert api.service.cancelled == 1


async def test_the_switch(client, api):
    await client.find(State)
    await client.send(schema.SetContributing(on=True))
    while not (await client.find(State)).contributing.on:
        pass
    assert api.service.contributing
    api.service.refuse_contributing = True
    await client.send(schema.SetContributing(on=False))
    refused = await client.find(RequestFailed)
    assert (refused.request, refused.code) == ("set_contributing", "network_not_ready")
    assert api.service.contributing


async def test_every_client_hears_of_a_change(api, http):
    async with connected(api, http) as one, connected(api, http) as other:
        await one.find(State)
        await other.find(State)
        await one.send(schema.SetContributing(on=True))
        while not (await other.find(State)).contributing.on:
            pass


async def test_a_network_is_joined_and_left_or_the_reason_said(client, api):
    await client.send(schema.JoinNetwork(text="https://host#id", ref="one"))
    assert await client.find(schema.NetworkKept) == schema.NetworkKept(ref="one", address="https://host#id")
    await client.send(schema.JoinNetwork(text="hello", ref="two"))
    refused = await client.find(RequestFailed)
    assert (refused.request, refused.ref) == ("join_network", "two")
    assert api.service.joined == "https://host#id"
    await client.send(schema.LeaveNetwork(ref="three"))
    assert await client.find(schema.NetworkKept) == schema.NetworkKept(ref="three", address="")
    assert api.service.joined == ""


async def test_shutdown(client, api):
    await client.find(State)
    await client.send(schema.Shutdown())
    assert await client.closed() == schema.CLOSE_STOPPING
    assert api.service.stopped


async def test_a_client_that_leaves_stops_no_engine_that_another_of_its_kind_uses(api, http):
    async with connected(api, http) as first, connected(api, http) as second, connected(api, http, hello=False):
        hello = schema.Hello(version=schema.CONTROL_VERSION, client="command line")
        async with connected(api, http, hello=False) as other:
            await other.send(hello)
            for client in (first, second, other):
                await client.find(State)
            await first.send(schema.Shutdown(unless_another=True, ref="leave"))
            told = await first.find(schema.Accepted)
            assert (told.request, told.ref) == ("shutdown", "leave")
            assert not api.service.stopped
            await second.send(schema.Shutdown(unless_another=True))  # the first one has not closed yet
            assert await second.closed() == schema.CLOSE_STOPPING
            assert api.service.stopped


async def test_the_server_says_when_it_stops(api, http):
    from engine.api.server import ApiServer
    from engine.clock import SystemClock
    from tests.support.local_api import API_TOKEN, CONTROL_TOKEN

    server = ApiServer(api.service, api_token=API_TOKEN, control_token=CONTROL_TOKEN, port=0, clock=SystemClock())
    second = RunningApi(api.service, server, server.bind())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.run())
        async with connected(second, http) as client:
            await client.find(State)
            task.cancel()
            assert await client.closed() == schema.CLOSE_STOPPING


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"type":"nothing"}',
        '{"type":"chat"}',
        '{"type":"stop_chat","id":7}',
        "[" * 9999,
        '{"type":"chat","id":""}',
    ],
)
async def test_nonsense_is_answered_and_survived(client, text):
    await client.socket.send_str(text)
    refused = await client.find(RequestFailed)
    assert refused.code == "invalid_request"
    await client.send(schema.GetState())
    await client.find(State)


async def test_binary_messages_close(client):
    await client.socket.send_bytes(b"x")
    assert await client.closed() == aiohttp.WSCloseCode.UNSUPPORTED_DATA


async def test_a_message_that_is_too_long_is_refused_with_words(client):
    await client.socket.send_str("x" * 10_000_000)
    refused = await client.find(RequestFailed)
    assert refused.code == "message_too_large"
    assert "pieces" in refused.text
    await client.send(chat())
    await client.find(ChatDone)


async def test_a_message_that_is_far_too_long_closes(client):
    with contextlib.suppress(ConnectionError):
        await client.socket.send_str("x" * 17_000_000)
    assert await client.closed() in (aiohttp.WSCloseCode.MESSAGE_TOO_BIG, aiohttp.WSCloseCode.ABNORMAL_CLOSURE, None)


async def test_without_kept_chats_requests_about_them_are_refused(client):
    await client.send(schema.ListChats(ref="r"))
    refused = await client.find(RequestFailed)
    assert (refused.code, refused.ref) == ("not_served", "r")


async def test_a_client_that_does_not_read_is_cut(api, http, monkeypatch):
    monkeypatch.setattr("engine.api.outbox.MAX_TEXT", 200_000)
    api.service.endless = True
    api.service.words = ["x" * 50_000]
    async with connected(api, http) as client:
        assert client.socket._reader is not None
        client.socket._conn.transport.pause_reading()
        await client.send(chat())
        await until(lambda: api.service.requests)
        await until(lambda: api.service.running == 0, 10)
        assert api.service.cancelled == 1
        client.socket._conn.transport.resume_reading()
        assert await client.closed() == schema.CLOSE_TOO_SLOW


async def test_more_programs_than_allowed(api, http, monkeypatch):
    monkeypatch.setattr("engine.api.control.MAX_CLIENTS", 1)
    async with connected(api, http) as client:
        await client.find(State)
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with connected(api, http):
                pass
        assert caught.value.status == 429


async def test_plain_http_is_told_what_is_expected(api, http):
    async with http.get(f"{api.url}{schema.CONTROL_PATH}", headers=api.control_headers) as response:
        assert response.status == 400
        assert (await response.json())["error"]["code"] == "websocket_expected"


def masked(text: str) -> bytes:
    """A text frame as clients send it."""
    data = text.encode()
    length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    return b"\x81" + length + bytes(4) + data


async def test_clients_that_have_stopped_reading_do_not_hold_up_a_stop():
    chat = Chat(id="1", model="gentorrent-builtin", messages=(ChatText("user", "Hi"),))
    body = b'{"model": "gentorrent-builtin", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}'
    service = PlayedService(words=["x" * 4000], endless=True, pause=0.0005)
    begun = 0.0
    writers = []
    async for api in serve(service):
        upgrade = (
            f"GET {schema.CONTROL_PATH} HTTP/1.1\r\nHost: 127.0.0.1:{api.port}\r\n"
            f"Authorization: Bearer {CONTROL_TOKEN}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        ask = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{api.port}\r\n"
            f"Authorization: Bearer {API_TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        hello = schema.Hello(version=schema.CONTROL_VERSION)
        control = upgrade.encode() + masked(schema.encode(hello)) + masked(schema.encode(chat))
        for request in (control, control, ask.encode() + body):
            _, writer = await asyncio.open_connection("127.0.0.1", api.port)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(request)
            writers.append(writer)
        await until(lambda: service.running == 3)
        await asyncio.sleep(1.5)  # until no more fits into the connections
        begun = SystemClock().monotonic()
    assert SystemClock().monotonic() - begun < 2.0
    for writer in writers:
        writer.transport.abort()


async def test_who_does_not_read_in_time_is_cut_and_kept_answers_go_on(tmp_path, http, monkeypatch):
    monkeypatch.setattr("engine.api.outbox.MAX_TEXT", 10)
    service = PlayedService(words=["a long piece of text"], endless=True, pause=0.001)
    async with history_at(tmp_path / "chats.db", service) as history:
        async for api in serve(service, chats=history):
            async with connected(api, http) as slow:
                await slow.send(schema.CreateChat(chat="c"))
                await slow.send(schema.OpenChat(chat="c"))
                await slow.send(schema.SendMessage(chat="c", text="Hi"))
                assert await slow.closed() == schema.CLOSE_TOO_SLOW
            await until(lambda: not history._sessions)
            assert service.running == 1
            await history.stop(history.live("c"))
            async with connected(api, http) as other:
                await other.send(schema.ListChats())
                assert (await other.find(schema.ChatList)).chats[0].answering == ""


async def test_what_cannot_be_read_is_refused_by_its_ref(client):
    too_hot = (
        '{"type": "save_preset", "ref": "r7", "preset": {"preset": "p", "name": "P", "sampling": {"temperature": 99}}}'
    )
    await client.socket.send_str(too_hot)
    refused = await client.find(RequestFailed)
    assert (refused.request, refused.ref, refused.code) == ("save_preset", "r7", "invalid_request")
    assert refused.text == "preset.sampling.temperature cannot be 99: it has to be a number from 0 to 10."
    assert refused.words["text"][0].code == "value.refused"
    await client.socket.send_str('{"type": 5, "ref": []}')
    assert (await client.find(RequestFailed)).ref == ""


class BrokenService:
    """Has a fault, or what ``error`` says."""

    error: Exception = RuntimeError("secret detail")

    def attach(self, tell: object) -> None:
        pass

    def detach(self, tell: object) -> None:
        pass

    async def handle(self, request: object, tell: object = None) -> schema.ControlEvent:
        raise self.error


class BrokenAtOnce(BrokenService):
    def handle(self, request: object, tell: object) -> schema.ControlEvent:  # type: ignore[override]
        raise self.error


@pytest.mark.parametrize(
    "request_",
    [schema.GetHosting(ref="r"), schema.GetCatalogue(ref="r"), schema.GetContribution(ref="r")],
    ids=lambda one: type(one).__name__,
)
async def test_a_fault_is_answered_and_logged_and_ends_no_connection(request_, http, caplog):
    service, broken = PlayedService(), BrokenService()
    async for api in serve(service, network=broken, library=broken, contribution=BrokenAtOnce()):
        async with connected(api, http) as client:
            await client.send(request_)
            failed = await client.find(RequestFailed)
            tag = type(request_).__struct_config__.tag
            assert (failed.request, failed.ref, failed.code) == (tag, "r", "internal_error")
            assert failed.text == "The engine made a mistake with this; its log says which."
            assert failed.words["text"][0].code == "chat.request_mistake"
            assert "secret detail" in caplog.text
            await client.send(schema.GetState())
            await client.find(State)


async def test_services_say_why_they_refuse(http, monkeypatch):
    service, broken = PlayedService(), BrokenService()
    async for api in serve(service, network=broken, library=broken):
        async with connected(api, http) as client:
            for error, code, text in (
                (NetworkNotReadyError("Not yet."), "network_not_ready", "Not yet."),
                (StorageError("Full."), "storage_failed", "Full."),
                (ConnectionResetError("cut"), "storage_failed", "cut"),
            ):
                monkeypatch.setattr(broken, "error", error)
                await client.send(schema.GetHosting(ref="r"))
                failed = await client.find(RequestFailed)
                assert (failed.code, failed.text) == (code, text)


@pytest.mark.parametrize(
    "request_", [schema.GetState(), schema.GetDiagnostics(ref="r"), schema.WatchTopology(ref="r", on=False)]
)
async def test_a_fault_of_the_engine_itself_is_answered(api, http, monkeypatch, request_):
    def fail(*_: object) -> None:
        raise KeyError("secret detail")

    for name in ("diagnostics", "topology"):
        monkeypatch.setattr(api.service, name, fail, raising=False)
    async with connected(api, http) as client:
        await client.find(State)
        monkeypatch.setattr(api.service, "state", fail)
        await client.send(request_)
        failed = await client.find(RequestFailed)
        assert (failed.request, failed.code) == (type(request_).__struct_config__.tag, "internal_error")
        await client.send(chat())
        await client.find(ChatDone)


async def test_a_connection_that_fails_unexpectedly_says_so(http, monkeypatch, caplog):
    service = PlayedService()

    async def fail():
        if not service.stopped:
            raise KeyError("secret detail")
        yield service.state()

    monkeypatch.setattr(service, "changes", fail)
    async for api in serve(service):
        async with connected(api, http) as client:
            assert await client.closed() == aiohttp.WSCloseCode.INTERNAL_ERROR
            assert "secret detail" in caplog.text


async def test_the_picture_of_links_is_told_to_who_asks_for_it(api: RunningApi, client: Client):
    api.service.picture = schema.Topology(links=(schema.OwnLink(peer="a", holder="client", relayed=True),))
    await client.send(schema.WatchTopology(on=False, ref="9"))
    told = await client.find(schema.Topology)
    assert told == schema.Topology(links=api.service.picture.links, ref="9")
