"""Manifests for tests: publishers with fixed keys, and records that they sign."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from engine.crypto.identity import Identity
from engine.directory.manifests import Published, fingerprint_of, make_withdrawal, read_record, sign_record
from engine.library.progress import Meter
from engine.library.publishing import Terms, hash_folder
from engine.wire.codec import encode
from engine.wire.manifests import ManifestFile, ModelManifest
from engine.wire.records import Signed

VECTOR = Path(__file__).parents[1] / "vectors" / "manifest.json"
NOW = 1_800_000_000
DAY = 86_400
LAB = Identity.from_seed(b"a small lab's key, thirty-two by")
OTHER = Identity.from_seed(b"another lab's key, thirty-two by")
FILES = (
    ManifestFile("config.json", 700, hashlib.sha256(b"config").digest()),
    ManifestFile("onnx/model.onnx", 90_000, hashlib.sha256(b"graph").digest()),
    ManifestFile("onnx/model.onnx_data", 9_000_000, hashlib.sha256(b"weights").digest()),
    ManifestFile("tokenizer.json", 4_000, hashlib.sha256(b"tokenizer").digest()),
)


def manifest(identity: Identity = LAB, **changes: Any) -> ModelManifest:
    """A valid manifest."""
    fields: dict[str, Any] = {
        "suite": 1,
        "publisher_key": identity.public_key,
        "publisher": "A Small Lab",
        "name": "our-model-1b",
        "version": 1,
        "created": NOW,
        "expires": NOW + 30 * DAY,
        "digest": hashlib.sha256(b"model").digest(),
        "tokenizer_digest": hashlib.sha256(b"tokenizer").digest(),
        "context_length": 4096,
        "graph": "onnx/model.onnx",
        "files": FILES,
        "addresses": ("https://models.example.org/our-model-1b/",),
        "licence": "apache-2.0",
        "source": "https://models.example.org/",
        "note": "Answers in Low German.",
    }
    return ModelManifest(**fields | changes)


def signed(identity: Identity = LAB, **changes: Any) -> Signed:
    """The same, signed."""
    return sign_record(identity, manifest(identity, **changes))


def published(identity: Identity = LAB, **changes: Any) -> Published:
    """The same, checked."""
    return read_record(signed(identity, **changes))


def terms(**changes: Any) -> Terms:
    """What a lab says of its model."""
    fields: dict[str, Any] = {
        "name": "our-model-1b",
        "publisher": "A Small Lab",
        "addresses": ["https://models.example.org/our-model-1b/"],
        "licence": "apache-2.0",
    }
    return Terms(**fields | changes)


def hashed(folder: Path, variant: str = "") -> Any:
    """A folder that is to be published."""
    return hash_folder(folder, Meter(lambda _: None, lambda: 0.0), variant)


def golden() -> dict[str, str]:
    """What ``tests/vectors/manifest.json`` holds; ``python -m tests.support.manifests`` writes it anew."""
    withdrawal = make_withdrawal(LAB, "A Small Lab", "our-model-1b", 2, NOW, "We found a mistake.")
    return {
        "fingerprint": fingerprint_of(LAB.public_key),
        "manifest": encode(signed()).hex(),
        "withdrawal": encode(withdrawal).hex(),
    }


if __name__ == "__main__":
    VECTOR.write_text(json.dumps(golden(), indent=2) + "\n")
