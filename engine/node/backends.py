"""What makes answers, as the owner configured it: this machine's workers, and another server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from engine.clock import Clock
from engine.config import Configuration, is_model_id
from engine.errors import ConfigurationError, KeyStoreError
from engine.ids import is_publishers
from engine.inference.models.installed import Catalogue
from engine.inference.remote.backend import RemoteBackend
from engine.inference.remote.settings import RemoteSettings, checked_base_url, is_unprotected
from engine.inference.supervisor.devices import Device, find_devices
from engine.inference.supervisor.pool import WEIGHTS_SHARE, WorkerPool
from engine.inference.supervisor.settings import InferenceSettings, WorkerState, default_threads
from engine.inference.types import CacheNews
from engine.sentences import say
from engine.storage import keyring_access

API_KEY = "GENTORRENT_BACKEND_API_KEY"
KEYRING_ENTRY = "backend-api-key"
MAX_KEY = 4096
"""Characters."""
MEBIBYTE = 1 << 20


def make_pool(
    configuration: Configuration,
    models: Path,
    clock: Clock,
    on_state: Callable[[WorkerState], None],
    on_cache: Callable[[Device, CacheNews], None] = lambda device, news: None,
    on_load: Callable[[], None] = lambda: None,
) -> WorkerPool:
    """This machine's workers, one for each GPU that is found, with the models in the folder ``models``."""
    devices = find_devices()
    gpus = [one for one in devices if one.kind == "cuda"]
    smallest = min((int(one.memory * WEIGHTS_SHARE) for one in gpus), default=None)
    catalogue = Catalogue(models, provider="cuda" if gpus else "cpu", memory=smallest)
    settings = InferenceSettings(
        threads=configuration.threads or default_threads(),
        kv_bytes=configuration.cache_memory * MEBIBYTE,
        devices=devices,
    )
    return WorkerPool(catalogue, clock, settings, on_state, on_cache, on_load)


def make_remote(
    configuration: Configuration,
    environment: Mapping[str, str],
    clock: Clock,
    on_change: Callable[[], None],
    notice: Callable[[str], None],
    on_load: Callable[[], None] = lambda: None,
) -> RemoteBackend | None:
    """The back end of the settings, None without one; :class:`ConfigurationError`."""
    if not configuration.backend:
        given = [name for name in ("url", "model", "model_id") if getattr(configuration, f"backend_{name}")]
        if given:
            raise ConfigurationError(
                f"The setting backend_{given[0]} is there without a back end. Write --backend openai, too."
            )
        return None
    missing = [name for name in ("url", "model") if not getattr(configuration, f"backend_{name}")]
    if missing:
        raise ConfigurationError(
            f"The back end openai needs --backend-{missing[0]}. An example: gentorrent node --backend openai "
            "--backend-url http://127.0.0.1:8000/v1 --backend-model NAME"
        )
    base_url = checked_base_url(configuration.backend_url)
    if is_unprotected(base_url):
        notice(say("backend.unprotected", address=base_url))
    settings = RemoteSettings(
        base_url=base_url,
        server_model=configuration.backend_model,
        model_id=_model_id(configuration),
        server=configuration.backend_server,
        api_key=_api_key(environment),
        context_length=configuration.backend_context,
        slots=configuration.backend_slots,
    )
    return RemoteBackend(settings, clock, on_change, on_load)


def _model_id(configuration: Configuration) -> str:
    """Names of files and the like are what some servers call a model; they are no ids."""
    chosen = configuration.backend_model_id or configuration.backend_model
    if not is_model_id(chosen) or is_publishers(chosen):
        raise ConfigurationError(
            f"The server's name of the model, {chosen[:200]!r}, cannot be its name in the network (letters, digits and "
            ". _ : / - only). Choose one with --backend-model-id."
        )
    return chosen


def _api_key(environment: Mapping[str, str]) -> str:
    """The environment's, else the keyring's, else none."""
    key = environment.get(API_KEY, "").strip()
    if not key:
        keyring = keyring_access.find_keyring(environment)
        try:
            key = (keyring_access.read(keyring, KEYRING_ENTRY) or "").strip() if keyring is not None else ""
        except KeyStoreError as error:
            raise ConfigurationError(
                f"The back end's API key cannot be read from the system's keyring: {error} Set {API_KEY} instead."
            ) from error
    if len(key) > MAX_KEY or not key.isascii() or not key.isprintable():
        raise ConfigurationError(f"The back end's API key ({API_KEY}) has characters that no key has. Copy it again.")
    return key
