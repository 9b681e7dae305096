"""An :class:`InferenceBackend` whose answers another server makes, asked over HTTP with OpenAI's protocol."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from engine.clock import Clock
from engine.errors import InvalidRequestError, RemoteServerError, RequestError, UnknownModelError
from engine.inference.remote.assembly import Assembly
from engine.inference.remote.places import Places
from engine.inference.remote.replies import read_models, refusal, status_problem
from engine.inference.remote.request import request_body, request_path
from engine.inference.remote.settings import PIECES_SCHEME, RemoteSettings
from engine.inference.remote.stream import REASONING, ChunkReader, EventParser, Piece
from engine.inference.types import (
    AnswerStyle,
    Delta,
    GenerationEvent,
    GenerationRequest,
    ModelInfo,
    PromptShape,
    Queued,
    Started,
    TokenScores,
)
from engine.sentences import say

MAX_LIST = 1024 * 1024
"""Bytes of a server's list of models."""
MAX_WORDS = 65_536
"""Bytes of an error reply that are read."""
MAX_ANSWER = 256 * 1024 * 1024
"""Bytes of one answer, whatever they say."""
DEFAULT_CONTEXT = 4096
STYLE = AnswerStyle(reasoning_begin=REASONING[0].strip(), reasoning_end=REASONING[1].strip())
"""How the text is marked that is handed on; tool calls there are none."""
RATE_WEIGHT = 0.3
"""Of the newest answer in the measured speed."""
_log = logging.getLogger(__name__)


class RemoteBackend:
    """One model of one server. :meth:`run` must be running: it looks after the server and owns the connections."""

    def __init__(
        self,
        settings: RemoteSettings,
        clock: Clock,
        on_change: Callable[[], None] = lambda: None,
        on_load: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_change`` hears that the model came or went, ``on_load`` that :meth:`models` says something else of how
        busy it is."""
        self._settings = settings
        self._clock = clock
        self._on_change = on_change
        self._on_load = on_load
        self._places = Places(settings.slots, settings.queue_limit)
        self._session: aiohttp.ClientSession | None = None
        self._check_now = asyncio.Event()
        self._looking = asyncio.Lock()  # while the server is being checked
        self._under_way = 0  # answers that the server was asked for
        self._responses: set[aiohttp.ClientResponse] = set()
        self._context_length = settings.context_length or DEFAULT_CONTEXT
        self._rate = 0.0
        self._seconds = 0.0  # that an answer takes
        self.problem = f"The server at {settings.base_url} has not been asked yet."
        """Why the model is not offered, in plain words; empty while it is."""

    @property
    def model_id(self) -> str:
        """What the model is called here."""
        return self._settings.model_id

    def models(self) -> list[ModelInfo]:
        """See ``InferenceBackend``: the model while the server is well."""
        return [] if self.problem else [self._info()]

    def _info(self) -> ModelInfo:
        settings = self._settings
        features = settings.features
        return ModelInfo(
            model_id=settings.model_id,
            digest=settings.digest,
            tokenizer_digest=PIECES_SCHEME,
            context_length=self._context_length,
            slots=settings.slots,
            decode_rate=self._rate,
            running=self._places.taken,
            waiting=self._places.waiting,
            provider=f"another server ({settings.server})",
            provider_reason=say("worker.elsewhere", address=settings.base_url),
            seeds=False,
            token_ids=False,
            logprobs="logprobs" in features,
            constraints="json_schema" in features,
            tools=False,
        )

    def stop(self) -> None:
        """End the answers that are being made; the server is told by closed connections. New ones may be asked for."""
        for response in list(self._responses):
            response.close()

    # ------------------------------------------------------------------------------------------- the server's health

    async def run(self) -> None:
        """Check the server now and then; ends by cancellation only."""
        headers = {"Accept-Encoding": "identity"}
        if self._settings.api_key:
            headers["Authorization"] = f"Bearer {self._settings.api_key}"
        async with aiohttp.ClientSession(
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=self._settings.slots + 2),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._settings.connect_timeout),
            auto_decompress=False,
            trust_env=False,
        ) as session:
            self._session = session
            try:
                while True:
                    self._check_now.clear()
                    # Answers under way say more than a check, and a server of few threads may break them off for it.
                    if self.problem or not self._under_way:
                        async with self._looking:
                            problem = await self._check()
                        self._set_problem(problem)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(self._settings.check_seconds):
                            await self._check_now.wait()
            finally:
                self._session = None
                self._set_problem("The engine is stopping.")

    def _set_problem(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            if problem:
                _log.warning("the model %s is not offered: %s", self._settings.model_id, problem)
            else:
                _log.info("the model %s is answered by %s", self._settings.model_id, self._settings.base_url)
            self._on_change()

    async def _check(self) -> str:
        """What is wrong with the server; empty when nothing is."""
        status, body, problem = await self._get(f"{self._settings.base_url}/models")
        if status == 200:
            problem, context = read_models(body, self._settings)
            if not problem and not self._settings.context_length:
                self._context_length = context or DEFAULT_CONTEXT
        elif status == 404:  # some serve answers and nothing else
            parts = urlsplit(self._settings.base_url)
            status, _, problem = await self._get(f"{parts.scheme}://{parts.netloc}/health")
            problem = problem or ("" if status == 200 else status_problem(404, self._settings))
        elif not problem:
            problem = status_problem(status, self._settings)
        return problem

    async def _get(self, url: str) -> tuple[int, bytes, str]:
        """Status (0: none), the beginning of the body, and why there is none."""
        assert self._session is not None
        try:
            async with (
                asyncio.timeout(self._settings.check_timeout),
                self._session.get(url, allow_redirects=False) as response,
            ):
                return response.status, await _read_beginning(response, MAX_LIST), ""
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return 0, b"", self._unreachable(error)

    def _unreachable(self, error: Exception) -> str:
        why = "it does not answer in time" if isinstance(error, TimeoutError) else type(error).__name__
        return f"The server at {self._settings.base_url} cannot be reached ({why}). Start it, or correct the address."

    # ------------------------------------------------------------------------------------------------------- answers

    async def describe(self, request: GenerationRequest) -> PromptShape | None:
        """Another program has the tokenizer: nobody here can say."""
        return None

    async def score(self, request: GenerationRequest, output_ids: Sequence[int]) -> TokenScores:
        """Another program has the model, and none of them gives its logits away."""
        raise InvalidRequestError(
            f"{self._settings.model_id} is computed by another program at {self._settings.base_url}, which cannot "
            "check answers. Only a model whose files are here can."
        )

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationEvent, None]:
        """See ``InferenceBackend.generate``; failures of the server are :class:`RemoteServerError`."""
        if request.model_id != self._settings.model_id:
            raise UnknownModelError(f"There is no model {request.model_id[:200]!r} at this back end.")
        if self.problem:
            raise RemoteServerError(self.problem)
        body = request_body(request, self._settings, self._context_length)
        ahead = self._places.ahead(request.owner)
        if ahead:
            yield Queued(ahead, self._seconds * ahead / self._settings.slots)
        await self._places.enter(request.owner)
        try:
            if ahead:
                yield Queued(0, 0.0)
            yield Started((), style=STYLE)
            self._on_load()
            async with self._asking(), aclosing(self._answer(request, body)) as events:
                async for event in events:
                    yield event
        finally:
            self._places.leave()
            self._on_load()

    @contextlib.asynccontextmanager
    async def _asking(self) -> AsyncGenerator[None, None]:
        """Around one answer: a check that has begun is waited for, another one does not begin."""
        async with self._looking:
            self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def _answer(self, request: GenerationRequest, body: dict[str, Any]) -> AsyncGenerator[GenerationEvent, None]:
        """The answer's own events. Closing the iterator closes the connection, which tells the server to stop."""
        if self._session is None:
            raise RemoteServerError(self.problem)
        begin = self._clock.monotonic()
        assembly = Assembly(request)
        async with aclosing(self._pieces(request, body, assembly)) as deltas:
            async for delta in deltas:
                yield delta
                limit = request.max_tokens_per_second
                if limit:
                    await asyncio.sleep(max(0.0, begin + assembly.ids / limit - self._clock.monotonic()))
        done = assembly.done()
        self._measured(done.completion_tokens, self._clock.monotonic() - begin)
        yield done

    async def _pieces(
        self, request: GenerationRequest, body: dict[str, Any], assembly: Assembly
    ) -> AsyncGenerator[Delta, None]:
        """Ask, and read until the answer is complete."""
        parser, reader = EventParser(), ChunkReader(request.top_logprobs is not None)
        received, ended = 0, False
        response = await self._post(request_path(request), body)
        self._responses.add(response)
        try:
            while not ended:
                chunk = await self._chunk(response, received, assembly)
                received += len(chunk)
                if received > MAX_ANSWER:
                    raise RemoteServerError(f"The server sent more than {MAX_ANSWER} bytes for one answer.")
                ended = not chunk
                for data in parser.feed(chunk or b"\n\n"):
                    piece = self._read(reader, data, assembly)
                    delta = assembly.add(piece)
                    if delta is not None:
                        yield delta
                    ended = ended or piece.last or assembly.complete
            if not assembly.reason:
                self._check_now.set()
                raise RemoteServerError(
                    "The server that makes this model's answers broke off in the middle. Ask again."
                )
        finally:
            self._responses.discard(response)
            response.close()

    def _read(self, reader: ChunkReader, data: str, assembly: Assembly) -> Piece:
        try:
            return reader.read(data)
        except RemoteServerError:
            if assembly.reason:  # the answer is there; what comes after it matters to nobody
                return Piece(last=True)
            raise

    async def _chunk(self, response: aiohttp.ClientResponse, received: int, assembly: Assembly) -> bytes:
        """The next bytes; none at the end, or when only numbers could still come and do not."""
        settings = self._settings
        limit = settings.stall_timeout if received else settings.first_timeout
        if assembly.reason:
            limit = settings.usage_timeout
        try:
            async with asyncio.timeout(limit):
                return await response.content.readany()
        except TimeoutError:
            if assembly.reason:
                return b""
            self._check_now.set()
            raise RemoteServerError(
                f"The server that makes this model's answers sent nothing for {limit:.0f} s. Ask again later."
            ) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if assembly.reason:
                return b""
            self._check_now.set()
            raise RemoteServerError(
                f"The connection to the server that makes this model's answers broke ({type(error).__name__}). "
                "Ask again."
            ) from error

    async def _post(self, path: str, body: dict[str, Any]) -> aiohttp.ClientResponse:
        """Send the request; an event stream, or the error that the reply means."""
        settings = self._settings
        try:
            async with asyncio.timeout(settings.first_timeout):
                response = await self._send(path, body)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            self._check_now.set()
            raise RemoteServerError(self._unreachable(error)) from error
        try:
            problem = await self._problem_of(response)
        except BaseException:
            response.close()
            raise
        if problem is not None:
            response.close()
            raise problem
        return response

    async def _send(self, path: str, body: dict[str, Any]) -> aiohttp.ClientResponse:
        """A kept connection may have been closed by the server just now: then a second one is tried, once."""
        assert self._session is not None
        url = f"{self._settings.base_url}{path}"
        try:
            return await self._session.post(url, json=body, allow_redirects=False)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            return await self._session.post(url, json=body, allow_redirects=False)

    async def _problem_of(self, response: aiohttp.ClientResponse) -> Exception | None:
        settings = self._settings
        if response.status != 200:
            try:
                async with asyncio.timeout(settings.check_timeout):
                    body = await _read_beginning(response, MAX_WORDS)
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
                body = b""
            error = refusal(response.status, response.headers, body, settings)
            if not isinstance(error, RequestError):
                self._check_now.set()
            return error
        encoding = response.headers.get("Content-Encoding", "identity").lower()
        if response.content_type != "text/event-stream" or encoding != "identity":
            return RemoteServerError(
                f"The server at {settings.base_url} does not stream its answers as OpenAI's protocol wants "
                f"({response.content_type[:80]}). Choose another server."
            )
        return None

    def _measured(self, tokens: int, seconds: float) -> None:
        if tokens > 1 and seconds > 0:
            rate = tokens / seconds
            self._rate = rate if not self._rate else self._rate + RATE_WEIGHT * (rate - self._rate)
            self._seconds = seconds if not self._seconds else self._seconds + RATE_WEIGHT * (seconds - self._seconds)


async def _read_beginning(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """At most ``limit`` bytes of the body; the connection of a longer one is not used again."""
    body = bytearray()
    while len(body) <= limit and (chunk := await response.content.readany()):
        body += chunk
    if len(body) > limit:
        response.close()
    return bytes(body[:limit])
