"""Why a worker ended, in words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from engine.inference.pipe import PROVIDER_FAILED

Kind = Literal["crash", "exit", "killed", "hang", "nonsense", "provider", "not started", "stopped"]
"""``crash``: a signal or an exception of the processor; ``killed``: by somebody else, most likely the system for want
of memory; ``hang``: no sign of life, or one step took too long; ``nonsense``: it did not speak the pipe's language;
``provider``: the device that it computed with failed; ``stopped``: wanted so."""

_MEMORY = {-9: "it was killed, most likely because the machine ran out of memory"}
_WINDOWS = {
    0xC0000005: "it crashed (memory access violation)",
    0xC0000017: "the system had no memory for it",
    0xC000001D: "it crashed (illegal instruction: this processor is too old for the runtime)",
    0xC00000FD: "it crashed (stack overflow)",
    0xC0000409: "it crashed (the runtime stopped itself)",
}
_SIGNALS = {4: "illegal instruction", 6: "it stopped itself", 7: "bus error", 8: "arithmetic error", 11: "memory error"}

# Only lines of programs about themselves: an exception's own text may quote what it was working on, a prompt.
_TELLING = (
    r"Fatal Python error: .*",
    r"(?:Memory|Import|ModuleNotFound|OS)Error\b.*",
    r"(?:\S+: )?No module named .*",
    r"\S+: error while loading shared libraries: .*",
    r"terminate called .*|what\(\): .*|libc\+\+abi: .*|corrupted .*|free\(\): .*|malloc\(\).*",
    r"(?:CUDA|CUDNN|cuDNN|CUBLAS) (?:error|failure)\b.*|Out of memory\b.*",
    r"\d{4}-\d\d-\d\d [^\[]{1,30}\[[EF]:onnxruntime.*",
)
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Ending:
    """``text`` goes into a sentence after a colon."""

    kind: Kind
    text: str


def ended(code: int) -> Ending:
    """From the exit code, as ``subprocess`` gives it."""
    if code in _MEMORY:
        return Ending("killed", _MEMORY[code])
    if code < 0:
        name = f", {_SIGNALS[-code]}" if -code in _SIGNALS else ""
        return Ending("crash", f"it crashed with signal {-code}{name}")
    if code in _WINDOWS:
        return Ending("crash", _WINDOWS[code])
    if code == PROVIDER_FAILED:
        return Ending("provider", f"the device that it computed with failed (exit code {code})")
    return Ending("exit", f"it ended with exit code {code}")


def last_words(lines: Iterable[str]) -> str:
    """The last line on standard error that says what happened; "" where none does. Prompts never get in here."""
    for line in reversed(list(lines)):
        shown = "".join(one for one in line if one.isprintable()).strip()
        if any(re.fullmatch(one, shown) for one in _TELLING):
            return shown[:_LONGEST]
    return ""
