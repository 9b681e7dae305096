"""The page Models: what it shows of what the engine says, and what it asks of it, without an engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit

from app.models.catalogue import BUILTIN
from app.models.library import LibraryModel
from app.models.status import StatusModel
from app.theme import LIGHT
from app.views.basics import PlainLabel
from app.views.confirm_dialog import ConfirmDialog
from app.views.pages.models_page import ModelsPage
from app.views.shelf.licence_dialog import LicenceDialog
from app.views.shelf.model_row import ModelRow
from engine.api import schema
from tests.ui.test_models import Engine, state

LAB = "abcdefgh" * 4
SMALL = schema.LibraryModel(
    model="Small-1.5B", variant="q4", licence="mit", page="https://h.example/s", size=1_200_000_000,
    memory=2_100_000_000, verdict="fits", tokens_per_s=40,
)  # fmt: skip
LARGE = schema.LibraryModel(model="Large-70B", size=40_000_000_000, memory=44_000_000_000, verdict="does_not_fit")
THEIRS = schema.LibraryModel(
    model=f"{LAB}/theirs-3b", size=2_000_000_000, verdict="fits", publisher="A Small Lab", fingerprint=LAB,
    reviewed=False, licence="apache-2.0",
)  # fmt: skip
HALF = schema.DownloadProgress(
    model="Small-1.5B", stage="downloading", done=600_000_000, total=1_200_000_000, speed=10_000_000
)
KEPT = schema.DiskUse(
    ref="shelf-use", models=(schema.ModelUse(model="Small-1.5B", unfinished=600_000_000),), total=600_000_000, free=9
)
NONE_KEPT = schema.DiskUse(ref="shelf-use", models=(), total=0, free=9)


class Shown(ModelsPage):
    """The page over models whose requests are kept."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.status_model = StatusModel(self.engine.send)
        self.library = LibraryModel(self.engine.send)
        super().__init__(LIGHT, self.library)
        self.status_model.setParent(self)
        self.library.setParent(self)
        self.status_model.changed.connect(lambda: self.show_status(self.status_model))

    def hear(self, *events: schema.Event) -> None:
        for event in events:
            self.status_model.receive(event)
            self.library.receive(event)

    def row(self, place: str, model: str) -> ModelRow:
        return self.cards[place].rows[model]

    @property
    def places(self) -> dict[str, list[str]]:
        """What shows, from above."""
        cards = sorted((card for card in self.cards.values() if card.isVisible()), key=lambda card: card.y())
        return {card.place: [row.title.whole_text for row in card.rows.values()] for card in cards}

    def last(self, kind: type[schema.Request]) -> schema.Request:
        return [request for request in self.engine.requests if isinstance(request, kind)][-1]


@pytest.fixture
def page(qtbot) -> Iterator[Shown]:
    page = Shown()
    qtbot.addWidget(page)
    page.resize(900, 1200)
    page.show()
    page.status_model.engine_connected()
    models = (
        schema.ModelState(id=BUILTIN, where="both", nodes=3, context_length=2048),
        schema.ModelState(id="Far-70B", where="network", nodes=1, tokens_per_s=12),
    )
    page.hear(state(models=models), schema.Library(ref="library", models=(SMALL, LARGE, THEIRS)), NONE_KEPT)
    yield page
    for dialog in page.findChildren(LicenceDialog) + page.findChildren(ConfirmDialog):
        dialog.close()


def settle() -> None:
    QApplication.processEvents()


def texts(row: ModelRow) -> list[str]:
    return [label.whole_text for label in row.findChildren(PlainLabel) if label.isVisible() and label.whole_text]


def test_models_stand_in_their_places(page: Shown) -> None:
    settle()
    assert page.places == {
        "here": [BUILTIN],
        "network": ["Far-70B"],
        "catalogue": ["Small-1.5B", "Large-70B"],
        "published": ["theirs-3b"],
    }
    assert set(texts(page.row("catalogue", "Small-1.5B"))) == {
        "Small-1.5B",
        "Best for this machine",
        "1.5 billion parameters · 4-bit (q4) · 1.2 GB · licence: mit",
        "Fits: needs 2.1 GB, about 40 tokens/s",
    }
    assert "Does not fit: needs 44.0 GB" in texts(page.row("catalogue", "Large-70B"))
    assert "Unreviewed" in texts(page.row("published", THEIRS.model))
    assert "by A Small Lab (abcdefgh…)" in page.row("published", THEIRS.model).facts.whole_text


def test_words_and_fit_choose_what_shows(page: Shown) -> None:
    page.finder.words.setText("SMALL lab")
    settle()
    assert page.places == {"published": ["theirs-3b"]}
    page.finder.words.setText("nobody has this")
    assert page.nothing.isVisible()
    page.finder.words.clear()
    page.finder.fitting.click()
    settle()
    assert page.places["catalogue"] == ["Small-1.5B"]
    assert page.places["here"] == [BUILTIN]


def test_the_licence_shows_before_the_first_download_alone(page: Shown) -> None:
    page.row("catalogue", "Small-1.5B").buttons["fetch"].click()
    (dialog,) = page.findChildren(LicenceDialog)
    assert {"mit", "1.2 GB"} <= {label.whole_text for label in dialog.findChildren(PlainLabel)}
    assert dialog.read.isVisible()
    assert not any(isinstance(request, schema.DownloadModel) for request in page.engine.requests)
    dialog.reject()
    assert not any(isinstance(request, schema.DownloadModel) for request in page.engine.requests)
    page.row("catalogue", "Small-1.5B").buttons["fetch"].click()
    page.findChildren(LicenceDialog)[-1].accept_button.click()
    assert page.last(schema.DownloadModel).accept_licence
    page.engine.requests.clear()
    page.hear(HALF, KEPT, schema.DownloadEnded(model="Small-1.5B", code="stopped"))
    page.row("moving", "Small-1.5B").buttons["resume"].click()
    assert page.last(schema.DownloadModel).accept_licence


def test_a_download_is_paused_gone_on_with_and_discarded(page: Shown) -> None:
    page.hear(HALF)
    settle()
    assert list(page.places) == ["here", "moving", "network", "catalogue", "published"]
    row = page.row("moving", "Small-1.5B")
    assert row.how_far.whole_text == "600 MB of 1.2 GB · 10 MB a second · about 1 minute left"
    assert (row.progress.value(), row.progress.maximum()) == (500, 1000)
    row.buttons["pause"].setFocus()
    QTest.keyClick(row.buttons["pause"], Qt.Key.Key_Space)
    assert page.last(schema.StopDownload).model == "Small-1.5B"
    page.hear(schema.DownloadEnded(model="Small-1.5B", code="stopped"), KEPT)
    assert page.row("moving", "Small-1.5B") is row
    assert row.how_far.whole_text == "Paused: 600 MB of 1.2 GB have arrived"
    row.buttons["resume"].click()
    assert page.last(schema.DownloadModel).model == "Small-1.5B"
    page.hear(HALF)
    row.buttons["discard"].click()
    (dialog,) = page.findChildren(ConfirmDialog)
    assert not any(isinstance(request, schema.DiscardDownload) for request in page.engine.requests)
    dialog.accept()
    assert page.last(schema.DiscardDownload).model == "Small-1.5B"
    page.hear(schema.DownloadEnded(model="Small-1.5B", code="stopped"), NONE_KEPT)
    settle()
    assert "moving" not in page.places
    assert page.places["catalogue"] == ["Small-1.5B", "Large-70B"]


def test_several_downloads_show_side_by_side_and_failures_say_why(page: Shown) -> None:
    other = schema.DownloadProgress(model="Large-70B", stage="checking")
    page.hear(HALF, other)
    assert list(page.cards["moving"].rows) == ["Small-1.5B", "Large-70B"]
    assert page.row("moving", "Large-70B").progress.maximum() == 0
    page.hear(schema.DownloadEnded(model="Large-70B", code="hub_failed", text="The hub cannot be reached."))
    row = page.row("moving", "Large-70B")
    assert row.problem.whole_text == "The hub cannot be reached."
    row.buttons["resume"].click()
    page.hear(other)
    assert row.problem.whole_text == ""


def test_refusals_stand_at_the_model(page: Shown) -> None:
    page.library.shelf.fetch("Large-70B")
    ref = page.last(schema.DownloadModel).ref
    page.hear(schema.RequestFailed(request="download_model", code="overloaded", text="Four go on already.", ref=ref))
    assert page.row("catalogue", "Large-70B").problem.whole_text == "Four go on already."
    page.engine.there = False
    page.library.shelf.fetch("Large-70B")
    assert "does not run yet" in page.row("catalogue", "Large-70B").problem.whole_text


def test_a_model_is_asked_and_contributed(page: Shown) -> None:
    chosen: list[tuple[str, str]] = []
    wanted: list[str] = []
    page.model_chosen.connect(lambda choice: chosen.append(choice.key))
    page.contribute_requested.connect(wanted.append)
    page.row("here", BUILTIN).buttons["chat"].click()
    page.row("network", "Far-70B").buttons["ask"].click()
    page.row("here", BUILTIN).buttons["contribute"].click()
    assert chosen == [(BUILTIN, "local"), ("Far-70B", "network")]
    assert wanted == [BUILTIN]
    serving = schema.ContributingState(on=True, status="on", model=BUILTIN)
    page.hear(state(models=page.status_model.state.models, contributing=serving))
    settle()
    assert "Answers others" in texts(page.row("here", BUILTIN))
    assert list(page.row("here", BUILTIN).buttons) == ["chat"]


@pytest.mark.parametrize("name", ["<img src=http://h/a.png><b>x</b>&amp;", "abc\u202egnp.exe\x00", "W" * 10_000])
def test_hostile_names_stay_text(page: Shown, name: str) -> None:
    theirs = schema.LibraryModel(
        model=f"{LAB}/{name}", licence=name, publisher=name, fingerprint=LAB, note=name, reviewed=False, variant=name
    )
    page.hear(schema.Library(ref="library", models=(theirs,)), schema.DownloadProgress(model=name, stage="checking"))
    settle()
    row = page.row("published", theirs.model)
    assert all(label.textFormat() is Qt.TextFormat.PlainText for label in page.findChildren(PlainLabel))
    assert "\u202e" not in row.facts.text() + row.title.text()
    assert len(row.facts.text()) < 600
    assert page.widget().width() <= page.width()
    row.buttons["fetch"].click()
    (dialog,) = page.findChildren(LicenceDialog)
    assert dialog.height() < 600


def test_every_control_has_a_name_and_is_reached_by_tab(page: Shown) -> None:
    page.hear(HALF)
    settle()
    page.activateWindow()
    controls = [
        one
        for one in page.findChildren(QAbstractButton) + page.findChildren(QLineEdit)
        if one.isVisible() and one.focusPolicy() is not Qt.FocusPolicy.NoFocus
    ]
    assert [one for one in controls if not (one.accessibleName() or getattr(one, "text", str)())] == []
    names = [one.accessibleName() for one in controls if one.accessibleName()]
    assert len(names) == len(set(names))
    page.finder.words.setFocus()
    reached = set()
    while (focused := QApplication.focusWidget()) is not None and focused not in reached:
        reached.add(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert [one.accessibleName() for one in controls if one not in reached] == []


def test_without_an_engine_it_says_so(page: Shown) -> None:
    page.status_model.engine_away("The engine is started.", failed=False)
    assert page.empty.isVisible()
    assert page.places == {}
