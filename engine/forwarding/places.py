"""What a place is worth to those who come later. Pure."""

from __future__ import annotations

MOST_BUSY = 0.95
"""Share of the places that is taken to be in use on average at most: with more there is no end to the waiting."""
MOST_PLACES = 256
_FREE = 1e15  # one over the probability that all places are taken, beyond which nobody will ever wait for one


class PlacePrices:
    """What one more answer makes all who come later wait, together, at a member with so many places and so many answers
    now, in times that an answer takes to be written, where a share ``usual`` of the places are in use on average.

    That is the difference of relative values of the queue M/M/c: with n < c answers it is W / B(n, a), W the mean wait
    (Erlang's C formula), B Erlang's B formula with n places, a the load; beyond c each one more that waits adds
    1 / (c - a) (K. Krishnan, "Joining the right queue: a state-dependent decision rule", IEEE TAC 35, 1990)."""

    def __init__(self, usual: float) -> None:
        self._busy = min(max(usual, 0.0), MOST_BUSY)
        self._tables: dict[int, list[float]] = {}

    def of(self, answers: int, places: int) -> float:
        """With ``answers`` at a member that has ``places``."""
        places = max(min(places, MOST_PLACES), 1)
        prices = self._tables.get(places)
        if prices is None:
            prices = self._tables[places] = _prices(places, self._busy)
        over = max(answers - places, 0) / (places * (1.0 - self._busy))
        return prices[max(min(answers, places), 0)] + over


def _prices(places: int, busy: float) -> list[float]:
    """For 0 to ``places`` answers."""
    load, inverses = busy * places, [1.0]  # one over B(n, load), for n from 0
    if load <= 0:
        return [0.0] * (places + 1)
    for count in range(1, places + 1):
        inverses.append(1.0 + inverses[-1] * count / load)
        if inverses[-1] > _FREE:
            return [0.0] * (places + 1)
    blocked = 1.0 / inverses[-1]
    wait = blocked / (1.0 - busy * (1.0 - blocked)) / (places - load)
    return [wait * inverse for inverse in inverses]
