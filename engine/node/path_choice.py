"""Which shape of paths a question gets: the network's own, or a weaker one that the user has accepted. Pure.

Nothing here weakens by itself: without that word there is no shape, but a shortage that names the choices.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from engine.directory.directory import Directory
from engine.directory.graph import RelayGraph
from engine.directory.sampling import choose_paths
from engine.directory.shapes import Accepted, Shape, accepted_shapes, allowed_shapes, choices, full_shape, strongest
from engine.errors import TooFewRelaysError, WeakerPaths, WeakerPathsNeededError
from engine.ids import NodeId
from engine.sentences import listed, said_by, say, together
from engine.wire.records import Parameters


class PathChoice:
    """Looks at each directory which of the allowed shapes its relays can carry."""

    def __init__(self, parameters: Parameters, accepted: Accepted, random_bytes: Callable[[int], bytes]) -> None:
        """``accepted``: what the owner accepts for questions that do not say otherwise."""
        self._parameters = parameters
        self._accepted = accepted
        self._random_bytes = random_bytes
        self._possible: frozenset[Shape] = frozenset()
        self._reason: str = say("paths.no_directory")
        self._missing = 0
        self._relays = 0
        self.full = full_shape(parameters)
        self._graph: RelayGraph | None = None

    def look(self, directory: Directory, graph: RelayGraph, exclude: Collection[NodeId], now: float) -> None:
        """Use this directory; ``graph`` says who is linked; ``exclude`` are nodes that relay for nobody here, such as
        this engine itself."""
        usable = [node.node_id for node in directory.relays() if node.node_id not in exclude]
        self._relays = len(usable)
        self._missing = max(0, self.full.relays - self._relays)
        self._reason = ""
        self._possible = frozenset([self.full])
        self._graph = graph
        problem = self._problem(directory, usable, self.full, exclude, now)
        if problem:
            self._reason = problem
            self._possible = frozenset(
                shape
                for shape in allowed_shapes(self._parameters)[1:]
                if not self._problem(directory, usable, shape, exclude, now)
            )

    def _problem(
        self, directory: Directory, guards: Collection[NodeId], shape: Shape, exclude: Collection[NodeId], now: float
    ) -> str:
        """Why these relays cannot carry ``shape``; empty when they can."""
        if shape.direct:
            return ""
        try:
            choose_paths(
                directory,
                list(guards),
                shape.n,
                shape.k,
                shape.length,
                self._parameters,
                exclude,
                self._random_bytes,
                now,
                graph=self._graph,
            )
        except TooFewRelaysError as error:
            return said_by(error)
        return ""

    def shape(self, accepted: Accepted | None = None) -> Shape | None:
        """The strongest shape that is possible and ``accepted`` (None: what the owner accepts by default), or None."""
        shapes = accepted_shapes(self._parameters, self._accepted if accepted is None else accepted)
        return strongest(shapes, self._possible.__contains__)

    @property
    def reason(self) -> str:
        """Why the full shape is not possible, in plain words; empty when it is."""
        return self._reason

    @property
    def shortage(self) -> str:
        """Why the full shape is not possible and what can be chosen, in plain words; empty when it is possible."""
        if not self._reason:
            return ""
        choices = [choice.text for choice in self.choices]
        if not choices:
            return self._reason
        return together(self._reason, say("paths.or_weaker", offered=listed("list.or", choices)))

    @property
    def missing(self) -> int:
        """Relays that the full shape lacks; 0 also where there are enough and they share networks or owners."""
        return self._missing if self._reason else 0

    @property
    def choices(self) -> tuple[WeakerPaths, ...]:
        """What can be chosen now besides waiting, the strongest first."""
        if not self._reason:
            return ()
        return tuple(
            WeakerPaths(shape.n, shape.length, _words(shape)) for shape in choices(self._parameters, self._possible)
        )

    def refusal(self) -> WeakerPathsNeededError:
        """For a question that accepts nothing that is possible."""
        return WeakerPathsNeededError(
            say("paths.not_ready", problem=self.shortage),
            relays=self._relays,
            missing=self.missing,
            choices=self.choices,
        )


def _words(shape: Shape) -> str:
    if shape.direct:
        return say("choice.direct")
    return say("choice.shape", shape=shape.words)
