"""The models as the page *Models* lists them: each in its place, with what it is and what can be done with it.

Plain values made of what the engine says; :class:`app.models.shelf_model.ShelfModel` keeps that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.i18n import mark, tr
from app.models.catalogue import number_words, provider_words
from app.models.engine_words import from_engine
from app.models.library import progress_words, size_words
from app.models.model_words import (
    Badge,
    context_words,
    fit_badge,
    licence_words,
    parameter_words,
    precision_words,
    publisher_words,
    short,
    title_of,
    unreviewed_marks,
)
from engine.api import schema
from engine.errors import LicenceNeededError

Act = Literal["chat", "ask", "contribute", "fetch", "update", "licence", "pause", "resume", "retry", "discard", "stop"]
Place = Literal["here", "moving", "network", "catalogue", "published", "hub"]
Progress = schema.DownloadProgress | schema.ImportProgress
LONGEST_PROBLEM = 600
READING_SPEED = 8.0
"""Tokens per second that people read at."""
_MOVING = ("importing", "waiting", "downloading", "paused", "failed")
_USES = {
    "contributed": ("good", mark("Answers others")),
    "loaded": ("neutral", mark("In memory")),
}


@dataclass(frozen=True, slots=True)
class Moving:
    """How far a download or import is. ``share``: 0 to 1; None: not known. ``runs``: something happens now."""

    text: str
    share: float | None
    runs: bool


@dataclass(frozen=True, slots=True)
class ShelfRow:
    """One line. ``model`` is its id; everything else is for people, and harmless to show. ``details``: there is more to
    know. ``words``: what a search looks at."""

    model: str
    title: str
    facts: str
    acts: tuple[Act, ...]
    marks: tuple[Badge, ...] = ()
    fit: Badge | None = None
    moving: Moving | None = None
    problem: str = ""
    details: bool = True
    words: str = ""


@dataclass(frozen=True, slots=True)
class ShelfSection:
    """Models in one place. ``note``: why there are none."""

    place: Place
    heading: str
    rows: tuple[ShelfRow, ...]
    note: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that the engine has said. ``problem``: why it says nothing of what could be here; ``problems``: why
    something was refused, by model."""

    models: tuple[schema.ModelState, ...] = ()
    catalogue: tuple[schema.CatalogueModel, ...] | None = None
    progress: Mapping[str, Progress] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    hub: tuple[schema.HubModel, ...] | None = None


def sections(known: Known, words: str = "", *, fitting: bool = False) -> list[ShelfSection]:
    """All places in their order. ``words``: all of them must be found; ``fitting``: of what could be downloaded only
    what this machine can run."""
    catalogue = known.catalogue or ()
    asked = {one.id: one for one in known.models}
    free = [one for one in catalogue if one.state == "available"]
    if fitting:
        free = [one for one in free if one.fit.verdict in ("fits", "tight")]
    best = _best(free)
    here = [_here(one, asked.get(one.model), known) for one in catalogue if one.state in ("here", "broken")]
    if known.catalogue is None:
        here = [_asked(one, known, ("chat",)) for one in known.models if one.where != "network"]
    listed = {one.model for one in catalogue}
    network = [one for one in known.models if one.where == "network" and (one.reviewed or one.id not in listed)]
    places: list[tuple[Place, str, list[ShelfRow], str, str]] = [
        ("here", tr("On this machine"), here, tr("None yet"), ""),
        ("moving", tr("Downloading"), [_moving(one, known) for one in catalogue if one.state in _MOVING], "", ""),
        ("network", tr("On the network now"), [_asked(one, known, ("ask",)) for one in network], "", ""),
        (
            "catalogue",
            tr("To download"),
            [_free(one, known, best, asked) for one in free if not one.fingerprint],
            known.problem or _none_words(known, fitting=fitting),
            "",
        ),
        (
            "published",
            tr("From publishers"),
            [_free(one, known, best, asked) for one in free if one.fingerprint],
            "",
            tr("Anybody can publish a model. Nobody but its publisher has looked at these."),
        ),
    ]
    wanted = words.casefold().split()
    found = [
        ShelfSection(place, heading, tuple(row for row in rows if _has(row, wanted)), note, about)
        for place, heading, rows, note, about in places
    ]
    found = [one for one in found if one.rows or (one.note and not wanted)]
    return [*found, *_hub(known, listed)]


def _has(row: ShelfRow, wanted: list[str]) -> bool:
    return all(word in row.words for word in wanted)


def _none_words(known: Known, *, fitting: bool) -> str:
    if known.catalogue is None:
        return tr("Looking what this machine can run")
    return tr("Nothing else of the catalogue fits this machine") if fitting else tr("Nothing else is known")


def _best(free: list[schema.CatalogueModel]) -> str:
    """The largest that fits with room to spare and answers as fast as one reads; "" where none does."""
    good = [
        one
        for one in free
        if one.reviewed and one.size and one.fit.verdict == "fits" and one.fit.tokens_per_s >= READING_SPEED
    ]
    return max(good, key=lambda one: one.size).model if good else ""


def _words(*parts: str) -> str:
    return " ".join(part[:500] for part in parts).casefold()


def _joined(*parts: str) -> str:
    return " · ".join(filter(None, parts))


# Rows of the places.


def model_facts(model: schema.CatalogueModel) -> str:
    """What it is, how large, whose, and under which licence."""
    return _joined(
        parameter_words(model.parameters, model.model),
        precision_words(model.precision, model.variant),
        tr("lies in a folder of yours") if model.linked else size_words(model.size) if model.size else "",
        tr("licence: {name}", name=licence_words(model.licence)) if model.licence or model.state == "available" else "",
        publisher_words(model.publisher, model.fingerprint),
    )


def _row(
    model: schema.CatalogueModel, known: Known, acts: tuple[Act, ...], more_facts: str = "", **more: object
) -> ShelfRow:
    fields: dict[str, object] = {
        "model": model.model,
        "title": title_of(model),
        "facts": _joined(model_facts(model), more_facts),
        "acts": acts,
        "marks": unreviewed_marks(model),
        "fit": fit_badge(model.fit),
        "problem": short(known.problems.get(model.model, "") or from_engine(model), LONGEST_PROBLEM),
        "words": _words(model.title, model.model, model.licence, model.publisher),
    }
    return ShelfRow(**(fields | more))  # type: ignore[arg-type]


def _here(model: schema.CatalogueModel, asked: schema.ModelState | None, known: Known) -> ShelfRow:
    if model.state == "broken":
        again: tuple[Act, ...] = ("update",) if model.newer else ()
        return _row(model, known, again, fit=None, marks=(Badge("error", tr("Cannot be used")),))
    acts: tuple[Act, ...] = ("chat",) if model.use == "contributed" else ("chat", "contribute")
    waits = model.code == LicenceNeededError.code
    if model.newer:
        acts = ("licence",) if waits else ("update", *acts)
    tone, use = _USES.get(model.use, ("", ""))
    marks = ((Badge(tone, tr(use)),) if use else ()) + unreviewed_marks(model)
    if model.newer:
        marks += (Badge("warning", tr("Another licence")) if waits else Badge("accent", tr("Newer version")),)
    facts = ""
    if asked is not None and asked.provider:
        facts = tr("computes on {device}", device=provider_words(asked.provider))
    if asked is not None and asked.nodes:
        facts = _joined(facts, _elsewhere(asked))
    return _row(model, known, acts, facts, marks=marks)


def _elsewhere(model: schema.ModelState) -> str:
    return tr("on the network, too: {numbers}", numbers=", ".join(number_words(model)))


def _asked(model: schema.ModelState, known: Known, acts: tuple[Act, ...]) -> ShelfRow:
    """A model that can be asked and that the catalogue does not tell of."""
    return ShelfRow(
        model.id,
        title_of(model),
        _joined(
            parameter_words("", model.id),
            publisher_words(model.publisher, model.fingerprint),
            *number_words(model),
            context_words(model.context_length),
        ),
        acts,
        unreviewed_marks(model),
        problem=known.problems.get(model.id, ""),
        details=False,
        words=_words(model.id, model.publisher),
    )


def _free(model: schema.CatalogueModel, known: Known, best: str, asked: Mapping[str, schema.ModelState]) -> ShelfRow:
    marks = (Badge("accent", tr("Best for this machine")),) if model.model == best else unreviewed_marks(model)
    there = asked.get(model.model)
    acts: tuple[Act, ...] = ("fetch",)
    facts = ""
    if there is not None and there.where != "local" and not there.reviewed:
        acts = ("fetch", "ask")
        facts = _elsewhere(there)
    return _row(model, known, acts, facts, marks=marks)


def _moving(model: schema.CatalogueModel, known: Known) -> ShelfRow:
    """A download that runs, waits, was paused or failed, or an import."""
    acts: tuple[Act, ...] = ("pause", "discard")
    if model.state == "importing":
        acts = ("stop",)
    elif model.state == "failed":
        acts = ("retry", "discard") if model.source != "folder" else ("discard",)
    elif model.state == "paused":
        acts = ("resume", "discard")
    fit = fit_badge(model.fit) if model.fit.verdict in ("tight", "does_not_fit") else None
    return _row(model, known, acts, fit=fit, moving=_how_far(model, known.progress.get(model.model, model.progress)))


def _how_far(model: schema.CatalogueModel, progress: Progress | None) -> Moving:
    if model.state == "waiting":
        return Moving(tr("Waits until other downloads are done"), _share(model.done, model.size), runs=False)
    if model.state in ("importing", "downloading"):
        return _running(progress)
    if not model.done:
        return Moving(tr("Nothing has arrived"), None, runs=False)
    if not model.size:
        return Moving(tr("Stopped: {done} have arrived", done=size_words(model.done)), None, runs=False)
    text = tr("Stopped: {done} of {total} have arrived", done=size_words(model.done), total=size_words(model.size))
    return Moving(text, _share(model.done, model.size), runs=False)


def _running(progress: Progress | None) -> Moving:
    if progress is None:
        return Moving(tr("Begins"), None, runs=True)
    share = _share(progress.done, progress.total) if progress.stage in ("downloading", "copying") else None
    if isinstance(progress, schema.DownloadProgress):
        return Moving(progress_words(progress), share, runs=True)
    if progress.stage == "checking" and progress.looked:
        return Moving(tr("Looking through the folder: %Ln file(s)", "", progress.looked), None, runs=True)
    if share is None:
        return Moving(tr("Checking the model"), None, runs=True)
    done, total = size_words(progress.done), size_words(progress.total)
    return Moving(tr("Copying: {done} of {total}", done=done, total=total), share, runs=True)


def _share(done: int, total: int) -> float | None:
    return min(1.0, done / total) if total > 0 else None


def _hub(known: Known, listed: set[str]) -> list[ShelfSection]:
    """What a search of the hub has found; nothing where nobody has searched."""
    if known.hub is None:
        return []
    about = tr("Found on the model hub, where everybody can upload. Nobody has looked at these for you.")
    rows = tuple(
        ShelfRow(
            one.model,
            short(one.model),
            _joined(
                tr("licence: {name}", name=licence_words(one.licence)),
                tr("%Ln download(s)", "", one.downloads) if one.downloads else "",
                tr("only for accounts that have accepted its terms there") if one.gated else "",
            ),
            ("fetch",),
            problem=known.problems.get(one.model, ""),
            details=False,
        )
        for one in known.hub
        if one.model not in listed
    )
    return [ShelfSection("hub", tr("On the model hub"), rows, tr("The hub knows nothing of that name"), about)]
