"""What the owner has agreed to: bound to what was shown, kept, and asked for again when any of it is another."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from engine.errors import LicenceNeededError, StorageError
from engine.library import agreements as module
from engine.library.agreements import Agreements, LicenceTerms, terms_of, terms_on
from engine.library.selection import HubFile, Repository
from engine.wire.manifests import ManifestFile
from tests.support.manifests import FILES, manifest

TERMS = LicenceTerms("mit", "LICENSE", "ab" * 32, "https://example.org/")
MODEL = "lab/model"


@pytest.fixture
def agreements(tmp_path: Path) -> Agreements:
    return Agreements(tmp_path / "data" / "models")


def test_every_part_of_what_was_shown_counts() -> None:
    others = [msgspec.structs.replace(TERMS, **{name: "x"}) for name in TERMS.__struct_fields__]
    moved = LicenceTerms("mitLICENSE", "", "ab" * 32, "https://example.org/")
    assert len({one.digest for one in (TERMS, moved, *others)}) == 6


def test_of_a_manifest_and_of_a_repository() -> None:
    text = ManifestFile("LICENSE", 3, bytes.fromhex("cd" * 32))
    assert terms_of(manifest(files=(*FILES, text))) == LicenceTerms(
        "apache-2.0", "LICENSE", "cd" * 32, "https://models.example.org/"
    )
    assert terms_of(manifest()) == LicenceTerms("apache-2.0", "", "", "https://models.example.org/")
    files = (HubFile("LICENSE", 3, git_id="ef" * 20), HubFile("config.json", 3))
    assert terms_on(Repository("lab/model", "c", files), "mit") == LicenceTerms("mit", "LICENSE", "ef" * 20, MODEL)
    assert terms_on(Repository("lab/model", "c", (), "gpl"), "mit") == LicenceTerms("gpl", "", "", MODEL)


def test_nothing_is_fetched_under_other_terms(agreements: Agreements) -> None:
    with pytest.raises(LicenceNeededError) as told:
        agreements.check(MODEL, "1", TERMS)
    assert told.value.args[0].parts[0].code == "library.licence"
    agreements.agree(MODEL, "1", TERMS.digest)
    agreements.check(MODEL, "1", TERMS)
    agreements.check(MODEL, "2", TERMS)  # a newer version under the same terms
    with pytest.raises(LicenceNeededError) as told:
        agreements.check(MODEL, "1", msgspec.structs.replace(TERMS, identity="cd" * 32))
    assert told.value.args[0].parts[0].code == "library.other_licence"


def test_the_same_files_under_other_terms_are_not_held(agreements: Agreements) -> None:
    other = msgspec.structs.replace(TERMS, licence="gpl").digest
    assert agreements.hold(MODEL, "1", other), "of what was put there by hand nobody has agreed to anything"
    agreements.agree(MODEL, "1", TERMS.digest)
    assert agreements.hold(MODEL, "1", TERMS.digest)
    assert not agreements.hold(MODEL, "1", other)
    assert agreements.hold(MODEL, "2", other), "other files are not those that were taken"
    agreements.agree(MODEL, "1", other)
    assert agreements.hold(MODEL, "1", other)
    assert not agreements.hold(MODEL, "1", TERMS.digest)


def test_they_are_kept_bounded_and_forgotten(agreements: Agreements, tmp_path: Path) -> None:
    for version in range(module.MAX_VERSIONS + 2):
        agreements.agree(MODEL, str(version), f"{version:064x}")
    again = Agreements(tmp_path / "data" / "models")
    assert again.models() == {MODEL}
    assert [again.known(MODEL, f"{version:064x}") for version in (0, 1, 2)] == [False, False, True]
    again.drop(MODEL)
    again.drop(MODEL)
    assert not agreements.any(MODEL)


def test_a_damaged_file_is_not_taken_for_none(agreements: Agreements, tmp_path: Path) -> None:
    agreements.agree(MODEL, "1", TERMS.digest)
    (tmp_path / "data" / "models" / ".agreed.json").write_text('{"lab/model": {"1": "short"}}')
    with pytest.raises(StorageError, match="Move it away"):
        agreements.check(MODEL, "1", TERMS)
