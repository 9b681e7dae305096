"""Which models the worker shall have, which it has, and why it has not got one."""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import GenTorrentError, UnknownModelError, WorkerDiedError
from engine.sentences import say

DEATHS_WHILE_LOADING = 3
"""Workers in a row that may die over a model that was never loaded before it is no longer tried."""
DEATHS_OF_PROVEN = 10
"""The same for a model that has run here: what kills its workers may pass, and answers wait for it."""


class WantedModels:
    """Model ids in the order in which they are loaded, one after the other."""

    def __init__(self) -> None:
        self._wanted: dict[str, None] = {}
        self._loaded: set[str] = set()
        self._had: set[str] = set()  # loaded by the present worker at any time
        self._proven: set[str] = set()
        self._deaths: dict[str, int] = {}
        self._errors: dict[str, GenTorrentError] = {}

    def __contains__(self, model_id: str) -> bool:
        return model_id in self._wanted

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._wanted))

    def __len__(self) -> int:
        return len(self._wanted)

    @property
    def loading(self) -> str | None:
        """The model that the worker is busy loading, so that it computes nothing else."""
        return next((model_id for model_id in self._wanted if model_id not in self._loaded), None)

    def is_loaded(self, model_id: str) -> bool:
        """Whether the present worker has it."""
        return model_id in self._loaded

    def error(self, model_id: str) -> GenTorrentError | None:
        """Why it was given up the last time."""
        return self._errors.get(model_id)

    def want(self, model_id: str) -> bool:
        """From now on it shall be loaded; False if it was wanted before."""
        if model_id in self._wanted:
            return False
        self._errors.pop(model_id, None)
        self._deaths.pop(model_id, None)
        self._wanted[model_id] = None
        return True

    def loaded(self, model_id: str) -> None:
        """The worker has it."""
        if model_id in self._wanted:
            self._loaded.add(model_id)
            self._had.add(model_id)
            self._proven.add(model_id)
            self._deaths.pop(model_id, None)

    def failed(self, model_id: str, problem: str) -> None:
        """The worker cannot load it; it is wanted no more."""
        self._give_up(model_id, UnknownModelError(say("load.failed", model=model_id, problem=problem)))

    def unloaded(self, model_id: str) -> None:
        """The worker has it no more, but shall load it again."""
        self._loaded.discard(model_id)

    def forget(self, model_id: str) -> None:
        """It is wanted no more."""
        self._wanted.pop(model_id, None)
        self._loaded.discard(model_id)

    def worker_ended(self) -> tuple[str, ...]:
        """All is to be loaded again; which models the worker had, even if they were given up meanwhile."""
        had = tuple(self._had)
        self._loaded.clear()
        self._had.clear()
        return had

    def worker_died(self, reason: str) -> bool:
        """A worker ended by itself (call it before :meth:`worker_ended`). What kills every worker that loads it is
        wanted no more: whether that is so now."""
        victim = self.loading
        if victim is None:
            return False
        self._deaths[victim] = self._deaths.get(victim, 0) + 1
        limit = DEATHS_OF_PROVEN if victim in self._proven else DEATHS_WHILE_LOADING
        given_up = self._deaths[victim] >= limit
        if given_up:
            self._give_up(
                victim,
                WorkerDiedError(say("worker.stays_down", model=victim, reason=reason)),
            )
        return given_up

    def clear(self) -> None:
        """Nothing is wanted any more."""
        self._wanted.clear()
        self._loaded.clear()
        self._deaths.clear()

    def _give_up(self, model_id: str, error: GenTorrentError) -> None:
        self._errors[model_id] = error
        self.forget(model_id)
        self._deaths.pop(model_id, None)
        self._proven.discard(model_id)
