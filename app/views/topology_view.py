"""The picture of this machine's links, paths and groups, and the same as a list."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QHelpEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QListWidget, QSizePolicy, QToolTip, QWidget

from app.i18n import tr
from app.models.safe_text import visible
from app.models.topology import Mark, Picture, RouteLine
from app.theme import Theme

_MARGIN = 44
_RADIUS = {"here": 13.0, "member": 10.0, "link": 6.0, "relay": 7.0, "others": 14.0}
MOST_LABELS = 30
"""Beyond so many marks only this machine and those of groups carry their names."""
MOST_ROWS = 400
Segment = tuple[float, float, float, float]
"""A straight line: where it begins and ends."""
Label = tuple[Mark, str, QRectF]


class TopologyView(QWidget):
    """Draws a :class:`Picture`. The list beside it is its form for keyboard and screen reader."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._picture = Picture()
        self._marks: dict[str, Mark] = {}
        self._labelled: tuple[object, ...] = ()
        self._labels: list[Label] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(380)
        self.setAccessibleName(tr("Picture of links, paths and groups; the list below says the same in words"))
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(640, 380)

    @property
    def shown(self) -> Picture:
        """What is drawn."""
        return self._picture

    def show_picture(self, picture: Picture) -> None:
        """Draw this from now on."""
        if picture != self._picture:
            self._picture = picture
            self._marks = {mark.key: mark for mark in picture.marks}
            self.update()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            mark = self.mark_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), visible(mark.label) if mark else "", self)
            return True
        return super().event(event)

    def mark_at(self, point: QPointF) -> Mark | None:
        """The mark under a point of the widget."""
        for mark in reversed(self._picture.marks):
            away = self.place(mark) - point
            if away.x() ** 2 + away.y() ** 2 <= (_RADIUS[mark.kind] + 3) ** 2:
                return mark
        return None

    def place(self, mark: Mark) -> QPointF:
        """Where a mark stands in the widget."""
        across, down = self.width() / 2 - _MARGIN - 24, self.height() / 2 - _MARGIN + 16
        return QPointF(self.width() / 2 + mark.x * min(across, down * 2.3), self.height() / 2 + mark.y * down)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        here = self._marks.get("here")
        if here is None:
            return
        for mark in self._picture.marks:
            if mark.linked:
                style = Qt.PenStyle.DashLine if mark.relayed else Qt.PenStyle.SolidLine
                painter.setPen(QPen(QColor(self._theme.strong_line), 1, style))
                painter.drawLine(self.place(here), self.place(mark))
        for at, route in reversed(list(enumerate(self._picture.routes))):
            self._draw_route(painter, route, at)
        for mark in self._picture.marks:
            self._draw_mark(painter, mark)
        self._draw_labels(painter)

    def _draw_route(self, painter: QPainter, route: RouteLine, at: int) -> None:
        colour = QColor(self._route_colours()[at % 4] if route.use != "spare" else self._theme.quiet)
        width = 3.0 if route.use == "open" else 2.0 if route.use == "chat" else 1.0
        style = Qt.PenStyle.DotLine if route.use == "spare" else Qt.PenStyle.SolidLine
        painter.setPen(QPen(colour, width + (1.0 if route.busy else 0.0), style, Qt.PenCapStyle.RoundCap))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        places = [self.place(self._marks[key]) for key in route.marks if key in self._marks]
        line = QPainterPath(places[0])
        for before, after in itertools.pairwise(places):
            line.quadTo(_bent(before, after, at), after)
        painter.drawPath(line)

    def _route_colours(self) -> tuple[str, str, str, str]:
        theme = self._theme
        return theme.accent, theme.good, theme.syntax_number, theme.syntax_keyword

    def _draw_mark(self, painter: QPainter, mark: Mark) -> None:
        theme, radius, place = self._theme, _RADIUS[mark.kind], self.place(mark)
        fill = {"here": theme.accent, "member": theme.good_ground, "others": theme.neutral_ground}
        edge = {"here": theme.accent, "member": theme.good, "relay": theme.accent}
        painter.setPen(QPen(QColor(edge.get(mark.kind, theme.strong_line)), 1.5))
        painter.setBrush(QColor(fill.get(mark.kind, theme.raised)))
        painter.drawEllipse(place, radius, radius)
        if mark.kind == "member" and mark.load:
            painter.setPen(QPen(QColor(theme.good), 3))
            box = QRectF(place.x() - radius, place.y() - radius, 2 * radius, 2 * radius)
            painter.drawArc(box, 90 * 16, -round(360 * 16 * mark.load))

    def _draw_labels(self, painter: QPainter) -> None:
        painter.setFont(self._label_font())
        painter.setPen(QColor(self._theme.quiet))
        for _, text, box in self.labels():
            painter.fillRect(box, QColor(self._theme.raised))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _label_font(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(max(8.0, font.pointSizeF() - 1.5))
        return font

    def labels(self) -> list[Label]:
        """The names as :meth:`_find_labels` finds them, which is looked for once for a picture and a size."""
        key = (self._picture, self.width(), self.height(), self._label_font().key())
        if key != self._labelled:
            self._labelled, self._labels = key, self._find_labels()
        return self._labels

    def _find_labels(self) -> list[Label]:
        """The names that find a place beside their marks, over no line and no other name; this machine and the
        mark of all others have one in any case. The list and the tool tips have all of them."""
        metrics = QFontMetricsF(self._label_font())
        few = len(self._picture.marks) <= MOST_LABELS
        lines = self._lines()
        taken = [_around(self.place(mark), _RADIUS[mark.kind]) for mark in self._picture.marks]
        found: list[Label] = []
        for mark in self._picture.marks:
            if not few and mark.kind not in ("here", "member", "others"):
                continue
            text, place = visible(mark.label), self.place(mark)
            size = QSizeF(metrics.horizontalAdvance(text) + 8, metrics.height())
            boxes = [
                (sum(map(box.intersects, taken)), crossings(box, lines), at, box)
                for at, box in enumerate(self._boxes(mark, place, size))
            ]
            hidden, crossed, _, box = min(boxes, key=lambda one: one[:3], default=(1, 1, 0, QRectF()))
            if not (hidden or crossed) or (mark.kind in ("here", "others") and boxes):
                taken.append(box)
                found.append((mark, text, box))
        return found

    def _lines(self) -> list[Segment]:
        """What is drawn between marks, in straight pieces."""
        here = self.place(self._marks["here"])
        found = [_segment(here, self.place(mark)) for mark in self._picture.marks if mark.linked]
        for at, route in enumerate(self._picture.routes):
            places = [self.place(self._marks[key]) for key in route.marks if key in self._marks]
            for before, after in itertools.pairwise(places):
                middle = (before + after) / 4 + _bent(before, after, at) / 2  # of the curve
                found += [_segment(before, middle), _segment(middle, after)]
        return found

    def _boxes(self, mark: Mark, place: QPointF, size: QSizeF) -> list[QRectF]:
        """Where a name may stand: away from the middle first, then beside its mark."""
        away, width, height = _RADIUS[mark.kind] + 2, size.width(), size.height()
        above = QPointF(place.x() - width / 2, place.y() - away - height)
        below = QPointF(place.x() - width / 2, place.y() + away)
        right = QPointF(place.x() + away + 2, place.y() - height / 2)
        left = QPointF(place.x() - away - 2 - width, place.y() - height / 2)
        upright = [above, below] if mark.y < -0.1 else [below, above]
        aside = [right, left] if mark.x >= 0 else [left, right]
        room = QRectF(2, 0, self.width() - 4, self.height())
        return [box for box in (QRectF(corner, size) for corner in (*upright, *aside)) if room.contains(box)]


def _bent(before: QPointF, after: QPointF, at: int) -> QPointF:
    """The point that draws the line of the route number ``at`` aside, so that several beside each other show."""
    across = after - before
    return (before + after) / 2 + QPointF(-across.y(), across.x()) * (0.06 + 0.02 * (at % 4))


def _segment(begin: QPointF, end: QPointF) -> Segment:
    return begin.x(), begin.y(), end.x(), end.y()


def _around(place: QPointF, radius: float) -> QRectF:
    return QRectF(place.x() - radius, place.y() - radius, 2 * radius, 2 * radius)


def crossings(box: QRectF, lines: list[Segment]) -> int:
    """How many of the lines come through ``box``."""
    sides = box.left(), box.top(), box.right(), box.bottom()
    return sum(_crosses(sides, line) for line in lines)


def _crosses(sides: tuple[float, float, float, float], line: Segment) -> bool:
    """Whether anything is left of ``line`` once it is clipped at the four sides of a box."""
    (left, top, right, bottom), (x1, y1, x2, y2) = sides, line
    if max(x1, x2) < left or min(x1, x2) > right or max(y1, y2) < top or min(y1, y2) > bottom:
        return False
    enters, leaves = 0.0, 1.0
    for start, change, low, high in ((x1, x2 - x1, left, right), (y1, y2 - y1, top, bottom)):
        if change:
            first, last = (low - start) / change, (high - start) / change
            enters, leaves = max(enters, min(first, last)), min(leaves, max(first, last))
    return enters <= leaves


class TopologyList(QListWidget):
    """The picture in words; a row for each path, member and link."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Links, paths and groups"))
        self.setWordWrap(True)
        self.setFrameShape(QListWidget.Shape.NoFrame)
        self.setFixedHeight(190)
        self._rows: list[tuple[str, str]] = []

    def show_rows(self, rows: list[tuple[str, str]]) -> None:
        """Show exactly these; the place of the reader stays."""
        if rows == self._rows:
            return
        self._rows = rows
        shown = [f"{visible(name)}: {visible(words)}" for name, words in rows[:MOST_ROWS]]
        for at, text in enumerate(shown):
            if at == self.count():
                self.addItem(text)
            elif self.item(at).text() != text:
                self.item(at).setText(text)
        while self.count() > len(shown):
            self.takeItem(self.count() - 1)


def legend(theme: Theme) -> QLabel:
    """What the lines mean."""
    words = tr("Thick lines: paths of the open chat. Dotted: paths kept ready. Dashed: links through a TURN server.")
    label = QLabel(words)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setObjectName("quiet")
    label.setContentsMargins(0, theme.tiny, 0, 0)
    return label
