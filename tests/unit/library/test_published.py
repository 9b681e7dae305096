"""The published models that a machine knows: one rule for old and new, nobody trusted or asked without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.directory.manifests import fingerprint_of, make_withdrawal
from engine.errors import ManifestError, UnknownModelError, UnreviewedModelError, UntrustedPublisherError
from engine.library import published as module
from engine.library.agreements import Agreements
from engine.library.published import PublishedModels
from tests.support.manifests import DAY, LAB, NOW, OTHER, signed

MODEL = f"{fingerprint_of(LAB.public_key)}/our-model-1b"
LABS = fingerprint_of(LAB.public_key)


class Clock:
    """The time that a test sets."""

    def __init__(self) -> None:
        self.now = NOW + 60.0

    def wall(self) -> float:
        """Seconds since 1970."""
        return self.now

    monotonic = wall


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def models(tmp_path: Path, clock: Clock) -> PublishedModels:
    return PublishedModels(tmp_path / "data" / "published", clock)


def code_of(error: BaseException) -> str:
    return error.args[0].parts[0].code


def test_versions_replace_and_never_go_back(models: PublishedModels) -> None:
    assert models.add(signed(version=2))[1]
    assert not models.add(signed(version=2))[1]
    with pytest.raises(ManifestError) as told:
        models.add(signed(version=1))
    assert code_of(told.value) == "manifest.old"
    with pytest.raises(ManifestError) as told:
        models.add(signed(version=2, note="another"))
    assert code_of(told.value) == "manifest.conflict"
    models.add(signed(version=3))
    assert models.manifest(MODEL).version == 3
    models.add(signed(OTHER, version=1))
    assert len(models.usable()) == 2


def test_withdrawn_models_stay_withdrawn(models: PublishedModels) -> None:
    models.add(signed())
    models.add(make_withdrawal(LAB, "A Small Lab", "our-model-1b", 2, NOW, "We found a mistake."))
    with pytest.raises(ManifestError) as told:
        models.manifest(MODEL)
    assert code_of(told.value) == "manifest.withdrawn"
    assert "We found a mistake." in str(told.value)
    with pytest.raises(ManifestError):
        models.add(signed())
    assert not models.usable()
    models.add(signed(version=3))
    assert MODEL in models.usable()


def test_what_expires_is_in_use_no_more_but_not_forgotten(models: PublishedModels, clock: Clock) -> None:
    models.add(signed(version=5))
    clock.now = NOW + 31 * DAY
    assert not models.usable()
    with pytest.raises(ManifestError) as told:
        models.manifest(MODEL)
    assert code_of(told.value) == "manifest.expired"
    with pytest.raises(ManifestError) as told:
        models.add(signed(version=4, expires=NOW + 100 * DAY))
    assert code_of(told.value) == "manifest.old"
    models.forget_old([])
    assert MODEL in models.all()
    clock.now = NOW + 500 * DAY
    models.forget_old([])
    assert MODEL not in models.all()


def test_nobody_is_served_or_asked_by_default(models: PublishedModels) -> None:
    models.add(signed())
    assert models.trusted() == {}
    with pytest.raises(UntrustedPublisherError, match=LABS):
        models.check_serving(MODEL)
    with pytest.raises(UnreviewedModelError, match="A Small Lab"):
        models.check_asking(MODEL, here=False)
    with pytest.raises(UnreviewedModelError):
        models.check_asking(MODEL, here=True)
    assert models.trust(LABS) == "A Small Lab"
    models.check_serving(MODEL)
    models.check_serving(MODEL, models.manifest(MODEL).digest)
    with pytest.raises(UnknownModelError, match="Download it again"):
        models.check_serving(MODEL, bytes(32))
    models.confirm(MODEL)
    models.confirm(MODEL)
    assert models.check_asking(MODEL, here=False) == models.manifest(MODEL).digest
    assert models.check_asking(MODEL, here=True) is None
    assert models.distrust(LABS)
    assert not models.distrust(LABS)
    with pytest.raises(UntrustedPublisherError):
        models.check_serving(MODEL)


def test_models_of_no_publisher_pass(models: PublishedModels) -> None:
    assert models.check_asking("gentorrent-builtin", here=False) is None
    models.check_serving("Llama-3.2-1B-Instruct:q4")
    assert models.unverifiable("gentorrent-builtin") == ""


def test_what_only_looks_like_a_publishers_model_is_nothing(models: PublishedModels) -> None:
    models.add(signed())
    models.trust(LABS)
    models.confirm(MODEL)
    for name in (f"{MODEL}:q4", MODEL.upper(), f"{fingerprint_of(OTHER.public_key)}/our-model-1b"):
        with pytest.raises(UnknownModelError):
            models.check_asking(name, here=False)
        with pytest.raises(UnknownModelError):
            models.check_serving(name)
    with pytest.raises(ManifestError):
        models.trust(fingerprint_of(OTHER.public_key))
    with pytest.raises(ManifestError):
        models.confirm("x" * 300)


def test_two_processes_see_what_the_other_decided(models: PublishedModels, clock: Clock, tmp_path: Path) -> None:
    other = PublishedModels(tmp_path / "data" / "published", clock)
    assert not other.all()
    models.add(signed())
    assert MODEL in other.all()
    other.trust(LABS)
    assert LABS in models.trusted()
    models.add(signed(version=2))
    assert other.manifest(MODEL).version == 2


def test_files_that_others_changed_are_left_out(models: PublishedModels, tmp_path: Path) -> None:
    models.add(signed())
    folder = tmp_path / "data" / "published"
    (file,) = folder.glob("*@*")
    file.with_name(file.name.replace("our", "her")).write_bytes(file.read_bytes())
    (folder / "choices.json").write_text("{broken")
    (folder / "junk").write_text("junk")
    assert set(models.all()) == {MODEL}
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    fresh = PublishedModels(folder, Clock())
    assert not fresh.all()
    assert fresh.trusted() == {}


def test_a_full_list_makes_room_by_publisher_and_keeps_what_the_owner_uses(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_KNOWN", 4)
    agreements = Agreements(tmp_path / "data" / "models")
    models = PublishedModels(tmp_path / "data" / "published", clock, agreements)

    def names() -> set[str]:
        return {one.record.name for one in models.all().values()}

    for name in ("a", "b", "c", "d"):
        models.add(signed(name=name))
    models.add(signed(name="e"))
    assert names() == {"b", "c", "d", "e"}, "its own oldest"
    models.confirm(f"{LABS}/b")
    agreements.agree(f"{LABS}/c", "", "ab" * 32)
    models.add(signed(OTHER, name="theirs"))
    assert names() == {"b", "c", "e", "theirs"}, "the oldest that the owner does not use"
    models.trust(LABS)
    models.add(signed(OTHER, name="more"))
    assert names() == {"b", "c", "e", "more"}, "what is trusted goes for nobody"
    models.distrust(LABS)
    agreements.agree(f"{LABS}/e", "", "ab" * 32)
    models.confirm(f"{fingerprint_of(OTHER.public_key)}/more")
    with pytest.raises(ManifestError) as told:
        models.add(signed(name="f"))
    assert code_of(told.value) == "manifest.most"
    models.add(signed(name="b", version=2))
