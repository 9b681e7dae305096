"""The model that would be best here, and the network that was pasted: words and buttons, without an engine."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from app.models.library import LibraryModel
from app.models.model_offer import READING_SPEED, ModelOffer, best_of
from app.models.shelf_model import ShelfModel
from app.models.status import StatusModel
from app.theme import LIGHT
from app.views.join_form import JoinForm
from app.views.model_offer_form import ModelOfferForm
from app.views.shelf.licence_dialog import LicenceDialog
from engine.api import schema

BEST = schema.LibraryModel(
    model="Big-8B", variant="q4", licence="mit", size=5_000_000_000, verdict="fits", tokens_per_s=12.4
)
OTHERS = (
    schema.LibraryModel(model="Huge", size=40_000_000_000, verdict="does_not_fit", tokens_per_s=30),
    schema.LibraryModel(model="Tight", size=9_000_000_000, verdict="tight", tokens_per_s=30),
    schema.LibraryModel(model="Slow", size=8_000_000_000, verdict="fits", tokens_per_s=READING_SPEED - 1),
    schema.LibraryModel(model="Small", size=1_000_000_000, verdict="fits", tokens_per_s=60),
    schema.LibraryModel(model="Unknown"),
)
LIBRARY = schema.Library(ref="library", models=(*OTHERS, BEST))


class Told:
    """Takes every request while it is there."""

    def __init__(self) -> None:
        self.there = True
        self.requests: list[schema.Request] = []

    def send(self, request: schema.Request) -> bool:
        if self.there:
            self.requests.append(request)
        return self.there


@pytest.fixture
def told() -> Told:
    return Told()


def fetching(stage: str, **more: int | float) -> schema.DownloadProgress:
    return schema.DownloadProgress(model="Big-8B", stage=stage, **more)


def test_the_largest_that_fits_and_is_quick_enough_is_the_best() -> None:
    assert best_of(LIBRARY.models) == BEST
    assert best_of(OTHERS) == OTHERS[3]
    assert best_of(()) is None


def test_the_list_is_asked_for_again_when_the_engine_was_not_there(told: Told) -> None:
    library = LibraryModel(told.send)
    told.there = False
    library.refresh()
    told.there = True
    library.receive(schema.Welcome(version=1, engine_version="0"))
    library.receive(schema.Welcome(version=1, engine_version="0"))
    assert told.requests == [schema.ListLibrary(ref="library")]


def test_name_size_minutes_speed_and_licence_are_said_before_it_is_fetched(told: Told) -> None:
    library = LibraryModel(told.send)
    offer = ModelOffer(library)
    assert offer.best.action == ""
    library.receive(LIBRARY)
    now = offer.best
    assert (now.title, now.action, now.share) == ("Big-8B", "fetch", None)
    assert now.text == ("5.0 GB, about 13 minutes at 50 Mbit/s. About 12 tokens/s here. Its licence: mit.")
    offer.fetch(offer.wanted, "agreed")
    assert told.requests == [schema.DownloadModel(model="Big-8B", terms="agreed", ref="library")]


def test_a_download_says_how_far_it_is_and_can_be_stopped_and_gone_on_with(told: Told) -> None:
    library = LibraryModel(told.send)
    offer = ModelOffer(library)
    library.receive(LIBRARY)
    offer.fetch(offer.wanted, "agreed")
    library.receive(fetching("downloading", done=1_000_000_000, total=5_000_000_000, speed=20_000_000.0))
    now = offer.best
    assert now.text == "1.0 GB of 5.0 GB · 20 MB a second · about 3 minutes left"
    assert (now.action, now.share, offer.wanted) == ("stop", 0.2, "")
    offer.stop()
    assert told.requests[-1] == schema.StopDownload(model="Big-8B", ref="library")
    library.receive(schema.DownloadEnded(model="Big-8B", code="stopped", text="The download was stopped."))
    assert (offer.best.text, offer.best.action) == ("The download was stopped.", "fetch")
    offer.fetch(offer.wanted, "agreed")
    library.receive(schema.DownloadEnded(model="Big-8B"))
    assert "It is on this machine" in offer.best.text
    assert offer.best.action == ""


def test_what_went_wrong_is_said_and_tried_again(told: Told) -> None:
    library = LibraryModel(told.send)
    offer = ModelOffer(library)
    library.receive(LIBRARY)
    offer.fetch(offer.wanted, "agreed")
    library.receive(schema.DownloadEnded(model="Big-8B", code="hub_failed", text="The hub cannot be reached."))
    assert (offer.best.text, offer.best.action) == ("The hub cannot be reached.", "fetch")
    offer.fetch(offer.wanted, "agreed")
    assert len(told.requests) == 2
    nothing = LibraryModel(told.send)
    nothing.receive(schema.Library(ref="library", models=OTHERS[:3]))
    assert ModelOffer(nothing).best.text == "No model of the catalogue would be better on this machine."


def test_another_licence_than_was_accepted_is_asked_about_again(told: Told) -> None:
    library = LibraryModel(told.send)
    library.receive(LIBRARY)
    library.propose("Big-8B")
    library.download("agreed")
    assert library.accepted("Big-8B") == "agreed"
    library.receive(schema.DownloadEnded(model="Big-8B", code="licence_needed", text="It is another one."))
    assert library.accepted("Big-8B") == ""
    library.download("newly agreed")
    library.receive(
        schema.RequestFailed(ref="library", request="download_model", code="licence_needed", text="Another one again.")
    )
    assert library.accepted("Big-8B") == ""


def test_the_form_shows_it_with_names_for_screen_readers(qapp: QApplication, told: Told) -> None:
    library = LibraryModel(told.send)
    form = ModelOfferForm(LIGHT, library, ShelfModel(told.send))
    assert told.requests == [schema.ListLibrary(ref="library")]
    assert form.button.isHidden()
    library.receive(LIBRARY)
    assert not form.button.isHidden()
    assert form.button.accessibleName() == "Fetch: Big-8B"
    assert form.progress.isHidden()
    form.button.click()
    (dialog,) = form.findChildren(LicenceDialog)
    assert [one.model for one in told.requests if isinstance(one, schema.GetLicence)] == ["Big-8B"]
    dialog.show_licence(schema.LicenceText(ref="", name="LICENSE", text="Do no harm.", terms="agreed"))
    dialog.accept_button.click()
    assert told.requests[-1] == schema.DownloadModel(model="Big-8B", terms="agreed", ref="library")
    library.receive(fetching("downloading", done=1, total=4))
    assert form.progress.value() == 250
    assert form.button.accessibleName() == "Stop: Big-8B"
    form.deleteLater()


def test_what_is_pasted_goes_to_the_engine_and_what_comes_of_it_is_said(qapp: QApplication, told: Told) -> None:
    status = StatusModel(told.send)
    form = JoinForm(LIGHT, status)
    assert not form.join.isEnabled()
    form.entry.setText("  https://host#5f  ")
    assert form.join.isEnabled()
    told.there = False
    form.join.click()
    assert form.said.whole_text == "The engine does not run yet. Try again in a moment."
    told.there = True
    form.join.click()
    assert told.requests == [schema.JoinNetwork(text="https://host#5f")]
    status.receive(schema.RequestFailed(request="join_network", code="invalid_request", text="It expired."))
    assert form.said.whole_text == "It expired."
    assert form.entry.text()
    status.receive(schema.NetworkKept(ref="", address="https://host#5f"))
    assert form.said.whole_text == "Joining https://host"
    assert form.entry.text() == ""
    form.deleteLater()
