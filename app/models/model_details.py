"""Everything that is known of one model, as names with their values."""

from __future__ import annotations

from app.i18n import number, tr
from app.models.facts import Fact
from app.models.library import size_words
from app.models.model_words import (
    context_words,
    fingerprint_words,
    fit_badge,
    licence_words,
    parameter_words,
    precision_words,
    short,
    source_words,
)
from engine.api import schema

MOST_FILES = 12
"""Files that are named; the others are counted."""
LONGEST_VALUE = 300


def detail_facts(known: schema.ModelDetails, trusted: bool) -> list[Fact]:
    """In the order to show. ``trusted``: its publisher's models may be served from this machine."""
    model = known.model
    facts = [
        _fact(tr("Called"), model.model, copy=True),
        _fact(tr("Parameters"), parameter_words(model.parameters, model.model)),
        _fact(tr("Precision"), precision_words(model.precision, model.variant)),
        _fact(tr("Variants"), ", ".join(short(one, 40) for one in known.variants[:20])),
        _fact(tr("Context"), context_words(model.context)),
        _fact(tr("This machine"), _fit_words(model.fit)),
        _fact(tr("Licence"), licence_words(model.licence) if model.licence or model.state == "available" else ""),
        _fact(tr("Source"), source_words(model)),
        _fact(tr("From"), model.origin, copy=True),
        *_publisher(model, trusted=trusted),
        _fact(tr("Folder"), known.folder, copy=True),
        _fact(tr("Commit or version"), known.commit, copy=True),
        _fact(tr("Digest"), known.digest, copy=True),
        _fact(tr("Digest of its vocabulary"), known.tokenizer_digest, copy=True),
        Fact(tr("Files"), _files(known.files)),
        _fact(tr("Note"), model.note),
    ]
    return [one for one in facts if one.value]


def detail_acts(known: schema.ModelDetails) -> tuple[str, ...]:
    """What can be done seldom."""
    model = known.model
    acts = ("page",) if model.page else ()
    return (*acts, "remove") if model.state in ("here", "broken") and model.source != "program" else acts


def removal_words(model: schema.CatalogueModel) -> str:
    """What deleting it means, and what comes first."""
    return " ".join(filter(None, (_served_words(model), _freed_words(model))))


def _served_words(model: schema.CatalogueModel) -> str:
    if model.use != "contributed":
        return ""
    return tr(
        "This machine answers others with it. That ends first: answers under way go on at other machines, or are "
        "finished, as your rules say. Then the engine chooses another model for others."
    )


def _freed_words(model: schema.CatalogueModel) -> str:
    if model.linked:
        folder = short(model.origin, LONGEST_VALUE)
        return tr("Only what points to it is deleted. The folder {folder} stays as it is.", folder=folder)
    size = size_words(model.size)
    if model.source == "folder":
        return tr("{size} of the disk become free. To use it again, import it again.", size=size)
    return tr("{size} of the disk become free. To use it again, download it again.", size=size)


def _fact(name: str, value: str, *, copy: bool = False) -> Fact:
    return Fact(name, short(value, LONGEST_VALUE), value if copy and value else "")


def _fit_words(fit: schema.ModelFit) -> str:
    said = fit_badge(fit).text
    if not fit.context or fit.verdict == "unknown":
        return said
    return tr("{fit} (with {tokens} tokens of context)", fit=said, tokens=number(fit.context))


def _publisher(model: schema.CatalogueModel, *, trusted: bool) -> list[Fact]:
    if not model.fingerprint:
        return []
    if trusted:
        trust = tr("You trust this publisher: this machine may answer others with its models.")
    else:
        trust = tr(
            "You do not trust this publisher: you can ask this model, and this machine answers nobody else with it."
        )
    return [
        _fact(tr("Publisher"), model.publisher or tr("without a name")),
        Fact(tr("Fingerprint"), fingerprint_words(model.fingerprint), model.fingerprint),
        _fact(tr("Trust"), trust),
    ]


def _files(files: tuple[schema.ModelFile, ...]) -> str:
    lines = []
    for one in files[:MOST_FILES]:
        checked = tr("SHA-256 {digest}…", digest=short(one.sha256[:12])) if one.sha256 else ""
        lines.append(" · ".join(filter(None, (short(one.name, 80), size_words(one.size), checked))))
    if len(files) > MOST_FILES:
        lines.append(tr("%Ln more file(s)", "", len(files) - MOST_FILES))
    return "\n".join(lines)
