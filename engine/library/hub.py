"""A model hub's metadata through huggingface_hub, the only module that imports it; and the rules for its addresses.

The bytes of files do not come this way (:mod:`engine.library.fetching`): huggingface_hub deletes what it has of a file
when a download is interrupted, and 8 GB over a home connection have to be resumed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Thread
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from engine.errors import ConfigurationError, GatedError, HubError, HubNotFoundError, HubUnreachableError
from engine.library.names import is_repository, is_revision
from engine.library.selection import HubFile, Repository
from engine.sentences import say

DEFAULT_ENDPOINT = "https://huggingface.co"
MAX_LISTED = 20_000
MAX_REPLY = 64 * 1024 * 1024
"""Bytes of one answer about repositories; more are not read, announced or not."""
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Found:
    """A search result. Every text is the hub's: show it with ``engine.commands.terminal.harmless``."""

    repository: str
    licence: str
    downloads: int
    gated: bool


class Hub:
    """One hub. ``token``: for repositories that ask for one; sent to the hub's own address alone, never logged."""

    def __init__(self, endpoint: str = DEFAULT_ENDPOINT, token: str | None = None, timeout: float = 20.0) -> None:
        self.endpoint = checked_endpoint(endpoint)
        self._token = token
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"Hub({self.endpoint!r})"

    async def repository(self, name: str, revision: str = "main") -> Repository:
        """The files of a repository at ``revision``; :class:`HubError` says why not and what to do."""
        if not is_repository(name):
            raise HubError(f"{name[:200]!r} is no repository of a hub. It is written as OWNER/NAME.")
        if not is_revision(revision):
            raise HubError(f"{revision[:200]!r} is no revision. It is a branch, a tag or a commit.")
        info = await self._ask(name, lambda api: api.model_info(name, revision=revision, files_metadata=True))
        return _as_repository(name, revision, info)

    async def search(self, text: str, limit: int = 20) -> list[Found]:
        """Models with ONNX files whose names match ``text``, most downloaded first."""

        def ask(api: Any) -> list[Any]:
            return list(api.list_models(search=text, filter="onnx", sort="downloads", limit=limit))

        models = await self._ask("", ask)
        return [_as_found(one) for one in models[:limit] if is_repository(str(getattr(one, "id", "")))]

    def file_url(self, repository: str, commit: str, name: str) -> str:
        """Where a file of a repository lies."""
        return str(_library().hf_hub_url(repository, name, revision=commit, endpoint=self.endpoint))

    def headers(self, url: str) -> dict[str, str]:
        """What a request for ``url`` carries: the token to the hub's own address, to nobody else."""
        headers = {"Accept-Encoding": "identity", "User-Agent": "gentorrent"}
        if self._token and _origin(url) == _origin(self.endpoint):
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    def refuse(self, url: str) -> None:
        """:class:`HubError` for an address that is not asked: other hosts only over https."""
        try:
            parts = urlsplit(url)
            own = _origin(url) == _origin(self.endpoint)
        except ValueError:
            raise HubError(f"The hub {self.endpoint} sends the download on to no address. Check HF_ENDPOINT.") from None
        local = is_loopback(parts.hostname) and is_loopback(urlsplit(self.endpoint).hostname)
        if not parts.hostname or not (own or local or (parts.scheme == "https" and not is_loopback(parts.hostname))):
            raise HubError(
                f"The hub {self.endpoint} sends the download on to {parts.scheme}://{str(parts.hostname)[:100]}, which "
                "is not encrypted or not a place for models. Nothing is fetched from there: check HF_ENDPOINT."
            )

    async def _ask(self, name: str, ask: Callable[[Any], Any]) -> Any:
        try:
            async with asyncio.timeout(self._timeout + 5):
                return await _apart(partial(self._asked, ask))
        except TimeoutError as error:
            raise _unreachable(self.endpoint, f"no answer within {self._timeout:.0f} s") from error
        except HubError:
            raise
        except Exception as error:
            raise self._explained(error, name) from None  # its text may quote headers

    def _asked(self, ask: Callable[[Any], Any]) -> Any:
        library = _library()
        session = library.utils.get_session()
        session.timeout = self._timeout
        guard = _Guard(self, monotonic() + self._timeout)
        session.event_hooks = {
            "request": [*_others(session.event_hooks.get("request")), guard],
            "response": [*_others(session.event_hooks.get("response")), guard],
        }
        return ask(library.HfApi(endpoint=self.endpoint, token=self._token or False, library_name="gentorrent"))

    def _explained(self, error: Exception, name: str) -> HubError:
        kinds = {kind.__name__ for kind in type(error).__mro__}
        status = getattr(getattr(error, "response", None), "status_code", None)
        if "GatedRepoError" in kinds or status in (401, 403):
            return gated(name, self.endpoint)
        if "RevisionNotFoundError" in kinds:
            return HubNotFoundError(
                f"{name} has no such revision on {self.endpoint}. Leave --revision out for the newest one."
            )
        if "RepositoryNotFoundError" in kinds or status == 404:
            return HubNotFoundError(say("hub.not_found", hub=self.endpoint, repository=name))
        if "OfflineModeIsEnabled" in kinds:
            return HubUnreachableError(say("hub.offline"))
        if status == 429:
            return HubError(say("hub.too_often", hub=self.endpoint))
        if status is not None:
            return HubError(say("hub.status", hub=self.endpoint, status=str(status)))
        if isinstance(error, (TypeError, ValueError, LookupError, AttributeError)):  # it is no JSON, or another JSON
            return HubError(say("hub.not_understood", hub=self.endpoint, repository=name))
        return _unreachable(self.endpoint, type(error).__name__)


def hub_of(environment: Mapping[str, str]) -> Hub:
    """The hub of ``HF_ENDPOINT`` with the token of ``HF_TOKEN`` or of a login with huggingface_hub."""
    return Hub(environment.get("HF_ENDPOINT") or DEFAULT_ENDPOINT, _library().get_token())


def checked_endpoint(text: str) -> str:
    """``text`` if it is the address of a hub: https, or http on this machine; :class:`ConfigurationError`."""
    try:
        parts = urlsplit(text)
        fine = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fine, parts = False, urlsplit("")
    if not fine or parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError(
            f"HF_ENDPOINT is {text[:200]!r}, which is no address of a model hub. An example: {DEFAULT_ENDPOINT}"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ConfigurationError(
            f"HF_ENDPOINT is {text[:200]!r}: models, and perhaps your token, would travel unencrypted. Use https."
        )
    return text.rstrip("/")


def is_loopback(host: str | None) -> bool:
    """Whether this is a name or address of this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def gated(name: str, endpoint: str) -> GatedError:
    """What to do about a repository that is not open to everybody."""
    return GatedError(say("hub.gated", repository=name, page=f"{endpoint}/{name}"))


def _unreachable(endpoint: str, reason: str) -> HubUnreachableError:
    return HubUnreachableError(say("hub.unreachable", hub=endpoint, reason=reason))


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _library() -> Any:
    """huggingface_hub without its telemetry. Imported late: it takes a third of a second."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import huggingface_hub
    import huggingface_hub.constants
    import huggingface_hub.utils

    huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY = True
    return huggingface_hub


async def _apart(call: Callable[[], Any]) -> Any:
    """The result of a call in a thread that nobody waits for at the end of the program: a hub that sends the head of
    its reply byte by byte keeps it for hours."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if outcome.done():  # given up
            return
        if error is None:
            outcome.set_result(result)
        else:
            outcome.set_exception(error)

    def run() -> None:
        result, failure = None, None
        try:
            result = call()
        except Exception as error:
            failure = error
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, failure)

    Thread(target=run, name="model hub", daemon=True).start()
    return await outcome


class _Guard:
    """Looks at every request and reply of huggingface_hub's session, redirects included, until ``end``."""

    def __init__(self, hub: Hub, end: float) -> None:
        self._hub = hub
        self._end = end

    def __call__(self, message: Any) -> None:
        """``message``: a request that is about to go out, or the head of a reply."""
        if not hasattr(message, "status_code"):
            self._hub.refuse(str(message.url))
            message.headers["Accept-Encoding"] = "identity"  # what is not compressed cannot grow on the way to memory
            return
        length = str(message.headers.get("Content-Length", "0"))
        if not length.isdecimal() or int(length) > MAX_REPLY:
            raise HubError(f"The hub's answer is announced with {length[:30]} bytes. It is not read.")
        if str(message.headers.get("Content-Encoding", "identity")).lower() != "identity":
            raise HubError("The hub sends its answer compressed, although it was asked not to. Check HF_ENDPOINT.")
        message.iter_raw = partial(self._bounded, message.iter_raw)

    def _bounded(self, read: Callable[..., Iterator[bytes]], *arguments: Any, **named: Any) -> Iterator[bytes]:
        """The bytes of a reply, which need not end where they were announced to."""
        received = 0
        for data in read(*arguments, **named):
            received += len(data)
            if received > MAX_REPLY:
                raise HubError(f"The hub's answer is longer than {MAX_REPLY} bytes. It is not read: check HF_ENDPOINT.")
            if monotonic() > self._end:
                raise HubError(f"The hub {self._hub.endpoint} does not end its answer. Try again, or use a mirror.")
            yield data


def _others(hooks: Any) -> list[Any]:
    return [one for one in hooks or () if not isinstance(one, _Guard)]


def _as_repository(name: str, revision: str, info: Any) -> Repository:
    commit = str(getattr(info, "sha", "") or "")
    listed = getattr(info, "siblings", None) or []
    if len(commit) != 40 or not set(commit) <= _HEX or len(listed) > MAX_LISTED:
        raise HubError(f"What the hub says of {name} at {revision} is not understood. Try again later.")
    return Repository(name, commit, tuple(_as_file(one) for one in listed), _licence(info))


def _as_file(sibling: Any) -> HubFile:
    """Sizes that are missing count as -1 and are refused when the file is needed."""
    large = getattr(sibling, "lfs", None)
    sha256 = str(large.get("sha256", "")) if isinstance(large, dict) else ""
    size = large.get("size") if isinstance(large, dict) else getattr(sibling, "size", None)
    return HubFile(
        name=str(sibling.rfilename),
        size=size if isinstance(size, int) and not isinstance(size, bool) else -1,
        sha256=sha256 if len(sha256) == 64 and set(sha256) <= _HEX else "",
        git_id=_git_id(getattr(sibling, "blob_id", None)) if not large else "",
    )


def _git_id(value: object) -> str:
    return value if isinstance(value, str) and len(value) == 40 and set(value) <= _HEX else ""


def _licence(info: Any) -> str:
    card = getattr(info, "card_data", None)
    told = card.get("license") if card is not None and hasattr(card, "get") else None
    tags = getattr(info, "tags", None) or []
    told = told or next((one[8:] for one in tags if isinstance(one, str) and one.startswith("license:")), "")
    return told[:100] if isinstance(told, str) else ""


def _as_found(info: Any) -> Found:
    downloads = getattr(info, "downloads", None)
    return Found(
        repository=str(info.id),
        licence=_licence(info),
        downloads=downloads if isinstance(downloads, int) else 0,
        gated=bool(getattr(info, "gated", False)),
    )
