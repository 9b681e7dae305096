"""What has to be said to host a network here: its name, who may join, and from where."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.hosting import HostingModel, reach_choices, who_choices
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.cards import Card
from app.views.choice_box import ChoiceBox
from app.views.contribute.rule_row import RuleRow
from app.views.number_field import WIDTH

PORT = 8900


def add(card: Card, theme: Theme, name: str, about: str, control: QWidget) -> RuleRow:
    """A row of a form, with a line before it where it is not the first."""
    if card.column.count():
        card.add_line()
    row = RuleRow(theme, name, about, control)
    card.column.addWidget(row)
    return row


class HostForm(QWidget):
    """Tells ``hosting`` what is wanted."""

    def __init__(self, theme: Theme, hosting: HostingModel) -> None:
        super().__init__()
        self._hosting = hosting
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.medium)
        rows = Card(theme)
        rows.setObjectName("cardBody")
        rows.column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(rows)
        self.name = QLineEdit()
        self.name.setPlaceholderText(tr("Our house"))
        self.name.setMaxLength(64)
        self.name.returnPressed.connect(self._host)
        self.name.textChanged.connect(self._show)
        add(rows, theme, tr("Name of the network"), tr("Members see it. It never changes."), self.name)
        self.who = ChoiceBox(who_choices(), True)
        add(rows, theme, tr("Who may join"), tr("This never changes either."), self.who)
        self.reach = ChoiceBox(reach_choices(""), "local")
        self.reach.chosen.connect(self._show)
        self._from = add(rows, theme, tr("From where"), "", self.reach)
        self.url = QLineEdit()
        self.url.setPlaceholderText("http://example.org:8900")
        self.url.setAccessibleName(tr("Address under which others reach this machine"))
        self.url.setMaxLength(300)
        rows.column.addWidget(self.url)
        self.port = QLineEdit(str(PORT))
        self.port.setValidator(QIntValidator(1, 65_535, self.port))
        self.port.setFixedWidth(WIDTH)
        self.port.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.port.textChanged.connect(self._show)
        add(rows, theme, tr("Port"), tr("Another one if a program has this already."), self.port)
        foot = QHBoxLayout()
        foot.setSpacing(theme.large)
        self.host = QPushButton(tr("Host this network"))
        self.host.setObjectName("primary")
        self.host.clicked.connect(self._host)
        foot.addWidget(self.host)
        note = tr("The engine runs its server, also while this window is closed, and starts anew to join it.")
        foot.addWidget(PlainLabel(note, "caption"), 1)
        column.addLayout(foot)
        self.problem = PlainLabel("", "fieldProblem")
        column.addWidget(self.problem)
        hosting.changed.connect(self._show)
        self._show()

    def _host(self) -> None:
        if self.host.isEnabled():
            reach = self.reach.value
            assert reach in ("machine", "local", "internet")
            self._hosting.host(
                self.name.text(),
                private=bool(self.who.value),
                reach=reach,
                url=self.url.text(),
                port=int(self.port.text()),
            )

    def _show(self, _: object = None) -> None:
        now, chosen = self._hosting.now, self.reach.value
        if now is not None:
            self.reach.show_choices(reach_choices(now.local_address))
            self.reach.show_value(chosen)
        width = max(box.sizeHint().width() for box in (self.who, self.reach))
        for control in (self.name, self.who, self.reach):
            control.setFixedWidth(width)
        abouts = {
            "local": tr("Machines behind the same router, such as those of a home or an office."),
            "internet": tr("Your router has to pass the port on to this machine."),
            "machine": tr("For trying out, with further engines on this machine."),
        }
        self._from.show_about(abouts[str(chosen)])
        self.url.setVisible(chosen == "internet")
        said = bool(self.name.text().strip()) and self.port.hasAcceptableInput()
        self.host.setEnabled(said and not self._hosting.busy)
        self.host.setText(tr("Starting…") if self._hosting.busy == "host" else tr("Host this network"))
        self.problem.show_text(self._hosting.problem)
        self.problem.setVisible(bool(self._hosting.problem))
