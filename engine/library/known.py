"""Which models are known here: the catalogue that comes with the program, and the owner's additions."""

from __future__ import annotations

import logging
from pathlib import Path

from engine.errors import ConfigurationError, StorageError
from engine.inference.models.installed import BUILTIN_MODEL
from engine.library.catalogue import MAX_BYTES, CatalogueModel, merged, read_catalogue
from engine.resources import resource_path
from engine.storage.files import read_limited

_log = logging.getLogger(__name__)
OWN_FILE = "catalogue.json"
"""In the data directory."""


def known_models(data_directory: Path) -> tuple[CatalogueModel, ...]:
    """Both catalogues as one; ``ConfigurationError`` names the one that cannot be read."""
    resource = resource_path("engine/catalogue.json")
    models = read_catalogue(resource.read_bytes(), str(resource))
    own = data_directory / OWN_FILE
    data = read_limited(own, MAX_BYTES)
    return models if data is None else merged(models, read_catalogue(data, str(own)))


def reviewed_models(data_directory: Path) -> frozenset[str]:
    """The ids that mean a model whose facts somebody has looked up: the built-in one and those of the catalogue."""
    try:
        known = known_models(data_directory)
    except (ConfigurationError, StorageError) as error:
        _log.warning("%s Models are shown as unreviewed until then.", error)
        known = ()
    return frozenset([BUILTIN_MODEL, *(one.id for one in known)])
