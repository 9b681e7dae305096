"""A program's view of one request: when the first text came, what it cost, and what went wrong."""

import json
import time
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from engine.bench.forwarding.asking import CODE_OF_CLIENT, Client
from engine.inference.types import PromptMessage

MESSAGES = (PromptMessage("system", "shared"), PromptMessage("user", "question"))


@asynccontextmanager
async def engine(answer):
    """A local API that answers so."""
    asked = []

    async def complete(request):
        asked.append((request.headers["Authorization"], await request.json()))
        return await answer(request)

    application = web.Application()
    application.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession() as session:
            yield Client(session, f"http://127.0.0.1:{port}", "token", "model", {"logit_bias": {"1": 2}}), asked
    finally:
        await runner.cleanup()


async def ask(client):
    begin = time.monotonic()
    return await client.ask(MESSAGES, output=8, conversation="s1", public_messages=1, begin=begin, intended=0.0)


def chunk(delta=None, **more):
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": None}]
    return b"data: " + json.dumps({"choices": choices, **more}).encode() + b"\n\n"


def streamed(*pieces):
    async def answer(request):
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        await response.write_eof()
        return response

    return answer


USAGE = {"prompt_tokens": 30, "completion_tokens": 8, "prompt_tokens_details": {"cached_tokens": 16}}


async def test_a_whole_answer():
    last = chunk({}, gentorrent={"served_by": "node a", "asked": ["node b", "node a"]})
    pieces = (chunk({"role": "assistant", "content": ""}), b": queued\n\n", chunk({"content": "he"}), last)
    async with engine(streamed(*pieces, chunk(usage=USAGE), b"data: [DONE]\n\n")) as (client, asked):
        record = await ask(client)
    assert record.error == ""
    assert 0.0 < record.first <= record.ended
    assert (record.prompt_tokens, record.cached_tokens, record.output_tokens) == (30, 16, 8)
    assert (record.asked, record.served_by) == ("node b", "node a")
    token, body = asked[0]
    assert token == "Bearer token"
    assert body["gentorrent"] == {
        "route": "network",
        "conversation": "s1",
        "public_messages": 1,
        "may_forward": True,
    }
    assert (body["max_tokens"], body["min_tokens"], body["logit_bias"]) == (8, 8, {"1": 2})


async def test_a_refusal_before_the_stream():
    async def refuse(request):
        return web.json_response({"error": {"code": "overloaded", "message": "full"}}, status=503)

    async with engine(refuse) as (client, _):
        record = await ask(client)
    assert (record.error, record.message, record.first) == ("overloaded", "full", 0.0)


async def test_an_error_inside_the_stream():
    broken = b'data: {"error": {"code": "serving_node_lost", "message": "gone"}}\n\n'
    async with engine(streamed(chunk({"content": "he"}), broken)) as (client, _):
        record = await ask(client)
    assert (record.error, record.message) == ("serving_node_lost", "gone")


async def test_an_answer_that_breaks_off_is_none():
    async with engine(streamed(chunk({"content": "he"}))) as (client, _):
        record = await ask(client)
    assert record.error == CODE_OF_CLIENT


async def test_an_engine_that_is_not_there():
    async with engine(streamed()) as (client, _):
        pass
    async with aiohttp.ClientSession() as session:
        record = await ask(Client(session, client.address, "token", "model"))
    assert record.error == CODE_OF_CLIENT
    assert record.message
