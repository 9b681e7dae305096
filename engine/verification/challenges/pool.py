"""Conversations like those of ordinary users, drawn from texts with places for words and numbers.

The texts are in ``resources/engine/challenges``; everybody can read them, so what keeps a node from telling a check
from a question is how many texts can come of them (far more than it could list), and that verifiers add their own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from engine.directory.sampling import random_below
from engine.errors import ConfigurationError
from engine.wire.answer import Sampling

RandomBytes = Callable[[int], bytes]
_PLACE = re.compile(r"\{([^{}]*)\}")
_NUMBERS = re.compile(r"(\d{1,6})-(\d{1,6})")
_ARTICLE = re.compile(r"\b([Aa])(?= (?!eu|one\b)[aeio])")
"""An article that should be "an"."""
_DEPTH = 5
"""Words may have places of their own, so deep."""
MAX_TEXT = 4_000
"""Characters of one question."""
T = TypeVar("T")
Text = Annotated[str, Meta(max_length=2_000)]
Percent = Annotated[int, Meta(ge=0, le=100)]


class _Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Texts of one kind; a kind is drawn by its weight. ``alone``: nothing is said before, behind and after it.
    ``plain``: beginnings that a program has gone on with, as they stand, outside of any conversation; what follows an
    answer is then put behind it."""

    weight: Annotated[int, Meta(ge=1, le=1000)]
    texts: Annotated[tuple[Text, ...], Meta(min_length=1)]
    alone: bool = False
    plain: bool = False


_Settings = tuple[
    Annotated[int, Meta(ge=1)],
    Annotated[float, Meta(ge=0, le=10)],
    Annotated[float, Meta(gt=0, le=1)],
    Annotated[int, Meta(ge=0, le=1_000_000)],
    Annotated[float, Meta(ge=0, le=1)],
    Annotated[float, Meta(ge=0.01, le=100)],
    Annotated[int, Meta(ge=1, le=1_000_000)],
    Annotated[int, Meta(ge=0, le=1_000)],
]
"""Weight, temperature, top-p, top-k, min-p, repetition penalty, most tokens, fewest tokens."""


class _Manners(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    openings: Annotated[tuple[Text, ...], Meta(min_length=1)]
    endings: Annotated[tuple[Text, ...], Meta(min_length=1)]
    follow_ups: Annotated[tuple[Text, ...], Meta(min_length=1)]
    plain_follow_ups: Annotated[tuple[Text, ...], Meta(min_length=1)]
    systems: Annotated[tuple[Text, ...], Meta(min_length=1)]
    system_percent: Percent
    turns_percent: Annotated[tuple[Percent, ...], Meta(min_length=1, max_length=8)]
    may_forward_percent: Percent
    settings: Annotated[tuple[_Settings, ...], Meta(min_length=1)]
    plain_settings: Annotated[tuple[_Settings, ...], Meta(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What one user asks, one after the other. ``system`` empty: no system prompt; the seed of ``sampling`` is 0.
    ``plain``: a text to go on with as it stands, and what is put behind each answer to it."""

    system: str
    texts: tuple[str, ...]
    sampling: Sampling
    max_tokens: int
    may_forward: bool
    min_tokens: int = 0
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Pool:
    """Texts by kind, the words for their places, and manners."""

    kinds: Mapping[str, _Kind]
    words: Mapping[str, tuple[str, ...]] = field(repr=False)
    manners: _Manners = field(repr=False)

    def draw(
        self, random_bytes: RandomBytes, turns: int | None = None, *, least_turns: int = 1, texts_percent: int = 0
    ) -> Conversation:
        """A conversation of so many questions, if the pool has kinds that allow it; None: as users have them, but of
        ``least_turns`` or more, as far as the pool has such. ``texts_percent``: so many of a hundred are texts to go on
        with, where the pool has both; 0: as the kinds' weights say. The same bytes give the same one."""
        manners = self.manners
        several = max(turns or 1, least_turns) > 1
        fitting = [kind for kind in self.kinds.values() if not several or not kind.alone] or [*self.kinds.values()]
        if texts_percent:
            plain = _chance(texts_percent, random_bytes)
            fitting = [kind for kind in fitting if kind.plain == plain] or fitting
        kind = _weighted([(kind, kind.weight) for kind in fitting], random_bytes)
        longer = [(length, weight) for length, weight in enumerate(manners.turns_percent, 1) if length >= least_turns]
        lengths = longer if any(weight for _, weight in longer) else list(enumerate(manners.turns_percent, 1))
        if kind.alone:
            turns = 1
        elif turns is None:
            turns = _weighted(lengths, random_bytes)
        questions = [self._question(kind, random_bytes)]
        while len(questions) < turns:
            follow_ups = manners.plain_follow_ups if kind.plain else manners.follow_ups
            questions.append(self._said(_one_of(follow_ups, random_bytes), random_bytes))
        settings = manners.plain_settings if kind.plain else manners.settings
        _, temperature, top_p, top_k, min_p, repetition, max_tokens, min_tokens = _weighted(
            [(row, row[0]) for row in settings], random_bytes
        )
        has_system = not kind.plain and _chance(manners.system_percent, random_bytes)
        return Conversation(
            system=self._said(_one_of(manners.systems, random_bytes), random_bytes) if has_system else "",
            texts=tuple(questions),
            sampling=Sampling(
                seed=0,
                temperature=float(temperature),
                top_p=float(top_p),
                top_k=top_k,
                min_p=float(min_p),
                repetition_penalty=float(repetition),
            ),
            max_tokens=max_tokens,
            min_tokens=min_tokens,
            may_forward=_chance(manners.may_forward_percent, random_bytes),
            plain=kind.plain,
        )

    def variations(self) -> int:
        """How many different first questions can come of the pool, manners of writing aside."""
        return sum(self._count(text, _DEPTH) for kind in self.kinds.values() for text in kind.texts)

    def _question(self, kind: _Kind, random_bytes: RandomBytes) -> str:
        text = _one_of(kind.texts, random_bytes)
        if kind.plain:
            return self._said(text, random_bytes)[:MAX_TEXT]
        if not kind.alone:
            text = _one_of(self.manners.openings, random_bytes) + text + _one_of(self.manners.endings, random_bytes)
        return _typed(self._said(text, random_bytes), random_bytes)[:MAX_TEXT]

    def _said(self, text: str, random_bytes: RandomBytes) -> str:
        return _ARTICLE.sub(r"\1n", self._fill(text, random_bytes))

    def _fill(self, text: str, random_bytes: RandomBytes, depth: int = _DEPTH) -> str:
        def word(match: re.Match[str]) -> str:
            name = match.group(1)
            numbers = _NUMBERS.fullmatch(name)
            if numbers is not None:
                low, high = int(numbers[1]), int(numbers[2])
                return str(low + random_below(high - low + 1, random_bytes))
            return self._fill(_one_of(self.words[name], random_bytes), random_bytes, depth - 1)

        return _PLACE.sub(word, text) if depth else text

    def _count(self, text: str, depth: int) -> int:
        count = 1
        for name in _PLACE.findall(text) if depth else ():
            numbers = _NUMBERS.fullmatch(name)
            if numbers is not None:
                count *= int(numbers[2]) - int(numbers[1]) + 1
            else:
                count *= sum(self._count(word, depth - 1) for word in self.words[name])
        return count


def read_pool(questions: Sequence[str], words: str, manners: str) -> Pool:
    """The pool in these TOML texts; of ``questions`` there may be several, whose kinds are put together.
    :class:`ConfigurationError` says which of them is wrong, and where."""
    kinds: dict[str, _Kind] = {}
    for number, text in enumerate(questions):
        for name, kind in _parse(text, dict[str, _Kind], f"questions ({number + 1})").items():
            kinds[name if name not in kinds else f"{name} ({number + 1})"] = kind
    if not kinds:
        raise ConfigurationError("There are no questions for challenges.")
    pool = Pool(
        kinds=kinds,
        words=_parse(words, dict[str, Annotated[tuple[Text, ...], Meta(min_length=1)]], "words"),
        manners=_parse(manners, _Manners, "manners"),
    )
    _check_places(pool)
    return pool


def _parse(text: str, kind: type[T], name: str) -> T:
    try:
        return msgspec.convert(tomllib.loads(text), kind)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"The {name} of challenges cannot be read: {error}.") from error


def _check_places(pool: Pool) -> None:
    manners = pool.manners
    texts = [text for kind in pool.kinds.values() for text in kind.texts]
    follow_ups = (*manners.follow_ups, *manners.plain_follow_ups)
    for some in (manners.openings, manners.endings, follow_ups, manners.systems, *pool.words.values()):
        texts += some
    for text in texts:
        for name in _PLACE.findall(text):
            numbers = _NUMBERS.fullmatch(name)
            if numbers is None and name not in pool.words:
                raise ConfigurationError(f"A text of challenges has a place for {name!r}, of which there are no words.")
            if numbers is not None and int(numbers[1]) > int(numbers[2]):
                raise ConfigurationError(f"A text of challenges has an empty range of numbers: {name}.")
    if any(row[-1] > row[-2] for row in (*manners.settings, *manners.plain_settings)):
        raise ConfigurationError("Settings of challenges ask for more tokens at least than at most.")
    if sum(manners.turns_percent) == 0:
        raise ConfigurationError("No conversation of challenges has a question.")
    if _has_circle(pool.words):
        raise ConfigurationError("Words of challenges stand in each other's places without an end.")


def _has_circle(words: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a place could be filled deeper than texts are."""

    def deep(name: str, depth: int) -> bool:
        if depth == _DEPTH:
            return True
        places = {place for word in words[name] for place in _PLACE.findall(word) if place in words}
        return any(deep(place, depth + 1) for place in places)

    return any(deep(name, 1) for name in words)


def _typed(text: str, random_bytes: RandomBytes) -> str:
    """As people type: some without capitals, some without a full stop, some with a slip."""
    style = random_below(100, random_bytes)
    if style < 14:
        return text.lower()
    if style < 20:
        return text[0].lower() + text[1:]
    if style < 30:
        return text.rstrip("?.! ")
    if style < 35 and len(text) > 20:
        place = 5 + random_below(len(text) - 10, random_bytes)
        if text[place : place + 2].isalpha():
            return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text


def _chance(percent: int, random_bytes: RandomBytes) -> bool:
    return random_below(100, random_bytes) < percent


def _one_of(items: Sequence[T], random_bytes: RandomBytes) -> T:
    return items[random_below(len(items), random_bytes)]


def _weighted(items: Sequence[tuple[T, int]], random_bytes: RandomBytes) -> T:
    """One of them, each as likely as its weight says; the sum of weights is above zero."""
    place = random_below(sum(weight for _, weight in items), random_bytes)
    for item, weight in items:
        if place < weight:
            return item
        place -= weight
    raise AssertionError("weights are not negative")
