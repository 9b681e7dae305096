"""Which models are known here: the catalogue that comes with the program, and the owner's additions."""

from __future__ import annotations

from pathlib import Path

from engine.library.catalogue import MAX_BYTES, CatalogueModel, merged, read_catalogue
from engine.resources import resource_path
from engine.storage.files import read_limited

OWN_FILE = "catalogue.json"
"""In the data directory."""


def known_models(data_directory: Path) -> tuple[CatalogueModel, ...]:
    """Both catalogues as one; ``ConfigurationError`` names the one that cannot be read."""
    resource = resource_path("engine/catalogue.json")
    models = read_catalogue(resource.read_bytes(), str(resource))
    own = data_directory / OWN_FILE
    data = read_limited(own, MAX_BYTES)
    return models if data is None else merged(models, read_catalogue(data, str(own)))
