"""How many paths of how many relays carry an answer: what the network wants, what it allows at least, what there is.

The genesis fixes the full shape (n paths of l relays, any k of which suffice) and the least. In between, fewer relays
can carry a question, if the user says so; which of the shapes is used is decided here, and nothing is weakened without
that word.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from engine.sentences import say
from engine.wire.records import Parameters


@dataclass(frozen=True, slots=True, order=True)
class Shape:
    """``n`` paths of ``length`` relays each; of 0 relays the model node is linked with directly.

    The order is that of strength: more relays on a path first, as each of them keeps who asks from who answers; then
    more paths, whose number decides how many may fail.
    """

    length: int
    n: int
    k: int

    @property
    def relays(self) -> int:
        """Different relays that it takes."""
        return self.n * self.length

    @property
    def direct(self) -> bool:
        """Whether no relay stands between."""
        return self.length == 0

    @property
    def words(self) -> str:
        """For people."""
        if self.direct:
            return say("shape.direct")
        if self.n == 1:
            return say("shape.path_one") if self.length == 1 else say("shape.path", relays=self.length)
        if self.length == 1:
            return say("shape.paths_one", paths=self.n)
        return say("shape.paths", paths=self.n, relays=self.length)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The weakest that somebody accepts while relays are missing; None: nothing below the full shape in this respect.

    ``direct`` accepts that there are no relays at all and the model node sees the address.
    """

    paths: int | None = None
    hops: int | None = None
    direct: bool = False


NOTHING_WEAKER = Accepted()


def full_shape(parameters: Parameters) -> Shape:
    """What the network wants."""
    if parameters.path_length == 0:
        return Shape(0, 1, 1)
    return Shape(parameters.path_length, parameters.n, parameters.k)


def allowed_shapes(parameters: Parameters) -> list[Shape]:
    """Everything that the genesis allows, the full shape first, then ever weaker ones.

    With fewer paths all but one have to arrive, as far as the network's own k asks for no less.
    """
    full = full_shape(parameters)
    if full.direct:
        return [full]
    lengths = range(full.length, max(parameters.least_path_length, 1) - 1, -1)
    numbers = range(full.n, min(parameters.least_n, full.n) - 1, -1)
    weaker = [Shape(length, n, _needed(full, n)) for length in lengths for n in numbers]
    shapes = [full, *(shape for shape in weaker if shape != full)]
    if parameters.least_path_length == 0:
        shapes.append(Shape(0, 1, 1))
    return shapes


def _needed(full: Shape, n: int) -> int:
    return full.k if n == full.n else min(full.k, max(1, n - 1))


def clove_numbers(parameters: Parameters) -> frozenset[tuple[int, int]]:
    """All (n, k) that a request may have in this network."""
    return frozenset((shape.n, shape.k) for shape in allowed_shapes(parameters))


def accepted_shapes(parameters: Parameters, accepted: Accepted) -> list[Shape]:
    """The allowed shapes that ``accepted`` covers, the strongest first; the full one is always among them."""
    full = full_shape(parameters)
    paths = full.n if accepted.paths is None else accepted.paths
    hops = full.length if accepted.hops is None else accepted.hops
    return [
        shape
        for shape in allowed_shapes(parameters)
        if shape == full or (accepted.direct if shape.direct else shape.n >= paths and shape.length >= hops)
    ]


def strongest(shapes: Sequence[Shape], possible: Callable[[Shape], bool]) -> Shape | None:
    """The first of ``shapes`` that is possible."""
    return next((shape for shape in shapes if possible(shape)), None)


def choices(parameters: Parameters, possible: Collection[Shape]) -> list[Shape]:
    """What somebody can choose now besides waiting, the strongest first: no shape that another one beats in both
    respects, and direct last."""
    offered: list[Shape] = []
    for shape in allowed_shapes(parameters)[1:]:
        beaten = not shape.direct and any(other.n >= shape.n and other.length >= shape.length for other in offered)
        if shape in possible and not beaten:
            offered.append(shape)
    return offered
