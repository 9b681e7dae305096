"""Made-up data for the pictures of the page *Models*."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication

from app.desktop import Desktop
from app.views.pages.models_page import ModelsPage
from engine.api import schema
from engine.api.schema import LibraryModel

LAB = "k7wq2mzt5pab3cfnvtbqxyzdghk7wq2m"


PLAIN = {"variant": "q4", "licence": "apache-2.0", "page": "https://huggingface.co/Qwen"}


def _model(name: str, size: float, memory: float, verdict: str, speed: float = 0, **more: object) -> LibraryModel:
    fields: dict[str, object] = PLAIN | {"verdict": verdict, "tokens_per_s": speed} | more
    return LibraryModel(model=name, size=int(size * 1e9), memory=int(memory * 1e9), **fields)  # type: ignore[arg-type]


LIBRARY = (
    _model("Qwen2.5-7B-Instruct", 4.9, 6.3, "fits", 24),
    _model("Llama-3.2-3B-Instruct", 2.3, 3.4, "fits", 41, licence="llama3.2"),
    _model("Qwen2.5-1.5B-Instruct", 1.19, 2.1, "fits", 78),
    _model("SmolLM2-360M-Instruct", 0.27, 0.8, "fits", 210),
    _model("Phi-3.5-mini-instruct", 2.78, 6.9, "fits", 33, licence="mit"),
    _model("Phi-3-medium-4k-instruct", 8.6, 10.4, "tight", 13, licence="mit"),
    _model("Qwen3-32B", 19.4, 22.6, "does_not_fit"),
    _model("Gemma-2-9B-it", 0, 0, "unknown", licence="gemma", variant=""),
    _model(
        f"{LAB}/polish-legal-3b", 2.1, 3.2, "fits", 44, publisher="A Small Lab", fingerprint=LAB, reviewed=False,
        licence="apache-2.0", page="https://lab.example.org/polish-legal",
    ),
)  # fmt: skip
USE = schema.DiskUse(
    ref="shelf-use", total=9_480_000_000, free=212_000_000_000,
    models=(
        schema.ModelUse(model="Mistral-7B-Instruct-v0.3", files=4_340_000_000),
        schema.ModelUse(model="Qwen2.5-7B-Instruct", unfinished=3_120_000_000),
        schema.ModelUse(model="Llama-3.2-3B-Instruct", unfinished=1_610_000_000),
        schema.ModelUse(model="SmolLM2-360M-Instruct", unfinished=90_000_000),
    ),
)  # fmt: skip
RUNS = (
    schema.DownloadProgress(
        model="Qwen2.5-7B-Instruct", stage="downloading", done=3_120_000_000, total=4_900_000_000, speed=9_400_000
    ),
    schema.DownloadProgress(
        model="SmolLM2-360M-Instruct", stage="reading", done=270_000_000, total=270_000_000, speed=0
    ),
)
FAILED = schema.DownloadEnded(
    model="Phi-3.5-mini-instruct", code="hub_failed",
    text="The connection to the model hub broke off three times. What has arrived is kept; go on when it is better.",
)  # fmt: skip


def show(desktop: Desktop, *, moving: bool = True, scrolled: str = "") -> ModelsPage:
    """The page over these models."""
    told = desktop.link.event_received
    desktop.window.open_page("models")
    told.emit(schema.Library(ref="library", models=LIBRARY, downloads=RUNS if moving else ()))
    told.emit(
        USE if moving else schema.DiskUse(ref="shelf-use", models=USE.models[:1], total=4_340_000_000, free=USE.free)
    )
    if moving:
        told.emit(FAILED)
    QApplication.processEvents()
    page = desktop.window.page_widget("models")
    assert isinstance(page, ModelsPage)
    if scrolled:
        card = page.cards[scrolled]  # type: ignore[index]
        QApplication.processEvents()
        page.verticalScrollBar().setValue(max(0, card.y() - 24))
    return page
