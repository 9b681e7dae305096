"""What a worker is told about a model, and what is known of it before it is loaded. Pure."""

from __future__ import annotations

import msgspec

from engine.inference.models.folder import ModelFolder
from engine.inference.pipe import Load
from engine.inference.supervisor.budget import LOADED, smallest_budget
from engine.inference.supervisor.devices import Device
from engine.inference.supervisor.settings import InferenceSettings
from engine.inference.types import ModelInfo


def load_message(folder: ModelFolder, settings: InferenceSettings, device: Device, kv_bytes: int) -> Load:
    """Load the model in ``folder`` on ``device``; its caches may take ``kv_bytes``."""
    return Load(
        model_id=folder.model_id,
        path=str(folder.path),
        digest=folder.digest,
        tokenizer_digest=folder.tokenizer_digest,
        threads=settings.threads,
        slots=settings.slots,
        queue_limit=settings.queue_limit,
        prefill_chunk=settings.prefill_chunk,
        kv_bytes=kv_bytes,
        variant=folder.variant,
        providers=device.providers,
    )


def described(folder: ModelFolder, slots: int) -> ModelInfo:
    """A model that can be loaded."""
    return ModelInfo(
        model_id=folder.model_id,
        digest=folder.digest,
        tokenizer_digest=folder.tokenizer_digest,
        context_length=folder.context_length,
        slots=slots,
        memory=int(folder.size * LOADED) + smallest_budget(folder),
    )


def without_work(info: ModelInfo) -> ModelInfo:
    """The same once its worker is gone."""
    return msgspec.structs.replace(
        info,
        queue_tokens=0,
        waiting=0,
        running=0,
        output_tokens=0,
        context_tokens=0,
        kv_tokens_free=info.kv_tokens_total,
        kv_tokens_cached=0,
    )
