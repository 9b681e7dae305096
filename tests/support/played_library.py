"""A played library for window tests: models of every state, and requests that are remembered and do what they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from engine.api import schema
from engine.sentences import Said, say

GB = 10**9
Tell = Callable[[schema.ControlEvent], None]


def _fit(verdict: schema.Verdict, memory: float, disk: float, speed: float) -> schema.ModelFit:
    return schema.ModelFit(
        verdict=verdict,
        memory=round(memory * GB),
        memory_free=11 * GB,
        memory_total=16 * GB,
        disk=round(disk * GB),
        disk_free=30 * GB,
        tokens_per_s=speed,
        speed_known="estimated" if speed else "unknown",
        context=4096,
    )


def some_models() -> list[schema.CatalogueModel]:
    """One in every state, from every source."""
    llama = schema.CatalogueModel(
        model="Llama-3.2-1B-Instruct",
        title="Llama 3.2 1B Instruct",
        source="catalogue",
        state="here",
        parameters="1.24 billion",
        precision="int4",
        variant="q4",
        size=1_690_000_000,
        licence="llama3.2",
        page="https://huggingface.co/onnx-community/Llama-3.2-1B-Instruct",
        origin="onnx-community/Llama-3.2-1B-Instruct",
        context=131_072,
        fit=_fit("fits", 2.4, 0, 24),
    )
    other = msgspec.structs.replace
    return [
        schema.CatalogueModel(
            model="gentorrent-builtin",
            title="Built-in model",
            source="program",
            state="here",
            use="loaded",
            precision="fp32",
            size=3_600_000,
            licence="Apache-2.0",
            context=4096,
            fit=_fit("fits", 0.4, 0, 400),
        ),
        llama,
        other(
            llama,
            model="my-model",
            title="my-model",
            source="folder",
            state="broken",
            text="config.json is missing.",
            reviewed=False,
            page="",
            origin="/home/me/my-model",
            linked=True,
        ),
        other(
            llama,
            model="Qwen3-8B",
            title="Qwen3 8B",
            state="downloading",
            size=6 * GB,
            done=2 * GB,
            again=True,
            fit=_fit("tight", 8.4, 4, 6),
            progress=schema.DownloadProgress(
                model="Qwen3-8B", stage="downloading", done=2 * GB, total=6 * GB, speed=5e6
            ),
        ),
        other(llama, model="Qwen3-4B", title="Qwen3 4B", state="waiting", size=3 * GB, again=True),
        other(llama, model="Phi-4-mini", title="Phi-4 mini", state="paused", size=3 * GB, done=GB, again=True),
        other(
            llama,
            model="Gemma-2-2B",
            title="Gemma 2 2B",
            state="failed",
            size=2 * GB,
            code="wrong_content",
            text="model.onnx is not what the hub says.",
            again=True,
        ),
        other(
            llama,
            model=f"{'ab' * 16}/lab-model",
            title="lab-model",
            source="publisher",
            state="available",
            publisher="A lab",
            fingerprint="ab" * 16,
            reviewed=False,
            fit=_fit("fits", 3, 2, 20),
        ),
        other(
            llama,
            model="Llama-3.3-70B",
            title="Llama 3.3 70B",
            state="available",
            size=43 * GB,
            fit=_fit("does_not_fit", 48, 43, 0.8),
        ),
    ]


@dataclass
class PlayedLibrary:
    """``refusals``: by the tag of a request, the code and text with which it is refused."""

    models: list[schema.CatalogueModel] = field(default_factory=some_models)
    room: schema.Room = schema.Room(used=9 * GB, free=50 * GB, limit=40 * GB, left=30 * GB)
    requests: list[schema.LibraryRequest] = field(default_factory=list)
    refusals: dict[str, tuple[str, Said]] = field(default_factory=dict)
    listeners: set[Tell] = field(default_factory=set)

    def attach(self, tell: Tell) -> None:
        self.listeners.add(tell)

    def detach(self, tell: Tell) -> None:
        self.listeners.discard(tell)

    def tell(self, event: schema.ControlEvent) -> None:
        """What all clients hear."""
        for tell in tuple(self.listeners):
            tell(event)

    def change(self, model: str, **changes: object) -> None:
        """A model is another one now."""
        self.models = [msgspec.structs.replace(one, **changes) if one.model == model else one for one in self.models]
        self.tell(schema.CatalogueChanged())

    def state(self, model: str) -> str:
        return next((one.state for one in self.models if one.model == model), "")

    async def handle(self, request: schema.LibraryRequest) -> schema.ControlEvent:
        self.requests.append(request)
        tag = str(type(request).__struct_config__.tag)
        if tag in self.refusals:
            code, text = self.refusals[tag]
            return schema.RequestFailed(request=tag, code=code, text=text, ref=request.ref)
        return self._reply(request) or schema.Accepted(ref=request.ref, request=tag)

    def _reply(self, request: schema.LibraryRequest) -> schema.ControlEvent | None:
        ref = request.ref
        match request:
            case schema.ListLibrary():
                return schema.Library(ref=ref, models=())
            case schema.GetCatalogue():
                return schema.Catalogue(ref=ref, models=tuple(self.models), room=self.room)
            case schema.GetModelDetails(model=model):
                found = next(one for one in self.models if one.model == model)
                files = (schema.ModelFile(name="model.onnx", size=found.size, sha256="c" * 64),)
                return schema.ModelDetails(
                    ref=ref, model=found, digest="d" * 64, folder=f"/models/{model}", variants=("q4",), files=files
                )
            case schema.GetLicence():
                return schema.LicenceText(ref=ref, name="LICENSE", text="You may do whatever you like.")
            case schema.GetDiskUse():
                return schema.DiskUse(ref=ref, models=(), total=self.room.used, free=self.room.free)
            case schema.ListPublishers():
                return schema.Publishers(ref=ref)
            case schema.SearchHub(words=words):
                return schema.HubResults(ref=ref, models=(schema.HubModel(model=f"somebody/{words}", licence="mit"),))
            case schema.RemoveModel(model=model):
                freed = next(one.size for one in self.models if one.model == model)
                self.models = [one for one in self.models if one.model != model]
                self.tell(schema.CatalogueChanged())
                return schema.ModelRemoved(ref=ref, model=model, freed=freed)
            case schema.DownloadModel(model=model):
                self.change(model, state="downloading", again=True, code="", text="")
                self.tell(schema.DownloadProgress(model=model, stage="checking"))
            case schema.StopDownload(model=model):
                self.change(model, state="paused")
                self.tell(schema.DownloadEnded(model=model, code="stopped", text=say("library.stopped")))
            case schema.DiscardDownload(model=model):
                self.change(model, state="available", done=0, again=False)
            case schema.ImportModel(folder=folder, name=name):
                self.tell(schema.ImportProgress(model=name or Path(folder).name, stage="copying", done=1, total=4))
            case _:
                pass
        return None
