"""The owner agrees in the settings that receipts of a few answers go to the verifiers, or does not."""

from __future__ import annotations

from pathlib import Path

from app.models.sharing import consent_words
from app.views.basics import PlainLabel
from app.views.confirm_dialog import ConfirmDialog
from app.views.pages.settings_page import SettingsPage
from engine.api import schema
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, Window, open_window, played_engine, until


def page_of(window: Window) -> SettingsPage:
    window.window.open_page("settings")
    page = window.window.page_widget("settings")
    assert isinstance(page, SettingsPage)
    return page


def dialog_of(page: SettingsPage) -> ConfirmDialog:
    return next(one for one in page.findChildren(ConfirmDialog) if one.isVisible())


def test_it_is_off_until_the_owner_has_read_what_is_sent_and_says_yes(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            page = page_of(window)
            await until(page.sharing.isEnabled)
            assert not page.sharing.isChecked()
            page.sharing.click()
            assert not page.sharing.isChecked(), "nothing is agreed to yet"
            dialog = dialog_of(page)
            assert any(label.whole_text == consent_words() for label in dialog.findChildren(PlainLabel))
            dialog.reject()
            assert not any(isinstance(one, schema.ShareSamples) for one in engine.hosting.requests)
            page.sharing.click()
            dialog_of(page).accept()
            await until(page.sharing.isChecked)
            assert engine.hosting.shares_samples
            assert "2 of 100 answers" in page._sharing_about.whole_text
            page.sharing.click()
            await until(lambda: not engine.hosting.shares_samples)
            await until(lambda: "only where you do it yourself" in page._sharing_about.whole_text)
            assert not page.sharing.isChecked()

    drive(scenario())


def test_why_it_cannot_be_chosen_is_said(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            page = page_of(window)
            await until(page.sharing.isEnabled)
            engine.hosting.refusal = "The disk is full."
            page.sharing.click()
            dialog_of(page).accept()
            await until(lambda: "The disk is full." in page._sharing_about.whole_text)
            assert not page.sharing.isChecked()

    drive(scenario())
