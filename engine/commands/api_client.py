"""A small blocking client of the local API for the command line, and how it finds the engine."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from engine.config import find_data_directory
from engine.errors import (
    ConfigurationError,
    GenTorrentError,
    RequestError,
    WeakerPaths,
    WeakerPathsNeededError,
    request_error,
)

if TYPE_CHECKING:
    from engine.storage.data_directory import LockContent

READ_SECONDS = 600.0
"""Silence after which the engine counts as lost."""
MAX_LINE = 16 * 1_048_576
"""Bytes of one event of a stream (the last one may hold a receipt)."""
MAX_REPLY = 64 * 1_048_576
_START_ONE = (
    "Start one with gentorrent node (or gentorrent app), try a whole network with gentorrent demo --keep-running, or "
    "name a running one with --data or with --api and --token."
)


class EngineUnreachableError(GenTorrentError):
    """No engine runs where it was looked for."""


@dataclass(frozen=True)
class Reply:
    """An answer as it came: pieces of text first, then everything else."""

    finish_reason: str
    usage: Mapping[str, int]
    details: Mapping[str, Any]


class ApiClient:
    """Talks to the API at ``address`` (``http://127.0.0.1:8765``, with or without ``/v1``)."""

    def __init__(self, address: str, token: str) -> None:
        try:
            parts = urlsplit(address)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ("http", "https"):
            raise ConfigurationError(
                f"--api is {address!r}, which is no address of a local API. Write it as http://127.0.0.1:8765/v1."
            )
        if not (token.isascii() and token.isprintable()):
            raise ConfigurationError(
                "The API token has characters that no token has. Copy it again from the file api-token in the "
                "engine's data directory."
            )
        self._secure = parts.scheme == "https"
        self._host = host
        self._port = port
        self._token = token
        self.address = f"{parts.scheme}://{parts.netloc}/v1"

    def models(self) -> list[dict[str, Any]]:
        """The entries of ``/v1/models``."""
        with self._request("GET", "/v1/models", None) as response:
            listed = json.loads(response.read(MAX_REPLY))
            if not isinstance(listed, dict) or not isinstance(listed.get("data"), list):
                raise ValueError("this is no list of models")
            return [model for model in listed["data"] if isinstance(model, dict) and "id" in model]

    def ask(self, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The chunks of a streamed answer. Closing the iterator closes the connection, which stops the answer.

        Raises the ``RequestError`` that the engine reports, or :class:`EngineUnreachableError`.
        """
        with self._request("POST", "/v1/chat/completions", body) as response:
            while True:
                line = response.readline(MAX_LINE)
                if not line:
                    raise RequestError("The engine closed the connection before the answer was complete. Ask again.")
                if not line.startswith(b"data: "):
                    continue
                data = line[len(b"data: ") :].strip()
                if data == b"[DONE]":
                    return
                chunk = json.loads(data)
                if not isinstance(chunk, dict):
                    raise ValueError("this is no piece of an answer")
                if "error" in chunk:
                    raise _told(chunk["error"])
                yield chunk

    @contextmanager
    def _request(self, method: str, path: str, body: dict[str, Any] | None) -> Iterator[http.client.HTTPResponse]:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        with closing(kind(self._host, self._port, timeout=READ_SECONDS)) as connection:
            try:
                data = None if body is None else json.dumps(body).encode("utf-8")
                connection.request(method, quote(path), data, headers)
                response = connection.getresponse()
                if response.status != 200:
                    raise _refused(response)
                yield response
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise EngineUnreachableError(
                    f"The engine at {self.address} does not answer as it should ({error}). {_START_ONE}"
                ) from error


def _refused(response: http.client.HTTPResponse) -> GenTorrentError:
    try:
        return _told(json.loads(response.read(1_048_576))["error"])
    except (ValueError, KeyError, TypeError):
        return RequestError(f"The engine refused the request with status {response.status} and no reason.")


def _told(error: Mapping[str, Any]) -> RequestError:
    if error.get("code") == WeakerPathsNeededError.code:
        return WeakerPathsNeededError(str(error.get("message")), choices=_choices(error.get("gentorrent")))
    return request_error(str(error.get("code")), str(error.get("message")))


def _choices(told: object) -> tuple[WeakerPaths, ...]:
    try:
        return tuple(
            WeakerPaths(int(one["paths"]), int(one["hops"]), str(one["text"]))
            for one in told["choices"]  # type: ignore[index]
        )
    except (KeyError, TypeError, ValueError):
        return ()


def find_engine(data: Path | None, api: str | None, token: str | None, environment: Mapping[str, str]) -> ApiClient:
    """The client for ``--api`` and ``--token``, else for the engine that owns the data directory.

    :class:`EngineUnreachableError` says that none runs and how to start one.
    """
    from engine.storage.data_directory import DataDirectory, load_api_token

    directory = DataDirectory(find_data_directory(data, environment))
    token = token or environment.get("GENTORRENT_API_TOKEN", "")
    if api is not None:
        if not token and directory.api_token.exists():
            token = load_api_token(directory.api_token)
        if not token:
            raise ConfigurationError(
                "--api needs --token (or GENTORRENT_API_TOKEN): the engine there answers nobody without it. It is in "
                "the file api-token of its data directory."
            )
        return ApiClient(api, token)
    lock = find_lock(data, environment)
    return ApiClient(f"http://127.0.0.1:{lock.port}", token or load_api_token(directory.api_token))


def find_lock(data: Path | None, environment: Mapping[str, str]) -> LockContent:
    """Where the engine that owns the data directory is; :class:`EngineUnreachableError` as in :func:`find_engine`."""
    from engine.storage.data_directory import DataDirectory, read_lock

    directory = DataDirectory(find_data_directory(data, environment))
    lock = read_lock(directory.lock)
    if lock is None:
        raise EngineUnreachableError(f"No engine is running on {directory.path}. {_START_ONE}")
    if lock.port == 0:
        raise EngineUnreachableError(
            f"The engine on {directory.path} (process {lock.pid}) is still starting. Try again in a few seconds."
        )
    return lock
