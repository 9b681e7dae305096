"""Looks what this machine has. Takes some milliseconds, so not in the event loop's thread."""

from __future__ import annotations

import os

from app.models.limits import Hardware


def find() -> Hardware:
    """What is there; what cannot be found out is left out."""
    return Hardware(os.cpu_count() or 1, _memory(), _graphics())


def _memory() -> int:
    import psutil

    return int(psutil.virtual_memory().total)


def _graphics() -> tuple[str, ...]:
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:
        return ()
    try:
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        return tuple(str(pynvml.nvmlDeviceGetName(handle))[:100] for handle in handles)
    except pynvml.NVMLError:
        return ()
    finally:
        pynvml.nvmlShutdown()
