"""What a place is worth to those who come later. Pure."""

from __future__ import annotations

MOST_BUSY = 0.95
"""Share of the places that is taken to be in use on average at most: with more there is no end to the waiting."""
MOST_PLACES = 256


def place_price(answers: int, places: int, usual: float) -> float:
    """What one more answer makes all who come later wait, together, at a member with so many ``places`` and so many
    ``answers`` now, in times that an answer takes to be written, where ``usual`` (as a share) of the places are in use
    on average.

    That is the difference of relative values of the queue M/M/c: with n < c answers it is W / B(n, a), W the mean wait
    (Erlang's C formula), B Erlang's B formula with n places, a the load; beyond c each one more waiting adds
    1 / (c - a) (K. Krishnan, "Joining the right queue: a state-dependent decision rule", IEEE TAC 35, 1990)."""
    places = max(min(places, MOST_PLACES), 1)
    busy = min(max(usual, 0.0), MOST_BUSY)
    load = busy * places
    if load <= 0:
        return 0.0
    inverse, at = 1.0, 1.0  # 1 / B(k, load), and that of k = answers
    for count in range(1, places + 1):
        inverse = 1.0 + inverse * count / load
        if count <= answers:
            at = inverse
    blocked = 1.0 / inverse
    wait = blocked / (1.0 - busy * (1.0 - blocked)) / (places - load)
    return wait * at + max(answers - places, 0) / (places - load)
