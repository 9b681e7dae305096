"""The page Models: what it shows of what the engine says, and what it asks of it, without an engine."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QFrame, QLineEdit

from app.models.status import StatusModel
from app.theme import LIGHT
from app.views.basics import PlainLabel
from app.views.confirm_dialog import ConfirmDialog
from app.views.pages.models_page import ModelsPage
from app.views.shelf.licence_dialog import LicenceDialog
from app.views.shelf.model_row import ModelRow
from engine.api import schema
from engine.sentences import say
from tests.support.played_library import some_models
from tests.ui.test_models import Engine, state

LAB = "ab" * 16
THEIRS = f"{LAB}/lab-model"
LLAMA = "Llama-3.2-1B-Instruct"
ROOM = schema.Room(used=9 * 10**9, free=50 * 10**9, limit=40 * 10**9, left=31 * 10**9)
STATES = (
    schema.ModelState(id="gentorrent-builtin", where="both", nodes=3),
    schema.ModelState(id=LLAMA, where="local"),
    schema.ModelState(id="Far-70B", where="network", nodes=1, tokens_per_s=12),
)


class Shown(ModelsPage):
    """The page over models whose requests are kept."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.status_model = StatusModel(self.engine.send)
        super().__init__(LIGHT, self.status_model.shelf)
        self.status_model.setParent(self)
        self.status_model.changed.connect(self._again)

    def _again(self) -> None:
        self.show_status(self.status_model)

    def hear(self, *events: schema.Event) -> None:
        for event in events:
            self.status_model.receive(event)
        self.come()

    def come(self) -> None:
        """Wait until all that is known shows."""
        until = time.monotonic() + 60
        while self.busy and time.monotonic() < until:
            QApplication.processEvents()
        assert not self.busy

    def catalogue(self, *models: schema.CatalogueModel) -> None:
        """The engine's catalogue is this."""
        self.hear(schema.Catalogue(ref="shelf-list", models=models, room=ROOM))

    def row(self, model: str) -> ModelRow:
        self.come()
        return next(card.rows[model] for card in self.cards.values() if card.isVisible() and model in card.rows)

    @property
    def places(self) -> dict[str, list[str]]:
        """What shows, from above."""
        self.come()
        settle()
        cards = sorted((card for card in self.cards.values() if card.isVisible()), key=lambda card: card.y())
        return {card.place: [row.title.whole_text for row in card.rows.values()] for card in cards}

    def asked(self, kind: type[schema.Request]) -> list[Any]:
        return [request for request in self.engine.requests if isinstance(request, kind)]

    def licence(self, text: str = "", name: str = "LICENSE", *, accepted: bool = False) -> None:
        """The engine has found this one."""
        ref = self.asked(schema.GetLicence)[-1].ref
        name = name if text else ""
        self.hear(schema.LicenceText(ref=ref, name=name, text=text, terms="agreed", accepted=accepted))

    def dialog(self) -> Any:
        """The one that was opened last."""
        return self.findChildren(QDialog)[-1]


def settle() -> None:
    for _ in range(3):
        QApplication.processEvents()


def changed(name: str, **fields: object) -> list[schema.CatalogueModel]:
    return [msgspec.structs.replace(one, **fields) if one.model == name else one for one in some_models()]


@pytest.fixture
def page(qtbot) -> Iterator[Shown]:
    page = Shown()
    qtbot.addWidget(page)
    page.resize(900, 1200)
    page.show()
    page.status_model.engine_connected()
    page.hear(state(models=STATES))
    page.catalogue(*some_models())
    yield page
    for dialog in page.findChildren(QDialog):
        dialog.close()


def texts(row: ModelRow) -> list[str]:
    settle()
    return [label.whole_text for label in row.findChildren(PlainLabel) if label.isVisible() and label.whole_text]


def test_models_stand_in_their_places(page: Shown) -> None:
    assert page.places == {
        "here": ["Built-in model", "Llama 3.2 1B Instruct", "my-model"],
        "moving": ["Qwen3 8B", "Qwen3 4B", "Phi-4 mini", "Gemma 2 2B"],
        "network": ["Far-70B"],
        "catalogue": ["Llama 3.3 70B"],
        "published": ["lab-model"],
    }
    said = texts(page.row(LLAMA))
    assert "Fits: needs 2.4 of 16 GB, about 24 tokens/s" in said
    assert any("4-bit (q4) · 1.7 GB · licence: llama3.2" in text for text in said)
    assert "Does not fit: needs 48.0 of 16 GB, 13.0 GB too little room on the disk" in texts(page.row("Llama-3.3-70B"))
    assert {"Cannot be used", "config.json is missing."} <= set(texts(page.row("my-model")))
    assert {"Unreviewed"} <= set(texts(page.row(THEIRS)))
    assert f"by A lab ({LAB[:8]}…)" in page.row(THEIRS).facts.whole_text
    assert "In memory" in texts(page.row("gentorrent-builtin"))


def test_words_and_fit_choose_what_shows(page: Shown) -> None:
    page.finder.words.setText("A LAB")
    assert page.places == {"published": ["lab-model"]}
    page.finder.words.setText("nobody has this")
    page.come()
    assert page.nothing.isVisible()
    page.finder.words.clear()
    page.come()
    assert page.disk.isVisible()
    page.finder.fitting.click()
    assert page.places["catalogue"] == []
    assert "fits this machine" in page.cards["catalogue"].note.whole_text
    assert page.places["published"] == ["lab-model"]


def test_the_licence_shows_before_the_first_download_alone(page: Shown) -> None:
    page.row(THEIRS).buttons["fetch"].click()
    dialog = page.dialog()
    assert isinstance(dialog, LicenceDialog)
    said = {label.whole_text for label in dialog.findChildren(PlainLabel)}
    assert {"llama3.2", f"by A lab ({LAB[:8]}…)"} <= said
    assert any("Nobody but its publisher" in text for text in said)
    assert not dialog.accept_button.isEnabled(), "there may be something to read first"
    dialog.reject()
    assert not page.asked(schema.DownloadModel)
    page.row(THEIRS).buttons["fetch"].click()
    page.licence("<b>Do what you like</b> <script>alert(1)</script>\n" * 50)
    assert page.dialog().text.toPlainText().startswith("<b>Do what you like</b> <script>"), "text, and nothing but text"
    assert page.dialog().text.isReadOnly()
    page.dialog().accept_button.click()
    (request,) = page.asked(schema.DownloadModel)
    assert (request.model, request.terms) == (THEIRS, "agreed")
    page.row("Phi-4-mini").buttons["resume"].click()
    page.row("Gemma-2-2B").buttons["retry"].click()
    assert [one.model for one in page.asked(schema.DownloadModel)] == [THEIRS, "Phi-4-mini", "Gemma-2-2B"]


def test_a_download_is_paused_gone_on_with_and_discarded(page: Shown) -> None:
    row = page.row("Qwen3-8B")
    page.hear(
        schema.DownloadProgress(
            model="Qwen3-8B", stage="downloading", done=3 * 10**9, total=6 * 10**9, speed=10_000_000
        )
    )
    assert row.how_far.whole_text == "3.0 GB of 6.0 GB · 10 MB a second · about 5 minutes left"
    assert (row.progress.value(), row.progress.maximum()) == (500, 1000)
    row.buttons["pause"].setFocus()
    QTest.keyClick(row.buttons["pause"], Qt.Key.Key_Space)
    assert page.asked(schema.StopDownload)[-1].model == "Qwen3-8B"
    before = len(page.asked(schema.GetCatalogue))
    page.hear(schema.CatalogueChanged())
    assert len(page.asked(schema.GetCatalogue)) == before + 1
    page.catalogue(*changed("Qwen3-8B", state="paused", done=3 * 10**9, progress=None))
    assert page.row("Qwen3-8B") is row
    assert row.how_far.whole_text == "Stopped: 3.0 GB of 6.0 GB have arrived"
    row.buttons["resume"].click()
    assert page.asked(schema.DownloadModel)[-1].model == "Qwen3-8B"
    row.buttons["discard"].click()
    dialog = page.dialog()
    assert isinstance(dialog, ConfirmDialog)
    assert not page.asked(schema.DiscardDownload)
    assert any("3.0 GB" in label.whole_text for label in dialog.findChildren(PlainLabel))
    dialog.accept()
    assert page.asked(schema.DiscardDownload)[-1].model == "Qwen3-8B"


def test_each_download_says_how_it_is(page: Shown) -> None:
    assert page.row("Qwen3-4B").how_far.whole_text == "Waits until other downloads are done"
    assert page.row("Gemma-2-2B").problem.whole_text == "model.onnx is not what the hub says."
    assert list(page.row("Gemma-2-2B").buttons) == ["retry", "discard"]
    page.catalogue(*changed("Qwen3-8B", state="downloading", progress=None))
    assert page.row("Qwen3-8B").progress.maximum() == 0
    page.catalogue(*changed("Qwen3-8B", state="importing", progress=None))
    page.hear(schema.ImportProgress(model="Qwen3-8B", stage="copying", done=10**9, total=4 * 10**9))
    row = page.row("Qwen3-8B")
    assert (row.how_far.whole_text, row.progress.value()) == ("Copying: 1.0 GB of 4.0 GB", 250)
    row.buttons["stop"].click()
    assert page.asked(schema.StopImport)[-1].model == "Qwen3-8B"


def test_refusals_stand_at_the_model(page: Shown) -> None:
    page.row(LLAMA).more.click()
    (request,) = page.asked(schema.GetModelDetails)
    model = next(one for one in some_models() if one.model == LLAMA)
    files = tuple(schema.ModelFile(name=f"part{at}", size=10**9, sha256="c" * 64) for at in range(14))
    page.hear(
        schema.ModelDetails(ref=request.ref, model=model, digest="d" * 64, folder="/models/x", commit="e", files=files)
    )
    panel = page.row(LLAMA).panel
    assert panel is not None
    settle()
    shown = [label.whole_text for label in panel.findChildren(PlainLabel) if label.isVisible()]
    said = {text.replace("\N{ZERO WIDTH SPACE}", "") for text in shown}
    assert {"131,072 tokens of context", "d" * 64, "The catalogue of the program", "/models/x"} <= said
    assert any("part11 · 1.0 GB · SHA-256 cccccccccccc…" in text and "part12" not in text for text in said)
    panel.buttons["remove"].click()
    dialog = page.dialog()
    assert any("1.7 GB of the disk become free" in label.whole_text for label in dialog.findChildren(PlainLabel))
    assert not page.asked(schema.RemoveModel)
    dialog.accept()
    (request,) = page.asked(schema.RemoveModel)
    page.hear(schema.RequestFailed(request="remove_model", code="model_answers", text="It answers.", ref=request.ref))
    assert page.row(LLAMA).problem.whole_text == "It answers."
    page.acts.press("remove", LLAMA)
    page.dialog().accept()
    assert page.row(LLAMA).problem.whole_text == ""
    page.hear(schema.ModelRemoved(ref=page.asked(schema.RemoveModel)[-1].ref, model=LLAMA, freed=1_690_000_000))
    assert page.disk.freed.whole_text == "Deleted. 1.7 GB are free again."
    page.engine.there = False
    page.acts.press("pause", "Qwen3-8B")
    assert "does not run yet" in page.row("Qwen3-8B").problem.whole_text


def test_what_comes_with_the_program_cannot_be_deleted(page: Shown) -> None:
    page.row("gentorrent-builtin").more.click()
    model = some_models()[0]
    page.hear(schema.ModelDetails(ref=page.asked(schema.GetModelDetails)[-1].ref, model=model))
    panel = page.row("gentorrent-builtin").panel
    assert panel is not None
    assert panel.buttons["remove"].isHidden()


def test_a_model_is_asked_and_contributed(page: Shown) -> None:
    chosen: list[tuple[str, str]] = []
    wanted: list[str] = []
    page.model_chosen.connect(lambda choice: chosen.append(choice.key))
    page.contribute_requested.connect(wanted.append)
    page.row(LLAMA).buttons["chat"].click()
    page.row("Far-70B").buttons["ask"].click()
    page.row(LLAMA).buttons["contribute"].click()
    assert chosen == [(LLAMA, "local"), ("Far-70B", "network")]
    assert wanted == [LLAMA]
    page.catalogue(*changed(LLAMA, use="contributed"))
    assert "Answers others" in texts(page.row(LLAMA))
    assert list(page.row(LLAMA).buttons) == ["chat"]


def test_a_newer_version_is_offered(page: Shown) -> None:
    page.catalogue(*changed(THEIRS, state="here", newer=True))
    row = page.row(THEIRS)
    assert {"Unreviewed", "Newer version"} <= set(texts(row))
    assert list(row.buttons) == ["update", "chat", "contribute"]
    row.buttons["update"].click()
    assert page.asked(schema.DownloadModel)[-1].model == THEIRS, "its licence is accepted already"
    assert not page.findChildren(LicenceDialog)


def test_a_newer_version_under_another_licence_is_asked_about(page: Shown) -> None:
    page.catalogue(*changed(THEIRS, state="here", newer=True, licence="mit", new_licence="research-only"))
    page.row(THEIRS).buttons["update"].click()
    assert not page.asked(schema.DownloadModel)
    page.licence()
    assert page.dialog().about_text.whole_text == "No text of a licence comes with it."
    said = [label.whole_text for label in page.dialog().findChildren(PlainLabel)]
    assert any(text.startswith("This is another licence than the one that you have accepted.") for text in said)
    assert any("research-only" in text for text in said)
    page.dialog().accept_button.click()
    assert page.asked(schema.DownloadModel)[-1].model == THEIRS


def test_the_same_files_under_another_licence_wait_for_a_word(page: Shown) -> None:
    why = say("library.held", licence="research-only")
    page.catalogue(
        *changed(THEIRS, state="here", newer=True, new_licence="research-only", code="licence_needed", text=why)
    )
    row = page.row(THEIRS)
    assert {"Another licence", str(why)} <= {text.replace("\N{ZERO WIDTH SPACE}", "") for text in texts(row)}
    assert list(row.buttons) == ["licence"]
    row.buttons["licence"].click()
    page.licence("Not for money.")
    page.dialog().accept_button.click()
    asked = page.asked(schema.DownloadModel)[-1]
    assert (asked.model, asked.terms) == (THEIRS, "agreed")


def test_a_download_whose_licence_has_changed_asks_again(page: Shown) -> None:
    page.catalogue(*changed("Gemma-2-2B", code="licence_needed", again=False, new_licence="gemma-3"))
    page.row("Gemma-2-2B").buttons["retry"].click()
    assert not page.asked(schema.DownloadModel)
    page.licence()
    assert any("another licence" in label.whole_text for label in page.dialog().findChildren(PlainLabel))
    page.dialog().accept_button.click()
    assert page.asked(schema.DownloadModel)[-1].terms == "agreed"


def test_looking_through_a_folder_is_shown_and_stopped(page: Shown) -> None:
    page.importing.head.click()
    page.form.folder.setText("/home/me")
    page.form.go.click()
    page.licence()
    (asked,) = page.asked(schema.ImportModel)
    assert page.form.go.text() == "Stop"
    assert not page.form.folder.isEnabled()
    page.catalogue(*changed("Qwen3-8B", model="me", title="me", state="importing", progress=None))
    page.hear(schema.ImportProgress(model="me", stage="checking", looked=12_345))
    assert page.row("me").how_far.whole_text == "Looking through the folder: 12,345 files"
    page.form.go.click()
    assert page.asked(schema.StopImport)[-1].model == "me"
    page.hear(schema.RequestFailed(request="import_model", code="stopped", text="Stopped.", ref=asked.ref))
    assert page.form.go.text() == "Import"
    assert (page.form.folder.isEnabled(), page.form.folder.text()) == (True, "/home/me")
    assert page.form.problem.whole_text == "Stopped."


def test_a_folder_is_imported_and_its_faults_are_said(page: Shown) -> None:
    page.importing.head.click()
    assert not page.form.go.isEnabled()
    page.form.folder.setText("  /models/mine ")
    page.form.name.setText("mine")
    page.form.link.click()
    page.form.go.click()
    read = page.asked(schema.GetLicence)[-1]
    assert (read.folder, read.model) == ("/models/mine", "mine")
    assert not page.form.go.isEnabled()
    page.licence("You may use it on Sundays.")
    assert page.dialog().text.toPlainText() == "You may use it on Sundays."
    page.dialog().reject()
    assert not page.asked(schema.ImportModel)
    page.form.go.click()
    page.licence("You may use it on Sundays.")
    page.dialog().accept_button.click()
    (request,) = page.asked(schema.ImportModel)
    assert (request.folder, request.name, request.link, request.terms) == ("/models/mine", "mine", True, "agreed")
    assert page.form.go.text() == "Stop"
    page.hear(schema.RequestFailed(request="import_model", code="no_model", text="It lacks x.", ref=request.ref))
    assert page.form.problem.whole_text == "It lacks x."
    assert page.form.folder.text()
    page.form.go.click()
    page.licence("You may use it on Sundays.", accepted=True)
    assert page.asked(schema.ImportModel)[-1].terms == "", "it is not asked about again"
    page.hear(schema.Accepted(ref=request.ref, request="import_model"))
    assert (page.form.problem.whole_text, page.form.folder.text()) == ("", "")
    page.hear(schema.ImportEnded(model="mine", code="disk_full", text="The disk is full."))
    assert page.form.problem.whole_text == "The disk is full."


def test_publishers_are_trusted_after_a_question(page: Shown) -> None:
    theirs = schema.PublisherState(fingerprint=LAB, name="<b>A lab</b>", models=(THEIRS,))
    page.hear(schema.Publishers(ref="shelf-publishers", publishers=(theirs,)))
    row = page.publishers.rows[LAB]
    assert row.about.whole_text == f"{' '.join(['abab'] * 8)} · 1 model"
    row.switch.click()
    page.dialog().reject()
    page.come()
    assert not page.asked(schema.TrustPublisher)
    assert not row.switch.isChecked()
    row.switch.click()
    page.dialog().accept()
    assert page.asked(schema.TrustPublisher)[-1].on
    page.hear(schema.Publishers(ref="shelf-publishers", publishers=(msgspec.structs.replace(theirs, trusted=True),)))
    assert row.switch.isChecked()
    row.switch.click()
    assert not page.asked(schema.TrustPublisher)[-1].on


def test_the_hub_is_asked_only_when_it_is_wanted(page: Shown) -> None:
    QTest.keyClicks(page.finder.words, "smol")
    assert not page.asked(schema.SearchHub)
    QTest.keyClick(page.finder.words, Qt.Key.Key_Return)
    (request,) = page.asked(schema.SearchHub)
    assert request.words == "smol"
    page.come()
    assert page.finder.said.whole_text == "The hub is asked"
    found = schema.HubModel(model="somebody/smol-1b", licence="mit", page="https://h.example", downloads=3)
    page.hear(schema.HubResults(ref=request.ref, models=(found,)))
    assert page.places == {"hub": ["somebody/smol-1b"]}
    page.row("somebody/smol-1b").buttons["fetch"].click()
    asked = page.asked(schema.GetLicence)[-1]
    page.hear(schema.RequestFailed(request="get_licence", code="hub_unreachable", text="It is away.", ref=asked.ref))
    assert page.dialog().about_text.whole_text == "Its licence cannot be shown now. It is away."
    assert not page.dialog().accept_button.isEnabled(), "nobody knows to what"
    page.dialog().reject()
    page.row("somebody/smol-1b").buttons["fetch"].click()
    page.licence("Smile.")
    page.dialog().accept_button.click()
    asked = page.asked(schema.DownloadModel)[-1]
    assert (asked.model, asked.terms) == ("somebody/smol-1b", "agreed")
    page.finder.words.clear()
    assert "hub" not in page.places


@pytest.mark.parametrize("name", ["<img src=http://h/a.png><b>x</b>&amp;", "abc\u202egnp.exe\x00", "W" * 10_000])
def test_hostile_names_stay_text(page: Shown, name: str) -> None:
    theirs = schema.CatalogueModel(
        model=f"{LAB}/{name}", title=name, source="publisher", state="available", licence=name, publisher=name,
        fingerprint=LAB, note=name, reviewed=False, variant=name, precision=name, parameters=name, text=name,
    )  # fmt: skip
    here = msgspec.structs.replace(theirs, model=name, state="paused", origin=name)
    page.catalogue(theirs, here)
    page.hear(
        schema.Publishers(ref="shelf-publishers", publishers=(schema.PublisherState(fingerprint=LAB, name=name),))
    )
    row = page.row(theirs.model)
    row.more.click()
    files = (schema.ModelFile(name=name, size=1),)
    page.hear(
        schema.ModelDetails(
            ref=page.asked(schema.GetModelDetails)[-1].ref, model=theirs, folder=name, commit=name, variants=(name,),
            files=files,
        )
    )  # fmt: skip
    settle()
    shown = page.findChildren(PlainLabel)
    assert all(label.textFormat() is Qt.TextFormat.PlainText for label in shown)
    assert not any("\u202e" in label.text() or len(label.text()) > 1000 for label in shown)
    assert page.widget().minimumSizeHint().width() <= page.width()
    row.buttons["fetch"].click()
    assert page.dialog().height() < 800


def test_every_control_has_a_name_and_is_reached_by_tab(page: Shown) -> None:
    page.importing.head.click()
    page.hear(schema.Publishers(ref="shelf-publishers", publishers=(schema.PublisherState(fingerprint=LAB, name="A"),)))
    settle()
    page.activateWindow()
    controls = [
        one
        for one in page.findChildren(QAbstractButton) + page.findChildren(QLineEdit)
        if one.isVisible() and one.isEnabled() and one.focusPolicy() is not Qt.FocusPolicy.NoFocus
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


def test_rows_grow_with_what_they_say(page: Shown) -> None:
    row = page.row(LLAMA)
    settle()
    before = row.height()
    page.status_model.shelf.problems[LLAMA] = "It is being contributed. " * 12
    page.status_model.shelf.changed.emit()
    settle()
    assert row.height() > before + 20


def test_without_an_engine_it_says_so(page: Shown) -> None:
    page.status_model.engine_away("The engine is started.", failed=False)
    page.come()
    assert page.empty.isVisible()
    assert page.places == {}


def test_what_changes_while_it_is_asked_is_asked_for_again(page: Shown) -> None:
    before = len(page.asked(schema.GetCatalogue))
    for _ in range(5):
        page.hear(schema.CatalogueChanged())
    assert len(page.asked(schema.GetCatalogue)) == before + 1
    page.catalogue(*some_models())
    assert len(page.asked(schema.GetCatalogue)) == before + 2
    page.catalogue(*some_models())
    assert len(page.asked(schema.GetCatalogue)) == before + 2


def test_without_a_catalogue_it_says_why(page: Shown) -> None:
    page.hear(
        schema.RequestFailed(request="get_catalogue", code="storage_failed", text="No disk.", ref="shelf-list"),
    )
    page.catalogue()
    assert page.places == {"here": [], "network": ["Far-70B"], "catalogue": []}
    page.hear(schema.Welcome(version=1, engine_version="x"))
    page.hear(schema.RequestFailed(request="get_catalogue", code="storage_failed", text="No disk.", ref="shelf-list"))
    assert "No disk." in page.cards["catalogue"].note.whole_text
    assert page.places["here"] == ["gentorrent-builtin", LLAMA]


def test_many_models_come_in_pieces_from_above_and_what_is_there_stays(page: Shown) -> None:
    first = page.row(LLAMA)
    several = [msgspec.structs.replace(some_models()[0], model=f"m-{at}", title=f"m-{at}") for at in range(60)]
    source = random.Random(1)
    here = [one.model for one in some_models() if one.state in ("here", "broken")]
    for _ in range(4):
        source.shuffle(several)
        added = several[: source.randrange(20, 60)]
        at = source.randrange(3)
        before = {model: row for card in page.cards.values() for model, row in card.rows.items()}
        page.status_model.receive(
            schema.Catalogue(ref="shelf-list", models=(*added[:at], *some_models(), *added[at:]), room=ROOM)
        )
        wanted = [one.model for one in added[:at]] + here + [one.model for one in added[at:]]
        seen = []
        while page.busy:
            QApplication.processEvents()
            seen.append(len(page.cards["here"].rows))
            assert [model for model in wanted if model in page.cards["here"].rows] == list(page.cards["here"].rows)
        assert len(seen) > 2 or len(wanted) - len(before) < 20, "not in one turn of the loop"
        assert list(page.cards["here"].rows) == wanted
        settle()
        tops = [row.y() for row in page.cards["here"].rows.values() if row.isVisible()]
        assert (len(tops), tops) == (len(wanted), sorted(set(tops)))
        assert all(row is before.get(model, row) for model, row in page.cards["here"].rows.items())
        lines = [one for one in page.cards["here"].findChildren(QFrame, "line") if one.isVisible()]
        assert len(lines) == len(wanted) - 1
    assert page.row(LLAMA) is first


def test_a_model_that_is_told_twice_shows_once(page: Shown) -> None:
    page.catalogue(*some_models(), *some_models())
    assert page.places["here"] == ["Built-in model", "Llama 3.2 1B Instruct", "my-model"]


def test_a_hidden_page_does_nothing_until_it_is_opened(page: Shown) -> None:
    row = page.row(LLAMA)
    page.hide()
    page.catalogue(*changed(LLAMA, title="Another name"))
    assert row.title.whole_text == "Llama 3.2 1B Instruct"
    page.show()
    assert row.title.whole_text == "Another name"
