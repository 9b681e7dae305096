"""Every model that is known here, for a page: those on this machine, on their way, and those that could be here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from msgspec import UnsetType, structs

from engine.api import schema
from engine.errors import LicenceNeededError, UnknownModelError
from engine.ids import is_published
from engine.inference.models.installed import BUILTIN_MODEL
from engine.inference.models.variants import Variant, foreseen
from engine.library.agreements import terms_of
from engine.library.candidates import foreseen_variants
from engine.library.catalogue import CatalogueModel
from engine.library.fit import DEFAULT_CONTEXT, Fit, Machine, recommended
from engine.library.folders import ModelsFolder, size_of
from engine.library.keeping import Installed, installed
from engine.library.known import known_models
from engine.library.manifests import total_size
from engine.library.published import PublishedModels
from engine.library.room import room
from engine.node.downloads import Kept
from engine.sentences import say
from engine.wire.manifests import ModelManifest

BUILTIN_LICENCE = "Apache-2.0"
_ORDER = ("fits", "tight", "unknown", "does_not_fit")
_Use = Literal["", "loaded", "contributed"]
_Source = Literal["program", "catalogue", "hub", "publisher", "folder"]


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What this machine does with a model now. ``tokens_per_s``: as measured here, 0 while it was not."""

    loaded: bool = False
    contributed: bool = False
    answering: int = 0
    tokens_per_s: float = 0.0

    @property
    def word(self) -> _Use:
        """For ``CatalogueModel.use``."""
        return "contributed" if self.contributed else "loaded" if self.loaded else ""


@dataclass(frozen=True, slots=True)
class Now:
    """What changes while one looks: by model, the use that is made of it, and downloads and imports in their order."""

    uses: Mapping[str, ModelUse] = field(default_factory=dict)
    downloads: tuple[tuple[Kept, schema.DownloadProgress | None], ...] = ()
    imports: Mapping[str, schema.ImportProgress] = field(default_factory=dict)


class ModelCatalogue:
    """Methods look at the disk: call them from a thread."""

    def __init__(
        self, data_directory: Path, models: ModelsFolder, published: PublishedModels, machine: Callable[[], Machine]
    ) -> None:
        self._data_directory = data_directory
        self._models = models
        self._published = published
        self._machine = machine

    def all(self, now: Now) -> tuple[tuple[schema.CatalogueModel, ...], schema.Room]:
        """Those here first, then those on their way, then what fits best."""
        look = _Look(self._machine(), self._models, now.uses, self._published)
        known = {one.id: one for one in known_models(self._data_directory)}
        here = {one.name: look.here(one, known.get(one.name)) for one in installed(self._models)}
        could = {name: look.known(entry) for name, entry in known.items() if name not in here}
        for name, manifest in self._published.usable().items():
            if name not in here:
                could[name] = look.published(name, manifest)
        coming = self._coming(now, could, here, look)
        rest = best_first(one for name, one in could.items() if name not in coming)
        shown = [one for name, one in here.items() if name not in coming]
        return (*shown, *coming.values(), *rest), look.room_shown

    def one(self, model: str, now: Now) -> schema.CatalogueModel:
        """One of them; :class:`UnknownModelError`."""
        wanted = model.lower()
        for one in self.all(now)[0]:
            if wanted in (one.model.lower(), one.origin.lower()):
                return one
        raise UnknownModelError(say("library.unknown", model=model[:100]))

    def details(self, model: str, now: Now, ref: str) -> schema.ModelDetails:
        """All that is known of one; :class:`UnknownModelError`."""
        shown = self.one(model, now)
        found = next((one for one in installed(self._models) if one.name == shown.model), None)
        if found is not None:
            return _installed_details(found, shown, ref)
        if is_published(shown.model):
            return _published_details(self._published.manifest(shown.model), shown, ref)
        entry = next((one for one in known_models(self._data_directory) if one.id == shown.model), None)
        variant = entry.variant(shown.variant) if entry is not None else None
        return schema.ModelDetails(
            ref=ref,
            model=shown,
            variants=tuple(one.name for one in entry.variants) if entry is not None else (),
            files=tuple(schema.ModelFile(name=one.name, size=one.size) for one in variant.files) if variant else (),
        )

    def _coming(
        self,
        now: Now,
        could: Mapping[str, schema.CatalogueModel],
        here: Mapping[str, schema.CatalogueModel],
        look: _Look,
    ) -> dict[str, schema.CatalogueModel]:
        """Imports, downloads in their order, and what others have left unfinished."""
        coming: dict[str, schema.CatalogueModel] = {}
        left = self._models.all_interrupted()
        for name, imported in now.imports.items():
            coming[name] = _bare(name, "folder", "importing", done=imported.done, size=imported.total)
        for kept, progress in now.downloads:
            base = could.get(kept.name) or here.get(kept.name) or _bare(kept.name, "hub", origin=kept.asked)
            shown = _on_its_way(base, kept, progress, _bytes(left.pop(kept.name, [])))
            coming[kept.name] = look.begun(shown)
        for name, folders in left.items():
            if name in here or name in coming:
                continue
            if name in could:
                coming[name] = look.begun(structs.replace(could[name], state="paused", done=_bytes(folders)))
            else:
                lost = say("library.left_over")
                coming[name] = _bare(name, "folder", "failed", done=_bytes(folders), code="interrupted", text=lost)
        return coming


class _Look:
    """One look at this machine."""

    def __init__(
        self, machine: Machine, models: ModelsFolder, uses: Mapping[str, ModelUse], published: PublishedModels
    ) -> None:
        self._published = published
        self._machine = machine
        self._agreements = models.agreements
        self._room = there = room(models)
        self._uses = uses
        self.room_shown = schema.Room(used=there.used, free=there.free, limit=there.limit or 0, left=there.left)

    def here(self, one: Installed, entry: CatalogueModel | None) -> schema.CatalogueModel:
        """A model on this machine."""
        use, model, pin = self._uses.get(one.name, ModelUse()), one.model, one.pin
        source = _source(one, entry)
        newer, unheld = self._newer(one) if source == "publisher" else (None, "")
        best: Fit | None = None
        if model is not None:
            variant = Variant(model.variant, model.graph, model.precision, model.size)
            best = recommended([variant], model.kv, _context(model.context_length), self._machine)
        return schema.CatalogueModel(
            model=one.name,
            title=_title(one.name, source),
            source=source,
            state="broken" if one.problem else "here",
            use=use.word,
            parameters=_parameters(entry) if source == "catalogue" else "",
            precision=model.precision if model is not None else "",
            variant=one.variant,
            size=one.size,
            licence=BUILTIN_LICENCE if source == "program" else one.licence,
            page=_page(entry) if source == "catalogue" else "",
            origin=(pin.linked or pin.repository) if pin is not None and source != "publisher" else "",
            linked=one.folder.is_symlink(),
            publisher=self._published.name_of(one.name.partition("/")[0]) if source == "publisher" else "",
            fingerprint=one.name.partition("/")[0] if source == "publisher" else "",
            reviewed=source in ("program", "catalogue"),
            context=one.context,
            note=entry.note if entry is not None and source == "catalogue" else "",
            fit=self._fit(best, 0, use.tokens_per_s),
            newer=newer is not None,
            new_licence=self._new_licence(one.name, newer),
            text=one.problem or unheld,
            code="no_model" if one.problem else LicenceNeededError.code if unheld else "",
        )

    def _newer(self, one: Installed) -> tuple[ModelManifest | None, str]:
        """The manifest of another version than the one that is here; and why that is not used, if so."""
        now = self._published.usable_manifest(one.name)
        if now is None or now.digest.hex() != one.digest:
            return now, ""
        if self._agreements.hold(one.name, one.digest, terms_of(now).digest):
            return None, ""
        return now, say("library.held", licence=now.licence)

    def _new_licence(self, name: str, manifest: ModelManifest | None) -> str | None:
        """The licence of a published model, where it is another than was accepted."""
        if manifest is None or self._agreements.known(name, terms_of(manifest).digest):
            return None
        return manifest.licence

    def begun(self, shown: schema.CatalogueModel) -> schema.CatalogueModel:
        """A model whose download was begun: it goes on unless its licence has changed since it was accepted."""
        manifest = self._published.usable_manifest(shown.model) if is_published(shown.model) else None
        licence = self._new_licence(shown.model, manifest)
        if shown.code == LicenceNeededError.code or not self._agreements.any(shown.model):
            licence = licence or shown.licence
        return structs.replace(shown, again=licence is None, new_licence=licence)

    def known(self, entry: CatalogueModel) -> schema.CatalogueModel:
        """A model of the catalogue."""
        context = 0 if isinstance(entry.context, UnsetType) else entry.context.value
        found = foreseen_variants(entry)
        best = recommended(found, entry.kv, _context(context), self._machine)
        return schema.CatalogueModel(
            model=entry.id,
            title=_title(entry.id, "catalogue"),
            source="catalogue",
            state="available",
            parameters=_parameters(entry),
            precision=_precision(found, best),
            variant=best.variant if best else "",
            size=best.weights if best else 0,
            licence=licence_of(entry),
            page=_page(entry),
            origin=entry.repository.value,
            context=context,
            note=entry.note,
            fit=self._fit(best, best.weights if best else 0),
        )

    def published(self, name: str, manifest: ModelManifest) -> schema.CatalogueModel:
        """A model that somebody has published."""
        found = foreseen({one.name: one.size for one in manifest.files})
        best = recommended(found, None, _context(manifest.context_length), self._machine)
        size = total_size(manifest)
        return schema.CatalogueModel(
            model=name,
            title=_title(name, "publisher"),
            source="publisher",
            state="available",
            precision=_precision(found, best),
            variant=best.variant if best else "",
            size=size,
            licence=manifest.licence,
            page=manifest.source,
            publisher=manifest.publisher,
            fingerprint=name.partition("/")[0],
            reviewed=False,
            context=manifest.context_length,
            note="".join(one for one in manifest.note if one.isprintable()),
            fit=self._fit(best, size),
        )

    def _fit(self, best: Fit | None, disk: int, measured: float = 0.0) -> schema.ModelFit:
        if best is None:
            return schema.ModelFit(disk=disk, disk_free=self._room.left)
        gpu = best.device == "gpu"
        speed = measured or best.tokens_per_s
        return schema.ModelFit(
            verdict=best.verdict,
            device=best.device,
            memory=best.memory or 0,
            memory_free=self._machine.gpu_memory if gpu else self._machine.available,
            memory_total=self._machine.gpu_memory if gpu else self._machine.memory,
            disk=disk,
            disk_free=self._room.left,
            tokens_per_s=speed,
            speed_known="measured" if measured else "estimated" if speed else "unknown",
            context=best.context,
        )


def best_first(models: Iterable[schema.CatalogueModel]) -> list[schema.CatalogueModel]:
    """What fits best first."""
    return sorted(models, key=lambda one: (_ORDER.index(one.fit.verdict), -one.fit.memory))


def licence_of(entry: CatalogueModel) -> str:
    """What a page says; "" if none does."""
    return "" if isinstance(entry.licence, UnsetType) else entry.licence.value


def _on_its_way(
    base: schema.CatalogueModel, kept: Kept, progress: schema.DownloadProgress | None, done: int
) -> schema.CatalogueModel:
    going: Literal["downloading", "waiting"] = "downloading" if progress is not None else "waiting"
    state = going if kept.state == "wanted" else kept.state
    total = progress.total if progress is not None and progress.total else base.size
    return structs.replace(
        base, state=state, size=total, progress=progress, done=done, code=kept.code, text=kept.why, words={}
    )


def _bare(
    name: str,
    source: Literal["hub", "folder"],
    state: Literal["importing", "failed", "available"] = "available",
    *,
    origin: str = "",
    done: int = 0,
    size: int = 0,
    code: str = "",
    text: str = "",
) -> schema.CatalogueModel:
    """A model of which little is known yet."""
    return schema.CatalogueModel(
        model=name,
        title=_title(name, source),
        source=source,
        state=state,
        origin=origin,
        reviewed=False,
        done=done,
        size=size,
        code=code,
        text=text,
    )


def _source(one: Installed, entry: CatalogueModel | None) -> _Source:
    if one.name == BUILTIN_MODEL:
        return "program"
    if is_published(one.name):
        return "publisher"
    if one.pin is None or one.pin.origin != "hub":
        return "folder"
    return "catalogue" if entry is not None and entry.repository.value == one.pin.repository else "hub"


def _title(name: str, source: str) -> str:
    if source == "program":
        return "Built-in model"
    if source == "publisher":
        return name.partition("/")[2]
    return name.replace("-", " ") if source == "catalogue" else name


def _context(context: int) -> int:
    return min(DEFAULT_CONTEXT, context) if context else DEFAULT_CONTEXT


def _parameters(entry: CatalogueModel | None) -> str:
    return "" if entry is None or isinstance(entry.parameters, UnsetType) else entry.parameters.value


def _page(entry: CatalogueModel | None) -> str:
    return entry.repository.source if entry is not None else ""


def _precision(found: list[Variant], best: Fit | None) -> str:
    return next((one.precision for one in found if best is not None and one.name == best.variant), "")


def _bytes(folders: list[Path]) -> int:
    return sum(size_of(one) for one in folders)


def _installed_details(found: Installed, shown: schema.CatalogueModel, ref: str) -> schema.ModelDetails:
    pinned = found.pin.files if found.pin is not None else {}
    model = found.model
    names = sorted(pinned) or (
        [one.relative_to(model.path).as_posix() for one in model.files] if model is not None else []
    )
    files = tuple(
        schema.ModelFile(
            name=name,
            size=pinned[name].size if name in pinned else (found.folder / name).stat().st_size,
            sha256=pinned[name].sha256 if name in pinned else "",
        )
        for name in names
    )
    return schema.ModelDetails(
        ref=ref,
        model=shown,
        digest=found.digest,
        tokenizer_digest=model.tokenizer_digest.hex() if model is not None else "",
        folder=str(found.folder),
        commit=found.pin.commit if found.pin is not None else "",
        variants=found.variants,
        files=files,
    )


def _published_details(manifest: ModelManifest, shown: schema.CatalogueModel, ref: str) -> schema.ModelDetails:
    return schema.ModelDetails(
        ref=ref,
        model=shown,
        digest=manifest.digest.hex(),
        tokenizer_digest=manifest.tokenizer_digest.hex(),
        commit=str(manifest.version),
        files=tuple(schema.ModelFile(name=one.name, size=one.size, sha256=one.sha256.hex()) for one in manifest.files),
    )
