"""What people write on a command line, checked and made into plans and traces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.errors import ConfigurationError
from engine.forwarding.neighbours import FULL_MESH
from engine.forwarding.pace import statement_interval
from engine.forwarding.policies.registry import NAMES, by_name
from engine.simulation.forwarding.generated import TRACES, generate
from engine.simulation.forwarding.network import ORACLE, Plan
from engine.simulation.forwarding.node_kinds import DEFAULT, kind_of
from engine.simulation.forwarding.trace import Request, read

SPREAD = 0.75
"""One-way delays are spread evenly between this much below and above their mean."""


def make_plan(
    *,
    policy: str,
    nodes: int = 8,
    kinds: Sequence[str] = (),
    parameters: Sequence[str] = (),
    newcomers: float = 0.0,
    overstating: float = 0.0,
    beliefs: bool = True,
    gossip_seconds: float | None = None,
    access_seconds: float = 0.0075,
    churn_per_minute: float = 0.0,
    seed: int = 1,
) -> Plan:
    """The plan; :class:`ConfigurationError` for what does not exist. Statements are made as often as in a real group of
    that size, and at once where others would reckon wrongly, unless ``gossip_seconds`` is something else."""
    chosen = dict(_parameter(text) for text in parameters)
    usual = statement_interval(nodes)
    if policy == ORACLE and "cost" not in NAMES:
        raise ConfigurationError("The oracle needs the policy cost, which this version does not have.")
    by_name("cost" if policy == ORACLE else policy, **chosen)
    return Plan(
        policy=policy,
        kinds=[kind_of(name) for name in kinds or (DEFAULT,)],
        nodes=nodes,
        parameters=chosen,
        newcomers=newcomers,
        overstating=overstating,
        beliefs=beliefs,
        gossip_seconds=gossip_seconds or usual,
        interject=nodes <= FULL_MESH and gossip_seconds in (None, usual),
        access=((1 - SPREAD) * access_seconds, (1 + SPREAD) * access_seconds),
        churn_per_minute=churn_per_minute,
        seed=seed,
    )


def make_trace(name: str, requests: int, seed: int) -> list[Request]:
    """The generated trace of that name, else the file."""
    if name in TRACES:
        return generate(name, requests, seed)
    path = Path(name)
    if not path.exists():
        raise ConfigurationError(f"--trace {name!r} is neither a file nor one of: {', '.join(TRACES)}.")
    return read(path)


def chosen_policies(names: str | None) -> tuple[str, ...]:
    """The policies of a comparison: all, or those named with commas between them, in the order of the registry; without
    no forwarding, ours and the oracle there is nothing to compare with."""
    everybody = (*NAMES, ORACLE)
    if names is None:
        return everybody
    asked = [name.strip() for name in names.split(",") if name.strip()]
    for name in asked:
        if name not in everybody:
            raise ConfigurationError(f"--policies {name!r} is not known. Choose from: {', '.join(everybody)}.")
    return tuple(name for name in everybody if name in (*asked, "none", "cost", ORACLE))


def _parameter(text: str) -> tuple[str, float | str]:
    name, mark, value = text.partition("=")
    if not mark or not name:
        raise ConfigurationError(f"--parameter {text!r} is not of the form NAME=VALUE.")
    try:
        return name, float(value)
    except ValueError:
        return name, value
