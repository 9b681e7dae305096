"""An answer to read: Markdown in one selectable text, with a header over each block of code."""

from __future__ import annotations

import functools
import itertools
import math
import operator
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRect, QRectF, QSizeF, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QAction,
    QContextMenuEvent,
    QFont,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QFrame, QMenu, QSizePolicy, QTextBrowser

from app.i18n import tr
from app.markdown.blocks import Code
from app.markdown.links import may_open
from app.markdown.reader import MarkdownReader
from app.models.safe_text import visible
from app.theme import Theme
from app.views.basics import copy_text
from app.views.code_header import CodeHeader
from app.views.last_look import LastLook
from app.views.markdown_document import MarkdownDocument
from app.views.markdown_formats import HEADER_HEIGHT
from app.views.markdown_recolour import Recolouring
from app.views.text_width import AT_ONCE, NewWidth

_BORDER = 2
MAX_HEADERS = 200
"""Blocks of code of one text that have a header; more can be copied by the menu of the mouse."""
_NEW_HEADERS = 4
"""That are made at a time."""
_LANGUAGE_MILLISECONDS = 25
"""Between two looks whether a language has been loaded in which code is to be coloured."""


class MarkdownView(QTextBrowser):
    """Shows Markdown that is given piece by piece: :meth:`add`, then :meth:`advance` until it returns False."""

    link_chosen = Signal(str, str)
    """The address, and the words of the link."""
    caret_moved = Signal(QRect)
    """Where the caret is now, in this widget."""
    dragged = Signal(QPoint)
    """Where the mouse is while it selects, on the screen."""
    behind = Signal()
    """There is something to do for :meth:`advance` that nobody has asked for."""

    def __init__(self, theme: Theme, accessible_name: str, *, quiet: bool = False) -> None:
        super().__init__()
        self._theme = theme
        self._reader = MarkdownReader()
        self._certain = 0
        self._unread = False
        self._unsettled = False
        self._held = False  # the last step was told that more will come
        self._headers: list[CodeHeader] = []
        self._source: list[str] = []
        self._recolouring: Recolouring | None = None
        self._widening: NewWidth | None = None
        self._last: LastLook | None = None  # what showed before the width changed
        self.setObjectName("document")
        self.setAccessibleName(accessible_name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._set_font()
        self._look_again = QTimer(self)
        self._look_again.setSingleShot(True)
        self._look_again.setInterval(_LANGUAGE_MILLISECONDS)
        self._look_again.timeout.connect(self.behind)
        self._text = MarkdownDocument(self.document(), theme, quiet=quiet)
        self.anchorClicked.connect(self._choose)
        self.cursorPositionChanged.connect(lambda: self.caret_moved.emit(self.cursorRect()))
        self.highlighted.connect(self._point)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit(self.document().size())

    @property
    def markdown(self) -> str:
        """All that has been added, as it came."""
        if len(self._source) > 1:
            self._source = ["".join(self._source)]
        return self._source[0] if self._source else ""

    def add(self, text: str) -> None:
        """Take more of the text; :meth:`advance` shows it."""
        self._source.append(text)
        self._reader.add(text)
        self._unread = self._unsettled = True

    def advance(self, *, writing: bool = False) -> bool:
        """Show some more of what has been added (as much as is parsed at a time); False when all of it is shown."""
        if self._widening is not None:
            self._widen(self._widening)
            return True
        if self._recolouring is not None:
            if not self._recolouring.step():
                self._recolouring = None
                self._fit(self.document().size())
            return True
        behind = self._place_headers(len(self._text.shown))
        if behind:
            return True
        if not writing and self._text.busy:  # before what follows the code is laid out below it
            self._text.highlight()
            return True
        if self._unread or self._held != writing:
            self._unread = self._reader.step(writing=writing)
            self._held = writing
            begin = min(self._certain, len(self._text.shown))
            blocks = [self._reader.block(index) for index in range(begin, len(self._reader))]
            self._text.show(blocks, begin)
            self._certain = self._reader.certain
            if writing:
                self._text.highlight()
            behind = self._place_headers(begin)
        elif writing:
            self._text.highlight()
        elif self._unsettled:
            self._unsettled = self._text.settle()
            behind = self._place_headers()
        if self._text.waiting:
            self._look_again.start()
        return behind or self._unread or self._text.busy or (self._unsettled and not writing)

    def restart(self) -> None:
        """Show nothing, ready for another text."""
        self._reader = MarkdownReader()
        self._source.clear()
        self._certain = 0
        self._unread = self._held = False
        self._recolouring = None
        self._text.clear()
        self._last = None
        if self._widening is not None:
            self._widen(self._widening)
        self._place_headers()

    def repaint_all(self) -> None:
        """Take the colours that the theme has now, by :meth:`advance`, first those of what shows."""
        self._recolouring = self._text.recolouring(self._showing())
        for header in self._headers:
            header.dress()

    @property
    def old_look(self) -> bool:
        """Whether some of what shows has the colours from before."""
        return self._recolouring is not None and self._recolouring.showing and self.isVisible()

    def _showing(self) -> tuple[int, int] | None:
        """From which place of the text to which it shows."""
        seen = self.viewport().visibleRegion().boundingRect()
        if not seen.isValid() or self._widening is not None:
            return None
        layout = self.document().documentLayout()
        first, last = (
            layout.hitTest(QPointF(corner), Qt.HitTestAccuracy.FuzzyHit)
            for corner in (seen.topLeft(), seen.bottomRight())
        )
        return max(0, first), max(0, last)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Nothing is ever loaded, neither from the network nor from files."""
        return None

    def changeEvent(self, event: QEvent) -> None:
        """A style sheet takes the font away and gives it back, and Qt would lay all of the text out for both."""
        if event.type() is QEvent.Type.ApplicationFontChange:
            self._set_font()
        elif event.type() is not QEvent.Type.FontChange:
            super().changeEvent(event)

    def _set_font(self) -> None:
        font = QFont(QApplication.font())
        font.setPointSizeF(self._theme.body)
        self.document().setDefaultFont(font)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            event.ignore()  # the transcript scrolls
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.dragged.emit(event.globalPosition().toPoint())

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the transcript scrolls, not the text in it

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A short text takes another width at once, a long one by :meth:`advance`, and shows as it was until then."""
        if self._widening is not None:
            return
        if event.oldSize().width() == event.size().width() or self.document().characterCount() < AT_ONCE:
            super().resizeEvent(event)
            if self._place_headers():
                self.behind.emit()
            return
        self._last = LastLook(self.viewport())
        self._widening = NewWidth(self.document(), event.size().width())
        self.behind.emit()

    def _widen(self, widening: NewWidth) -> None:
        if self._last is not None and self._last.step():  # the text is still as it was
            return
        if widening.step():
            return
        self._widening = None
        if widening.width != self.viewport().width():  # it has changed once more
            self._widening = NewWidth(self.document(), self.viewport().width())
            return
        self._last = None
        self._fit(self.document().size())
        self._place_headers()
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        if self._widening is not None and self._last is not None and not self._last.taking:
            self._last.paint(painter)
            painter.end()
            return
        self._text.ground.paint(painter, QRectF(event.rect()))
        painter.end()
        super().paintEvent(event)

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()  # text alone: markup made of a stranger's words goes nowhere
        data.setText(self._text.plain(self.textCursor()))
        return data

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.context_menu(event.pos())
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def context_menu(self, at: QPoint) -> QMenu:
        """What can be done with the text at ``at``."""
        menu = QMenu(self)
        self._offer(menu, tr("Copy the selection"), self.copy, self.textCursor().hasSelection())
        self._offer(menu, tr("Copy the whole text as Markdown"), self._copy_source, bool(self._source))
        code = self._code_at(at)
        if code is not None:
            self._offer(menu, tr("Copy this code"), functools.partial(copy_text, code.text), True)
        address = self.anchorAt(at)
        if address:
            menu.addSeparator()
            place = self.document().documentLayout().hitTest(at.toPointF(), Qt.HitTestAccuracy.ExactHit)
            self._offer(menu, tr("Open the link …"), functools.partial(self._choose_at, place, QUrl(address)), True)
            self._offer(menu, tr("Copy the address of the link"), functools.partial(copy_text, address), True)
        menu.addSeparator()
        self._offer(menu, tr("Select all"), self.selectAll, bool(self._source))
        return menu

    def _offer(self, menu: QMenu, text: str, action: Any, enabled: bool) -> None:
        entry = QAction(text, menu)
        entry.setEnabled(enabled)
        entry.triggered.connect(lambda _=False: action())
        menu.addAction(entry)

    def _copy_source(self) -> None:
        copy_text(visible(self.markdown))

    def _code_at(self, at: QPoint) -> Code | None:
        for shown in self._text.shown:
            if isinstance(shown.block, Code) and self._text.ground.code_rect(shown).contains(at):
                return shown.block
        return None

    def _choose(self, url: QUrl) -> None:
        """A link was chosen by mouse or key; Qt selects it before it says so."""
        self._choose_at(self.textCursor().selectionStart(), url)

    def _choose_at(self, place: int, url: QUrl) -> None:
        address = _encoded(url)
        if may_open(address):
            self.link_chosen.emit(address, self._words_at(place, address))

    def _point(self, url: QUrl) -> None:
        """The address under the mouse, as text."""
        self.setToolTip(_encoded(url).replace("<", "%3C"))

    def _words_at(self, place: int, address: str) -> str:
        """What the link to ``address`` says that stands at a ``place`` of the document, in all its looks. Others may
        lead there, too, and say something else."""
        parts: list[tuple[str, bool]] = []
        at = 0  # the part at that place
        part = self.document().findBlock(place).begin()
        while not part.atEnd():
            fragment = part.fragment()
            if fragment.position() <= place:
                at = len(parts)
            parts.append((fragment.text(), _encoded(QUrl(fragment.charFormat().anchorHref())) == address))
            part += 1
        before = itertools.takewhile(operator.itemgetter(1), reversed(parts[:at]))
        behind = itertools.takewhile(operator.itemgetter(1), parts[at:])
        return "".join(text for text, _ in [*reversed([*before]), *behind])

    def _fit(self, size: QSizeF) -> None:
        if self._recolouring is not None or self._widening is not None:  # the size is known once they are done
            return
        height = math.ceil(size.height()) + 2 * _BORDER
        if height != self.height() or self.minimumHeight() != height:
            self.setFixedHeight(height)

    def _place_headers(self, begin: int = 0) -> bool:
        """One header over each block of code, where it stands now; those before the block ``begin`` stand right.
        Whether some are still to be made."""
        codes = [shown for shown in self._text.shown if isinstance(shown.block, Code)][:MAX_HEADERS]
        right = sum(isinstance(shown.block, Code) for shown in self._text.shown[:begin])
        while len(self._headers) > len(codes):
            header = self._headers.pop()
            header.hide()
            header.deleteLater()
        right = min(right, len(self._headers))
        wanted = min(len(codes), len(self._headers) + _NEW_HEADERS)
        while len(self._headers) < wanted:
            header = CodeHeader(self._theme, self.viewport())
            self._headers.append(header)
        for header, shown in list(zip(self._headers, codes, strict=False))[right:]:
            header.show_code(shown)
            rect = self._text.ground.code_rect(shown)
            header.setGeometry(QRect(int(rect.left()), int(rect.top()), int(rect.width()), HEADER_HEIGHT))
            header.show()
        return len(self._headers) < len(codes)


def _encoded(url: QUrl) -> str:
    return url.toString(QUrl.ComponentFormattingOption.FullyEncoded)
