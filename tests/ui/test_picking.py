"""Choosing who answers: the list of models, what could be downloaded, and how far that is."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.models.library import LibraryModel, model_words, progress_words, size_words
from app.models.picking import sections
from app.models.shelf_model import ShelfModel
from app.theme import LIGHT
from app.views.download_bar import DownloadBar
from app.views.header import Header
from app.views.model_picker import ModelPicker
from app.views.shelf.licence_dialog import LicenceDialog
from engine.api import schema
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, open_window, played_engine, until
from tests.ui.test_models import Engine

pytestmark = pytest.mark.usefixtures("qapp")
BOTH = schema.ModelState(id="Both-1B", where="both", nodes=3, context_length=2048, tokens_per_s=40, wait=2)
FAR = schema.ModelState(id="Far-70B", where="network", nodes=1)
SMALL = schema.LibraryModel(
    model="Small-1B", licence="mit", page="https://h.example/s", size=1_200_000_000, verdict="fits", tokens_per_s=21
)
LARGE = schema.LibraryModel(model="Large-70B", size=40_000_000_000, verdict="does_not_fit", tokens_per_s=1)
HALF = schema.DownloadProgress(
    model="Small-1B", stage="downloading", done=600_000_000, total=1_200_000_000, speed=10_000_000
)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def library(engine) -> LibraryModel:
    library = LibraryModel(engine.send)
    library.receive(schema.Library(ref="library", models=(SMALL, LARGE)))
    return library


def test_three_places_of_models() -> None:
    here, network, fetch = sections((BOTH, FAR), (SMALL, LARGE))
    assert [(one.model, one.choice.route) for one in here.entries] == [("Both-1B", "local")]
    assert [(one.model, one.choice.route) for one in network.entries] == [
        ("Both-1B", "network"),
        ("Far-70B", "network"),
    ]
    assert network.entries[0].details == "3 nodes · 40 tokens/s · 2 s wait · 2,048 tokens of context"
    assert [(one.model, one.choice) for one in fetch.entries] == [("Small-1B", None), ("Large-70B", None)]
    assert fetch.entries[0].details == "1.2 GB · fits this machine · about 21 tokens/s"
    assert fetch.entries[1].details == "40.0 GB · does not fit this machine"


def test_who_vouches_for_a_published_model() -> None:
    key = "abcdefgh" * 4
    there = schema.ModelState(
        id=f"{key}/ours", where="network", nodes=2, publisher="A Small Lab", fingerprint=key, reviewed=False
    )
    fetch = schema.LibraryModel(model=f"{key}/theirs", publisher="A Small Lab", fingerprint=key, reviewed=False)
    _, network, more = sections((there,), (fetch,))
    assert network.entries[0].details.startswith("unreviewed · by A Small Lab (abcdefgh…) · 2 nodes")
    assert more.entries[0].details.startswith("unreviewed · by A Small Lab (abcdefgh…)")


def test_an_unreviewed_model_is_confirmed(library, engine) -> None:
    library.confirm("abc/ours")
    assert engine.requests[-1] == schema.ConfirmModel(model="abc/ours", ref="library")


def test_words_find_and_the_pin_keeps_the_network_out() -> None:
    here, network, fetch = sections((BOTH, FAR), (SMALL, LARGE), (HALF,), local_only=True, words="1b")
    assert [one.model for one in here.entries] == ["Both-1B"]
    assert [(one.model, one.why_not) for one in network.entries] == [("Both-1B", "This chat stays on this machine.")]
    assert [(one.model, one.details) for one in fetch.entries] == [("Small-1B", progress_words(HALF))]
    assert sections((), (), problem="The catalogue is broken.")[2].note == "The catalogue is broken."


@pytest.mark.parametrize(
    ("size", "said"), [(0, "1 MB"), (270_000_000, "270 MB"), (1_000_000_000, "1.0 GB"), (26_000_000_000, "26.0 GB")]
)
def test_sizes_in_words(size, said) -> None:
    assert size_words(size) == said


def test_progress_in_words() -> None:
    assert progress_words(HALF) == "600 MB of 1.2 GB · 10 MB a second · about 1 minute left"
    assert progress_words(schema.DownloadProgress(model="x", stage="reading")) == "Checking what has arrived"
    assert model_words(schema.LibraryModel(model="x")) == "size not known yet"


def test_a_model_is_offered_fetched_and_here(library, engine, qtbot) -> None:
    shelf = ShelfModel(engine.send)
    bar = DownloadBar(LIGHT, library, shelf)
    qtbot.addWidget(bar)
    assert bar.isHidden()
    library.propose("Small-1B")
    assert bar.title.whole_text == "Download Small-1B?"
    assert "mit" in bar.text.whole_text
    pages: list[str] = []
    bar.page_requested.connect(lambda page, words: pages.append(page))
    bar.read.click()
    assert pages == ["https://h.example/s"]
    bar.fetch.click()
    asked = engine.requests[-1]
    assert (type(asked), asked.model) == (schema.GetLicence, "Small-1B")
    (dialog,) = bar.findChildren(LicenceDialog)
    assert not dialog.accept_button.isEnabled()
    shelf.receive(schema.LicenceText(ref=asked.ref, name="LICENSE", text="Do no harm.", terms="agreed"))
    assert dialog.text.toPlainText() == "Do no harm."
    dialog.accept_button.click()
    assert engine.requests[-1] == schema.DownloadModel(model="Small-1B", terms="agreed", ref="library")
    library.receive(HALF)
    assert (bar.progress.value(), bar.progress.maximum(), bar.fetch.isHidden()) == (500, 1000, True)
    bar.stop.click()
    assert engine.requests[-1] == schema.StopDownload(model="Small-1B", ref="library")
    library.receive(schema.DownloadEnded(model="Small-1B", code="stopped", text="Stopped. It is kept."))
    assert (bar.fetch.text(), bar.text.whole_text) == ("Try again", "Stopped. It is kept.")
    bar.fetch.click()
    arrived: list[str] = []
    library.arrived.connect(arrived.append)
    library.receive(HALF)
    library.receive(schema.DownloadEnded(model="Small-1B"))
    assert (arrived, bar.isHidden()) == (["Small-1B"], True)
    assert [one.model for one in library.models] == ["Large-70B"]


def test_downloads_of_others_show_and_their_failure_is_said(library, qtbot) -> None:
    bar = DownloadBar(LIGHT, library, ShelfModel(library._send))
    qtbot.addWidget(bar)
    library.receive(HALF)
    assert not bar.isHidden()
    library.receive(schema.DownloadEnded(model="Small-1B", code="hub_failed", text="The hub does not answer."))
    assert bar.text.whole_text == "The hub does not answer."
    bar.away.click()
    assert bar.isHidden()
    library.receive(HALF)
    library.receive(schema.Welcome(version=1, engine_version="x"))  # a new engine, which downloads nothing
    assert bar.isHidden()


def test_the_picker_is_used_by_keyboard_alone(qtbot) -> None:
    picker = ModelPicker(LIGHT, None)
    qtbot.addWidget(picker)
    chosen: list = []
    picker.chosen.connect(chosen.append)
    words: list[str] = []
    picker.words_changed.connect(words.append)
    picker.show_sections(sections((BOTH, FAR), (SMALL,)), ("Far-70B", "network"))
    assert picker.entry is not None
    assert picker.entry.model == "Far-70B"
    QTest.keyClick(picker.search, Qt.Key.Key_Down)  # over the head of the next section
    assert picker.entry.model == "Small-1B"
    QTest.keyClick(picker.search, Qt.Key.Key_Up)
    QTest.keyClick(picker.search, Qt.Key.Key_Up)
    QTest.keyClick(picker.search, Qt.Key.Key_Return)
    assert [(one.model, one.choice.route) for one in chosen] == [("Both-1B", "network")]
    QTest.keyClicks(picker.search, "far")
    assert words[-1] == "far"
    picker.show_sections(sections((BOTH, FAR), (SMALL,), words="far", local_only=True), ("Far-70B", "network"))
    QTest.keyClick(picker.search, Qt.Key.Key_Return)
    assert len(chosen) == 1  # what the pin forbids cannot be chosen
    picker.grab()


def test_a_pinned_chat_offers_this_machine_alone(qtbot) -> None:
    from app.models.catalogue import choices

    header = Header(LIGHT)
    qtbot.addWidget(header)
    header.show_models(choices((FAR, BOTH)))
    header.wish("Far-70B", "network")
    header.restrict(True)
    assert header.choice is not None
    assert header.choice.key == ("Both-1B", "local")
    header.restrict(False)
    assert header.choice.key == ("Both-1B", "local")
    assert header.models.count() == 3


def test_models_are_picked_in_the_window(drive: Drive, tmp_path) -> None:
    async def scenario() -> None:
        played = PlayedEngine()
        async with played_engine(tmp_path, played), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            page = window.window.chat_page
            page.header.models.showPopup()
            picker = page.models.picker
            assert picker.isVisible()
            QTest.keyClicks(picker.search, "7b")
            QTest.keyClick(picker.search, Qt.Key.Key_Return)
            assert not picker.isVisible()
            assert page.choice.key == ("someone/Model-7B", "network")
            page.models.open()
            window.library.receive(schema.Library(ref="library", models=(SMALL,)))
            QTest.keyClicks(picker.search, "small")
            QTest.keyClick(picker.search, Qt.Key.Key_Return)
            assert page.downloads.isVisible()
            assert page.choice.key == ("someone/Model-7B", "network")

    drive(scenario())
