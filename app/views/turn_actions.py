"""What the reader wants done with turns, told together with the turn."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication, QWidget

from app.i18n import tr
from app.models.doubts import disclosed_words
from app.models.transcript import ChatTranscript
from app.theme import Theme
from app.views.confirm_dialog import confirm_dialog
from app.views.link_dialog import LinkDialog
from app.views.turn_view import TurnView
from app.views.turn_views import TurnViews


class TurnActions(QObject):
    """Listens to the views of turns (:meth:`listen`). ``owner`` is what dialogs belong to."""

    retry_requested = Signal(object)
    drop_requested = Signal(object)
    privacy_chosen = Signal(object, object)
    alternative_chosen = Signal(object, object)
    edited = Signal(object, str)
    file_opened = Signal(str, str)
    receipt_wanted = Signal(str)
    removal_requested = Signal(object, str)
    """The turn, and which of its messages."""

    def __init__(self, theme: Theme, transcript: ChatTranscript, owner: QWidget) -> None:
        super().__init__(owner)
        self._theme = theme
        self._transcript = transcript
        self._owner = owner

    def listen(self, view: TurnView) -> None:
        """Tell what is wanted in ``view``."""
        view.retry_requested.connect(lambda: self.retry_requested.emit(view.turn))
        view.drop_requested.connect(lambda: self.drop_requested.emit(view.turn))
        view.privacy_chosen.connect(lambda privacy: self.privacy_chosen.emit(view.turn, privacy))
        view.alternative_chosen.connect(lambda chosen: self.alternative_chosen.emit(view.turn, chosen))
        view.edited.connect(lambda text: self.edited.emit(view.turn, text))
        view.edit_changed.connect(lambda: self._transcript.keep_edit(view.turn))
        view.link_chosen.connect(self._show_link)
        view.file_opened.connect(self.file_opened)
        view.receipt_wanted.connect(self.receipt_wanted)
        view.check_wanted.connect(self._ask_whether_to_doubt)
        view.asked.removal_requested.connect(lambda: self.removal_requested.emit(view.turn, view.turn.question_id))
        view.foot.removal_requested.connect(lambda: self.removal_requested.emit(view.turn, view.turn.answer_id))

    def _show_link(self, address: str, words: str) -> None:
        dialog = LinkDialog(self._theme, address, words, self._owner)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _ask_whether_to_doubt(self, answer: str) -> None:
        title, action = tr("Have the machine checked?"), tr("Hand in the receipt")
        dialog = confirm_dialog(self._owner, self._theme, title, disclosed_words(), action, loses=False)
        dialog.accepted.connect(lambda: self._transcript.doubt(answer))
        dialog.open()


def step_version(views: TurnViews, by: int) -> None:
    """Another version of what has the focus: of the question, or of the answer; if there is only one, of the other."""
    focus = QApplication.focusWidget()
    for view in views:
        if focus is not None and view.isAncestorOf(focus):
            both = [view.asked.versions, view.foot.versions]
            first, second = both if view.asked.isAncestorOf(focus) else reversed(both)
            (first if first.several else second).step(by)
            return
