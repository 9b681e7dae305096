"""What is wrong with the connection: a button that looks, what was found, what it means and what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.doctor import TONES, DoctorModel, finding_words
from app.theme import Theme
from app.views.basics import Dot, PlainLabel
from app.views.cards import Card, StatusRow

STEPS = 100


class DoctorCard(Card):
    """Shows what :class:`DoctorModel` says."""

    def __init__(self, theme: Theme, doctor: DoctorModel) -> None:
        about = tr("Router, firewall, clock, and the servers of the network, looked at in less than a minute.")
        super().__init__(theme, tr("Check the connection"), about)
        self._doctor = doctor
        row = QHBoxLayout()
        row.setSpacing(theme.large)
        self.check = QPushButton(tr("Check now"))
        self.check.setObjectName("primary")
        self.check.clicked.connect(self._examine)
        row.addWidget(self.check)
        self.bandwidth = QCheckBox(tr("With bandwidth (2 MB)"))
        self.bandwidth.setChecked(True)
        row.addWidget(self.bandwidth)
        row.addStretch(1)
        self.column.addLayout(row)
        self.status = StatusRow(theme)
        self.column.addWidget(self.status)
        self.bar = QProgressBar()
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName(tr("How far the check is"))
        self.column.addWidget(self.bar)
        self.findings = Findings(theme)
        self.column.addWidget(self.findings)
        self.report = QWidget()
        foot = QHBoxLayout(self.report)
        foot.setContentsMargins(0, 0, 0, 0)
        foot.setSpacing(theme.large)
        self.copy = QPushButton(tr("Copy the report"))
        self.copy.clicked.connect(self._copy)
        foot.addWidget(self.copy)
        note = tr("For who helps you: without addresses, ids, keys and names.")
        foot.addWidget(PlainLabel(note, "caption"), 1)
        self.column.addWidget(self.report)
        doctor.changed.connect(self._show)
        self._show()

    def _examine(self) -> None:
        self.copy.setText(tr("Copy the report"))
        self._doctor.examine(bandwidth=self.bandwidth.isChecked())

    def _copy(self) -> None:
        if self._doctor.result is not None:
            QGuiApplication.clipboard().setText(self._doctor.result.report)
            self.copy.setText(tr("Copied"))

    def _show(self) -> None:
        doctor = self._doctor
        self.check.setEnabled(not doctor.running)
        self.status.show_status(*doctor.line())
        self.status.setVisible(doctor.running or doctor.result is not None or bool(doctor.problem))
        self.bar.setVisible(doctor.running)
        self.bar.setValue(round(doctor.share * STEPS))
        self.report.setVisible(doctor.result is not None)
        self.findings.show_findings([(TONES[one.status], *finding_words(one)) for one in doctor.findings()])


class Findings(QWidget):
    """One below the other, each with a dot."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.small)
        self.shown: list[tuple[str, str, str, str]] = []
        theme.changed.connect(self._paint)
        self._dots: list[tuple[Dot, str]] = []
        self.hide()

    def show_findings(self, findings: list[tuple[str, str, str, str]]) -> None:
        """Show exactly these: (tone, what it is, what it means, what to do)."""
        self.setVisible(bool(findings))
        if findings == self.shown:
            return
        self.shown = findings
        self._dots = []
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for one in findings:
            self._column.addWidget(self._row(*one))

    def _row(self, tone: str, found: str, meaning: str, change: str) -> QWidget:
        row = QWidget()
        row.setAccessibleName(" ".join(filter(None, (found, meaning, change))))
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(self._theme.medium)
        dot = Dot(self._theme.tone(tone), 9)
        self._dots.append((dot, tone))
        mark = QVBoxLayout()
        mark.setContentsMargins(1, 5, 1, 0)
        mark.addWidget(dot)
        mark.addStretch(1)
        line.addLayout(mark)
        words = QVBoxLayout()
        words.setSpacing(1)
        names = ("rowTitle" if tone == "error" else "", "quiet", "")
        for text, name in zip((found, meaning, change), names, strict=True):
            if text:
                label = PlainLabel(text, name)
                label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                words.addWidget(label)
        line.addLayout(words, 1)
        return row

    def _paint(self) -> None:
        for dot, tone in self._dots:
            dot.set_colour(self._theme.tone(tone))


class ServersCard(Card):
    """The servers through which this machine finds the others."""

    def __init__(self, theme: Theme) -> None:
        about = tr("Bootstrap servers introduce machines to each other; STUN and TURN help them through routers.")
        super().__init__(theme, tr("Servers"), about)
        self.rows = Findings(theme)
        self.column.addWidget(self.rows)
