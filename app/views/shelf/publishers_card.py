"""Who publishes models, and whether this machine may answer others with them."""

from __future__ import annotations

from PySide6.QtCore import Signal

from app.i18n import tr
from app.models.model_words import fingerprint_words, short
from app.theme import Theme
from app.views.basics import Switch
from app.views.cards import Card, copy_button
from app.views.contribute.rule_row import RuleRow
from engine.api import schema


class PublishersCard(Card):
    """One row for each publisher. ``wanted``: its fingerprint and name, and whether its models are to be served."""

    wanted = Signal(str, str, bool)

    def __init__(self, theme: Theme) -> None:
        about = tr(
            "This machine may answer others with the models of those whom you trust. Anybody can take any name, but "
            "nobody another one's fingerprint: compare it with one that the publisher gave you."
        )
        super().__init__(theme, tr("Publishers"), about)
        self.rows: dict[str, PublisherRow] = {}

    def show_publishers(self, publishers: tuple[schema.PublisherState, ...], problems: dict[str, str]) -> None:
        """Show exactly these; what is the same as before keeps its widgets."""
        wanted = [one.fingerprint for one in publishers]
        if wanted != list(self.rows):
            for row in self.rows.values():
                row.hide()
                row.deleteLater()
            self.rows = {}
            for one in publishers:
                row = PublisherRow(self._theme, one)
                row.wanted.connect(self.wanted)
                self.column.addWidget(row)
                self.rows[one.fingerprint] = row
        for one in publishers:
            self.rows[one.fingerprint].show_publisher(one, problems.get(one.fingerprint, ""))
        self.setVisible(bool(publishers))


class PublisherRow(RuleRow):
    """One publisher."""

    wanted = Signal(str, str, bool)

    def __init__(self, theme: Theme, publisher: schema.PublisherState) -> None:
        name = short(publisher.name, 60) or tr("without a name")
        self.switch = Switch(theme, tr("Trust {name}", name=name))
        copy = copy_button(theme, tr("Fingerprint of {name}", name=name), publisher.fingerprint)
        super().__init__(theme, name, " ", copy, self.switch)
        self.switch.clicked.connect(lambda on: self.wanted.emit(publisher.fingerprint, name, on))

    def show_publisher(self, publisher: schema.PublisherState, problem: str) -> None:
        """Show the newest."""
        self.switch.setChecked(publisher.trusted)
        count = tr("%Ln model(s)", "", len(publisher.models))
        self.show_about(f"{fingerprint_words(publisher.fingerprint)} · {count}")
        self.show_problem(problem)
