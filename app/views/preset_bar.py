"""Named ways to ask: choose one, save, rename, delete and bring back."""

from __future__ import annotations

import functools

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.chat_setup import LONGEST_NAME, UNDO_MILLISECONDS, ChatSetup
from app.theme import Theme
from app.views.basics import LinkButton, PlainLabel
from app.views.choice_box import ChoiceBox
from app.views.icons import ThemeIcon
from engine.api import schema


class PresetBar(QWidget):
    """A list to choose from with a menu beside it. Names are typed below it, where their problems are said, too."""

    def __init__(self, theme: Theme, setup: ChatSetup) -> None:
        super().__init__()
        self._setup = setup
        self._renamed: schema.Preset | None = None
        self._shown: tuple[tuple[str, str], ...] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.small)
        row = QHBoxLayout()
        row.setSpacing(theme.small)
        self.box = ChoiceBox([("", tr("No preset"))], "")
        self.box.setMinimumWidth(80)
        self.box.setAccessibleName(tr("Preset"))
        self.box.chosen.connect(self._chosen)
        row.addWidget(self.box, 1)
        self.more = QToolButton()
        self.more.setObjectName("tool")
        self.more.setFixedSize(theme.control, theme.control)
        self.more.setAccessibleName(tr("Save, rename or delete presets"))
        self.more.setToolTip(tr("Save, rename or delete presets"))
        self.more.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        ThemeIcon(self.more, theme, "more", size=18)
        self.more.clicked.connect(self._open_menu)
        row.addWidget(self.more)
        self._column.addLayout(row)
        self._column.addWidget(self._make_naming(theme))
        self._column.addWidget(self._make_undo(theme))
        self.setFocusProxy(self.box)
        setup.preset_deleted.connect(self._show_undo)

    def show_setup(self) -> None:
        """Show what is chosen, and what there is to choose."""
        modified = self._setup.modified
        own = self._setup.settings.preset
        entries: list[tuple[str, str]] = [("", tr("No preset"))]
        for preset in self._setup.presets:
            name = preset.name
            entries.append(
                (preset.preset, tr("{name} (changed)", name=name) if modified and preset.preset == own else name)
            )
        if tuple(entries) != self._shown:
            self._shown = tuple(entries)
            self.box.show_choices([*entries])
        self.box.show_value(self._setup.preset.preset if self._setup.preset is not None else "")

    def menu(self) -> QMenu:
        """What can be done with presets now."""
        setup, preset, menu = self._setup, self._setup.preset, QMenu(self)
        menu.addAction(tr("Save as a new preset…")).triggered.connect(lambda: self.ask_name(None))
        if preset is not None:
            save = menu.addAction(tr("Save the changes in “{name}”", name=preset.name))
            save.setEnabled(setup.modified)
            save.triggered.connect(setup.save)
            menu.addAction(tr("Rename “{name}”…", name=preset.name)).triggered.connect(
                functools.partial(self.ask_name, preset)
            )
            menu.addAction(tr("Delete “{name}”", name=preset.name)).triggered.connect(
                functools.partial(setup.delete, preset)
            )
        menu.addSeparator()
        menu.addAction(tr("Begin new chats like this one")).triggered.connect(setup.save_as_default)
        return menu

    def ask_name(self, preset: schema.Preset | None) -> None:
        """Let the user type a name: for ``preset``, or for a new one."""
        self._renamed = preset
        self.name.setText(preset.name if preset is not None else "")
        self._problem.hide()
        self._naming.show()
        self.name.selectAll()
        self.name.setFocus()

    def _make_naming(self, theme: Theme) -> QFrame:
        self._naming = QFrame()
        column = QVBoxLayout(self._naming)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.tiny)
        row = QHBoxLayout()
        row.setSpacing(theme.small)
        self.name = _NameField()
        self.name.setMaxLength(2 * LONGEST_NAME)
        self.name.setPlaceholderText(tr("Name of the preset"))
        self.name.setAccessibleName(tr("Name of the preset"))
        self.name.returnPressed.connect(self._named)
        self.name.cancelled = self._end_naming
        row.addWidget(self.name, 1)
        self.keep = QPushButton(tr("Save"))
        self.keep.setAccessibleName(tr("Save the preset"))
        self.keep.clicked.connect(self._named)
        row.addWidget(self.keep)
        column.addLayout(row)
        self._problem = PlainLabel("", "fieldProblem")
        column.addWidget(self._problem)
        self._naming.hide()
        return self._naming

    def _make_undo(self, theme: Theme) -> QFrame:
        self._undo_bar = QFrame()
        self._undo_bar.setObjectName("undo")
        row = QHBoxLayout(self._undo_bar)
        row.setContentsMargins(theme.medium, theme.tiny, theme.small, theme.tiny)
        self._undo_text = PlainLabel("")
        row.addWidget(self._undo_text, 1)
        self.undo = LinkButton(tr("Undo"), tr("Undo: bring the preset back"))
        self.undo.clicked.connect(self._restore)
        row.addWidget(self.undo)
        self._undo_bar.hide()
        self._forget = QTimer(self)
        self._forget.setSingleShot(True)
        self._forget.setInterval(UNDO_MILLISECONDS)
        self._forget.timeout.connect(self._undo_bar.hide)
        return self._undo_bar

    def _chosen(self, value: object) -> None:
        self._setup.take(next((one for one in self._setup.presets if one.preset == value), None))

    def _open_menu(self) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def _named(self) -> None:
        name, preset = self.name.text(), self._renamed
        problem = self._setup.name_problem(name, preset.preset if preset is not None else "")
        self._problem.show_text(problem)
        self._problem.setVisible(bool(problem))
        self.name.setAccessibleDescription(problem)
        if not problem and (self._setup.rename(preset, name) if preset is not None else self._setup.save_as(name)):
            self._end_naming()

    def _end_naming(self) -> None:
        self._naming.hide()
        self.more.setFocus()

    def _show_undo(self, name: str) -> None:
        self._undo_text.show_text(tr("“{name}” deleted", name=name))
        self._undo_bar.show()
        self._forget.start()

    def _restore(self) -> None:
        self._setup.restore()
        self._undo_bar.hide()
        self.box.setFocus()


class _NameField(QLineEdit):
    """Escape gives up."""

    def __init__(self) -> None:
        super().__init__()
        self.cancelled = self.clear

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled()
        else:
            super().keyPressEvent(event)
