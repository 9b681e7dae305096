"""Whether a model fits into a machine, and about how fast it will answer there. Estimates, made before a download.

Memory: weights with what loading takes beside them, the key-value cache of the context, and the program around it.
Speed: one token of one answer reads every weight once, so the memory's speed decides it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.inference.models.model_config import KvLayout
from engine.inference.models.variants import Precision, Variant, preferred

LOADING = 1.1
"""Memory for the weights, as a factor of their size on the disk."""
PROGRAM = 400_000_000
"""Bytes of the worker process without a model: Python, ONNX Runtime, tokenizer (measured on Linux: 260 to 350 MB)."""
SHARE = 0.6
"""Of the memory's read speed that decoding reaches: 68 tokens/s with 310 MB of int4 weights at 34 GB/s (this project's
benchmark on a machine with two cores, one answer)."""
DEFAULT_CONTEXT = 4096
Verdict = Literal["fits", "tight", "does_not_fit", "unknown"]


@dataclass(frozen=True, slots=True)
class Machine:
    """Sizes in bytes, speeds in bytes per second (0: unknown). ``available``: what other programs leave now."""

    memory: int
    available: int
    read_speed: float
    gpu: str = ""
    gpu_memory: int = 0
    gpu_read_speed: float = 0.0


@dataclass(frozen=True, slots=True)
class Fit:
    """``memory``: bytes needed (None: sizes are not known). ``tokens_per_s``: of one answer (0: cannot be said)."""

    variant: str
    device: Literal["processor", "gpu"]
    verdict: Verdict
    weights: int
    cache: int
    memory: int | None
    tokens_per_s: float
    context: int


def cache_bytes(kv: KvLayout | None, precision: Precision, context: int) -> int:
    """Bytes of the key-value cache of one answer; 0 if the model's numbers are not known."""
    half = precision in ("fp16", "bf16", "int4-fp16")
    return kv.bytes_per_token(2 if half else 4) * context if kv else 0


def estimate(
    variant: Variant, kv: KvLayout | None, context: int, machine: Machine, device: Literal["processor", "gpu"]
) -> Fit:
    """One variant on the processor or the GPU of a machine, with ``context`` tokens of one answer."""
    cache = cache_bytes(kv, variant.precision, context)
    need = int(variant.size * LOADING) + cache + PROGRAM if variant.size else None
    speed = machine.gpu_read_speed if device == "gpu" else machine.read_speed
    read = variant.size + cache / 2  # an answer's cache is half full on average
    return Fit(
        variant=variant.name,
        device=device,
        verdict=_verdict(need, machine, device),
        weights=variant.size,
        cache=cache,
        memory=need,
        tokens_per_s=SHARE * speed / read if read else 0.0,
        context=context,
    )


def recommended(found: Sequence[Variant], kv: KvLayout | None, context: int, machine: Machine) -> Fit | None:
    """The best variant for this machine: on its GPU if one fits there, else on the processor; None without variants."""
    usable = [one for one in found if not one.problem]
    if not usable:
        return None
    for device, provider, memory in (("gpu", "cuda", machine.gpu_memory), ("processor", "cpu", machine.memory)):
        if not memory:
            continue
        room = memory - PROGRAM
        fitting = [one for one in usable if one.size * LOADING + cache_bytes(kv, one.precision, context) <= 0.9 * room]
        if fitting or device == "processor":
            best = preferred(fitting, provider) if fitting else min(usable, key=lambda one: one.size)
            return estimate(best, kv, context, machine, "gpu" if device == "gpu" else "processor")
    return None


def memory_need(found: Sequence[Variant], kv: KvLayout | None, context: int = DEFAULT_CONTEXT) -> int:
    """Bytes for the variant that a processor would take, 0 if the sizes are not known."""
    if not found:
        return 0
    best = preferred(found)
    return int(best.size * LOADING) + cache_bytes(kv, best.precision, context) + PROGRAM


def hardware(need: int) -> str:
    """The smallest usual computer and graphics card for a model that needs so many bytes."""
    return f"{_next_size(need / 0.7)} GB of memory, or a graphics card with {_next_size(need / 0.9)} GB"


def _next_size(need: float) -> int:
    sizes = (2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
    return next((one for one in sizes if one * 1e9 >= need), int(need / 1e9) + 1)


def _verdict(need: int | None, machine: Machine, device: str) -> Verdict:
    if need is None:
        return "unknown"
    total = machine.gpu_memory if device == "gpu" else machine.memory
    now = machine.gpu_memory if device == "gpu" else machine.available
    if need <= 0.9 * now:
        return "fits"
    return "tight" if need <= 0.9 * total else "does_not_fit"
