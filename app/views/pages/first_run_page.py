"""The page of the first start: chat now, and what else this machine may do, in plain words. Shown once."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from app.i18n import tr
from app.models.library import LibraryModel
from app.models.limits import Hardware, bandwidth_choices, hardware_words, thread_choices
from app.models.status import StatusModel
from app.preferences import Preferences
from app.theme import Theme
from app.views.basics import LinkButton, PlainLabel, Switch
from app.views.cards import Card, Page, StatusRow
from app.views.choice_box import ChoiceBox
from app.views.icons import icon
from app.views.join_form import JoinForm
from app.views.model_offer_form import ModelOfferForm
from app.views.network.host_form import HostForm
from engine.api import schema


@dataclass(frozen=True, slots=True)
class FirstChoices:
    """What was chosen."""

    contribute: bool
    relay: bool
    relay_rate: object
    threads: object
    autostart: bool


class FirstRunPage(Page):
    """Everything is optional: the one button begins to chat."""

    done = Signal(object)

    def __init__(
        self, theme: Theme, preferences: Preferences, hardware: Hardware, status: StatusModel, library: LibraryModel
    ) -> None:
        super().__init__(
            theme,
            tr("Welcome to GenTorrent"),
            tr(
                "People pool their computers to run open language models for each other. No account, no coin. "
                "You can chat at once; a small model is built in."
            ),
        )
        mark = QLabel()
        mark.setPixmap(icon("app").pixmap(QSize(40, 40)))
        row = QHBoxLayout()
        row.setSpacing(theme.medium)
        row.addWidget(mark)
        self.column.removeWidget(self.title)
        row.addWidget(self.title, 1)
        self.column.insertLayout(0, row)
        self._rules = status.contribution.rules or schema.Rules()
        self.column.addWidget(self._make_buttons(theme))
        self.column.addSpacing(theme.small)
        self.column.addWidget(self._make_network(theme, status))
        larger = tr("The built-in one knows little beyond this program.")
        card = Card(theme, tr("A larger model on this machine"), larger)
        self.offer = ModelOfferForm(theme, library, status.shelf)
        card.column.addWidget(self.offer)
        self.column.addWidget(card)
        self.column.addWidget(self._make_share(theme, preferences))
        self.column.addWidget(self._make_limits(theme, preferences, hardware))
        self.column.addStretch(1)
        status.changed.connect(self._show_status)
        status.contribution.changed.connect(self._show_rules)
        self._show_status()

    def show_hardware(self, hardware: Hardware) -> None:
        """Say what was found."""
        self._found.show_text(tr("Found here: {hardware}", hardware=hardware_words(hardware)))

    def _show_status(self) -> None:
        """Whether this machine is in a network."""
        state = self._status.state
        self.network.show_status(*self._status.network())
        none = state is not None and state.network.status == "none"
        self.join.setVisible(none)
        self.offer_host.setVisible(none and self.host.isHidden() and not self._status.hosting.made)
        if not none:
            self.host.hide()

    def _show_rules(self) -> None:
        """The engine's own word on passing on, where it has another one than this page; a choice made here stays."""
        rules, shown = self._status.contribution.rules, self._rules
        if rules is None:
            return
        self._rules = rules
        if self.relay.isChecked() == shown.relay:
            self.relay.setChecked(rules.relay)
        if self.bandwidth.value == shown.relay_rate:
            self.bandwidth.show_choices(bandwidth_choices(rules.relay_rate))
            self.bandwidth.show_value(rules.relay_rate)

    def _make_network(self, theme: Theme, status: StatusModel) -> Card:
        self._status = status
        card = Card(theme, tr("Network"))
        self.network = StatusRow(theme)
        card.column.addWidget(self.network)
        self.join = JoinForm(theme, status)
        card.column.addWidget(self.join)
        self.offer_host = LinkButton(tr("Or host a network of your own…"))
        self.offer_host.clicked.connect(self._show_host)
        card.column.addWidget(self.offer_host)
        self.host = HostForm(theme, status.hosting)
        self.host.hide()
        card.column.addWidget(self.host)
        return card

    def _show_host(self) -> None:
        self.offer_host.hide()
        self.host.show()
        self.host.name.setFocus()

    def _make_share(self, theme: Theme, preferences: Preferences) -> Card:
        card = Card(theme, tr("What this machine may do for others"))
        self.contribute = Switch(theme, tr("Answer other people's questions"))
        self.contribute.setChecked(preferences.contribute)
        card.add_row(
            tr("Answer other people's questions"),
            tr(
                "Strangers' prompts run on this machine, while it is in a network. Who asks stays unknown here. "
                "One click in the window or the tray ends it."
            ),
            self.contribute,
        )
        self.relay = Switch(theme, tr("Pass on other people's traffic"))
        self.relay.setChecked(self._rules.relay)
        card.add_row(
            tr("Pass on other people's traffic"),
            tr("Strangers' sealed traffic runs through your connection. It cannot be read here."),
            self.relay,
        )
        self.autostart = Switch(theme, tr("Start with the computer"))
        card.add_row(tr("Start with the computer"), tr("So that your machine is there for others."), self.autostart)
        return card

    def _make_limits(self, theme: Theme, preferences: Preferences, hardware: Hardware) -> Card:
        card = Card(theme, tr("Limits"))
        self._found = PlainLabel("", "quiet")
        card.column.addWidget(self._found)
        self.show_hardware(hardware)
        self.threads = ChoiceBox(thread_choices(hardware, preferences.threads), preferences.threads)
        card.add_row(tr("Processor for answers"), tr("At most so many threads."), self.threads)
        self.bandwidth = ChoiceBox(bandwidth_choices(self._rules.relay_rate), self._rules.relay_rate)
        card.add_row(tr("Bandwidth for traffic of others"), tr("At most so much of your connection."), self.bandwidth)
        self.relay.toggled.connect(self.bandwidth.setEnabled)
        return card

    def _make_buttons(self, theme: Theme) -> QWidget:
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.large)
        self.begin = QPushButton(tr("Start chatting"))
        self.begin.setObjectName("primary")
        self.begin.setDefault(True)
        self.begin.setMinimumWidth(180)
        self.begin.clicked.connect(self._finish)
        row.addWidget(self.begin, 0, Qt.AlignmentFlag.AlignLeft)
        note = tr(
            "Nothing below has to be chosen. All of it can be changed later under Contribute, Network and Settings."
        )
        row.addWidget(PlainLabel(note, "quiet"), 1)
        return box

    def _finish(self) -> None:
        self.done.emit(
            FirstChoices(
                self.contribute.isChecked(),
                self.relay.isChecked(),
                self.bandwidth.value,
                self.threads.value,
                self.autostart.isChecked(),
            )
        )
