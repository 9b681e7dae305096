"""A hostile serving node with the bootstrap server's log of links: which client is behind these proxies?

The adversary answers the chats, so it sees their proxies. From the log it knows the guards of every client, from the
directory all links between relays, and it is given which four of a client's guards serve. It is also told that all the
chats are of one client, which the network does not tell it (texts may). By Bayes, with every client as likely as every
other beforehand, the probability of a client is proportional to the number of ways in which its guards, over middles
linked with both, lead to these proxies; none of its guards can be one of the proxies, as no relay is on two paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from engine.simulation.anonymity.network import RelayNetwork

CLIENTS = 10_000
CHATS = 12
Array = NDArray[np.float64]


@dataclass
class Suspicion:
    """By number of chats seen (1..): mean normalized entropy over the clients, and how often the sender is alone the
    most likely one."""

    entropy: list[float]
    named: list[float]


def simulate(
    network: RelayNetwork, senders: int, generator: np.random.Generator, clients: int = CLIENTS, chats: int = CHATS
) -> Suspicion:
    """Means over ``senders`` clients that each open ``chats`` chats with the hostile node."""
    n = network.parameters.n
    guards = np.array([generator.permutation(network.size)[:n] for _ in range(clients)])
    entropy, named = np.zeros(chats), np.zeros(chats)
    for sender in range(senders):
        logarithms = np.zeros(clients)
        for chat in range(chats):
            paths = network.paths([int(guard) for guard in guards[sender]], generator.bytes)
            proxies = [path[-1] for path in paths]
            with np.errstate(divide="ignore"):
                logarithms += np.log(likelihood(network, guards, proxies))
            probability = np.exp(logarithms - logarithms.max())
            probability /= probability.sum()
            positive = probability[probability > 0]
            entropy[chat] += float(-(positive * np.log2(positive)).sum()) / np.log2(clients)
            best = probability.max()
            named[chat] += bool(probability[sender] == best and (probability == best).sum() == 1)
    return Suspicion([float(value) for value in entropy / senders], [float(value) for value in named / senders])


def likelihood(network: RelayNetwork, guards: NDArray[np.int64], proxies: Sequence[int]) -> Array:
    """For each row of ``guards`` in how many ways they lead to ``proxies``, over the ways that they lead anywhere."""
    weights = np.stack([middles(network, proxy) for proxy in proxies], axis=1)  # relay, proxy
    table = weights[guards]  # client, guard, proxy
    count = len(proxies)
    ways = np.zeros(len(guards))
    for order in permutations(range(count)):
        product = table[:, 0, order[0]].copy()
        for place in range(1, count):
            product *= table[:, place, order[place]]
        ways += product
    ways[np.isin(guards, proxies).any(axis=1)] = 0.0
    return np.asarray(ways / reach(network)[guards].prod(axis=1))


def middles(network: RelayNetwork, proxy: int) -> Array:
    """For each relay the number of relays that are linked with it and with ``proxy``."""
    if network.is_mesh:
        found = np.full(network.size, network.size - 2.0)
        found[proxy] = 0.0
        return found
    near = network.neighbours[proxy]
    second = network.neighbours[near[near >= 0]].ravel()
    counted = np.bincount(second[second >= 0], minlength=network.size).astype(np.float64)
    counted[proxy] = 0.0
    return counted


def reach(network: RelayNetwork) -> Array:
    """For each relay the number of paths of three relays that begin there."""
    if network.is_mesh:
        return np.full(network.size, float((network.size - 1) * (network.size - 2)))
    present = network.neighbours >= 0
    degree = present.sum(axis=1).astype(np.float64)
    return np.asarray(np.where(present, degree[network.neighbours] - 1, 0.0).sum(axis=1))
