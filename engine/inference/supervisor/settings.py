"""What the supervisor is set to, and what it shows of its worker."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Literal

from engine.inference.supervisor.devices import PROCESSOR, Device
from engine.programs import module_command

StateName = Literal["stopped", "starting", "ready", "restarting", "failed"]


@dataclass(frozen=True, slots=True)
class WorkerState:
    """For the window: ``reason`` says why it is restarting, or why its device is not used ("failed")."""

    name: StateName
    reason: str = ""


def default_threads() -> int:
    """Half of the processors, so that the owner and the links keep the rest."""
    return max(1, (os.cpu_count() or 2) // 2)


@dataclass(frozen=True, slots=True)
class InferenceSettings:
    """Limits; times in seconds."""

    slots: int = 8
    queue_limit: int = 32
    prefill_chunk: int = 512
    threads: int = field(default_factory=default_threads)
    kv_bytes: int = 0  # of the caches of all models of a worker together; 0: chosen from the free memory
    devices: tuple[Device, ...] = (PROCESSOR,)  # one worker each, in order of preference; the processor stands by
    max_requests: int = 256
    ready_timeout: float = 300.0  # from asking for a model to its being loaded
    silence_timeout: float = 15.0  # without a sign of life
    step_timeout: float = 120.0  # one prefill chunk or decode step
    load_timeout: float = 280.0
    first_backoff: float = 0.2
    longest_backoff: float = 10.0
    healthy_after: float = 30.0  # a worker that lived so long starts again without a long wait
    first_retry: float = 300.0  # of a GPU that failed; twice as long after each further failure
    longest_retry: float = 7200.0
    command: tuple[str, ...] = tuple(module_command("engine.inference.worker", isolated=True))
