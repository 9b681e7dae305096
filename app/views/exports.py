"""Files that leave the window: chats as Markdown, JSON or PDF, and receipts. The owner chooses the place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.i18n import tr
from app.models.text_reader import TextReader
from app.views.pdf_export import PdfExport
from app.views.whole_file import WholeFile


class Exports(QObject):
    """Dialogs open over ``parent``."""

    told = Signal(str)
    """What came of it, for people."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.pdf: PdfExport | None = None

    def save_chat(self, name: str, text: str) -> None:
        """A chat as text, which came from the engine."""
        self._choose(tr("Export the chat"), name, lambda path: self.write_chat(path, text))

    def save_pdf(self, name: str, chat: str) -> None:
        """A chat as PDF; ``chat`` is all of it as JSON."""
        self._choose(tr("Export the chat"), name, lambda path: self.write_pdf(path, chat))

    def save_receipt(self, reader: TextReader) -> None:
        """The receipt of an answer, which the engine keeps."""

        def whole(text: str) -> None:
            self._choose(tr("Save the receipt"), "receipt.json", lambda path: self.write_receipt(path, text))

        reader.failed.connect(self.told)
        reader.read_all(whole)

    def write_chat(self, path: str, text: str) -> None:
        """Write an exported chat, and say whether that went well."""
        problem = _write(path, text)
        if problem:
            self.told.emit(tr("The chat was not exported: {reason}. Choose another place.", reason=problem))
        else:
            self.told.emit(tr("The chat was exported to {path}.", path=path))

    def write_receipt(self, path: str, text: str) -> None:
        """Write a receipt, and say how it is checked."""
        problem = _write(path, text + "\n")
        if problem:
            self.told.emit(tr("The receipt was not saved: {reason}. Choose another place.", reason=problem))
        else:
            said = tr(
                "The receipt was saved to {path}. Anybody can check it: gentorrent receipt verify {name}",
                path=path,
                name=Path(path).name,
            )
            self.told.emit(said)

    def write_pdf(self, path: str, chat: str) -> None:
        """Begin to write a PDF; a newer one takes the place of one that is not done."""
        if self.pdf is not None:
            self.pdf.cancel()
        self.pdf = pdf = PdfExport(chat, path)
        pdf.done.connect(lambda problem: self._pdf_done(pdf, path, problem))
        self.told.emit(tr("The PDF is being made"))
        pdf.start()

    def save_diagnostics(self, text: str) -> None:
        """A report about the engine."""
        self._choose(
            tr("Save diagnostics"), "gentorrent-diagnostics.json", lambda path: self.write_diagnostics(path, text)
        )

    def write_diagnostics(self, path: str, text: str) -> None:
        """Write a report, and say whether that went well."""
        problem = _write(path, text + "\n")
        if problem:
            self.told.emit(tr("The diagnostics were not saved: {reason}. Choose another place.", reason=problem))
        else:
            self.told.emit(tr("Saved to {path}. Read it before you give it away.", path=path))

    def _pdf_done(self, pdf: PdfExport, path: str, problem: str) -> None:
        if pdf is self.pdf:
            self.pdf = None
            if problem:
                self.told.emit(tr("The chat was not exported: {reason}. Choose another place.", reason=problem))
            else:
                self.told.emit(tr("The chat was exported to {path}.", path=path))
        pdf.deleteLater()

    def _choose(self, title: str, name: str, chosen: Callable[[str], None]) -> None:
        dialog = QFileDialog(self._parent, title)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDirectory(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
        dialog.selectFile(name)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(chosen)
        dialog.open()


def _write(path: str, text: str) -> str:
    """Write it whole or not at all: a file that is there stays as it is until then. Why that failed, for people."""
    file = WholeFile(path)
    if file.begin():
        file.write(text.encode())
    return file.finish()
