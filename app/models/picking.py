"""What a list of models to choose from shows: on this machine, on the network now, to download."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.i18n import number, tr
from app.models.catalogue import ModelChoice, choices, number_words, provider_words
from app.models.library import model_words, progress_words, review_words
from engine.api import schema


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. ``choice``: who is asked then; None: it is to be downloaded first. ``why_not``: why it cannot be chosen
    now."""

    model: str
    details: str
    choice: ModelChoice | None = None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A place where models are. ``note``: why there are none."""

    name: str
    entries: tuple[Entry, ...]
    note: str = ""


def sections(
    models: Sequence[schema.ModelState],
    library: Sequence[schema.LibraryModel],
    downloads: Sequence[schema.DownloadProgress] = (),
    *,
    local_only: bool = False,
    words: str = "",
    problem: str = "",
) -> list[Section]:
    """The models whose names have all ``words``. ``local_only``: the chat does not leave this machine. ``problem``: why
    nothing can be said of what could be downloaded."""
    here = [_here(model) for model in models if model.where in ("local", "both")]
    network = [_there(model) for model in models if model.where in ("network", "both")]
    if local_only:
        why = tr("This chat stays on this machine.")
        network = [replace(entry, why_not=why) for entry in network]
    running = {one.model: one for one in downloads}
    known = {model.id for model in models if model.where in ("local", "both")}
    fetch = [
        Entry(one.model, progress_words(running[one.model]) if one.model in running else model_words(one))
        for one in library
        if one.model not in known
    ]
    wanted = words.casefold().split()
    return [
        Section(name, tuple(one for one in entries if all(word in one.model.casefold() for word in wanted)), note)
        for name, entries, note in (
            (tr("On this machine"), here, tr("None yet")),
            (tr("On the network now"), network, tr("Nobody offers a model now")),
            (tr("To download"), fetch, problem or tr("Nothing else is known")),
        )
    ]


def _here(model: schema.ModelState) -> Entry:
    parts = review_words(model) if model.publisher else []
    parts += [tr("computes on {device}", device=provider_words(model.provider))] if model.provider else []
    if model.tokens_per_s > 0:
        parts.append(tr("{speed} tokens/s", speed=number(model.tokens_per_s)))
    parts += _context(model)
    return Entry(model.id, " · ".join(parts), _choice(model, "local"))


def _there(model: schema.ModelState) -> Entry:
    return Entry(
        model.id, " · ".join([*review_words(model), *number_words(model), *_context(model)]), _choice(model, "network")
    )


def _choice(model: schema.ModelState, route: schema.Route) -> ModelChoice:
    return next(choice for choice in choices([model]) if choice.route == route)


def _context(model: schema.ModelState) -> list[str]:
    if not model.context_length:
        return []
    return [tr("{tokens} tokens of context", tokens=number(model.context_length))]
