"""Published models for the control API: those that could be on this machine, their publishers, and the owner's word."""

from __future__ import annotations

from collections.abc import Collection

from engine.api.schema import LibraryModel, PublisherState
from engine.errors import UnknownModelError
from engine.inference.models.variants import foreseen
from engine.library.fit import DEFAULT_CONTEXT, Machine, Verdict, recommended
from engine.library.manifests import total_size
from engine.library.published import PublishedModels
from engine.sentences import say
from engine.wire.manifests import ModelManifest

VERDICTS: dict[Verdict, str] = {
    "fits": "fits",
    "tight": "tight",
    "does not fit": "does_not_fit",
    "unknown": "unknown",
}


def published_to_download(published: PublishedModels, here: Collection[str], machine: Machine) -> list[LibraryModel]:
    """Those that hold now and are not on this machine, judged for it."""
    return [
        _judged(model_id, manifest, machine)
        for model_id, manifest in published.usable().items()
        if model_id not in here
    ]


def publisher_states(published: PublishedModels) -> tuple[PublisherState, ...]:
    """Every publisher that is known here, and those that are trusted though nothing of them is."""
    trusted = published.trusted()
    models: dict[str, list[str]] = {fingerprint: [] for fingerprint in trusted}
    for model_id in published.usable():
        models.setdefault(model_id.partition("/")[0], []).append(model_id)
    return tuple(
        PublisherState(
            fingerprint=fingerprint,
            name=published.name_of(fingerprint) or (trusted[fingerprint].name if fingerprint in trusted else ""),
            models=tuple(sorted(names)),
            trusted=fingerprint in trusted,
        )
        for fingerprint, names in sorted(models.items())
    )


def confirm(published: PublishedModels, model_id: str) -> None:
    """See ``ConfirmModel``."""
    if published.get(model_id) is None:
        raise UnknownModelError(say("manifest.unknown", model=model_id[:200]))
    published.confirm(model_id)


def trust(published: PublishedModels, fingerprint: str, *, on: bool) -> None:
    """See ``TrustPublisher``."""
    if on:
        published.trust(fingerprint)
    else:
        published.distrust(fingerprint)


def _judged(model_id: str, manifest: ModelManifest, machine: Machine) -> LibraryModel:
    room = min(DEFAULT_CONTEXT, manifest.context_length)
    best = recommended(foreseen({one.name: one.size for one in manifest.files}), None, room, machine)
    return LibraryModel(
        model=model_id,
        variant=best.variant if best else "",
        licence=manifest.licence,
        page=manifest.source,
        context=manifest.context_length,
        size=total_size(manifest),
        memory=(best.memory or 0) if best else 0,
        verdict=VERDICTS[best.verdict if best else "unknown"],  # type: ignore[arg-type]
        tokens_per_s=best.tokens_per_s if best else 0.0,
        note="".join(one for one in manifest.note if one.isprintable()),
        publisher=manifest.publisher,
        fingerprint=model_id.partition("/")[0],
        reviewed=False,
    )
