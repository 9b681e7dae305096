"""What rendering one prompt may cost. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from engine.errors import GenTorrentError

MAX_STEPS = 2_000_000
"""Turns of loops, calls and elements of lists."""
MAX_MADE = 256_000_000
"""Characters read by operations and made by them, intermediate values included."""
MAX_TEXT = 8_000_000
"""Characters of one value, and of the prompt."""
MAX_SECONDS = 5.0
"""Of the thread's computing time; the longest real templates take some milliseconds."""


class TemplateError(GenTorrentError):
    """The template is broken, refuses the conversation, or asks for too much; the text is the reason alone."""


class Budget:
    """What one rendering may still use. ``computed`` gives the seconds of computing time that the thread has used."""

    def __init__(self, computed: Callable[[], float]) -> None:
        self._steps = MAX_STEPS
        self._made = MAX_MADE
        self._computed = computed
        self._end = computed() + MAX_SECONDS

    def step(self, count: int = 1) -> None:
        """Charge ``count`` steps."""
        self._steps -= count
        if self._steps < 0:
            raise TemplateError(f"it takes more than {MAX_STEPS:,} steps")
        if self._computed() > self._end:
            raise TemplateError(f"it takes more than {MAX_SECONDS:.0f} seconds")

    def make(self, length: int) -> None:
        """Charge a text of so many characters, before it is made where that is possible."""
        self._made -= length
        if length > MAX_TEXT or self._made < 0:
            raise TemplateError(f"it makes texts of more than {MAX_TEXT:,} characters")

    def value(self, value: Any) -> None:
        """Charge all that ``value`` holds, which is what copying, comparing or printing it may take."""
        waiting = [value]
        while waiting:
            one = waiting.pop()
            if isinstance(one, str):
                self.make(len(one))
            elif isinstance(one, Mapping):
                self.step(len(one) + 1)
                waiting += one.keys()
                waiting += one.values()
            elif isinstance(one, Iterable) and not isinstance(one, Iterator | range):
                parts = list(one)
                self.step(len(parts) + 1)
                waiting += parts

    def counted(self, values: Iterable[Any]) -> Iterator[Any]:
        """The same values; each is a step."""
        for value in values:
            self.step()
            yield value
