"""From a ``Load`` command to a model that answers. Worker process only; importing this loads the runtime."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.clock import Clock
from engine.errors import InferenceError, ModelFolderError, ProviderFailedError
from engine.inference.models.folder import ModelFolder, read_model_folder
from engine.inference.pipe import Load
from engine.inference.runtime.runner import Runner, RuntimeSettings
from engine.inference.sampling.constraint import GrammarFactory
from engine.inference.scheduling.kv_cache import capacity, slots_for, whole_slots
from engine.inference.scheduling.plan import BLOCK_TOKENS
from engine.inference.scheduling.prefix_cache import PrefixCache
from engine.inference.scheduling.scheduler import Scheduler, SchedulerSettings
from engine.inference.text.tokenizer import ChatTokenizer
from engine.inference.types import ModelInfo
from engine.inference.worker.model_host import Emit, ModelHost
from engine.sentences import plain, said_by, words_of

SCORED_LOGITS = 2_500_000
"""Of one score in one step: 10 MB, and less than a tenth of a second's work with the largest vocabularies."""


def open_model(message: Load, clock: Clock, emit: Emit) -> ModelHost:
    """Load, measure and put together; :class:`ModelFolderError` or :class:`ProviderFailedError`."""
    folder = read_model_folder(message.model_id, Path(message.path), lambda _: bytes(32), variant=message.variant)
    texts = ChatTokenizer(folder)
    settings = RuntimeSettings(message.threads, message.slots, message.providers, message.device)
    runner = Runner(folder, settings)
    end_ids = folder.end_ids | texts.end_ids
    grammars = GrammarFactory(lambda: _tokenizer_json(folder), runner.vocabulary, end_ids)
    offer = _offer(message, folder, runner)
    scheduler = _scheduler(message, offer, end_ids, runner.vocabulary, whole_slots=runner.whole_slots)
    info = _info(message, offer, runner, tools=texts.takes_tools)
    host = ModelHost(info, runner, texts, grammars, scheduler, clock, emit, share=folder.exact_rows)
    try:
        host.measure()
    except ProviderFailedError:
        raise
    except InferenceError as error:
        raise ModelFolderError(said_by(error)) from error
    return host


@dataclass(frozen=True, slots=True)
class _Offer:
    """What the memory for caches allows: ``tokens`` in all."""

    slots: int
    context_length: int
    tokens: int


def _offer(message: Load, folder: ModelFolder, runner: Runner) -> _Offer:
    try:
        tokens = capacity(message.slots, folder.context_length, runner.bytes_per_token, message.kv_bytes)
    except InferenceError as error:
        raise ModelFolderError(said_by(error)) from error
    if not runner.whole_slots:
        return _Offer(message.slots, folder.context_length, tokens)
    slots = slots_for(message.slots, folder.context_length, tokens)
    context = whole_slots(slots, folder.context_length, tokens)
    runner.take_slots(slots, context)
    return _Offer(slots, context, tokens)


def _scheduler(
    message: Load, offer: _Offer, end_ids: frozenset[int], vocabulary: int, *, whole_slots: bool
) -> Scheduler:
    settings = SchedulerSettings(
        context_length=offer.context_length,
        end_ids=end_ids,
        slots=offer.slots,
        queue_limit=message.queue_limit,
        step_tokens=message.prefill_chunk,
        whole_slots=whole_slots,
        scored_places=max(1, SCORED_LOGITS // max(1, vocabulary)),
    )
    blocks = offer.tokens // BLOCK_TOKENS
    return Scheduler(settings, PrefixCache(message.digest, blocks, tokenizer_digest=message.tokenizer_digest))


def _info(message: Load, offer: _Offer, runner: Runner, *, tools: bool) -> ModelInfo:
    return ModelInfo(
        model_id=message.model_id,
        digest=message.digest,
        tokenizer_digest=message.tokenizer_digest,
        context_length=offer.context_length,
        slots=offer.slots,
        provider=runner.provider,
        provider_reason=plain(runner.provider_reason),
        provider_words=words_of(runner.provider_reason),
        batching=runner.batching,
        vocabulary=runner.vocabulary,
        tools=tools,
    )


def _tokenizer_json(folder: ModelFolder) -> str:
    return (folder.tokenizer_path / "tokenizer.json").read_text(encoding="utf-8")
