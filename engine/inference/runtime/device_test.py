"""Whether a GPU computes what the processor computes: tried with a few tokens before anybody gets an answer from it."""

from __future__ import annotations

from collections.abc import Callable

import psutil

from engine.errors import InferenceError, ProviderFailedError
from engine.inference.models.folder import ModelFolder
from engine.inference.runtime.execution import Execution
from engine.inference.runtime.graph import GraphFacts
from engine.inference.runtime.kv_memory import CpuKvMemory
from engine.inference.runtime.providers import CPU
from engine.inference.runtime.self_test import Logits, attempt, difference, large_enough
from engine.inference.runtime.session import open_session
from engine.inference.runtime.signature import Signature
from engine.sentences import said_by, say

TOLERANCE = {"tensor(float)": 0.05, "tensor(float16)": 0.3, "tensor(bfloat16)": 0.6}
"""Largest difference of a logit, in standard deviations of the logits, by the numbers between the products. A wrong
kernel differs by one and more."""
QUANTISED = 0.6
"""The same where weights have few bits: the processor rounds the numbers between them to 8 bits, a GPU does not."""
_ROOM = 1.3
"""Main memory that the processor needs for the test, as a factor of the model's size."""
_LEAN = {"session.disable_prepacking": "1"}


def compare_with_processor(
    folder: ModelFolder, facts: GraphFacts, signature: Signature, executed: Callable[[int], Execution], threads: int
) -> str:
    """Compute the same tokens with the device's session (``executed``) and with one on the processor.

    Returns how it went, in words. :class:`ProviderFailedError` when the device computes something else or fails.
    """
    if not large_enough(folder):
        return say("worker.too_small")
    found = attempt(executed, "single", folder, pieces=True)
    if isinstance(found, str):
        raise ProviderFailedError(say("worker.cannot_compute", model=folder.model_id, problem=found))
    if psutil.virtual_memory().available < folder.size * _ROOM:
        return say("worker.no_memory_to_compare")
    expected = _on_processor(folder, facts, signature, threads)
    if isinstance(expected, str):
        return say("worker.not_compared", problem=expected)
    few_bits = folder.precision in ("int4", "int4-fp16", "int8", "nf4", "dynamic-int8")
    tolerance = max(TOLERANCE[signature.kv.element], QUANTISED if few_bits else 0.0)
    off = difference(found, expected)
    if off > tolerance:
        raise ProviderFailedError(
            say("worker.other_numbers", model=folder.model_id, off=float(f"{off:.3g}"), most=float(tolerance))
        )
    return say("worker.agrees", off=float(f"{off:.2g}"))


def _on_processor(folder: ModelFolder, facts: GraphFacts, signature: Signature, threads: int) -> Logits | str:
    try:
        session = open_session(folder, facts.model, threads, [CPU], _LEAN)
    except InferenceError as error:
        return said_by(error)

    def executed(slots: int) -> Execution:
        memory = CpuKvMemory(signature.kv, slots)
        return Execution(session, signature, facts, memory, folder.vocabulary, folder.context_length)

    try:
        return attempt(executed, "single", folder, pieces=True)
    except InferenceError as error:  # the device has done its part; it is not to blame
        return said_by(error)
