"""Publishers for the control API, and the owner's word about them and their models."""

from __future__ import annotations

from engine.api.schema import PublisherState
from engine.errors import UnknownModelError
from engine.library.published import PublishedModels
from engine.sentences import say


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
