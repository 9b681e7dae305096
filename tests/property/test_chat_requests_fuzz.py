"""Requests about chats that no sane client sends: each gets its one reply, and the history goes on."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.api import schema
from tests.support.chats import Client, history_at
from tests.support.local_api import PlayedService

KINDS = [kind for kind in schema.ChatsRequest.__subclasses__() if kind is not schema.DeleteEverything]
NAMES = st.sampled_from(["c", "d", "t", "m", "f", "x", "", "A" * 64, "A" * 65, "../etc", "\x00", "ä"])
TEXTS = st.one_of(NAMES, st.text(max_size=20), st.just("x" * 5000))
NUMBERS = st.one_of(st.integers(-2, 300), st.sampled_from([2**31, 2**53, 2**63, 2**64, -(2**63), 0.5, 1e308]))
PIECES = st.one_of(TEXTS, NUMBERS, st.none(), st.booleans())
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "model": st.one_of(TEXTS, st.just("gentorrent-builtin")),
        "route": st.sampled_from(["auto", "local", "network", "moon"]),
        "local_only": st.booleans(),
        "system": TEXTS,
        "max_tokens": NUMBERS,
        "stop": st.lists(TEXTS, max_size=3),
        "preset": NAMES,
        "sampling": st.dictionaries(st.sampled_from(["seed", "temperature", "top_p", "top_k"]), NUMBERS, max_size=3),
    },
)
STRUCTURED = {
    "settings": SETTINGS,
    "chats": st.lists(NAMES, max_size=4),
    "attachments": st.lists(NAMES, max_size=4),
    "format": st.sampled_from(["markdown", "json", "pdf"]),
    "overflow": st.sampled_from(["refuse", "drop_oldest", "x"]),
    "part": st.sampled_from(["text", "reasoning", "receipt", "attachment", "draft", "x"]),
    "after": st.one_of(NAMES, st.none()),
}
FOLDERS = st.fixed_dictionaries({"folder": NAMES, "name": TEXTS})
PRESETS = st.fixed_dictionaries({"preset": NAMES, "name": TEXTS, "system": TEXTS})


@st.composite
def requests(draw) -> bytes:
    kind = draw(st.sampled_from(KINDS))
    fields = {"type": kind.__struct_config__.tag}
    for name in kind.__struct_fields__:
        if name == "ref" or (not draw(st.booleans()) and name not in ("chat", "text", "query")):
            continue
        structured = STRUCTURED.get(name)
        if kind is schema.SaveFolder and name == "folder":
            structured = FOLDERS
        if kind is schema.SavePreset and name == "preset":
            structured = PRESETS
        fields[name] = draw(structured if structured is not None and draw(st.integers(0, 9)) else PIECES)
    return msgspec.json.encode(fields)


@example([b'{"type":"list_chats","before":9223372036854775808}'])
@given(st.lists(requests(), max_size=12))
@settings(max_examples=40, deadline=None)
def test_every_request_has_its_reply(texts):
    async def play() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with history_at(Path(folder) / "chats.db", PlayedService()) as history:
                client = Client(history)
                for chat in ("c", "d"):
                    await client.opened(chat)
                await client.opened("t", temporary=True)
                await client.ask("c", "Hi", message="m")
                for text in texts:
                    try:
                        request = schema.request_decoder.decode(text)
                    except msgspec.DecodeError:
                        continue
                    reply = await client.do(request)
                    assert reply.ref
                    for event in client.events:
                        assert schema.event_decoder.decode(schema.encode(event)) == event
                listed = await client.do(schema.ListChats())
                assert isinstance(listed, schema.ChatList)
                assert not any("its log says which" in getattr(event, "text", "") for event in client.events)

    asyncio.run(play())
