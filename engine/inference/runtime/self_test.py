"""Which rows may be computed together: tried on the real session with a few tokens before it is relied upon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import InferenceError, ModelFolderError, ProviderFailedError
from engine.inference.models.folder import ModelFolder
from engine.inference.runtime.calls import Batching
from engine.inference.runtime.execution import Execution
from engine.inference.runtime.graph import GraphFacts
from engine.inference.runtime.session import first_line, is_provider_failure
from engine.inference.scheduling.plan import Row
from engine.sentences import say

SLOTS = 4
FIRST, SECOND = (3, 9, 4), (2, 5, 2)
"""Tokens that three rows are fed one after the other: first pieces of different lengths, second pieces, single ones."""
SINGLES = 2
NEWCOMER = 24
"""Tokens of a row that begins beside the others in the last step: more than any of them holds."""
TOLERANCE = {"tensor(float)": 0.01, "tensor(float16)": 0.1, "tensor(bfloat16)": 0.4}
"""Allowed difference of a logit, in standard deviations of the logits. Wrong attention differs by one and more."""
WRONG = 1.0
"""A difference, in the same unit, that no rounding explains."""

Logits = NDArray[np.float32]


def choose_batching(
    folder: ModelFolder, facts: GraphFacts, executed: Callable[[int], Execution], element: str
) -> tuple[Batching, str]:
    """The best way of putting rows together that gives what the rows give alone, and why.

    Raises :class:`ModelFolderError` when the graph fails even with a row alone, or does not continue from its cache.
    """
    if not large_enough(folder):
        return "single", "the model is too small to be tried with several rows"
    tolerance = TOLERANCE[element]
    alone = attempt(executed, "single", folder, pieces=True)
    if isinstance(alone, str):
        raise ModelFolderError(say("load.computes_not", path=str(folder.graph), problem=alone))
    _check_continuation(folder, executed, alone)
    if facts.per_tensor:
        return "single", "the graph quantises all rows of a call together, so that a row depends on those beside it"
    modes: list[tuple[Batching, str]] = [("two calls", "this graph takes single tokens of several rows in one call")]
    if facts.mixed:
        modes.insert(0, ("ragged", "this graph takes pieces of different lengths in one call"))
    refused = ""
    for mode, reason in modes:
        found = attempt(executed, mode, folder, pieces=True)
        if isinstance(found, str):
            refused += f'; "{mode}" fails: {found}'
            continue
        off = difference(found, alone)
        if off <= tolerance:
            return mode, reason + refused
        refused += f'; "{mode}" changes logits by {off:.3g} standard deviations'
    return "single", "rows are computed one by one" + refused


def large_enough(folder: ModelFolder) -> bool:
    """Whether the model's context and vocabulary hold the tokens that are tried."""
    return folder.context_length >= 2 * sum(map(max, (FIRST, SECOND))) and folder.vocabulary >= 8


def attempt(executed: Callable[[int], Execution], mode: Batching, folder: ModelFolder, pieces: bool) -> Logits | str:
    """Logits of every step of three rows, with an idle slot between them that a fourth one begins in, or the error."""
    execution = executed(SLOTS)
    execution.batching = mode
    try:
        return np.concatenate([execution.run(rows).copy() for rows in _steps(folder.vocabulary, pieces)])
    except InferenceError:
        raise
    except Exception as error:  # the runtime raises a dozen classes of its own, none public
        if is_provider_failure(error):
            raise ProviderFailedError(first_line(error)) from error
        return first_line(error)
    finally:
        execution.close()


def _steps(vocabulary: int, pieces: bool) -> list[list[Row]]:
    slots, starts = (0, 1, 3), [0, 0, 0]
    parts: list[tuple[int, ...]] = [FIRST, SECOND] if pieces else [tuple(map(sum, zip(FIRST, SECOND, strict=True)))]
    # The last steps mix single tokens with a longer piece.
    parts += [(1, 1, 1)] * SINGLES + [(1, 3, 1)]
    steps = []
    for counts in parts:
        rows = []
        for place, count in enumerate(counts):
            ids = tuple(
                (31 * place + 7 * index + 3) % vocabulary for index in range(starts[place], starts[place] + count)
            )
            rows.append(Row(place, slots[place], starts[place], ids, True))
            starts[place] += count
        steps.append(rows)
    newcomer = tuple((5 * index + 1) % vocabulary for index in range(NEWCOMER))
    steps[-1].append(Row(len(slots), 2, 0, newcomer, True))
    return steps


def _check_continuation(folder: ModelFolder, executed: Callable[[int], Execution], alone: Logits) -> None:
    """The same tokens in one piece and in two must give the same."""
    whole = attempt(executed, "single", folder, pieces=False)
    if isinstance(whole, str):
        raise ModelFolderError(say("load.computes_not", path=str(folder.graph), problem=whole))
    off = difference(whole, alone[len(FIRST) :])
    if off > WRONG:
        raise ModelFolderError(say("folder.continues_not", path=str(folder.graph), off=float(off)))


def difference(found: Logits, expected: Logits) -> float:
    """Largest difference in standard deviations; infinite where only one of the two is a number."""
    if not np.array_equal(np.isfinite(found), np.isfinite(expected)):
        return float("inf")
    finite: Any = np.isfinite(expected)
    if not finite.any():
        return 0.0
    spread = float(expected[finite].std()) or 1.0
    return float(np.abs(found[finite] - expected[finite]).max()) / spread
