"""What is measured on: processor, memory and its speed, versions, commit."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil

from engine.bench.shapes import Shape
from engine.library.machine import read_bandwidth

BITS = {"int4": 5.0, "fp32": 32.0}
"""Of one weight in ONNX Runtime's memory: blocks of 32 int4 weights have a 32-bit scale."""


RESULTS = (":(exclude)docs/benchmarks", ":(exclude)docs/test-results")


def describe_machine() -> dict[str, Any]:
    """What decides the numbers; nothing that names the machine or its owner."""
    return {
        "processor": _processor(),
        "processors": os.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "read_gb_per_s": round(read_bandwidth(time.perf_counter) / 1e9, 1),
    }


def bytes_per_token(shape: Shape, precision: str, context: int) -> float:
    """Bytes that one decode step of one answer reads at least: every matrix once, and a cache of ``context`` tokens."""
    cache = 2 * shape.layers * shape.kv_heads * shape.head_dim * 4 * context
    return shape.matrix_weights * BITS[precision] / 8 + cache


def commit(root: Path) -> str:
    """The checkout's commit, "+" after it when files were changed since (stored results do not count: one part of them
    may be measured after another); empty outside of a checkout."""
    try:
        head = _git(root, "rev-parse", "--short=12", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *RESULTS)
    except (OSError, subprocess.SubprocessError):
        return ""
    return head + ("+" if changed else "")


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)  # noqa: S603
    return result.stdout.strip()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
