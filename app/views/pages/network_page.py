"""The network: whether this machine is in one, how well, and what stands for this machine in it."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QPushButton

from app.i18n import tr
from app.models.doctor import server_words
from app.models.facts import machine_facts, network_facts, network_figures
from app.models.status import StatusModel
from app.models.topology import TopologyModel, lay_out, rows
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.cards import Card, Facts, Figures, Page, StatusRow
from app.views.join_form import JoinForm
from app.views.network.doctor_card import DoctorCard, ServersCard
from app.views.network.host_card import HostCard
from app.views.topology_view import MOST_ROWS, TopologyList, TopologyView, legend
from engine.api import schema


class NetworkPage(Page):
    """Shows what :class:`StatusModel` says about the network."""

    def __init__(self, theme: Theme, status: StatusModel, topology: TopologyModel) -> None:
        super().__init__(theme, tr("Network"), tr("How this machine is connected with the others."))
        card = Card(theme)
        self.status = StatusRow(theme)
        card.column.addWidget(self.status)
        self._figures = Figures(theme)
        card.column.addWidget(self._figures)
        self.column.addWidget(card)
        self._add_picture(theme, topology)
        self.join = Card(theme, tr("Join a network"))
        self.form = JoinForm(theme, status)
        self.join.column.addWidget(self.form)
        self.column.addWidget(self.join)
        self.host = HostCard(theme, status.hosting)
        self.column.addWidget(self.host)
        self.doctor = DoctorCard(theme, status.doctor)
        self.column.addWidget(self.doctor)
        self.servers = ServersCard(theme)
        self.column.addWidget(self.servers)
        self._doctor = status.doctor
        self._state: schema.State | None = None
        status.doctor.changed.connect(self._show_servers)
        self._notes = Card(theme, tr("Notes of the engine"))
        self._note = PlainLabel()
        self._notes.column.addWidget(self._note)
        self.column.addWidget(self._notes)
        self._details = Card(theme, tr("Connection"))
        self._facts = Facts(theme)
        self._details.column.addWidget(self._facts)
        self.leave = QPushButton(tr("Leave"))
        self.leave.clicked.connect(status.leave_network)
        about = tr("The engine starts anew, and your questions are answered on this machine alone.")
        self._left = self._details.add_row(tr("Leave this network"), about, self.leave)
        status.network_refused.connect(self._left.show_text)
        self.column.addWidget(self._details)
        self._machine = Card(theme, tr("This machine"))
        self._machine_facts = Facts(theme)
        self._machine.column.addWidget(self._machine_facts)
        self.column.addWidget(self._machine)
        self.column.addStretch(1)

    def _add_picture(self, theme: Theme, topology: TopologyModel) -> None:
        self._topology = topology
        about = tr("What this machine knows of its own place. It is shown here and goes nowhere else.")
        self.place = Card(theme, tr("Links, paths and groups"), about)
        self.picture, self.list = TopologyView(theme), TopologyList()
        self.place.column.addWidget(self.picture)
        self.place.column.addWidget(legend(theme))
        self.place.column.addWidget(self.list)
        self.column.addWidget(self.place)
        self._draw = QTimer(self)  # in a turn of its own, once for all that has come
        self._draw.setSingleShot(True)
        self._draw.setInterval(0)
        self._draw.timeout.connect(self._show_topology)
        topology.changed.connect(self._draw.start)
        self._show_topology()

    def _show_topology(self) -> None:
        told = self._topology.told
        self.picture.show_picture(lay_out(told))
        self.list.show_rows(rows(told, MOST_ROWS))

    def _show_servers(self) -> None:
        network = self._state.network if self._state is not None else schema.NetworkState(status="none")
        servers = self._doctor.servers(network) if self._state is not None else []
        self.servers.setVisible(bool(servers))
        self.servers.rows.show_findings([(*server_words(one, network), "") for one in servers])

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._topology.watch(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._topology.watch(False)

    def show_status(self, model: StatusModel) -> None:
        """Show the newest state."""
        state = model.state
        self.status.show_status(*model.network())
        connected = state is not None and state.network.status != "none"
        self._figures.setVisible(connected)
        self._details.setVisible(connected)
        self.place.setVisible(connected)
        self._machine.setVisible(state is not None)
        self.join.setVisible(state is not None and state.network.status == "none")
        self.doctor.setVisible(state is not None)
        self._state = state
        self._show_servers()
        notes = model.notes()
        self._notes.setVisible(bool(notes))
        self._note.show_text("\n\n".join(notes))
        if state is not None:
            self._figures.show_figures(network_figures(state.network))
            self._facts.show_facts(network_facts(state))
            self._machine_facts.show_facts(machine_facts(state))
