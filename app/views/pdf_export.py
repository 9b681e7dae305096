"""A chat as PDF: laid out and painted a bit at a time, so that the window stays live. Nothing is loaded or run."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator

import msgspec
from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QObject, QRectF, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPageLayout, QPageSize, QPainter, QPdfWriter, QTextDocument

from app.i18n import tr
from app.markdown.blocks import Block, Code
from app.markdown.languages import load_language
from app.markdown.parser import warm_up
from app.models import exported_chat
from app.models.exported_chat import ExportedChat, Message
from app.models.safe_text import visible
from app.theme import LIGHT, Theme
from app.views.markdown_document import MarkdownDocument
from app.views.markdown_formats import HEADER_HEIGHT, PAD
from app.views.markdown_ground import Shown
from app.views.whole_file import WholeFile

LOOK_MILLISECONDS = 10
"""Between two looks whether the chat is read."""
SLICE_SECONDS = 0.008
"""Of work before the event loop has its turn."""
WRITTEN = 1 << 20
"""Bytes of the file that are written at a time."""
DOTS = 96
"""Of an inch, in which the document is laid out: what fonts are measured in."""
RESOLUTION = 300
PAGE = QSizeF(210, 297)
MARGINS = QMarginsF(20, 18, 20, 24)
"""Millimetres, as the page."""
_FOOT = 10.0
"""Millimetres between the text and the line below it."""


class PdfExport(QObject):
    """Writes the chat ``text`` (the engine's JSON) to ``path``; :attr:`done` tells once, with the problem or ""."""

    done = Signal(str)

    def __init__(self, text: str, path: str) -> None:
        super().__init__()
        self._reading = _Reading(text)
        self._file = WholeFile(path)
        self._theme = Theme(LIGHT)
        self._ended = False
        self.pages = 0
        self._steps = self._work()

    def start(self) -> None:
        """Begin; the rest happens when the event loop has time."""
        self._reading.start()
        QTimer.singleShot(0, self._await_reading)

    def cancel(self) -> None:
        """Write nothing."""
        self._end(None)

    def _await_reading(self) -> None:
        if self._reading.is_alive():
            QTimer.singleShot(LOOK_MILLISECONDS, self._await_reading)
        else:
            self._advance()

    def _advance(self) -> None:
        if self._ended:
            return
        until = time.perf_counter() + SLICE_SECONDS
        try:
            while time.perf_counter() < until:
                next(self._steps)
        except StopIteration:
            self._end(self._file.finish())
        except (OSError, msgspec.DecodeError) as error:
            self._end(str(error))
        except Exception:
            self._end(tr("a mistake of GenTorrent itself"))
            raise
        else:
            QTimer.singleShot(0, self._advance)

    def _end(self, problem: str | None) -> None:
        """No more is done; None: nobody is told."""
        if self._ended:
            return
        self._ended = True
        self._steps.close()
        if problem != "":
            self._file.drop()
        if problem is not None:
            self.done.emit(problem)

    # What is done, in small steps.

    def _work(self) -> Generator[None, None, None]:
        if not self._file.begin():
            raise OSError(self._file.problem)
        chat = self._reading.chat()
        document = QTextDocument()
        document.setUseDesignMetrics(True)
        font = QFont(QGuiApplication.font())
        font.setPointSizeF(self._theme.body)
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        document.setDefaultFont(font)
        laid_out = MarkdownDocument(document, self._theme)
        content = QSizeF(
            _dots(PAGE.width() - MARGINS.left() - MARGINS.right()),
            _dots(PAGE.height() - MARGINS.top() - MARGINS.bottom()),
        )
        document.setPageSize(content)
        yield from self._lay_out(laid_out, chat)
        made = QBuffer()
        made.open(QIODevice.OpenModeFlag.WriteOnly)
        yield from self._paint(document, laid_out, content, chat.title, made)
        yield from self._keep(bytes(made.data().data()))

    def _keep(self, pdf: bytes) -> Iterator[None]:
        for begin in range(0, len(pdf), WRITTEN):
            self._file.write(pdf[begin : begin + WRITTEN])
            yield

    def _lay_out(self, laid_out: MarkdownDocument, chat: ExportedChat) -> Iterator[None]:
        laid_out.show(exported_chat.heading(chat), 0)
        for message in chat.branch():
            yield from _add(laid_out, exported_chat.before(message))
            yield from _add_text(laid_out, message)
            yield from _add(laid_out, exported_chat.after(message))

    def _paint(
        self, document: QTextDocument, laid_out: MarkdownDocument, content: QSizeF, title: str, made: QBuffer
    ) -> Iterator[None]:
        writer = QPdfWriter(made)
        writer.setResolution(RESOLUTION)
        writer.setCreator("GenTorrent")
        writer.setTitle(" ".join(visible(title).split()))
        writer.setPageSize(QPageSize(PAGE, QPageSize.Unit.Millimeter))
        writer.setPageMargins(QMarginsF(), QPageLayout.Unit.Millimeter)
        self.pages = document.pageCount()
        yield
        painter = QPainter()
        if not painter.begin(writer):
            raise OSError(tr("a PDF cannot be written there"))
        try:
            codes = [shown for shown in laid_out.shown if isinstance(shown.block, Code)]
            for page in range(self.pages):
                if page and not writer.newPage():
                    raise OSError(tr("a PDF cannot be written there"))
                painter.save()
                painter.scale(RESOLUTION / DOTS, RESOLUTION / DOTS)
                self._paint_page(painter, document, laid_out, codes, content, page)
                painter.restore()
                yield
        finally:
            painter.end()

    def _paint_page(
        self,
        painter: QPainter,
        document: QTextDocument,
        laid_out: MarkdownDocument,
        codes: list[Shown],
        content: QSizeF,
        page: int,
    ) -> None:
        left, top = _dots(MARGINS.left()), _dots(MARGINS.top())
        shown = QRectF(0, page * content.height(), content.width(), content.height())
        painter.save()
        painter.translate(left, top - shown.top())
        painter.setClipRect(shown)
        laid_out.ground.paint(painter, shown)
        self._paint_languages(painter, laid_out, codes, shown)
        document.drawContents(painter, shown)
        painter.restore()
        painter.setFont(self._small())
        painter.setPen(QColor(self._theme.quiet))
        foot = QRectF(left, top + content.height() + _dots(_FOOT) - 12, content.width(), 16)
        painter.drawText(foot, Qt.AlignmentFlag.AlignRight, exported_chat.page_words(page + 1, self.pages))
        painter.drawText(foot, Qt.AlignmentFlag.AlignLeft, "GenTorrent")

    def _paint_languages(
        self, painter: QPainter, laid_out: MarkdownDocument, codes: list[Shown], shown: QRectF
    ) -> None:
        """In the headers of code, where the window has its buttons."""
        painter.setFont(self._small())
        painter.setPen(QColor(self._theme.quiet))
        while codes:
            block = codes[0].block
            rect = laid_out.ground.code_rect(codes[0])
            if rect.top() > shown.bottom():
                return
            if isinstance(block, Code) and rect.top() >= shown.top() - HEADER_HEIGHT:
                head = QRectF(rect.left() + PAD, rect.top(), rect.width() - 2 * PAD, HEADER_HEIGHT)
                painter.drawText(head, Qt.AlignmentFlag.AlignVCenter, visible(block.language)[:100])
            codes.pop(0)

    def _small(self) -> QFont:
        font = QFont(QGuiApplication.font())
        font.setPixelSize(round(self._theme.caption * DOTS / 72))
        return font


class _Reading(threading.Thread):
    """Reads the chat, and loads what colours its code: before the first time that takes longer than a frame."""

    def __init__(self, text: str) -> None:
        super().__init__(name="pdf", daemon=True)
        self._text = text
        self._chat: ExportedChat | msgspec.DecodeError | None = None

    def run(self) -> None:
        try:
            self._chat = chat = exported_chat.read(self._text)
        except msgspec.DecodeError as error:
            self._chat = error
            return
        warm_up()
        for language in exported_chat.languages(chat):
            load_language(language)

    def chat(self) -> ExportedChat:
        """What was read, once the thread has ended; ``msgspec.DecodeError`` if it is no chat."""
        self.join()
        if isinstance(self._chat, msgspec.DecodeError):
            raise self._chat
        assert self._chat is not None
        return self._chat


def _add(laid_out: MarkdownDocument, blocks: list[Block]) -> Iterator[None]:
    for block in blocks:
        laid_out.show([block], len(laid_out.shown))
        yield from _coloured(laid_out)


def _add_text(laid_out: MarkdownDocument, message: Message) -> Iterator[None]:
    if message.role == "user":
        yield from _add(laid_out, exported_chat.question(message))
        return
    base = len(laid_out.shown)
    for blocks, certain in exported_chat.answer(message):
        laid_out.show(blocks, base + certain)
        laid_out.find_places()
        yield
    while laid_out.settle(base):  # no rows have to wait
        laid_out.find_places()
        yield
    yield from _coloured(laid_out)


def _coloured(laid_out: MarkdownDocument) -> Iterator[None]:
    while laid_out.busy:
        laid_out.highlight()
        yield
    laid_out.find_places()
    yield


def _dots(millimetres: float) -> float:
    return millimetres * DOTS / 25.4
