"""Made-up data for the pictures of the page *Models*."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QDialog, QGraphicsDropShadowEffect, QWidget

from app.desktop import Desktop
from app.views.pages.models_page import ModelsPage
from app.views.shelf.licence_dialog import LicenceDialog
from engine.api import schema
from engine.sentences import say

LAB = "k7wq2mzt5pab3cfnvtbqxyzdghk7wq2m"
POEMS = f"{LAB}/polish-poems-1b"
LICENCE = (Path(__file__).resolve().parents[1] / "LICENSE").read_text(encoding="utf-8").strip()
DIGEST = "9f2c41d07be85a3664e1f0aa72c9d5180b3e7f96ad24c8513f60b79e2d81c4a5"


def _fit(verdict: schema.Verdict, memory: float, speed: float, disk: float = 0) -> schema.ModelFit:
    """On the graphics card."""
    return schema.ModelFit(
        verdict=verdict, device="gpu", memory=round(memory * 1e9), memory_free=11_000_000_000, context=4096,
        memory_total=12_000_000_000, disk=round(disk * 1e9), disk_free=212_000_000_000, tokens_per_s=speed,
        speed_known="estimated" if disk else "measured",
    )  # fmt: skip


def _model(model: str, size: float, fit: schema.ModelFit | None = None, **more: object) -> schema.CatalogueModel:
    fields: dict[str, object] = {
        "title": model.replace("-", " "), "source": "catalogue", "state": "available", "precision": "int4",
        "variant": "q4", "licence": "apache-2.0", "page": "https://huggingface.co/Qwen", "context": 32_768,
        "origin": f"onnx-community/{model}",
    } | more  # fmt: skip
    fit = fit or schema.ModelFit()
    return schema.CatalogueModel(model=model, size=round(size * 1e9), fit=fit, **fields)  # type: ignore[arg-type]


PROCESSOR = schema.ModelFit(
    verdict="fits", memory=400_000_000, memory_free=19_000_000_000, memory_total=32_000_000_000, context=2048,
    tokens_per_s=48, speed_known="measured",
)  # fmt: skip
HERE = (
    _model(
        "gentorrent-builtin", 0.0036, PROCESSOR, title="Built-in model", source="program",
        state="here", use="contributed", precision="fp32", variant="", page="", context=2048,
    ),
    _model(
        "Mistral-7B-Instruct-v0.3", 4.34, _fit("fits", 5.9, 31), parameters="7.25B", state="here",
        use="loaded",
    ),
    _model(
        f"{LAB}/polish-legal-3b", 2.1, _fit("fits", 3.2, 44), title="polish-legal-3b", source="publisher", state="here",
        publisher="A Small Lab", fingerprint=LAB, reviewed=False, newer=True,
        page="https://lab.example.org/polish-legal",
    ),
)  # fmt: skip
RUNS = schema.DownloadProgress(
    model="Qwen2.5-7B-Instruct", stage="downloading", done=3_120_000_000, total=4_900_000_000, speed=9_400_000
)
MOVING = (
    _model(
        "Qwen2.5-7B-Instruct", 4.9, _fit("fits", 6.3, 24), parameters="7.62B", state="downloading", again=True,
        done=RUNS.done, progress=RUNS,
    ),
    _model("SmolLM2-360M-Instruct", 0.27, _fit("fits", 0.8, 210), state="waiting", again=True, done=90_000_000),
    _model("Llama-3.2-3B-Instruct", 2.3, _fit("fits", 3.4, 41), state="paused", again=True, done=1_610_000_000,
           licence="llama3.2"),
    _model(
        "Phi-3-medium-4k-instruct", 8.6, _fit("tight", 10.4, 13), state="failed", again=True, done=2_200_000_000,
        licence="mit", code="cut_off",
        text="The connection to the model hub broke off again and again. What has arrived is kept.",
    ),
)  # fmt: skip
FREE = (
    _model("Qwen2.5-3B-Instruct", 2.1, _fit("fits", 3.1, 40, 2.1), parameters="3.09B", licence="qwen-research"),
    _model("Qwen2.5-1.5B-Instruct", 1.19, _fit("fits", 2.1, 78, 1.2)),
    _model("Qwen3-0.6B", 0.59, _fit("fits", 1.2, 130, 0.6), parameters="0.6B"),
    _model("Phi-3.5-mini-instruct", 2.78, _fit("fits", 6.9, 33, 2.8), licence="mit"),
    _model("Qwen3-8B", 6.2, _fit("tight", 10.9, 17, 6.2)),
    _model("Qwen3-32B", 19.4, _fit("does_not_fit", 22.6, 0, 19.4)),
    _model("Gemma-2-9B-it", 0, licence="gemma", precision="", variant=""),
    _model(
        POEMS, 0.9, _fit("fits", 1.7, 92, 0.9), title="polish-poems-1b", source="publisher",
        publisher="A Small Lab", fingerprint=LAB, reviewed=False, page="https://lab.example.org/polish-poems",
    ),
)  # fmt: skip
DISK_LIMIT = 40_000_000_000
PUBLISHERS = (
    schema.PublisherState(fingerprint=LAB, name="A Small Lab", models=("a", "b"), trusted=True),
    schema.PublisherState(fingerprint=f"z{LAB[1:]}", name="University of Somewhere", models=("c",)),
)
DETAILS = schema.ModelDetails(
    ref="shelf-1", model=HERE[1], digest=DIGEST, tokenizer_digest=DIGEST[::-1], commit="4f1c0e2ab7",
    folder="/home/ada/.local/share/GenTorrent/models/Mistral-7B-Instruct-v0.3", variants=("q4",),
    files=(
        schema.ModelFile(name="onnx/model_q4.onnx", size=1_200_000, sha256=DIGEST),
        schema.ModelFile(name="onnx/model_q4.onnx_data", size=4_330_000_000, sha256=DIGEST[::-1]),
        schema.ModelFile(name="tokenizer.json", size=9_100_000, sha256=DIGEST),
    ),
)  # fmt: skip


def room(models: tuple[schema.CatalogueModel, ...]) -> schema.Room:
    """What these take of the disk."""
    used = sum(one.size if one.state == "here" else one.done for one in models if one.source != "program")
    return schema.Room(used=used, free=212_000_000_000, limit=DISK_LIMIT, left=DISK_LIMIT - used)


def show(desktop: Desktop, *, moving: bool = True, scrolled: str = "") -> ModelsPage:
    """The page over these models."""
    told = desktop.link.event_received
    desktop.window.open_page("models")
    models = (*HERE, *(MOVING if moving else ()), *FREE)
    told.emit(schema.Catalogue(ref="shelf-list", models=models, room=room(models)))
    told.emit(schema.Publishers(ref="shelf-publishers", publishers=PUBLISHERS))
    page = desktop.window.page_widget("models")
    assert isinstance(page, ModelsPage)
    come(page)
    if scrolled:
        scroll(page, scrolled)
    return page


def come(page: ModelsPage) -> None:
    """All that is known shows."""
    while page.busy:
        QApplication.processEvents()


def scroll(page: ModelsPage, place: str) -> None:
    """To a section, "publishers" or "import"."""
    come(page)
    for _ in range(3):
        QApplication.processEvents()
    cards: dict[str, QWidget] = {"publishers": page.publishers, "import": page.importing}
    widget = (cards | dict(page.cards.items()))[place]
    page.verticalScrollBar().setValue(max(0, widget.y() - 24))


def details(desktop: Desktop) -> None:
    """One model opened."""
    page = show(desktop, moving=False)
    row = page.cards["here"].rows[HERE[1].model]
    row.more.click()
    desktop.status.shelf._asked["shelf-1"] = HERE[1].model
    desktop.link.event_received.emit(DETAILS)
    scroll(page, "here")


def refused(desktop: Desktop) -> None:
    """A model that cannot be deleted now, and a folder that is no model."""
    page = show(desktop, moving=False)
    page.importing.open()
    page.form.folder.setText("/home/ada/Downloads/my-model")
    desktop.status.shelf._asked["shelf-1"] = HERE[1].model
    missing = say("import.missing", folder=page.form.folder.text(), parts=say("import.tokenizer"))
    for refused in (
        schema.RequestFailed(
            request="remove_model", ref="shelf-1", code="model_answers",
            text=say("remove.answers", model=HERE[1].model, answers=1),
        ),
        schema.RequestFailed(request="import_model", ref="shelf-import", code="no_model", text=missing),
    ):  # fmt: skip
        desktop.link.event_received.emit(refused)
    scroll(page, "import")


def searched(desktop: Desktop) -> None:
    """What the hub has found."""
    page = show(desktop)
    page.finder.words.setText("smol")
    found = tuple(
        schema.HubModel(model=f"{owner}/SmolLM3-3B{end}", licence=licence, downloads=loads, gated=gated)
        for owner, end, licence, loads, gated in (
            ("onnx-community", "-ONNX", "apache-2.0", 48_213, False),
            ("somebody", "-tuned", "", 311, True),
        )
    )
    desktop.link.event_received.emit(schema.HubResults(ref="shelf-hub", models=found))


def asked(desktop: Desktop, act: str, model: str) -> None:
    """The dialog of an act, drawn over the window that it belongs to."""
    page = show(desktop, moving=False)
    _over(desktop, lambda: page.acts.press(act, model))
    for dialog in page.findChildren(LicenceDialog) + desktop.window.findChildren(LicenceDialog):
        dialog.show_licence(schema.LicenceText(ref="", name="LICENSE", text=LICENCE))
        dialog.adjustSize()
        dialog.move(desktop.window.rect().center() - QPoint(dialog.width() // 2, dialog.height() // 2))


def into_the_window(part: QWidget, desktop: Desktop) -> None:
    """Hide what is a window of its own, which would not be in the picture, and make it a part of the one that is."""
    part.hide()
    part.setParent(desktop.window)
    part.setStyleSheet(desktop.window.dialog_owner.styleSheet())


def _over(desktop: Desktop, make: Callable[[], None]) -> None:
    make()
    dialog = desktop.window.findChildren(QDialog)[-1]
    into_the_window(dialog, desktop)
    dialog.setMaximumWidth(desktop.window.width() - 32)
    dialog.setMinimumWidth(min(dialog.minimumWidth(), desktop.window.width() - 32))
    shadow = QGraphicsDropShadowEffect(dialog)
    shadow.setBlurRadius(40)
    dialog.setGraphicsEffect(shadow)
    dialog.setAutoFillBackground(True)
    dialog.show()
    width = min(dialog.sizeHint().width(), desktop.window.width() - 32)
    layout = dialog.layout()
    assert layout is not None
    dialog.resize(width, layout.totalHeightForWidth(width))
    dialog.move(desktop.window.rect().center() - QPoint(dialog.width() // 2, dialog.height() // 2))
    dialog.raise_()
