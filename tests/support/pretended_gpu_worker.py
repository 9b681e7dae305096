"""A real worker process whose GPU is pretended: ``python -m tests.support.pretended_gpu_worker``.

What the GPU does wrong is written into its identifier, which the engine hands over as it would NVIDIA's:
``GPU-fails-N`` after N runs, ``GPU-once-N-FILE`` the same, but only until FILE exists, ``GPU-wrong``, ``GPU-fine``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from engine.inference.runtime import runner, session
from engine.inference.runtime.device_kv_memory import DeviceKvMemory
from engine.inference.runtime.providers import CPU, CUDA
from engine.inference.worker.__main__ import main
from tests.support.pretended_gpu import PretendedGpu

FAILURE = "CUDA failure 700: an illegal memory access was encountered"


def _faults() -> dict[str, Any]:
    match os.environ.get("CUDA_VISIBLE_DEVICES", "").split("-", 3):
        case [_, "fails", runs]:
            return {"failure": FAILURE, "runs": int(runs)}
        case [_, "once", runs, file]:
            if Path(file).exists():
                return {}
            Path(file).touch()
            return {"failure": FAILURE, "runs": int(runs)}
        case [_, "wrong"]:
            return {"wrong": 5.0}
    return {}


class _InMainMemory(DeviceKvMemory):
    def __init__(self, shape: Any, slots: int, device: str, device_id: int, providers: Any) -> None:
        super().__init__(shape, slots, "cpu", 0, [CPU])
        self.device = device


def _open_session(folder: Any, model: Any, threads: int, providers: Any, options: Any) -> Any:
    if providers[0][0] != CUDA:
        return session.open_session(folder, model, threads, providers, options)
    return PretendedGpu(session.open_session(folder, model, threads, [CPU], options), **_faults())


if __name__ == "__main__":
    replaced: Any = runner
    replaced.open_session, replaced.DeviceKvMemory = _open_session, _InMainMemory
    replaced.prepare_device = lambda names: None
    main()
