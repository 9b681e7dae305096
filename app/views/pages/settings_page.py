"""The owner's choices, each in effect at once unless its line says when."""

from __future__ import annotations

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QPushButton

from app.i18n import languages, native_name, tr
from app.models.contribution_words import relay_summary
from app.models.limits import Hardware, thread_choices
from app.models.sharing import SharingModel, consent_words
from app.models.status import StatusModel
from app.preferences import Preferences
from app.theme import Theme
from app.views.basics import PlainLabel, Switch
from app.views.cards import Card, Page, copy_button
from app.views.choice_box import ChoiceBox
from app.views.confirm_dialog import ConfirmDialog, confirm_dialog


class SettingsPage(Page):
    """Shows :class:`Preferences`; emits what the owner changes, as the name of a field and its new value."""

    changed = Signal(str, object)
    autostart_requested = Signal(bool)
    rules_requested = Signal()
    """The owner wants to see what is ruled about other people's traffic."""
    sharing_requested = Signal(bool)
    """Whether receipts of a few answers go to the verifiers by themselves."""
    deletion_requested = Signal(bool)
    """Of all data; whether also of the keys."""

    def __init__(self, theme: Theme, preferences: Preferences, hardware: Hardware, data_directory: str) -> None:
        super().__init__(theme, tr("Settings"), tr("Kept on this machine, for this data directory."))
        self._data_directory = data_directory
        self._switches: dict[str, Switch] = {}
        self._boxes: dict[str, ChoiceBox] = {}
        self._shares = False
        self.problem = PlainLabel("", "quiet")
        self.problem.hide()
        self.column.addWidget(self.problem)
        for card in (
            self._make_look(theme, preferences),
            self._make_start(theme, preferences),
            self._make_notices(theme, preferences),
            self._make_limits(theme, preferences, hardware),
            self._make_sharing(theme),
            self._make_data(theme),
        ):
            self.column.addWidget(card)
        self.column.addStretch(1)
        self.show_preferences(preferences)

    def show_preferences(self, preferences: Preferences) -> None:
        """Show what is chosen now."""
        for name, switch in self._switches.items():
            switch.setChecked(bool(getattr(preferences, name)))
        for name, box in self._boxes.items():
            box.show_value(getattr(preferences, name))
        self._switches["start_hidden"].setEnabled(self.autostart.isChecked())

    def show_autostart(self, enabled: bool, problem: str = "") -> None:
        """Whether the system starts the window, and why it refused to."""
        self.autostart.setChecked(enabled)
        self._switches["start_hidden"].setEnabled(enabled)
        self._autostart_about.show_text(problem or tr("Your machine is then in the network without a window open."))

    def show_problem(self, text: str) -> None:
        """Why choices cannot be kept."""
        self.problem.show_text(text)
        self.problem.setVisible(bool(text))

    def show_tray(self, usable: bool) -> None:
        """Without a tray, closing the window cannot hide it."""
        self._boxes["on_close"].setEnabled(usable)
        if not usable:
            self._boxes["on_close"].show_value("quit")
        self._close_about.show_text(
            tr("The icon beside the clock opens it again.")
            if usable
            else tr("This desktop shows no tray icons, so closing the window quits.")
        )

    def show_status(self, model: StatusModel) -> None:
        """Show the newest state: where the engine keeps its data and listens."""
        state, rules = model.state, model.contribution.rules
        self._relay.show_text(relay_summary(rules) if rules is not None else tr("Known as soon as the engine runs"))
        self._show_sharing(model.sharing)
        self.delete.setEnabled(state is not None)
        if state is not None and state.api_address:
            self._api.show_text(state.api_address)

    def show_deletion(self, problem: str) -> None:
        """What came of deleting."""
        self._deletion.show_text(problem or tr("All stored chats are deleted."))

    def _ask_deletion(self) -> None:
        dialog = confirm_dialog(
            self,
            self._theme,
            tr("Delete all my data?"),
            tr(
                "Deleted are all chats that this machine keeps, with drafts, attached files, receipts, folders and "
                "presets, also in what was kept of damaged databases. Answers that are being written are stopped.\n\n"
                "What stays: models, these settings, logs (which hold no chats), files that you exported, and copies "
                "in backups of yours. Questions and answers that went over the network are with whoever answered.\n\n"
                "This cannot be undone."
            ),
            tr("Delete everything"),
            (
                tr("Also the keys of this machine"),
                tr(
                    "And what it knows of its networks. The engine starts anew, and this machine is a new one for "
                    "everybody: its reputation and its invitations to private networks are lost, and other programs "
                    "need a new token."
                ),
            ),
        )
        dialog.accepted.connect(lambda: self.deletion_requested.emit(_checked(dialog)))
        dialog.open()

    def _make_look(self, theme: Theme, preferences: Preferences) -> Card:
        card = Card(theme, tr("Appearance"))
        names: list[tuple[object, str]] = [("", tr("As the system"))]
        names += [(code, native_name(code)) for code in languages()]
        self._add_box(card, "language", tr("Language"), "", names, preferences)
        looks: list[tuple[object, str]] = [
            ("system", tr("As the system")),
            ("light", tr("Light")),
            ("dark", tr("Dark")),
        ]
        self._add_box(card, "look", tr("Look"), "", looks, preferences)
        return card

    def _make_start(self, theme: Theme, preferences: Preferences) -> Card:
        card = Card(theme, tr("Start and end"))
        self.autostart = Switch(theme, tr("Start with the computer"))
        self.autostart.clicked.connect(self.autostart_requested)
        self._autostart_about = card.add_row(tr("Start with the computer"), " ", self.autostart)
        self._add_switch(card, theme, "start_hidden", tr("Then show no window"), tr("Only the icon beside the clock."))
        closes: list[tuple[object, str]] = [("hide", tr("Keeps running")), ("quit", tr("Quits"))]
        about = tr("The icon beside the clock opens it again.")
        self._close_about = self._add_box(card, "on_close", tr("Closing the window"), about, closes, preferences)
        return card

    def _make_notices(self, theme: Theme, preferences: Preferences) -> Card:
        card = Card(theme, tr("Notifications"), tr("They never show what was asked or answered."))
        self._add_switch(card, theme, "tell_answers", tr("An answer is ready"), tr("While the window is not in front."))
        about = tr("Contributing pauses or becomes impossible, with the reason.")
        self._add_switch(card, theme, "tell_contributing", tr("Contributing stops by itself"), about)
        return card

    def _make_limits(self, theme: Theme, preferences: Preferences, hardware: Hardware) -> Card:
        card = Card(theme, tr("This machine"))
        text = tr("At most so many threads. The engine starts anew with it as soon as no answer is being written.")
        choices = thread_choices(hardware, preferences.threads)
        self._add_box(card, "threads", tr("Processor for answers"), text, choices, preferences)
        self.rules = QPushButton(tr("Contribute"))
        self.rules.setAccessibleName(tr("Open what is ruled about passing on traffic"))
        self.rules.clicked.connect(self.rules_requested)
        self._relay = card.add_row(tr("Passing on traffic"), " ", self.rules)
        return card

    def _make_sharing(self, theme: Theme) -> Card:
        card = Card(theme, tr("Checks of other machines"), tr("Verifiers ask machines what users ask, and compare."))
        self.sharing = Switch(theme, tr("A few answers for the verifiers"))
        self.sharing.setObjectName("setting-sharing")
        self.sharing.setEnabled(False)
        self.sharing.clicked.connect(self._ask_sharing)
        self._sharing_about = card.add_row(tr("A few answers for the verifiers"), " ", self.sharing)
        return card

    def _show_sharing(self, model: SharingModel) -> None:
        self._shares = model.now is not None and model.now.on
        self.sharing.setEnabled(model.now is not None)
        self.sharing.setChecked(self._shares)
        self._sharing_about.show_text(model.about())

    def _ask_sharing(self, on: bool) -> None:
        """It is off until the owner has read what is sent, and says yes."""
        if not on:
            self.sharing_requested.emit(False)
            return
        self.sharing.setChecked(self._shares)
        title, yes = tr("Hand in receipts of a few answers?"), tr("Yes, hand them in")
        dialog = confirm_dialog(self, self._theme, title, consent_words(), yes, loses=False)
        dialog.accepted.connect(lambda: self.sharing_requested.emit(True))
        dialog.open()

    def _make_data(self, theme: Theme) -> Card:
        card = Card(theme, tr("Data"))
        buttons = QHBoxLayout()
        path = PlainLabel(self._data_directory, elided=True)
        buttons.addWidget(path, 1)
        buttons.addWidget(copy_button(theme, tr("Data directory"), self._data_directory))
        self.open_folder = QPushButton(tr("Open folder"))
        self.open_folder.setAccessibleName(tr("Open the data directory"))
        self.open_folder.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(self._data_directory)))
        buttons.addWidget(self.open_folder)
        card.column.addWidget(PlainLabel(tr("Data directory"), "rowTitle"))
        card.column.addLayout(buttons)
        card.add_line()
        card.column.addWidget(PlainLabel(tr("Address for other programs (OpenAI's protocol)"), "rowTitle"))
        self._api = PlainLabel(tr("Known as soon as the engine runs"), elided=True)
        card.column.addWidget(self._api)
        self.delete = QPushButton(tr("Delete…"))
        self.delete.setObjectName("danger")
        self.delete.clicked.connect(self._ask_deletion)
        about = tr("All stored chats with their drafts, folders and presets, for good. Models and settings stay.")
        self._deletion = card.add_row(tr("Delete all my data"), about, self.delete)
        return card

    def _add_box(
        self, card: Card, field: str, name: str, about: str, choices: list[tuple[object, str]], chosen: Preferences
    ) -> PlainLabel:
        box = ChoiceBox(choices, getattr(chosen, field))
        box.setObjectName(f"setting-{field}")
        box.chosen.connect(lambda value: self.changed.emit(field, value))
        self._boxes[field] = box
        return card.add_row(name, about, box)

    def _add_switch(self, card: Card, theme: Theme, field: str, name: str, about: str) -> None:
        switch = Switch(theme, name)
        switch.setObjectName(f"setting-{field}")
        switch.clicked.connect(lambda on: self.changed.emit(field, on))
        self._switches[field] = switch
        card.add_row(name, about, switch)


def _checked(dialog: ConfirmDialog) -> bool:
    return dialog.option is not None and dialog.option.isChecked()
