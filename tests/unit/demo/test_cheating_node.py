"""What the demo's dishonest node makes of requests, and what it claims."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import msgspec
import pytest

from engine.demo.cheating_node import WAYS, CheatingBackend
from engine.demo.cheats import CHEATS, NO_CHEAT
from engine.inference.models.installed import BUILTIN_MODEL, Catalogue
from engine.inference.types import GenerationRequest, ModelInfo, PromptMessage
from engine.wire.answer import Sampling

ASKED = GenerationRequest(
    model_id=BUILTIN_MODEL,
    messages=(PromptMessage("user", "What is a relay?"),),
    sampling=Sampling(seed=7, temperature=1.0),
)
INFO = ModelInfo(model_id=BUILTIN_MODEL, digest=b"x" * 32, tokenizer_digest=b"y" * 32, context_length=512, slots=4)


class Pool:
    """What the node really runs."""

    def __init__(self) -> None:
        self.asked: list[GenerationRequest] = []

    def models(self) -> list[ModelInfo]:
        return [INFO, msgspec.structs.replace(INFO, model_id="another")]

    def generate(self, request: GenerationRequest) -> AsyncIterator[Any]:
        self.asked.append(request)
        return cast(AsyncIterator[Any], iter(()))


def test_every_way_of_cheating_is_one_that_the_command_knows() -> None:
    assert set(WAYS) == set(CHEATS)
    assert NO_CHEAT not in WAYS


@pytest.mark.parametrize("way", WAYS)
def test_it_claims_the_right_model_and_answers_otherwise(way: str) -> None:
    claimed, pool = Catalogue(None).open(BUILTIN_MODEL), Pool()
    backend = CheatingBackend(cast(Any, pool), WAYS[way], claimed)
    [told] = backend.models()
    assert (told.digest, told.tokenizer_digest) == (claimed.digest, claimed.tokenizer_digest)
    assert told.slots == INFO.slots
    backend.generate(ASKED)
    [made] = pool.asked
    assert msgspec.structs.replace(made, sampling=ASKED.sampling) == ASKED, "the question is the one that was asked"
    assert made.sampling != ASKED.sampling or WAYS[way].make is not None


def test_what_each_way_does_to_the_settings() -> None:
    def made(way: str) -> Sampling:
        return WAYS[way].sampling(ASKED.sampling)

    assert made("wrong-temperature") == Sampling(seed=7, temperature=0.5)
    assert made("ignored-seed").seed != 7
    assert made("prefill-attack") == Sampling(seed=7, temperature=0.0)
    assert made("quantised") == made("smaller-model") == ASKED.sampling
