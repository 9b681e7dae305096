"""The network that is hosted here: making one, its state and address, inviting others, and who has come."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.hosting import HostingModel, expiry_choices, invitation_words, membership_choices, moment
from app.theme import Theme
from app.views.basics import LinkButton, PlainLabel, Switch
from app.views.cards import Card, Facts, StatusRow
from app.views.choice_box import ChoiceBox
from app.views.network.host_form import HostForm, add
from app.views.network.invitation_box import InvitationBox
from engine.api import schema

DEFAULT_EXPIRY = 3 * 86_400.0
MOST_ROWS = 100


class HostCard(Card):
    """Shows what :class:`HostingModel` says."""

    def __init__(self, theme: Theme, hosting: HostingModel) -> None:
        super().__init__(theme, tr("A network of your own"))
        self._hosting = hosting
        about = tr("Friends, a club or a lab share their models among themselves. This machine introduces them.")
        self._about = PlainLabel(about, "quiet")
        self.column.addWidget(self._about)
        self.form = HostForm(theme, hosting)
        self.column.addWidget(self.form)
        self.running = QWidget()
        self._filled = False
        self.column.addWidget(self.running)
        hosting.changed.connect(self._show)
        hosting.invited.connect(self._invited)
        self._show()

    def _fill(self, theme: Theme) -> None:
        """What a network that is hosted shows, made when there is the first."""
        self._filled = True
        column = QVBoxLayout(self.running)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.medium)
        row = QHBoxLayout()
        self.status = StatusRow(theme)
        row.addWidget(self.status, 1, Qt.AlignmentFlag.AlignVCenter)
        self.switch = Switch(theme, tr("Host this network while the engine runs"))
        self.switch.clicked.connect(self._turn)
        row.addWidget(self.switch, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(row)
        self.facts = Facts(theme)
        column.addWidget(self.facts)
        self.address = InvitationBox(theme)
        column.addWidget(self.address)
        self.inviting = Inviting(theme, self._hosting)
        column.addWidget(self.inviting)
        self.problem = PlainLabel("", "fieldProblem")
        column.addWidget(self.problem)
        self.box = InvitationBox(theme)
        column.addWidget(self.box)
        self.list = Invitations(theme, self._hosting)
        column.addWidget(self.list)

    def _turn(self, on: bool) -> None:
        (self._hosting.start if on else self._hosting.stop)()

    def _invited(self, made: schema.InvitationMade) -> None:
        until = moment(made.invitation.expires)
        note = tr(
            "For one engine, to be used until {when}. Pass it on over a way that nobody else reads: who has it first "
            "joins. It is shown this once.",
            when=until,
        )
        self.box.show_text(made.text, note)

    def _show(self) -> None:
        hosting, now = self._hosting, self._hosting.now
        self.setVisible(now is not None)
        made, runs = hosting.made, hosting.runs and hosting.busy != "stop"
        self._about.setVisible(not made)
        self.form.setVisible(not made)
        self.running.setVisible(made)
        if now is None or not made:
            return
        if not self._filled:
            self._fill(self._theme)
        self.status.show_status(*hosting.line())
        elsewhere = now.status == "elsewhere"
        self.switch.setChecked((now.status != "off" and hosting.busy != "stop") or hosting.busy == "host")
        self.switch.setEnabled(not elsewhere and hosting.busy not in ("host", "stop"))
        self.facts.show_facts(hosting.facts())
        note = tr("Whoever has this address can join: paste it on the page Network of another machine.")
        self.address.show_text(now.address if runs and not now.private else "", note)
        self.inviting.setVisible(runs and now.private)
        if not (runs and now.private):
            self.box.show_text("", "")
        self.problem.show_text(hosting.problem)
        self.problem.setVisible(bool(hosting.problem))
        self.list.show_invitations(now.invitations if now.private else ())


class Inviting(QWidget):
    """For whom, how long, and the button."""

    def __init__(self, theme: Theme, hosting: HostingModel) -> None:
        super().__init__()
        self._hosting = hosting
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        rows = Card(theme)
        rows.setObjectName("cardBody")
        rows.column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.medium)
        column.addWidget(PlainLabel(tr("Invite somebody"), "heading"))
        column.addWidget(rows)
        self.label = QLineEdit()
        self.label.setPlaceholderText(tr("Ada's desktop"))
        self.label.setMaxLength(100)
        self.label.setMinimumWidth(200)
        add(rows, theme, tr("Whom it is for"), tr("A note for yourself."), self.label)
        self.expiry = ChoiceBox(expiry_choices(), DEFAULT_EXPIRY)
        add(rows, theme, tr("To be used"), tr("It admits one engine, once."), self.expiry)
        self.membership = ChoiceBox(membership_choices(), 0.0)
        add(rows, theme, tr("Who joins with it stays"), "", self.membership)
        self.ids = QLineEdit()
        self.ids.setPlaceholderText(tr("anybody's who has it"))
        self.ids.setMaxLength(200)
        self.ids.setMinimumWidth(200)
        about = tr("To make it good for one machine, paste the ids that its owner copied on the page Network.")
        add(rows, theme, tr("For the machine"), about, self.ids)
        self.make = QPushButton(tr("Make an invitation"))
        self.make.setObjectName("primary")
        self.make.clicked.connect(self._make)
        column.addWidget(self.make, 0, Qt.AlignmentFlag.AlignLeft)
        hosting.invited.connect(self._made)

    def _make(self) -> None:
        expiry, membership = self.expiry.value, self.membership.value
        assert isinstance(expiry, float)
        assert isinstance(membership, float)
        self._hosting.invite(self.label.text(), expiry, membership, self.ids.text())

    def _made(self, _: object) -> None:
        self.label.clear()
        self.ids.clear()


class Invitations(QWidget):
    """A row for each that was made, the newest first."""

    def __init__(self, theme: Theme, hosting: HostingModel) -> None:
        super().__init__()
        self._theme = theme
        self._hosting = hosting
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.small)
        self._shown: tuple[schema.HostedInvitation, ...] = ()
        self.buttons: dict[str, LinkButton] = {}
        self.hide()

    def show_invitations(self, invitations: tuple[schema.HostedInvitation, ...]) -> None:
        """Show exactly these, without the one that this machine made for itself."""
        shown = tuple(one for one in reversed(invitations) if not one.own)[:MOST_ROWS]
        self.setVisible(bool(shown))
        if shown == self._shown:
            return
        self._shown = shown
        self.buttons = {}
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        if shown:
            self._column.addWidget(PlainLabel(tr("Invitations"), "heading"))
        for one in shown:
            self._column.addWidget(self._row(one))

    def _row(self, one: schema.HostedInvitation) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(self._theme.large)
        words = QVBoxLayout()
        words.setSpacing(0)
        name = one.label or tr("Invitation {id}", id=one.invitation[:8])
        words.addWidget(PlainLabel(name, "rowTitle"))
        words.addWidget(PlainLabel(invitation_words(one), "quiet"))
        line.addLayout(words, 1)
        if one.status in ("open", "in_use"):
            text = tr("Revoke") if one.status == "open" else tr("Expel")
            button = LinkButton(text, f"{text}: {name}")
            button.clicked.connect(lambda: self._hosting.revoke(one.invitation))
            self.buttons[one.invitation] = button
            line.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        return row
