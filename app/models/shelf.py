"""The models as the page *Models* lists them: what each is, whether it fits this machine, and what can be done with it.

Plain values made of what the engine says; :class:`app.models.shelf_model.ShelfModel` keeps that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.i18n import mark, number, tr
from app.models.catalogue import number_words, provider_words
from app.models.library import progress_words, size_words
from app.models.model_offer import best_of
from app.models.safe_text import visible
from engine.api import schema

LONGEST = 120
"""Characters of a name of somebody's making that are shown."""
Act = Literal["chat", "ask", "contribute", "fetch", "pause", "resume", "discard"]
Place = Literal["here", "moving", "network", "catalogue", "published"]
_VERDICTS = {
    "fits": ("good", mark("Fits")),
    "tight": ("warning", mark("Tight, close other programs first")),
    "does_not_fit": ("error", mark("Does not fit")),
    "unknown": ("neutral", mark("Size not known before the download")),
}
_BITS = {"q4": 4, "bnb4": 4, "int4": 4, "q8": 8, "int8": 8, "uint8": 8, "quantized": 8, "fp16": 16, "bf16": 16}
_PARAMETERS = re.compile(r"(?:^|[-_ ])(\d{1,4}(?:\.\d{1,3})?)([BM])(?=$|[-_ .])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Badge:
    """``tone``: as of :meth:`app.theme.Theme.tone`."""

    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class Moving:
    """How far a download is. ``share``: 0 to 1; None: not known. ``runs``: something arrives now."""

    text: str
    share: float | None
    runs: bool


@dataclass(frozen=True, slots=True)
class ShelfRow:
    """One line. ``model`` is its id; everything else is for people, and harmless to show."""

    model: str
    title: str
    facts: str
    acts: tuple[Act, ...]
    marks: tuple[Badge, ...] = ()
    fit: Badge | None = None
    moving: Moving | None = None
    problem: str = ""
    words: str = ""
    """What a search looks at."""


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
    """Everything that the engine has said."""

    models: tuple[schema.ModelState, ...] = ()
    library: tuple[schema.LibraryModel, ...] = ()
    downloads: tuple[schema.DownloadProgress, ...] = ()
    use: schema.DiskUse | None = None
    failed: Mapping[str, str] = field(default_factory=dict)
    """Why downloads ended, by model."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """Why something else was refused, by model."""
    serving: str = ""
    """The model that others are answered with."""
    problem: str = ""
    """Why nothing is known of what could be downloaded."""


def sections(known: Known, words: str = "", *, fitting: bool = False) -> list[ShelfSection]:
    """All places in their order. ``words``: all of them must be found; ``fitting``: of what could be downloaded only
    what this machine can run."""
    moving = _moving(known)
    there = {one.id: one for one in known.models}
    here = [one for one in known.models if one.where in ("local", "both")]
    names = {one.id for one in here} | moving.keys()
    free = [one for one in known.library if one.model not in names]
    if fitting:
        free = [one for one in free if one.verdict in ("fits", "tight")]
    best = best_of(one for one in free if one.reviewed)
    network = [one for one in known.models if one.where == "network" and one.reviewed]
    listed = {one.model for one in free}
    published = [_to_fetch(one, known, None, there.get(one.model)) for one in free if not one.reviewed]
    published += [
        _on_network(one, known)
        for one in known.models
        if one.where == "network" and not one.reviewed and one.id not in listed
    ]
    places: list[tuple[Place, str, list[ShelfRow], str, str]] = [
        ("here", tr("On this machine"), [_here(one, known) for one in here], tr("None yet"), ""),
        ("moving", tr("Downloading"), list(moving.values()), "", ""),
        ("network", tr("On the network now"), [_on_network(one, known) for one in network], "", ""),
        (
            "catalogue",
            tr("To download"),
            [_to_fetch(one, known, best) for one in free if one.reviewed],
            known.problem or _none_words(known, fitting=fitting),
            "",
        ),
        (
            "published",
            tr("From publishers"),
            published,
            "",
            tr("Anybody can publish a model. Nobody but its publisher has looked at these."),
        ),
    ]
    wanted = words.casefold().split()
    found = [
        ShelfSection(
            place, heading, tuple(row for row in rows if all(word in row.words for word in wanted)), note, about
        )
        for place, heading, rows, note, about in places
    ]
    if wanted:
        return [one for one in found if one.rows]
    return [one for one in found if one.rows or one.note]


def _none_words(known: Known, *, fitting: bool) -> str:
    if not known.library:
        return tr("Looking what this machine can run")
    return tr("Nothing else of the catalogue fits this machine") if fitting else tr("Nothing else is known")


# What a row says.


def title_of(model: str) -> str:
    """The name of a model without the fingerprint of its publisher, harmless and not too long."""
    return short(model.rpartition("/")[2] or model)


def short(text: str, longest: int = LONGEST) -> str:
    """One line of somebody's making."""
    line = " ".join(visible(text[: 4 * longest]).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def parameter_words(model: str) -> str:
    """How large a model says it is in its name; "" if it does not."""
    found = _PARAMETERS.search(title_of(model))
    if found is None:
        return ""
    count = float(found[1])
    shown = number(count, 0 if count == int(count) else 1)
    if found[2] in "bB":
        return tr("{count} billion parameters", count=shown)
    return tr("{count} million parameters", count=shown)


def variant_words(variant: str) -> str:
    """The precision of its numbers."""
    bits = _BITS.get(variant) or next((bits for name, bits in _BITS.items() if variant.startswith(name)), 0)
    if variant == "fp32":
        bits = 32
    return tr("{bits}-bit ({name})", bits=number(bits), name=short(variant, 20)) if bits else short(variant, 20)


def fit_badge(model: schema.LibraryModel) -> Badge:
    """Whether it runs here, with the numbers."""
    tone, verdict = _VERDICTS[model.verdict]
    parts = []
    if model.memory:
        parts.append(tr("needs {size}", size=size_words(model.memory)))
    if model.tokens_per_s >= 1 and model.verdict != "does_not_fit":
        parts.append(tr("about {speed} tokens/s", speed=number(model.tokens_per_s)))
    return Badge(tone, f"{tr(verdict)}: {', '.join(parts)}" if parts else tr(verdict))


def licence_words(licence: str) -> str:
    """The name of a licence."""
    return short(licence, 60) or tr("not stated by the hub", "licence")


def unreviewed_marks(model: schema.ModelState | schema.LibraryModel) -> tuple[Badge, ...]:
    """For a model that nobody but its publisher has looked at."""
    return () if model.reviewed else (Badge("warning", tr("Unreviewed")),)


def publisher_words(model: schema.ModelState | schema.LibraryModel) -> str:
    """Who has published it; "" for a model of the catalogue."""
    if not model.publisher and not model.fingerprint:
        return ""
    return tr("by {name} ({fingerprint}…)", name=short(model.publisher, 60), fingerprint=short(model.fingerprint[:8]))


def _words(*parts: str) -> str:
    return " ".join(part[:500] for part in parts).casefold()


def _joined(*parts: str) -> str:
    return " · ".join(filter(None, parts))


# Rows of the places.


def _here(model: schema.ModelState, known: Known) -> ShelfRow:
    use = next((one for one in known.use.models if one.model == model.id), None) if known.use is not None else None
    serving = model.id == known.serving
    parts = [parameter_words(model.id), publisher_words(model)]
    if use is not None:
        parts.append(tr("lies in a folder of yours") if use.linked else size_words(use.files))
    if model.context_length:
        parts.append(tr("{tokens} tokens of context", tokens=number(model.context_length)))
    if model.provider:
        parts.append(tr("computes on {device}", device=provider_words(model.provider)))
    if model.nodes:
        parts.append(tr("on the network, too: {numbers}", numbers=", ".join(number_words(model))))
    marks = (*((Badge("good", tr("Answers others")),) if serving else ()), *unreviewed_marks(model))
    acts: tuple[Act, ...] = ("chat",) if serving else ("chat", "contribute")
    return ShelfRow(
        model.id,
        title_of(model.id),
        _joined(*parts),
        acts,
        marks,
        problem=known.problems.get(model.id, ""),
        words=_words(model.id, model.publisher),
    )


def _on_network(model: schema.ModelState, known: Known) -> ShelfRow:
    parts = [parameter_words(model.id), publisher_words(model), *number_words(model)]
    if model.context_length:
        parts.append(tr("{tokens} tokens of context", tokens=number(model.context_length)))
    return ShelfRow(
        model.id,
        title_of(model.id),
        _joined(*parts),
        ("ask",),
        unreviewed_marks(model),
        problem=known.problems.get(model.id, ""),
        words=_words(model.id, model.publisher),
    )


def _to_fetch(
    model: schema.LibraryModel,
    known: Known,
    best: schema.LibraryModel | None,
    there: schema.ModelState | None = None,
) -> ShelfRow:
    marks = unreviewed_marks(model)
    if best is not None and best.model == model.model:
        marks = (Badge("accent", tr("Best for this machine")),)
    return ShelfRow(
        model.model,
        title_of(model.model),
        library_facts(model),
        ("fetch", "ask") if there is not None else ("fetch",),
        marks,
        fit_badge(model),
        problem=known.problems.get(model.model, ""),
        words=_words(model.model, model.licence, model.publisher),
    )


def library_facts(model: schema.LibraryModel) -> str:
    """What it is, how large, whose, and under which licence."""
    return _joined(
        parameter_words(model.model),
        variant_words(model.variant),
        size_words(model.size) if model.size else "",
        tr("licence: {name}", name=licence_words(model.licence)),
        publisher_words(model),
    )


def _moving(known: Known) -> dict[str, ShelfRow]:
    """Downloads that run, that were paused, and that failed."""
    running = {one.model: one for one in known.downloads}
    kept = {one.model: one.unfinished for one in known.use.models if one.unfinished} if known.use is not None else {}
    about = {one.model: one for one in known.library}
    rows = {}
    for name in dict.fromkeys((*running, *kept, *known.failed)):
        progress, model = running.get(name), about.get(name)
        moving = _running(progress) if progress is not None else _resting(kept.get(name, 0), model)
        acts: tuple[Act, ...] = ("pause", "discard") if progress is not None else ("resume", "discard")
        rows[name] = ShelfRow(
            name,
            title_of(name),
            library_facts(model) if model is not None else "",
            acts,
            unreviewed_marks(model) if model is not None else (),
            fit_badge(model) if model is not None and model.verdict != "fits" else None,
            moving,
            problem="" if progress is not None else known.failed.get(name, "") or known.problems.get(name, ""),
            words=_words(name, *((model.licence, model.publisher) if model is not None else ())),
        )
    return rows


def _running(progress: schema.DownloadProgress) -> Moving:
    known = progress.total > 0 and progress.stage == "downloading"
    return Moving(progress_words(progress), min(1.0, progress.done / progress.total) if known else None, runs=True)


def _resting(kept: int, model: schema.LibraryModel | None) -> Moving:
    whole = model.size if model is not None else 0
    if not kept:
        return Moving(tr("Nothing has arrived"), 0.0, runs=False)
    if not whole:
        return Moving(tr("Paused: {done} have arrived", done=size_words(kept)), None, runs=False)
    text = tr("Paused: {done} of {total} have arrived", done=size_words(kept), total=size_words(whole))
    return Moving(text, min(1.0, kept / whole), runs=False)
