"""Taking a model that lies in a folder of this machine already."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.model_words import short
from app.models.shelf_model import ShelfModel
from app.theme import Theme
from app.views.basics import PlainLabel, Switch
from app.views.contribute.rule_row import RuleRow
from app.views.shelf.licence_dialog import LicenceDialog
from engine.api import schema


class ImportForm(QWidget):
    """Tells ``shelf`` which folder it is, and shows why it is not taken."""

    def __init__(self, theme: Theme, shelf: ShelfModel) -> None:
        super().__init__()
        self._shelf = shelf
        self._asked = False
        self._looked = ""  # the folder whose licence is being read
        self._theme = theme
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.small)
        about = tr("The folder of an ONNX model, laid out as repositories of the hub are. No program in it is run.")
        column.addWidget(PlainLabel(about, "quiet"))
        fields = QGridLayout()
        fields.setSpacing(theme.small)
        column.addLayout(fields)
        self.folder = QLineEdit()
        self.folder.setPlaceholderText(tr("Folder of the model"))
        self.folder.setAccessibleName(tr("Folder of the model"))
        self.folder.setMaxLength(4096)
        self.folder.textChanged.connect(self._show)
        self.folder.returnPressed.connect(self._import)
        self.browse = QPushButton(tr("Choose…"))
        self.browse.setAccessibleName(tr("Choose the folder of the model"))
        self.browse.clicked.connect(self._choose)
        fields.addWidget(self.folder, 0, 0)
        fields.addWidget(self.browse, 0, 1)
        self.name = QLineEdit()
        self.name.setPlaceholderText(tr("Name here (as the folder, if empty)"))
        self.name.setAccessibleName(tr("Name of the model on this machine"))
        self.name.setMaxLength(100)
        self.name.returnPressed.connect(self._import)
        self.go = QPushButton(tr("Import"))
        self.go.clicked.connect(self._press)
        fields.addWidget(self.name, 1, 0)
        fields.addWidget(self.go, 1, 1)
        text = tr("Leave the files where they are")
        self.link = Switch(theme, text)
        about = tr("Nothing is copied, and the folder has to stay where it is.")
        column.addWidget(RuleRow(theme, text, about, self.link))
        self.problem = PlainLabel("", "fieldProblem")
        column.addWidget(self.problem)
        shelf.import_changed.connect(self._heard)
        shelf.licence_read.connect(self._licence_read)
        self._show()
        self._heard()

    def _choose(self) -> None:
        dialog = QFileDialog(self, tr("Folder of the model"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.open()

    @property
    def _name(self) -> str:
        """What the model is called here."""
        return self.name.text().strip() or PurePath(self.folder.text().strip()).name

    def _press(self) -> None:
        if self._shelf.importing:
            self._shelf.stop_import(self._name)
        else:
            self._import()

    def _import(self) -> None:
        if self.go.isEnabled() and not self._shelf.importing:
            self._looked = self.folder.text().strip()
            self._shelf.ask_licence(self._name[:200], self._looked)
            self._show()

    def _licence_read(self, named: str, found: schema.LicenceText | str) -> None:
        """What has a licence is taken once the owner has accepted it; what is no folder is the engine's to refuse."""
        if not named or named != self._looked:
            return
        self._looked = ""
        self._show()
        if isinstance(found, str) or not found.name or found.accepted:
            self._go_on(named)
            return
        dialog = LicenceDialog(self._theme, self, short(self._name, 60), [], importing=True)
        dialog.show_licence(found)
        dialog.accepted.connect(lambda: self._go_on(named, found.terms))
        dialog.open()

    def _go_on(self, folder: str, terms: str = "") -> None:
        self._asked = True
        self._shelf.import_folder(folder, self.name.text().strip(), link=self.link.isChecked(), terms=terms)

    def _show(self) -> None:
        importing = self._shelf.importing
        self.go.setText(tr("Stop") if importing else tr("Import"))
        self.go.setEnabled(importing or (bool(self.folder.text().strip()) and not self._looked))
        for field in (self.folder, self.name, self.browse, self.link):
            field.setEnabled(not importing)

    def _heard(self) -> None:
        self._show()
        self.problem.show_text(self._shelf.import_problem)
        self.problem.setVisible(bool(self._shelf.import_problem))
        if self._asked and not self._shelf.importing:
            self._asked = False
            if not self._shelf.import_problem:  # it was taken
                self.folder.clear()
                self.name.clear()
