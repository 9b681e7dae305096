"""The model itself: feeds the tokens of a step to an ONNX Runtime session. Lives in the worker's computing thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.errors import InferenceError
from engine.inference.models.folder import ModelFolder
from engine.inference.runtime.calls import Batching
from engine.inference.runtime.device_kv_memory import DeviceKvMemory
from engine.inference.runtime.device_test import compare_with_processor
from engine.inference.runtime.execution import Execution
from engine.inference.runtime.graph import prepare
from engine.inference.runtime.kv_memory import CpuKvMemory, KvMemory
from engine.inference.runtime.providers import CPU, CUDA, DEVICES, check_provider, prepare_device, provider_options
from engine.inference.runtime.self_test import choose_batching
from engine.inference.runtime.session import computing_error, open_session, runtime_version
from engine.inference.runtime.signature import read_signature
from engine.inference.runtime.top_k import TopK
from engine.inference.scheduling.plan import Row
from engine.sentences import say

QUERY_LENGTHS_SINCE = (1, 32)
"""The ONNX Runtime whose GroupQueryAttention takes pieces of different lengths together."""


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """``threads``: 0 lets ONNX Runtime choose. ``slots``: sequences that can be computed at a time. ``providers`` in
    order of preference. ``device``: number of the GPU. ``options``: session configuration entries."""

    threads: int
    slots: int
    providers: tuple[str, ...] = ("CPUExecutionProvider",)
    device: int = 0
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class StepLogits:
    """Rows that draw, in the order of the step's rows. ``logits`` [n, vocabulary] is a view that is valid until the
    next step; ``top_values`` and ``top_ids`` [n, top] fall, equal ones by rising id; None where none were asked for."""

    logits: NDArray[np.float32]
    top_values: NDArray[np.float32] | None
    top_ids: NDArray[np.int64] | None


class Runner:
    """One session, its cache memory and the calls that feed it.

    ``provider``: the execution provider that the session really got. ``provider_reason`` and ``batching_reason`` say
    why it and the way of putting rows together are what they are, in plain words. ``capacity_limit``: tokens that one
    slot can ever hold. ``whole_slots``: the caches lie on a device that gives every slot all its memory at once (see
    :meth:`take_slots`).
    """

    def __init__(self, folder: ModelFolder, settings: RuntimeSettings) -> None:
        """Raises :class:`ModelFolderError` naming the file and the fix, or :class:`ProviderFailedError` when the first
        of the providers cannot be had or computes other numbers than the processor."""
        self._folder = folder
        prepare_device(settings.providers)
        facts = prepare(folder.graph, runtime_version() >= QUERY_LENGTHS_SINCE)
        providers = provider_options(settings.providers, settings.device)
        self._session = open_session(folder, facts.model, settings.threads, providers, settings.options)
        self.provider = check_provider(self._session, settings.providers)
        signature = read_signature(self._session, folder)
        self.vocabulary = folder.vocabulary
        self.capacity_limit = folder.context_length
        self.bytes_per_token = signature.kv.bytes_per_token

        self.whole_slots = self.provider == CUDA and facts.shared_buffer

        def executed(slots: int) -> Execution:
            memory: KvMemory = CpuKvMemory(signature.kv, slots)
            if self.whole_slots:
                memory = DeviceKvMemory(signature.kv, slots, DEVICES[self.provider], settings.device, providers)
            return Execution(self._session, signature, facts, memory, self.vocabulary, self.capacity_limit)

        self._executed = executed
        self.provider_reason: str = say("worker.processor")
        if self.provider != CPU:
            self.provider_reason = compare_with_processor(folder, facts, signature, executed, settings.threads)
        self.batching: Batching
        self.batching, self.batching_reason = choose_batching(folder, facts, executed, signature.kv.element)
        self._execution = executed(settings.slots)
        self._execution.batching = self.batching
        self._top_k = TopK(settings.threads)

    def take_slots(self, slots: int, capacity: int) -> None:
        """Take the memory for ``slots`` sequences of ``capacity`` tokens now and for good, before the first step.

        :class:`ProviderFailedError` when the device has not so much.
        """
        self._execution.close()
        self.capacity_limit = capacity
        self._execution = self._executed(slots)
        self._execution.batching = self.batching
        self._execution.reserve(capacity)

    def reserve(self, capacity: int) -> None:
        """Give every slot room for ``capacity`` tokens; what the slots hold stays. InferenceError beyond the limit."""
        self._execution.reserve(capacity)

    def release_slots(self, slots: Sequence[int]) -> None:
        """What these slots hold is not needed any more; their memory may go back to the system."""
        self._execution.release(slots)

    def free_blocks(self, blocks: Sequence[int]) -> None:
        """Give the memory of these blocks back."""
        self._execution.memory.free_blocks(blocks)

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` tokens of slot ``source`` to ``target``; ``source`` is free afterwards."""
        self._execution.move(source, target, length)

    def load_blocks(self, slot: int, blocks: Sequence[int]) -> None:
        """Copy blocks to the beginning of ``slot``. InferenceError for a block that was never stored."""
        self._execution.load_blocks(slot, blocks)

    def store_block(self, slot: int, position: int, block: int) -> None:
        """Copy ``BLOCK_TOKENS`` tokens of ``slot``, from ``position`` on, into ``block``."""
        self._execution.store_block(slot, position, block)

    def step(self, rows: Sequence[Row], top: int = 0) -> StepLogits:
        """Feed ``rows`` (at most one for a slot) and return the logits of those that draw, with their ``top`` best.

        Raises :class:`InferenceError` (:class:`ProviderFailedError` where the device failed); the cache of these rows
        is then undefined from their ``start`` on.
        """
        try:
            logits = self._execution.run(rows)
            if not top or not len(logits):
                return StepLogits(logits, None, None)
            return StepLogits(logits, *self._top_k(logits, top))
        except InferenceError:
            raise
        except Exception as error:  # the runtime raises a dozen classes of its own, none public
            self._execution.failed(rows)
            raise computing_error(self._folder.model_id, error) from error

    def close(self) -> None:
        """Give all memory back; nothing may be called afterwards."""
        self._execution.close()
        del self._session, self._execution
