"""What can be done with the models on this machine without a hub: list, import, verify, remove."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from engine.errors import GenTorrentError, ModelFolderError, StorageError, UnknownModelError
from engine.inference.models.folder import ModelFolder, read_model_folder
from engine.inference.models.installed import BUILTIN_MODEL
from engine.inference.models.variants import Variant, belongs, variants
from engine.library.extent import check_extent, check_no_disk
from engine.library.folders import ModelsFolder, in_use, size_of
from engine.library.names import MAX_LICENCE, licence_among
from engine.library.part_file import copy_hashed
from engine.library.pins import Pin, PinnedFile
from engine.library.progress import Meter
from engine.library.room import promised
from engine.sentences import listed, said_by, say
from engine.storage.files import storage_error

Pinned = Literal["pinned", "not pinned", "with the program"]


@dataclass(frozen=True, slots=True)
class Installed:
    """A model on this machine. ``problem``: why it cannot be used, "" if it can; else the rest is as far as known."""

    name: str
    folder: Path
    variants: tuple[str, ...]
    variant: str
    size: int
    digest: str
    context: int
    pinned: Pinned
    repository: str = ""
    licence: str = ""
    problem: str = ""
    model: ModelFolder | None = None
    pin: Pin | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of one model: a sentence for everything that is not as it was. ``checked``: files."""

    name: str
    checked: int
    wrong: tuple[str, ...]
    pinned: bool


def installed(models: ModelsFolder) -> list[Installed]:
    """Every model on this machine, damaged ones with their problem."""
    pins = models.pins.all()
    catalogue = models.catalogue()
    found = []
    for name, folder in catalogue.folders().items():
        pin = pins.get(name)
        names: tuple[str, ...] = ()
        model: ModelFolder | None = None
        problem = ""
        try:
            names = tuple(one.name for one in variants(folder) if not one.problem)
            model = catalogue.open(name)
        except (GenTorrentError, OSError, UnicodeError) as error:
            problem = said_by(error)
        found.append(
            Installed(
                name=name,
                folder=folder,
                variants=names,
                variant=model.variant if model else "",
                size=size_of(folder.resolve()),
                digest=model.digest.hex() if model else "",
                context=model.context_length if model else 0,
                pinned="with the program" if name == BUILTIN_MODEL else "pinned" if pin else "not pinned",
                repository=pin.repository if pin else "",
                licence=pin.licence if pin else "",
                problem=problem,
                model=model,
                pin=pin,
            )
        )
    return found


def import_folder(
    source: Path, models: ModelsFolder, meter: Meter, *, name: str = "", variant: str = "", link: bool = False
) -> ModelFolder:
    """Copy a model's folder (the files of one variant), or link to it, and pin what is there now. Where this, or what
    ``meter`` tells, raises before the stage "done", nothing stays of it."""
    source = source.absolute()
    name = name or source.name
    model = check_importable(source, models, name, meter, variant)
    place = models.place(name)
    with models.locked(name):
        _check_free(models, name)
        sizes = {one.relative_to(source).as_posix(): one.stat().st_size for one in files_with_licence(model)}
        if link:
            files = _hashed(source, sizes, meter)
            meter.stage("installing")
            try:
                place.symlink_to(source, target_is_directory=True)
            except OSError as error:
                raise StorageError(
                    f"{place} cannot be made a link ({error.strerror}). On Windows links need the developer mode. "
                    "Leave --link out to copy the model."
                ) from error
        else:
            staging = models.staging(name, model.graph.relative_to(source).as_posix())
            try:
                with promised(models, name, sum(sizes.values())):
                    files = _copied(source, staging, sizes, meter)
                meter.stage("installing")
                models.install(name, staging, files)
            except BaseException:
                shutil.rmtree(staging, ignore_errors=True)
                raise
        models.pins.put(name, Pin(origin="import", files=files, linked=str(source)[:300] if link else ""))
        catalogue = models.catalogue()
        catalogue.remember({place / one: bytes.fromhex(what.sha256) for one, what in files.items()})
    meter.stage("done")
    return catalogue.open(name)


def files_with_licence(model: ModelFolder) -> list[Path]:
    """What makes a model, and the text of its licence where one of a usual size lies beside it."""
    name = licence_among(one.name for one in model.path.iterdir())
    licence = model.path / name
    fine = bool(name) and not licence.is_symlink() and licence.is_file() and 0 < licence.stat().st_size <= MAX_LICENCE
    return [*model.files, licence] if fine else list(model.files)


def check_importable(source: Path, models: ModelsFolder, name: str, meter: Meter, variant: str = "") -> ModelFolder:
    """The model in a folder, if it can be imported under that name: :class:`ModelFolderError` says exactly what is
    missing or wrong, ``StorageError`` what is wrong with the name. Nothing of the folder is executed, or hashed: the
    digests of what is returned are none. What ``meter`` tells may raise, which ends this soon."""
    meter.stage("checking")
    try:
        check_no_disk(source)
        models.place(name)
        _check_free(models, name)
        return _importable(source, name, meter, variant)
    except OSError as error:
        raise storage_error("read", source, error) from error


def _importable(source: Path, name: str, meter: Meter, variant: str) -> ModelFolder:
    if not source.is_dir():
        raise ModelFolderError(say("import.no_folder", folder=str(source)))
    check_extent(source, meter)
    parts = {
        "import.graph": bool(variants(source)),
        "import.config": _has(source, "config.json", "genai_config.json"),
        "import.tokenizer": _has(source, "tokenizer.json"),
    }
    missing = [say(code) for code, there in parts.items() if not there]
    if missing:
        raise ModelFolderError(say("import.missing", folder=str(source), parts=listed("list.and", missing)))
    try:
        return read_model_folder(name, source, lambda _: b"", variant=variant)
    except ModelFolderError as error:
        raise ModelFolderError(say("import.unusable", folder=str(source), problem=said_by(error))) from error


def _check_free(models: ModelsFolder, name: str) -> None:
    place = models.place(name)
    if place.exists() or place.is_symlink():
        raise StorageError(say("import.taken", model=name))


def _has(folder: Path, *names: str) -> bool:
    """Whether one of these lies in the folder or, as some repositories have it, further below."""
    return any(next(folder.rglob(name), None) is not None for name in names)


def _copied(source: Path, staging: Path, sizes: dict[str, int], meter: Meter) -> dict[str, PinnedFile]:
    for one, size in sizes.items():
        meter.begin(one, size)
    meter.stage("copying")
    return {one: copy_hashed(source / one, staging / one, partial(meter.at, one)) for one in sizes}


def _hashed(folder: Path, sizes: dict[str, int], meter: Meter) -> dict[str, PinnedFile]:
    for one, size in sizes.items():
        meter.begin(one, size)
    meter.stage("reading")
    return {one: copy_hashed(folder / one, None, partial(meter.at, one)) for one in sizes}


def verify(models: ModelsFolder, meter: Meter, names: list[str]) -> list[Verified]:
    """Hash everything again and compare with the pins; all models but the built-in one if ``names`` is empty."""
    pins = models.pins.all()
    chosen = names or [name for name in models.catalogue().folders() if name != BUILTIN_MODEL]
    return [_verify(models, meter, name, models.folder(name), pins.get(name)) for name in chosen]


def _verify(models: ModelsFolder, meter: Meter, name: str, folder: Path, pin: Pin | None) -> Verified:
    wrong = []
    files = pin.files if pin else {}
    there = {one: _size(folder / one) for one in files}
    for one, size in there.items():
        meter.begin(f"{name}/{one}", size or 0)
    meter.stage("reading")
    for one, was in files.items():
        if there[one] is None:
            wrong.append(f"{one} is missing")
            continue
        now = copy_hashed(folder / one, None, partial(meter.at, f"{name}/{one}"))
        if (now.size, now.sha256) != (was.size, was.sha256):
            wrong.append(f"{one} was {was.sha256[:16]}… ({was.size} bytes), is {now.sha256[:16]}… ({now.size} bytes)")
    try:
        models.catalogue().open(name)
    except (GenTorrentError, OSError, UnicodeError) as error:
        wrong.append(str(error))
    meter.stage("done")
    return Verified(name, len(files), tuple(wrong), pin is not None)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def check_removable(models: ModelsFolder, name: str, variant: str = "") -> None:
    """:class:`StorageError` or :class:`UnknownModelError` if there is nothing of that name that could be removed."""
    if name == BUILTIN_MODEL:
        raise StorageError(f"{BUILTIN_MODEL} is part of the program and stays. It takes {_builtin_size(models)} bytes.")
    place = models.place(name)
    if not place.is_symlink() and not models.interrupted(name):
        models.folder(name)  # says what there is
    _to_remove(models, name, variant)


def _to_remove(models: ModelsFolder, name: str, variant: str) -> Variant | None:
    """None: the whole model, which it is with its last variant, too."""
    if not variant:
        return None
    found = variants(models.folder(name))
    chosen = next((one for one in found if one.name == variant), None)
    if chosen is None:
        raise UnknownModelError(
            f"{name} has no variant {variant[:100]!r}. It has: {', '.join(one.name for one in found) or 'none'}."
        )
    if len(found) == 1:
        return None
    if (place := models.place(name)).is_symlink():
        raise StorageError(f"{name} is only a link to {place.resolve()}, whose files stay. Remove it whole.")
    return chosen


def remove(models: ModelsFolder, name: str, variant: str = "") -> int:
    """Delete a model, or one of its variants, and what interrupted downloads left; the bytes that became free."""
    check_removable(models, name, variant)
    place = models.place(name)
    with models.locked(name):
        if (gone := _to_remove(models, name, variant)) is not None:
            return _remove_variant(models, name, place, gone)
        freed = 0 if variant else models.abandon(name)
        if not place.is_dir() and not place.is_symlink():
            if freed:
                _forget(models, name)
                return freed
            models.folder(name)  # says what there is
        freed += models.delete(place)
        _forget(models, name)
    return freed


def _forget(models: ModelsFolder, name: str) -> None:
    models.pins.drop(name)
    models.agreements.drop(name)


def _remove_variant(models: ModelsFolder, name: str, place: Path, variant: Variant) -> int:
    graph = variant.graph.relative_to(place).as_posix()
    files = [one for one in variant.graph.parent.iterdir() if belongs(graph, one.relative_to(place).as_posix())]
    freed = sum(one.stat().st_size for one in files)
    pin = models.pins.get(name)
    gone = {one.relative_to(place).as_posix() for one in files}
    try:
        for one in sorted(files, key=lambda file: file.suffix != ".onnx"):  # the graph first: no graph without weights
            one.unlink()
    except OSError as error:
        raise in_use(place, error) from error
    if pin is not None:
        kept = {file: what for file, what in pin.files.items() if file not in gone}
        models.pins.put(name, Pin(pin.origin, pin.repository, pin.commit, pin.licence, kept, pin.linked))
    return freed


def _builtin_size(models: ModelsFolder) -> int:
    folder = models.catalogue().folders().get(BUILTIN_MODEL)
    return size_of(folder) if folder else 0
