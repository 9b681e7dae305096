"""The chat: who answers, the conversation, where to type, and the list of chats at its left."""

from __future__ import annotations

import functools

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from app.i18n import number, tr
from app.models.alternatives import Alternative
from app.models.asking import MAX_QUESTION
from app.models.catalogue import ModelChoice
from app.models.chat_setup import ChatSetup, meter_of
from app.models.chats import ChatsModel
from app.models.library import LibraryModel
from app.models.shelf_model import ShelfModel
from app.models.transcript import ChatTranscript
from app.models.turns import Turn
from app.models.unsent import merged
from app.theme import Theme
from app.views.chat_list import WIDTH, ChatList
from app.views.composer import Composer
from app.views.context_meter import ContextMeter
from app.views.download_bar import DownloadBar
from app.views.elsewhere_bar import ElsewhereBar
from app.views.exports import Exports
from app.views.file_dialog import FileDialog
from app.views.file_drop import FileDrop
from app.views.find_bar import FindBar
from app.views.header import Header
from app.views.model_choosing import ModelChoosing
from app.views.setup_panel import WIDTH as SETUP_WIDTH
from app.views.setup_panel import SetupPanel
from app.views.transcript_view import TranscriptView
from app.views.undo_bar import UndoBar

_NARROW = 760
"""Below this width the list of chats shows in place of the chat, and only when it is asked for; so do its settings."""
_THREE_COLUMNS = 1060
"""Below this width the list of chats makes room for the settings of the chat."""
DRAFT_MILLISECONDS = 400
"""What is being written is kept so long after the last letter."""


class ChatPage(QSplitter):
    """Header, transcript and composer below each other, and the list of chats at their left: asks, opens chats, keeps
    what is being written."""

    def __init__(
        self,
        theme: Theme,
        chat: ChatTranscript,
        chats: ChatsModel,
        setup: ChatSetup,
        library: LibraryModel,
        shelf: ShelfModel,
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(1)
        self._theme = theme
        self._chat = chat
        self._chats = chats
        self.header = Header(theme)
        self.transcript = TranscriptView(theme, chat)
        self.meter = ContextMeter(theme)
        self.composer = Composer(theme, chat.files)
        self.elsewhere = ElsewhereBar(theme)
        self.undo_bar = UndoBar(theme, chats)
        self.chats = ChatList(theme, chats)
        self._setup = setup
        self._library = library
        self.downloads = DownloadBar(theme, library, shelf)
        self.models = ModelChoosing(theme, self.header, self.downloads, setup, library)
        self.find_bar = FindBar(theme, chats.finding)
        self.setup = SetupPanel(theme, setup)
        self.exports = Exports(self.composer)
        self._column = self._lay_out(theme)
        FileDrop(self._column).dropped.connect(chat.files.add_files)
        self.addWidget(self.chats)
        self.addWidget(self._column)
        self.addWidget(self.setup)
        self.setStretchFactor(0, 0)
        self.setStretchFactor(1, 1)
        self.setStretchFactor(2, 0)
        self.setSizes([WIDTH, 10 * WIDTH, SETUP_WIDTH])
        self._wanted = True  # the list, where there is room for it
        self._asked_for = False  # the list, where there is none
        self._setting_up = False
        self._deleted = ""  # the chat that was open when it was deleted
        self._draft = QTimer(self)
        self._draft.setSingleShot(True)
        self._draft.setInterval(DRAFT_MILLISECONDS)
        self._connect()
        self.models.chosen.connect(self.composer.setFocus)
        self._connect_setup()
        self._connect_finding()
        self._show_which_chat()
        self._fold()

    @property
    def parts(self) -> tuple[QWidget, ...]:
        """What wears a style sheet of its own; what is around it has colours of the palette only."""
        return (self.transcript, self.header, self.find_bar, self._footer, self.chats, self.setup)

    # The open chat.

    @property
    def choice(self) -> ModelChoice:
        """Who would be asked now."""
        return self.models.choice

    def ask(self, question: str) -> None:
        """Ask, as if it had been typed and sent."""
        self.setup.keep()
        if self._chat.ask(question, self.choice):
            self.composer.accepted()
            self.composer.setFocus()
        elif self._chat.loading:
            text = tr("The chat is not here yet. What you have written is kept; send it as soon as the chat shows.")
            self.composer.show_notice(text)
        else:
            self._say_if_too_long(question)

    def _ask_in_other_words(self, turn: Turn, question: str) -> None:
        if not self._chat.edit(turn, question, self.choice):
            self._say_if_too_long(question)

    def _say_if_too_long(self, question: str) -> None:
        length = len(question.strip())
        if length > MAX_QUESTION:
            text = tr(
                "The question was not sent: it has {length} characters, and a question can have {most}. Shorten it, or "
                "attach a part of it as a file.",
                length=number(length),
                most=number(MAX_QUESTION),
            )
            self.composer.show_notice(text)

    def _show_unread(self) -> None:
        self.header.show_unread(len(self._chats.unread))

    def _take(self, turn: Turn, alternative: Alternative) -> None:
        """Ask again as was chosen instead; a model that was chosen is asked from then on. What waits is given up."""
        if turn.state == "waiting":
            self._chat.stop()
        if alternative.confirm and alternative.choice is not None:
            self._library.confirm(alternative.choice.model)
        if alternative.choice is not None:
            self.header.choose(alternative.choice)
        self._chat.retry(turn, alternative.choice or self.choice, seconds=alternative.seconds)

    def show_file(self, message: str, file: str) -> None:
        """Show the text of an attached file, of a question or ("") of the draft."""
        files = [one.attachment for one in self._chat.files.files] if not message else self._chat.files_of(message)
        found = next((one for one in files if one.attachment == file), None)
        if found is not None:
            FileDialog(self._theme, found, self._chat.file_reader(message, found), self.transcript).open()

    def open_chat(self, chat: str, message: str = "") -> None:
        """Show a chat of the list, at a ``message`` that was found in it."""
        if chat != self._chat.chat:
            self.keep_draft()
            self.composer.input.clear()
            self.composer.notice.hide()
        words = self._chats.query if message else ""
        self._chat.open_chat(chat, message, words)
        self._chats.finding.begin(chat, message, words) if words else self._chats.finding.end()
        self.show_chat()
        if not message or not self.chats.isVisibleTo(self):  # from one hit to the next with the down key
            self.composer.setFocus()

    def new_chat(self, temporary: bool = False) -> None:
        """Begin a chat; ``temporary``: nothing of it comes to the disk."""
        self.keep_draft()
        self._chat.new_chat(temporary)
        self.composer.input.clear()
        self.composer.notice.hide()
        self.show_chat()
        self.composer.setFocus()

    def keep_draft(self) -> None:
        """Keep what is being written."""
        self.setup.keep()
        self._draft.stop()
        self._chat.write_draft(self.composer.input.toPlainText())

    def _show_draft(self, text: str) -> None:
        """What was being written in the chat that was opened. What was typed while it was opened stays before it."""
        typed = self.composer.input.toPlainText()
        if text and merged(typed, text) != typed:
            self.composer.input.setPlainText(merged(typed, text))
            self.composer.input.moveCursor(QTextCursor.MoveOperation.End)

    def _part_with(self) -> None:
        """The open chat was deleted: what is being written in it is not for another one. It shows again when it is
        brought back."""
        self.keep_draft()
        self._deleted = self._chat.chat
        self.composer.input.clear()

    def _delete(self, chat: str) -> None:
        """Delete a chat."""
        if chat == self._chat.chat:
            self.keep_draft()
        self._chats.delete([chat])

    def _remove(self, turn: Turn, message: str) -> None:
        """Delete a question or an answer with what follows it."""
        if turn.kept:
            self._chats.delete_message(self._chat.chat, message)
        else:
            self._chat.discard(turn)

    def _show_removed(self, removed: str) -> None:
        """What was deleted of the open chat can be brought back here; chats where the list is, while it shows."""
        here = self._chats.removed_here or not self.chats.isVisibleTo(self)
        self.undo_bar.show_removed(removed if here else "")

    def _restored(self, chats: tuple[str, ...]) -> None:
        if self._deleted in chats and self._chat.empty and not self.composer.input.toPlainText():
            self.open_chat(self._deleted)
        self._deleted = ""

    def _show_which_chat(self) -> None:
        self._chats.show_current(self._chat.chat)
        if self._chats.finding.chat != self._chat.chat:
            self._chats.finding.end()
        self.composer.show_temporary(self._chat.temporary)

    def _connect(self) -> None:
        chat, transcript, composer = self._chat, self.transcript, self.composer
        composer.submitted.connect(self.ask)
        composer.stop_requested.connect(chat.stop)
        composer.file_opened.connect(functools.partial(self.show_file, ""))
        wishes = transcript.wishes
        wishes.file_opened.connect(self.show_file)
        composer.input.textChanged.connect(self._draft.start)
        self._draft.timeout.connect(self.keep_draft)
        transcript.suggestion_chosen.connect(self.ask)
        wishes.retry_requested.connect(lambda turn: chat.retry(turn, self.choice))
        wishes.drop_requested.connect(lambda turn: chat.retry(turn, self.choice, drop_oldest=True))
        wishes.alternative_chosen.connect(self._take)
        wishes.edited.connect(self._ask_in_other_words)
        wishes.privacy_chosen.connect(lambda turn, privacy: chat.accept(turn, privacy, self.choice))
        chat.running_changed.connect(composer.show_running)
        chat.elsewhere_changed.connect(self.elsewhere.show_elsewhere)
        self.elsewhere.show_requested.connect(chat.show_elsewhere)
        self.elsewhere.stop_requested.connect(chat.stop_other)
        self.elsewhere.show_elsewhere(bool(chat.elsewhere))
        chat.draft_arrived.connect(self._show_draft)
        chat.chat_removed.connect(self._part_with)
        chat.choice_arrived.connect(self.header.wish)
        chat.chat_changed.connect(self._show_which_chat)
        chat.problem_arose.connect(composer.show_notice)
        self.header.new_chat.setToolTip(self.chats.new_chat.toolTip())
        self.header.new_chat_requested.connect(self.new_chat)
        self.header.chats_requested.connect(self.toggle_chats)
        self.chats.new_chat_requested.connect(self.new_chat)
        self.chats.chat_chosen.connect(self.open_chat)
        self.chats.deletion_requested.connect(self._delete)
        self._chats.restored.connect(self._restored)
        self._chats.removal_changed.connect(self._show_removed)
        wishes.removal_requested.connect(self._remove)
        self._chats.changed.connect(self._show_unread)  # no lambda: it would outlive this page
        self.chats.fold_requested.connect(self.toggle_chats)
        self._chats.problem_arose.connect(composer.show_notice)
        self._chats.exported.connect(self.exports.save_chat)
        self._chats.pdf_wanted.connect(self.exports.save_pdf)
        wishes.receipt_wanted.connect(lambda answer: self.exports.save_receipt(chat.receipt_reader(answer)))
        self.exports.told.connect(composer.show_notice)
        chat.doubts.told.connect(composer.show_notice)

    # What was looked for in it.

    def _connect_finding(self) -> None:
        finding = self._chats.finding
        self.chats.search.textChanged.connect(lambda text: None if text.strip() else finding.end())
        self.find_bar.step_requested.connect(self._step)
        finding.changed.connect(self._show_found)

    def _step(self, by: int) -> None:
        """To the next message that was found (1), or the one before (-1)."""
        finding = self._chats.finding
        message = finding.step(by)
        if message:
            self._chat.open_chat(finding.chat, message, finding.words)

    def _show_found(self) -> None:
        if not self._chats.finding.words:
            self.transcript.forget_words()

    # How it is asked.

    def toggle_setup(self) -> None:
        """Show how the chat is asked, or hide it."""
        self._setting_up = not self._setting_up
        self._asked_for = False
        self._fold()
        (self.setup.presets.box if self._setting_up else self.composer).setFocus()

    def show_overflow(self) -> None:
        """Show what happens when the context is full."""
        if not self._setting_up:
            self.toggle_setup()
        self.setup.show_overflow()

    def _connect_setup(self) -> None:
        self.header.setup_requested.connect(self.toggle_setup)
        self.setup.close_requested.connect(self.toggle_setup)
        self.meter.clicked.connect(self.show_overflow)
        self.header.models.currentIndexChanged.connect(self._show_setup)
        self._setup.changed.connect(self._show_setup)
        self._setup.problem_arose.connect(self.composer.show_notice)
        self._chat.context_changed.connect(self._show_setup)
        self._show_setup()

    def _show_setup(self) -> None:
        settings = self._setup.settings
        self.header.restrict(settings.local_only)
        choice = self.choice
        self.setup.show_model(choice.model, tr("{model} on this machine answers.", model=choice.model))
        self.meter.show_meter(meter_of(self._chat.context, settings.overflow))

    # The list beside it.

    @property
    def narrow(self) -> bool:
        """Whether there is room for the list or the chat alone."""
        return self.width() < _NARROW

    def toggle_chats(self) -> None:
        """Show the list of chats, or hide it."""
        if self.narrow:
            self._asked_for = not self._asked_for
        elif self._setting_up and not self._three:
            self._wanted, self._setting_up = True, False  # there is room for one of them
        else:
            self._wanted = not self._wanted
        self._fold()
        (self.chats.list if self.chats.isVisibleTo(self) else self.composer).setFocus()

    @property
    def _three(self) -> bool:
        """Whether there is room for the list, the chat and its settings."""
        return self.width() >= _THREE_COLUMNS

    def show_chats(self) -> None:
        """Show the list of chats, if it does not."""
        if not self.chats.isVisibleTo(self):
            self.toggle_chats()

    def show_chat(self) -> None:
        """Show the chat, if something else is in its place."""
        self._asked_for = False
        if self.narrow:
            self._setting_up = False
        self._fold()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold()

    def _fold(self) -> None:
        setting_up = self._setting_up and not (self.narrow and self._asked_for)
        shown = self._asked_for if self.narrow else self._wanted and (self._three or not setting_up)
        self.chats.setVisible(shown)
        self.setup.setVisible(setting_up)
        self.header.setup.setChecked(setting_up)
        self._column.setVisible(not ((shown or setting_up) and self.narrow))
        self.header.chats.setVisible(not shown)
        self.header.new_chat.setVisible(not shown)

    def _lay_out(self, theme: Theme) -> QWidget:
        page = QWidget()
        page.setObjectName("page")
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.find_bar)
        layout.addWidget(self.transcript, 1)
        self._footer = footer = QWidget()
        footer.setObjectName("footer")
        footer.setMaximumWidth(theme.column + 2 * theme.large)
        inner = QVBoxLayout(footer)
        inner.setContentsMargins(theme.large, theme.small, theme.large, theme.medium + theme.tiny)
        inner.setSpacing(theme.tiny)
        inner.addWidget(self.downloads)
        inner.addWidget(self.undo_bar)
        inner.addWidget(self.elsewhere)
        inner.addWidget(self.composer)
        inner.addWidget(self.meter, 0, Qt.AlignmentFlag.AlignRight)
        centred = QHBoxLayout()
        centred.setContentsMargins(0, 0, 0, 0)
        centred.addStretch(1)
        centred.addWidget(footer, 1000)
        centred.addStretch(1)
        row = QWidget()
        row.setObjectName("page")
        row.setLayout(centred)
        layout.addWidget(row)
        QWidget.setTabOrder(self.composer.input, self.composer.attach)
        QWidget.setTabOrder(self.composer.attach, self.composer.send)
        QWidget.setTabOrder(self.composer.send, self.composer.stop)
        QWidget.setTabOrder(self.composer.stop, self.meter)
        QWidget.setTabOrder(self.meter, self.header.models)
        QWidget.setTabOrder(self.header.models, self.header.setup)
        QWidget.setTabOrder(self.header.setup, self.header.contribute)
        QWidget.setTabOrder(self.header.contribute, self.header.new_chat)
        return page
