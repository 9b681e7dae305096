"""What the model of a run makes of texts: the tokens that its nodes will see, and how many their caches keep."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from engine.bench.forwarding.fleet import model_folder
from engine.bench.forwarding.setting import Setting
from engine.bench.shapes import tokens
from engine.inference.models.installed import Catalogue
from engine.inference.scheduling.kv_cache import capacity
from engine.inference.supervisor.settings import InferenceSettings
from engine.inference.text.tokenizer import ChatTokenizer
from engine.inference.types import GenerationRequest, PromptMessage
from engine.wire.answer import Sampling

FLOAT = 4
"""Bytes of a number of keys and values on a processor."""
LETTERS = "etaoinshrdlu"


class Prompts:
    """One model, opened for its tokenizer alone."""

    def __init__(self, setting: Setting) -> None:
        source = model_folder(setting)
        models: Path | None = None if source is None else source.parent
        name = setting.model if source is None else source.name
        self._folder = Catalogue(models).open(name)
        self._texts = ChatTokenizer(self._folder)
        self._setting = setting

    def count(self, text: str) -> int:
        """Tokens of a text."""
        request = GenerationRequest(model_id="", messages=(), prompt=text, sampling=Sampling(seed=0))
        return len(self._texts.prompt(request).ids)

    def rendered(self, messages: tuple[PromptMessage, ...], public_messages: int) -> tuple[tuple[int, ...], int]:
        """The prompt's token ids, and how many of them are public."""
        request = GenerationRequest(
            model_id="", messages=messages, sampling=Sampling(seed=0), public_messages=public_messages
        )
        ids = self._texts.prompt(request).ids
        return ids, self._texts.public_tokens(request, ids)

    @cached_property
    def kv_tokens(self) -> int:
        """That a node's memory for caches holds."""
        per_token = self._folder.kv.bytes_per_token(FLOAT)
        slots = InferenceSettings().slots
        return capacity(slots, self._folder.context_length, per_token, self._setting.cache_mib << 20)

    @property
    def extra(self) -> dict[str, Any]:
        """Fields of every request. A model with random weights would write bytes that are no text, of which a program
        sees nothing: it is held to letters."""
        if not self._setting.shape:
            return {}
        known = tokens()
        return {"logit_bias": {str(known.index(letter)): 100 for letter in LETTERS}}
