"""The words of the page *Models* for what a model is, whether it fits, and where it comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.i18n import mark, number, tr
from app.models.library import GIGABYTE, size_words
from app.models.safe_text import visible
from engine.api import schema

LONGEST = 120
"""Characters of a text of somebody's making that are shown in a line."""
_VERDICTS = {
    "fits": ("good", mark("Fits")),
    "tight": ("warning", mark("Tight, close other programs first")),
    "does_not_fit": ("error", mark("Does not fit")),
    "unknown": ("neutral", mark("Not known yet whether it fits")),
}
_BITS = re.compile(r"(?:fp|bf|int|uint|q)(\d{1,2})", re.IGNORECASE)
_BREAK = "\N{ZERO WIDTH SPACE}"
_LONG_WORD, _PIECES = re.compile(r"\S{33,}"), re.compile(r".{1,16}")
_COUNT = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)([BM])", re.IGNORECASE)
_IN_NAME = re.compile(r"(?:^|[-_ ])(\d{1,4}(?:\.\d{1,3})?[BM])(?=$|[-_ .])", re.IGNORECASE)
_SOURCES = {
    "program": mark("Comes with the program"),
    "catalogue": mark("The catalogue of the program"),
    "hub": mark("The model hub; nobody has looked at it for you"),
    "publisher": mark("A publisher; nobody else has looked at it"),
    "folder": mark("A folder of this machine"),
}


@dataclass(frozen=True, slots=True)
class Badge:
    """``tone``: as of :meth:`app.theme.Theme.tone`, or "accent"."""

    tone: str
    text: str


def short(text: str, longest: int = LONGEST) -> str:
    """One harmless line of what somebody has written; it breaks where it has to, also without spaces."""
    line = " ".join(visible(text[: 4 * longest]).split())
    line = line if len(line) <= longest else f"{line[: longest - 1]}…"
    return _LONG_WORD.sub(lambda word: _BREAK.join(_PIECES.findall(word[0])), line)


def title_of(model: schema.CatalogueModel | schema.ModelState) -> str:
    """What people call it; of an id the part behind the fingerprint."""
    if isinstance(model, schema.CatalogueModel) and model.source == "program":
        return tr("Built-in model")
    if isinstance(model, schema.CatalogueModel) and model.title:
        return short(model.title)
    name = model.id if isinstance(model, schema.ModelState) else model.model
    return short(name.rpartition("/")[2] or name)


def parameter_words(said: str, name: str) -> str:
    """How many numbers it is made of: as a page says, else as its name does; "" where neither does."""
    named = _IN_NAME.search(name[:500])
    found = _COUNT.fullmatch(said.strip()) or (_COUNT.fullmatch(named[1]) if named is not None and not said else None)
    if found is None:
        return tr("{count} parameters", count=short(said, 30)) if said else ""
    count = float(found[1])
    shown = number(count, 0 if count == int(count) else 2 if len(found[1].partition(".")[2]) > 1 else 1)
    if found[2] in "bB":
        return tr("{count} billion parameters", count=shown)
    return tr("{count} million parameters", count=shown)


def precision_words(precision: str, variant: str) -> str:
    """How exact its numbers are, with the name of the variant."""
    found = _BITS.search(precision[:40]) or _BITS.match(variant[:40])
    name = short(variant or precision, 30)
    return tr("{bits}-bit ({name})", bits=number(int(found[1])), name=name) if found else name


def context_words(tokens: int) -> str:
    """How much it reads at once; "" where that is not known."""
    return tr("{tokens} tokens of context", tokens=number(tokens)) if tokens else ""


def licence_words(licence: str) -> str:
    """The name of a licence."""
    return short(licence, 60) or tr("not stated by the hub", "licence")


def publisher_words(name: str, fingerprint: str) -> str:
    """Who has published it; "" for a model of the catalogue."""
    if not name and not fingerprint:
        return ""
    return tr("by {name} ({fingerprint}…)", name=short(name, 60), fingerprint=short(fingerprint[:8]))


def fingerprint_words(fingerprint: str) -> str:
    """In groups, so that it can be compared by eye."""
    whole = short(fingerprint, 64)
    return " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))


def source_words(model: schema.CatalogueModel) -> str:
    """Where it comes from."""
    return tr(_SOURCES[model.source])


def unreviewed_marks(model: schema.CatalogueModel | schema.ModelState) -> tuple[Badge, ...]:
    """For a model that somebody has published and nobody else has looked at."""
    return () if model.reviewed or not model.fingerprint else (Badge("warning", tr("Unreviewed")),)


def fit_badge(fit: schema.ModelFit) -> Badge:
    """Whether it runs here, with the numbers: memory, room on the disk where that is too little, speed."""
    tone, verdict = _VERDICTS[fit.verdict]
    parts = [_memory_words(fit)] if fit.memory else []
    if fit.disk > fit.disk_free:
        tone = "error"
        parts.append(tr("{size} too little room on the disk", size=size_words(fit.disk - fit.disk_free)))
    if fit.verdict != "does_not_fit" and fit.tokens_per_s >= 0.1:
        speed = number(fit.tokens_per_s, 0 if fit.tokens_per_s >= 10 else 1)
        measured = fit.speed_known == "measured"
        parts.append(
            tr("{speed} tokens/s, measured here", speed=speed)
            if measured
            else tr("about {speed} tokens/s", speed=speed)
        )
    return Badge(tone, f"{tr(verdict)}: {', '.join(parts)}" if parts else tr(verdict))


def _memory_words(fit: schema.ModelFit) -> str:
    if not fit.memory_total:
        return tr("needs {size}", size=size_words(fit.memory))
    need = number(fit.memory / GIGABYTE, 1)
    total = number(fit.memory_total / GIGABYTE, 0 if fit.memory_total >= 10 * GIGABYTE else 1)
    if fit.device == "gpu":
        return tr("needs {need} of {total} GB of the graphics card", need=need, total=total)
    return tr("needs {need} of {total} GB", need=need, total=total)
