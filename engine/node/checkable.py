"""Whom a verifier can check: nodes that are listed with a model, and those that left after a block has judged them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from engine.directory.directory import Directory
from engine.directory.sampling import random_below
from engine.ids import NodeId
from engine.verification.challenges.plan import Candidate

MAX_MODELS = 20_000
"""Nodes that are remembered with their models after they have left."""


class Checkable:
    """What ``owner``'s verifier knows of the nodes, by the directory."""

    def __init__(self, owner: NodeId, random_bytes: Callable[[int], bytes]) -> None:
        self._owner = owner
        self._random_bytes = random_bytes
        self._directory: Directory | None = None
        self._served: dict[NodeId, tuple[Candidate, ...]] = {}
        self.family = ""
        """Of the nodes of this machine's owner: who declares the same is neither asked nor judged here."""
        self.holds: Callable[[bytes], bool] = lambda _: True
        """Whether a model with this digest is here, so that its answers can be scored."""
        self.texts_percent: Callable[[bytes], int] = lambda _: 0
        """See ``Candidate.texts_percent``, by the model's digest."""

    def update(self, directory: Directory, judged: Collection[NodeId]) -> None:
        """Use this snapshot: who is listed with a model can be checked, and who is ``judged`` stays."""
        self._directory = directory
        for node in directory.nodes():
            if node.descriptor.models and node.node_id != self._owner:
                served = (Candidate(node.node_id, one.model_id, one.digest) for one in node.descriptor.models)
                self._served[node.node_id] = tuple(served)
        for gone in [one for one in self._served if one not in directory and one not in judged]:
            del self._served[gone]
        while len(self._served) > MAX_MODELS:
            del self._served[next(iter(self._served))]

    def lists(self, node: NodeId) -> bool:
        """Whether the directory lists a node."""
        return self._directory is not None and node in self._directory

    def key_of(self, node: NodeId) -> bytes | None:
        """The identity key of a listed node."""
        found = self._directory.get(node) if self._directory is not None else None
        return found.descriptor.identity_key if found is not None else None

    def kin(self) -> frozenset[NodeId]:
        """The listed nodes of this machine's family."""
        if not self.family or self._directory is None:
            return frozenset()
        same = (node.node_id for node in self._directory.nodes() if node.descriptor.family == self.family)
        return frozenset(same) - {self._owner}

    def candidates(self) -> list[Candidate]:
        """Each node once, with one of its models."""
        return [self._one_of(served) for served in self._served.values()]

    def _one_of(self, served: Sequence[Candidate]) -> Candidate:
        """Of a node's models one that this verifier holds, if there is one."""
        held = [one for one in served if self.holds(one.model_digest)] or served
        chosen = held[random_below(len(held), self._random_bytes)]
        return replace(chosen, texts_percent=self.texts_percent(chosen.model_digest))
