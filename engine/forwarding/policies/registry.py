"""Every policy by its name, with its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from engine.errors import ConfigurationError
from engine.forwarding.policies.consistent_hash import ConsistentHash
from engine.forwarding.policies.cost import Cost
from engine.forwarding.policies.interface import Policy
from engine.forwarding.policies.least_load import LeastLoad
from engine.forwarding.policies.no_forwarding import NoForwarding
from engine.forwarding.policies.planetserve import PlanetServe
from engine.forwarding.policies.production_stack import ProductionStack
from engine.forwarding.policies.random_member import RandomMember
from engine.forwarding.policies.round_robin import RoundRobin
from engine.forwarding.policies.sglang import SGLang

_CLASSES = (
    NoForwarding,
    RandomMember,
    RoundRobin,
    LeastLoad,
    PlanetServe,
    SGLang,
    ProductionStack,
    ConsistentHash,
    Cost,
)
_BY_NAME: Mapping[str, type[Any]] = {policy.name: policy for policy in _CLASSES}

NAMES = tuple(_BY_NAME)


def by_name(name: str, **parameters: float | str) -> Policy:
    """A new policy, its state empty. ``parameters`` replace its defaults.

    Raises ``ConfigurationError`` for a name or a parameter that does not exist, or a value that cannot be meant."""
    known = defaults(name)
    for parameter in parameters:
        if parameter not in known:
            choices = ", ".join(known) or "none"
            raise ConfigurationError(f"The policy {name} has no parameter {parameter!r}; it has: {choices}.")
    policy: Policy = _BY_NAME[name](**parameters)
    return policy


def defaults(name: str) -> dict[str, Any]:
    """The parameters of a policy and their defaults; raises ``ConfigurationError`` for an unknown name."""
    found = _BY_NAME.get(name)
    if found is None:
        raise ConfigurationError(f"There is no forwarding policy {name!r}; there are: {', '.join(NAMES)}.")
    return {parameter.name: parameter.default for parameter in fields(found) if parameter.init}
