"""Sizes for people."""

from __future__ import annotations

from engine.sentences import Said, say


def gigabytes(count: float) -> Said:
    """Bytes for people, in powers of ten as disks and the hub count them."""
    for code, size in (("size.gb", 1e9), ("size.mb", 1e6), ("size.kb", 1e3)):
        if count >= size:
            return say(code, count=round(count / size, 1) if count < 100 * size else round(count / size))
    return say("size.bytes", count=round(count))
