"""The texts of licences for the control API: of folders, of models here, and of those that could be here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from engine.api.schema import GetLicence, LicenceText
from engine.errors import InvalidRequestError, StorageError, UnknownModelError
from engine.ids import is_publishers
from engine.library.agreements import terms_of
from engine.library.catalogue import find
from engine.library.folders import ModelsFolder
from engine.library.hub import hub_of
from engine.library.known import known_models
from engine.library.licences import Licence, licence_in, licence_of_manifest, licence_on, terms_in
from engine.library.names import is_repository
from engine.library.published import PublishedModels
from engine.library.sources import local_allowed
from engine.node.model_catalogue import licence_of
from engine.sentences import say


class LicenceTexts:
    """``environment``: which hub is asked, and whether local addresses are."""

    def __init__(
        self, data_directory: Path, models: ModelsFolder, published: PublishedModels, environment: Mapping[str, str]
    ) -> None:
        self._data_directory = data_directory
        self._models = models
        self._published = published
        self._environment = environment

    async def reply(self, request: GetLicence) -> LicenceText:
        """See ``GetLicence``; ``GenTorrentError`` says why it cannot be read."""
        found = await (self._of_folder(request.folder) if request.folder else self._of_model(request.model))
        terms, accepted = found.terms, False
        if request.folder and terms is not None:
            with suppress(StorageError):  # where nobody knows, it is asked
                accepted = await asyncio.to_thread(self._models.agreements.known, request.model, terms.digest)
        return LicenceText(
            ref=request.ref,
            licence=terms.licence if terms is not None else "",
            name=found.name,
            text=found.text,
            terms=terms.digest if terms is not None else "",
            accepted=accepted,
        )

    async def _of_folder(self, named: str) -> Licence:
        folder = Path(named)
        if not folder.is_absolute():
            raise InvalidRequestError(say("import.relative", folder=named[:200]), "folder")
        return await asyncio.to_thread(_with_terms, folder)

    async def _of_model(self, model: str) -> Licence:
        here = await asyncio.to_thread(self._here, model)
        if here is not None:
            found = await asyncio.to_thread(licence_in, here)
            manifest = self._published.usable_manifest(model)
            return replace(found, terms=terms_of(manifest)) if manifest is not None else found
        hub = hub_of(self._environment)
        if is_publishers(model):
            manifest = await asyncio.to_thread(self._published.manifest, model)
            return await licence_of_manifest(manifest, hub, allow_local=local_allowed(self._environment))
        entry = await asyncio.to_thread(lambda: find(known_models(self._data_directory), model))
        if entry is None and not ("/" in model and is_repository(model)):
            raise UnknownModelError(say("library.unknown", model=model[:100]))
        repository = await hub.repository(entry.repository.value if entry is not None else model)
        return await licence_on(hub, repository, licence_of(entry) if entry is not None else "")

    def _here(self, model: str) -> Path | None:
        """Its folder on this machine; None where its publisher has a newer version, whose licence may be another."""
        pin, manifest = self._models.pins.get(model), self._published.usable_manifest(model)
        if manifest is not None and (pin is None or pin.commit != str(manifest.version)):
            return None
        return self._models.catalogue().folders().get(model)


def _with_terms(folder: Path) -> Licence:
    found = licence_in(folder)
    return replace(found, terms=terms_in(folder, found)) if found.name else found
