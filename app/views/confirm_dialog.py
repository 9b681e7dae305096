"""A question before something that cannot be undone. The safe answer is the one that Enter and Escape give."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.theme import Theme
from app.views.basics import PlainLabel


def confirm_dialog(parent: QWidget, theme: Theme, title: str, text: str, action: str) -> QDialog:
    """Emits ``accepted`` when the owner really wants it; ``action`` is what the button says."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(theme.large, theme.large, theme.large, theme.large)
    column.setSpacing(theme.large)
    column.addWidget(PlainLabel(title, "cardTitle"))
    label = PlainLabel(text)
    label.setMinimumWidth(420)
    column.addWidget(label)
    row = QHBoxLayout()
    row.addStretch(1)
    keep = QPushButton(tr("Cancel"))
    keep.setDefault(True)
    keep.clicked.connect(dialog.reject)
    row.addWidget(keep)
    go = QPushButton(action)
    go.setObjectName("danger")
    go.setAutoDefault(False)
    go.clicked.connect(dialog.accept)
    row.addWidget(go)
    column.addLayout(row)
    keep.setFocus()
    return dialog
