"""What is run: machines, model, requests. Data only; every number stands in the results."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.bench.shapes import RANDOM_01B
from engine.inference.models.installed import BUILTIN_MODEL

BASELINE = "none"
"""No forwarding: a random entry node serves, out of its own prefix cache."""
OURS = "cost"
POLICIES = (BASELINE, "least-load", "planetserve", "sglang", OURS)
"""What is compared unless other ones are named: each takes a minute or two for each model."""
DRAWS = 10
"""Simulations of each policy; what it draws by lot differs."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One network and its trace. Lengths in tokens of the model; ``cache_mib`` is what a node's caches may take."""

    name: str
    model: str
    share: float  # of one processor, for each node
    cache_mib: int
    public: int  # of a shared beginning, mean
    private: int  # of a question, mean
    output: int  # of an answer, mean
    texts: int  # shared beginnings
    requests: int
    nodes: int = 4
    zipf: float = 1.1
    load: float = 0.6  # of what the network without forwarding can do
    seed: int = 1

    @property
    def shape(self) -> str:
        """The random-weight model to be copied to every node; empty for the built-in one, which is there."""
        return "" if self.model == BUILTIN_MODEL else self.model

    def scaled(self, *, requests: int | None = None, nodes: int | None = None, load: float | None = None) -> Setting:
        """The same with other numbers, where they are given."""
        changed = self
        if requests is not None:
            changed = replace(changed, requests=requests)
        if nodes is not None:
            changed = replace(changed, nodes=nodes)
        return changed if load is None else replace(changed, load=load)


SETTINGS = {
    one.name: one
    for one in (
        Setting(
            name="built-in",
            model=BUILTIN_MODEL,
            share=0.3,
            cache_mib=96,
            public=2_400,
            private=40,
            output=12,
            texts=20,
            requests=160,
        ),
        Setting(
            name=RANDOM_01B.name,
            model=RANDOM_01B.name,
            share=0.3,
            cache_mib=96,
            public=700,
            private=40,
            output=12,
            texts=20,
            requests=100,
        ),
    )
}
