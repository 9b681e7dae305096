"""Why a worker ended, in words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from engine.inference.pipe import PROVIDER_FAILED
from engine.sentences import say

Kind = Literal["crash", "exit", "killed", "hang", "nonsense", "provider", "not started", "stopped"]
"""``crash``: a signal or an exception of the processor; ``killed``: by somebody else, most likely the system for want
of memory; ``hang``: no sign of life, or one step took too long; ``nonsense``: it did not speak the pipe's language;
``provider``: the device that it computed with failed; ``stopped``: wanted so."""

_MEMORY = {-9: "worker.out_of_memory"}
_WINDOWS = {
    0xC0000005: "worker.access",
    0xC0000017: "worker.no_memory",
    0xC000001D: "worker.too_old",
    0xC00000FD: "worker.stack",
    0xC0000409: "worker.stopped_itself",
}
_SIGNALS = {
    4: "worker.signal_illegal",
    6: "worker.signal_abort",
    7: "worker.signal_bus",
    8: "worker.signal_arithmetic",
    11: "worker.signal_memory",
}

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
        return Ending("killed", say(_MEMORY[code]))
    if code < 0:
        if -code not in _SIGNALS:
            return Ending("crash", say("worker.signal", number=-code))
        return Ending("crash", say("worker.signal_named", number=-code, name=say(_SIGNALS[-code])))
    if code in _WINDOWS:
        return Ending("crash", say(_WINDOWS[code]))
    if code == PROVIDER_FAILED:
        return Ending("provider", say("worker.device_failed", number=code))
    return Ending("exit", say("worker.exit", number=str(code)))


def last_words(lines: Iterable[str]) -> str:
    """The last line on standard error that says what happened; "" where none does. Prompts never get in here."""
    for line in reversed(list(lines)):
        shown = "".join(one for one in line if one.isprintable()).strip()
        if any(re.fullmatch(one, shown) for one in _TELLING):
            return shown[:_LONGEST]
    return ""
