"""This project's engine: the worker process as it runs behind an engine, asked through its own pipe.

What is timed is what a user of ``InferenceBackend`` sees: scheduler, runner, sampler, text and pipe included.
"""

from __future__ import annotations

import importlib.metadata
import os
import random
import subprocess
import time
from itertools import count
from pathlib import Path
from time import perf_counter

from engine.bench.drivers.protocol import serve
from engine.bench.work import Settings
from engine.inference.models.folder import read_model_folder
from engine.inference.pipe import (
    AnswerFailed,
    CancelAnswer,
    Event,
    FromWorker,
    Generate,
    Load,
    Loaded,
    LoadFailed,
    ToWorker,
    decode_from_worker,
    frame,
    read_frame,
)
from engine.inference.supervisor.process import worker_environment
from engine.inference.types import Delta, Done, GenerationRequest, PromptMessage, Started
from engine.programs import module_command
from engine.wire.answer import Sampling

MODEL = "bench"
LETTERS = "bcdfgjklmopqrsuvwxyz"
"""Each is one token of the benchmarks' tokenizer, wherever it stands."""
SAMPLINGS = {
    "greedy": Sampling(seed=7, temperature=0.0),
    "top_k_40": Sampling(seed=7, temperature=1.0, top_k=40),
    "full_vocabulary": Sampling(seed=7, temperature=1.0),
}
TOKENS_BEFORE = 1 + len("user") + 1
"""Of the benchmarks' chat template before a question's text: a special token, the role's letters, a line's end."""
KV_BYTES = 1 << 30
SETTLE_SECONDS = 0.3
"""For what was cancelled to end before another engine is measured."""
ROOM = 512
"""Tokens that an answer may have beyond those counted, so that none ends while others begin."""


class OwnEngine:
    """One worker process with one model."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        self._keys = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._template_tokens = 0

    def load(self, model: Path, settings: Settings) -> dict[str, str]:
        """See ``Driver``; ``settings`` has ``threads`` and may have ``provider``."""
        self.close()
        environment = os.environ | worker_environment(dict(os.environ))
        command = module_command("engine.inference.worker")
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        folder = read_model_folder(MODEL, model, lambda _: bytes(32))
        self._tell(
            Load(
                model_id=MODEL,
                path=str(model),
                digest=folder.digest,
                tokenizer_digest=folder.tokenizer_digest,
                threads=settings["threads"],
                slots=16,
                queue_limit=32,
                prefill_chunk=512,
                kv_bytes=KV_BYTES,
            )
        )
        while not isinstance(message := self._hear(), Loaded):
            if isinstance(message, LoadFailed):
                raise RuntimeError(message.text)
        self._template_tokens = 0
        key = self._ask("b", 1, "greedy", b"")
        while not isinstance(event := self._event(key), Done):
            if isinstance(event, Started):
                self._template_tokens = len(event.prompt_ids) - 1
        self.prefill(64)
        return {"onnxruntime": _onnxruntime_version(), "provider": message.info.provider or "CPUExecutionProvider"}

    def decode(self, batch: int, prompt: int, steps: int, draw: str) -> tuple[float, int]:
        """See ``Driver``."""
        while True:  # random weights end an answer in earnest now and then: one token in 150,000
            found = self._decode(batch, prompt, steps, draw)
            if found is not None:
                return found

    def _decode(self, batch: int, prompt: int, steps: int, draw: str) -> tuple[float, int] | None:
        """One measurement; None if an answer ended in its middle."""
        keys = {self._ask(self._text(prompt), steps + ROOM, draw, self._salt()) for _ in range(batch)}
        waiting = set(keys)
        begin, made = 0.0, 0
        while made < batch * steps:
            message = self._hear()
            if not isinstance(message, Event) or message.key not in keys:
                continue
            if isinstance(message.event, Done):
                break
            if isinstance(message.event, Delta):
                if waiting:
                    waiting.discard(message.key)
                    begin = perf_counter()
                else:
                    made += len(message.event.ids)
        seconds = perf_counter() - begin
        for key in keys:
            self._tell(CancelAnswer(key))
        time.sleep(SETTLE_SECONDS)
        return (seconds, made) if made >= batch * steps else None

    def prefill(self, tokens: int) -> float:
        """See ``Driver``."""
        return self._first_token(self._text(tokens), self._salt())

    def cached_prefix(self, tokens: int, shared: int) -> tuple[float, float]:
        """Seconds to the first token of a prompt of ``tokens``: nothing cached, the first ``shared`` cached."""
        salt = self._salt()
        beginning = self._letters(shared - TOKENS_BEFORE)
        rest = tokens - self._template_tokens - len(beginning)
        cold = self._first_token(beginning + self._letters(rest), salt)
        return cold, self._first_token(beginning + self._letters(rest), salt)

    def _first_token(self, text: str, salt: bytes) -> float:
        begin = perf_counter()
        key = self._ask(text, 1, "greedy", salt)
        seconds = 0.0
        while not isinstance(event := self._event(key), Done):
            if isinstance(event, Delta) and not seconds:
                seconds = perf_counter() - begin
        return seconds or perf_counter() - begin

    def _text(self, tokens: int) -> str:
        """A question whose whole prompt, template included, has ``tokens`` tokens."""
        return self._letters(tokens - self._template_tokens)

    def _letters(self, number: int) -> str:
        return "".join(self._random.choices(LETTERS, k=max(1, number)))

    def _salt(self) -> bytes:
        return self._random.randbytes(32)

    def _ask(self, text: str, tokens: int, draw: str, salt: bytes) -> int:
        key = next(self._keys)
        request = GenerationRequest(
            model_id=MODEL,
            messages=(PromptMessage("user", text),),
            sampling=SAMPLINGS[draw],
            max_tokens=tokens,
            cache_salt=salt,
            owner=True,
        )
        self._tell(Generate(key, request))
        return key

    def _event(self, key: int) -> object:
        while True:
            message = self._hear()
            if isinstance(message, Event) and message.key == key:
                return message.event

    def _hear(self) -> FromWorker:
        assert self._process is not None
        assert self._process.stdout is not None
        content = read_frame(self._process.stdout.read)
        if content is None:
            raise RuntimeError("the worker process ended")
        message = decode_from_worker(content)
        if isinstance(message, AnswerFailed):
            raise RuntimeError(message.text)
        return message

    def _tell(self, message: ToWorker) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(frame(message))
        self._process.stdin.flush()

    def close(self) -> None:
        """End the worker process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _onnxruntime_version() -> str:
    for name in ("onnxruntime-gpu", "onnxruntime"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""


if __name__ == "__main__":
    engine = OwnEngine()
    try:
        serve(engine)
    finally:
        engine.close()
