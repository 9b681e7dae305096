"""What a node's descriptor says of the models that it offers, and when that is worth telling anew. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from engine.inference.types import ModelInfo
from engine.wire.records import ServedModel

RATES_CHANGED = 1.5
"""A model's advertised rate is published anew when it is off by this factor."""


def served_model(info: ModelInfo) -> ServedModel:
    """A model of a back end as the directory lists it."""
    return ServedModel(
        model_id=info.model_id,
        digest=info.digest,
        tokenizer_digest=info.tokenizer_digest,
        context_length=info.context_length,
        slots=info.slots,
        prefill_rate=round(info.prefill_rate, 1),
        decode_rate=round(info.decode_rate, 1),
        kv_tokens_total=info.kv_tokens_total,
        kv_tokens_free=info.kv_tokens_free,
        seeds=info.seeds,
        token_ids=info.token_ids,
        logprobs=info.logprobs,
        constraints=info.constraints,
        tools=info.tools,
    )


def _identity(model: ServedModel) -> tuple[object, ...]:
    """What a client chooses by."""
    abilities = (model.seeds, model.token_ids, model.logprobs, model.constraints, model.tools)
    return model.model_id, model.digest, abilities


def noticeably_different(new: Sequence[ServedModel], old: Sequence[ServedModel]) -> bool:
    """Models came or went, or a rate is off by half; small changes wait for the next renewal."""
    if [_identity(model) for model in new] != [_identity(model) for model in old]:
        return True
    return any(
        max(a, b) > RATES_CHANGED * max(min(a, b), 0.1)
        for one, other in zip(new, old, strict=True)
        for a, b in ((one.prefill_rate, other.prefill_rate), (one.decode_rate, other.decode_rate))
    )
