"""From a ``Load`` command to a model that answers. Worker process only; importing this loads the runtime."""

from __future__ import annotations

from pathlib import Path

from engine.clock import Clock
from engine.errors import InferenceError, ModelFolderError, ProviderFailedError
from engine.inference.models.folder import ModelFolder, read_model_folder
from engine.inference.pipe import Load
from engine.inference.runtime.runner import Runner, RuntimeSettings
from engine.inference.sampling.constraint import GrammarFactory
from engine.inference.scheduling.kv_cache import capacity
from engine.inference.scheduling.plan import BLOCK_TOKENS
from engine.inference.scheduling.prefix_cache import PrefixCache
from engine.inference.scheduling.scheduler import Scheduler, SchedulerSettings
from engine.inference.text.tokenizer import ChatTokenizer
from engine.inference.types import ModelInfo
from engine.inference.worker.model_host import Emit, ModelHost


def open_model(message: Load, clock: Clock, emit: Emit) -> ModelHost:
    """Load, measure and put together; :class:`ModelFolderError` or :class:`ProviderFailedError`."""
    folder = read_model_folder(message.model_id, Path(message.path), lambda _: bytes(32), variant=message.variant)
    texts = ChatTokenizer(folder)
    settings = RuntimeSettings(message.threads, message.slots, message.providers, message.device)
    runner = Runner(folder, settings)
    end_ids = folder.end_ids | texts.end_ids
    grammars = GrammarFactory(lambda: _tokenizer_json(folder), runner.vocabulary, end_ids)
    scheduler = _scheduler(message, folder, runner, end_ids)
    info = _info(message, folder, runner, tools=texts.takes_tools)
    host = ModelHost(info, runner, texts, grammars, scheduler, clock, emit, share=folder.exact_rows)
    try:
        host.measure()
    except ProviderFailedError:
        raise
    except InferenceError as error:
        raise ModelFolderError(str(error)) from error
    return host


def _scheduler(message: Load, folder: ModelFolder, runner: Runner, end_ids: frozenset[int]) -> Scheduler:
    settings = SchedulerSettings(
        context_length=folder.context_length,
        end_ids=end_ids,
        slots=message.slots,
        queue_limit=message.queue_limit,
        step_tokens=message.prefill_chunk,
    )
    tokens = capacity(message.slots, folder.context_length, runner.bytes_per_token, message.kv_bytes)
    return Scheduler(settings, PrefixCache(message.digest, tokens // BLOCK_TOKENS))


def _info(message: Load, folder: ModelFolder, runner: Runner, *, tools: bool) -> ModelInfo:
    return ModelInfo(
        model_id=message.model_id,
        digest=message.digest,
        tokenizer_digest=message.tokenizer_digest,
        context_length=folder.context_length,
        slots=message.slots,
        provider=runner.provider,
        provider_reason=runner.provider_reason,
        batching=runner.batching,
        vocabulary=runner.vocabulary,
        tools=tools,
    )


def _tokenizer_json(folder: ModelFolder) -> str:
    return (folder.tokenizer_path / "tokenizer.json").read_text(encoding="utf-8")
