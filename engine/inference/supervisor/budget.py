"""How much memory the caches of keys and values of one worker may take. Decides; the worker keeps to it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from engine.errors import ConfigurationError
from engine.inference.models.folder import ModelFolder
from engine.inference.scheduling.kv_cache import SMALLEST_SEQUENCE
from engine.inference.supervisor.devices import Device
from engine.sentences import say

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30
SMALLEST_BUDGET = 64 * MEBIBYTE
"""Bytes that are tried when next to nothing is free."""
LARGEST_ON_PROCESSOR = 8 * GIBIBYTE
"""Bytes that are taken from main memory unless the owner says more: the computer has other work to do."""
UNKNOWN = GIBIBYTE
"""Bytes that are taken where nobody can tell what is free."""
LOADED = 1.1
"""Memory of a loaded model beside the size of its file, as a factor."""
RESERVE = GIBIBYTE
"""Bytes that stay free for other programs and for the runtime's working memory."""
_WIDE = ("fp32", "int4", "int8", "nf4", "dynamic-int8")


def default_budget(free: int | None, models: int, *, gpu: bool) -> int:
    """Bytes for the caches of a worker whose ``models`` (bytes of all their files) are not loaded yet, when ``free``
    bytes are there. A GPU's memory is there to be filled; of main memory half is left alone."""
    if free is None:
        return UNKNOWN
    left = int(free - models * LOADED - RESERVE)
    if gpu:
        return max(SMALLEST_BUDGET, left * 9 // 10)
    return max(SMALLEST_BUDGET, min(left // 2, LARGEST_ON_PROCESSOR))


def smallest_budget(folder: ModelFolder) -> int:
    """Bytes of caches that a model cannot do without: one short sequence. The worker, which knows the graph's own
    number format, has the last word."""
    tokens = min(SMALLEST_SEQUENCE, folder.context_length)
    return tokens * folder.kv.bytes_per_token(4 if folder.precision in _WIDE else 2)


def working_memory(device: Device) -> int:
    """Bytes that a worker takes beside its models and their caches."""
    return 512 * MEBIBYTE if device.kind == "cuda" else 192 * MEBIBYTE


class Budget:
    """``total`` bytes for all models of a worker together, in equal shares. ``kv_bytes`` 0: chosen from the memory that
    is free (``free`` of the device) when a worker starts."""

    def __init__(self, kv_bytes: int, device: Device, free: Callable[[Device], int | None]) -> None:
        self._device, self._free = device, free
        self._fixed = 0
        self._cap: int | None = None
        self._models = 0  # bytes of the models that the present worker has or will have
        self.set(kv_bytes, ())
        self._total = self._fixed or UNKNOWN

    @property
    def total(self) -> int:
        """Bytes for the caches of all models."""
        return self._total if self._cap is None else max(1, min(self._total, self._cap - self._taken(self._models)))

    def _taken(self, models: int) -> int:
        return int(models * LOADED) + working_memory(self._device)

    def limit(self, cap: int | None, folders: Collection[ModelFolder]) -> None:
        """From now on the worker may take ``cap`` bytes in all; ``folders``: what it has loaded or shall load."""
        self._cap = cap
        self.loads(folders)

    def loads(self, folders: Collection[ModelFolder]) -> None:
        """What the worker has loaded or shall load from now on."""
        self._models = sum(one.size for one in folders)

    def refusal(self, folders: Collection[ModelFolder]) -> str:
        """Why the worker may not have all of ``folders`` at a time; "" if it may."""
        if self._cap is None:
            return ""
        needed = self._taken(sum(one.size for one in folders))
        needed += len(folders) * max((smallest_budget(one) for one in folders), default=0)
        if needed <= self._cap:
            return ""
        return say(
            "load.capped",
            needed=f"{needed / 1e9:.1f}",
            device=self._device.name,
            most=f"{self._cap / 1e9:.1f}",
        )

    def set(self, kv_bytes: int, folders: Collection[ModelFolder]) -> None:
        """``folders``: the models that share it now. :class:`ConfigurationError`, with nothing changed, when one of
        them could not hold a single sequence."""
        if kv_bytes < 0:
            raise ConfigurationError(f"The memory for caches is set to {kv_bytes} bytes: it is 0 or more.")
        needed = len(folders) * max((smallest_budget(one) for one in folders), default=1)
        if 0 < kv_bytes < needed:
            raise ConfigurationError(
                f"The memory for caches is set to {kv_bytes} bytes, but a single short conversation needs {needed}: "
                f"nothing could be answered. Allow at least {-(-needed // MEBIBYTE)} MiB (the setting cache_memory), "
                "or 0 to have it chosen from the free memory."
            )
        self._fixed = kv_bytes
        if kv_bytes:
            self._total = kv_bytes

    def worker_starts(self, folders: Collection[ModelFolder]) -> None:
        """A worker begins that will load ``folders``; the memory of the one before it is free again."""
        models = sum(one.size for one in folders)
        self._models = models
        gpu = self._device.kind == "cuda"
        self._total = self._fixed or default_budget(self._free(self._device), models, gpu=gpu)

    def share(self, models: int) -> int:
        """Bytes for each of ``models`` models."""
        return self.total // max(1, models)
