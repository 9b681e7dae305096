"""A question before something that cannot be undone. The safe answer is the one that Enter and Escape give."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.theme import Theme
from app.views.basics import PlainLabel


class ConfirmDialog(QDialog):
    """``option`` is a box that may be checked in it, where there is one."""

    option: QCheckBox | None = None


def confirm_dialog(
    parent: QWidget,
    theme: Theme,
    title: str,
    text: str,
    action: str,
    option: tuple[str, str] | None = None,
    *,
    loses: bool = True,
) -> ConfirmDialog:
    """Emits ``accepted`` when the owner really wants it; ``action`` is what the button says, ``option`` what can be
    wanted beside it, and what that means; ``loses`` whether something is gone then."""
    dialog = ConfirmDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(theme.large, theme.large, theme.large, theme.large)
    column.setSpacing(theme.large)
    column.addWidget(PlainLabel(title, "cardTitle"))
    label = PlainLabel(text)
    label.setMinimumWidth(420)
    column.addWidget(label)
    if option is not None:
        dialog.option = QCheckBox(option[0])
        dialog.option.setAccessibleDescription(option[1])
        column.addWidget(dialog.option)
        column.addWidget(PlainLabel(option[1], "quiet"))
    row = QHBoxLayout()
    row.addStretch(1)
    keep = QPushButton(tr("Cancel"))
    keep.setDefault(True)
    keep.clicked.connect(dialog.reject)
    row.addWidget(keep)
    go = QPushButton(action)
    go.setObjectName("danger" if loses else "primary")
    go.setAutoDefault(False)
    go.clicked.connect(dialog.accept)
    row.addWidget(go)
    column.addLayout(row)
    keep.setFocus()
    return dialog


def quit_dialog(parent: QWidget, theme: Theme, loss: str) -> ConfirmDialog:
    """Before GenTorrent quits, although there would be a ``loss``."""
    stay = tr("Stay until the disk has room for them, or export the chats to another place.")
    return confirm_dialog(parent, theme, tr("Quit before all is saved?"), f"{loss} {stay}", tr("Quit anyway"))
