"""The programs that have the machine to themselves while they run: a list to add to and to remove from."""

from __future__ import annotations

import functools

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.safe_text import visible
from app.theme import Theme
from app.views.flow_layout import FlowLayout
from app.views.icons import ThemeIcon

LONGEST = 100
SHOWN = 40
"""Characters of a name that are shown."""


class ProgramList(QWidget):
    """Emits ``chosen`` with all names after each change that the owner made. Names are text, whatever is in them."""

    chosen = Signal(tuple)

    def __init__(self, theme: Theme, most: int) -> None:
        super().__init__()
        self._theme, self._most = theme, most
        self._programs: tuple[str, ...] = ()
        self.chips: list[QPushButton] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.small)
        self._flow_room = QWidget()
        self._flow = FlowLayout(self._flow_room, theme.small)
        column.addWidget(self._flow_room)
        row = QHBoxLayout()
        row.setSpacing(theme.small)
        self.input = QLineEdit()
        self.input.setMaxLength(LONGEST)
        self.input.setPlaceholderText(tr("Name of a program, such as blender"))
        self.input.setAccessibleName(tr("Program to add"))
        self.input.returnPressed.connect(self._add)
        self.input.textChanged.connect(self._allow)
        row.addWidget(self.input, 1)
        self.add = QPushButton(tr("Add", "a program"))
        self.add.setAccessibleName(tr("Add the program"))
        self.add.clicked.connect(self._add)
        row.addWidget(self.add)
        column.addLayout(row)
        self._build()

    @property
    def programs(self) -> tuple[str, ...]:
        """The names."""
        return self._programs

    def show_programs(self, programs: tuple[str, ...]) -> None:
        """Show exactly these; that tells nobody."""
        if programs != self._programs:
            self._programs = programs
            self._build()

    def _add(self) -> None:
        name = " ".join(self.input.text().split())
        if not name or len(self._programs) >= self._most:
            return
        self.input.clear()
        if name.casefold() not in map(str.casefold, self._programs):
            self._choose((*self._programs, name))

    def _remove(self, name: str) -> None:
        place = self._programs.index(name)
        self._choose(tuple(one for one in self._programs if one != name))
        left = [*self.chips, self.input]
        left[min(place, len(left) - 1)].setFocus()

    def _choose(self, programs: tuple[str, ...]) -> None:
        self.show_programs(programs)
        self.chosen.emit(programs)

    def _build(self) -> None:
        for chip in self.chips:
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self.chips = []
        for name in self._programs:
            shown = " ".join(visible(name).split())
            chip = QPushButton(_cut(shown).replace("&", "&&"))
            chip.setObjectName("chip")
            chip.setAccessibleName(tr("Remove {program} from the list", program=shown))
            chip.setToolTip(tr("Remove"))
            chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the cross behind the name
            ThemeIcon(chip, self._theme, "close", "quiet", size=14)
            chip.clicked.connect(functools.partial(self._remove, name))
            self._flow.addWidget(chip)
            self.chips.append(chip)
        self._flow_room.setVisible(bool(self._programs))
        self._flow_room.updateGeometry()
        self._allow()

    def _allow(self) -> None:
        self.add.setEnabled(bool(self.input.text().strip()) and len(self._programs) < self._most)


def _cut(name: str) -> str:
    return name if len(name) <= SHOWN else f"{name[: SHOWN - 1]}…"
