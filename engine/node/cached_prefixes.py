"""What the prefix caches of this machine's workers hold of public prompts, as their own events say."""

from __future__ import annotations

from engine.forwarding.sentry import Sentry
from engine.inference.supervisor.devices import Device
from engine.inference.types import CacheNews


class CachedPrefixes:
    """One :class:`Sentry` for each model that has been loaded here, from its first event on, whether others are told of
    it or not."""

    def __init__(self) -> None:
        self._sentries: dict[str, Sentry] = {}

    def heard(self, device: Device, news: CacheNews) -> None:
        """Something changed in the cache of one worker."""
        sentry, cache = self.of(news.model_id), device.uuid or device.name
        if news.reset:
            sentry.reset(cache)
        sentry.apply(news.changes, cache)

    def of(self, model_id: str) -> Sentry:
        """That of one model."""
        sentry = self._sentries.get(model_id)
        if sentry is None:
            sentry = self._sentries[model_id] = Sentry()
        return sentry
