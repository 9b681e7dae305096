"""The chat: its turns one below the other, or something to begin with. Only the turns that show have widgets."""

from __future__ import annotations

import functools
import threading
import time

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame

from app.i18n import tr
from app.markdown.parser import warm_up
from app.models.column import Anchor, Column
from app.models.transcript import ChatTranscript
from app.models.turns import RUNNING, Turn
from app.theme import Theme
from app.views.loop_time import LoopTime
from app.views.newest_button import NewestButton
from app.views.reader_moves import STEP, ReaderMoves, order_focus, scroll_by_key
from app.views.turn_actions import TurnActions, step_version
from app.views.turn_view import TurnView
from app.views.turn_views import TurnViews, estimate
from app.views.welcome import Welcome

FLUSH_MILLISECONDS = 33
"""Text that arrives within this time is shown together."""
_SLICE = 0.005
"""Seconds after which no more is laid out in this turn of the event loop, for all that show together."""
_AT_END = 24
"""Pixels from the end within which the reader counts as being there, and the view follows the answer."""
_BEYOND = 300
"""Pixels above and below what shows in which turns are laid out too."""
_EARLY = 4
"""Where the reader is so near to the first turn, those before it are asked for."""


class TranscriptView(QAbstractScrollArea):
    """Shows a :class:`ChatTranscript`, and follows its end while the reader is there. What the reader looks at stays
    where it is, whatever becomes higher or lower above it."""

    suggestion_chosen = Signal(str)

    def __init__(self, theme: Theme, transcript: ChatTranscript) -> None:
        super().__init__()
        self._theme = theme
        self._transcript = transcript
        self._column = Column(theme.huge)
        self.wishes = TurnActions(theme, transcript, self)
        self._views = TurnViews(self._make_view)
        self._follow = True
        self._anchor = Anchor(0, 0)
        self._chosen: Anchor | None = None  # where the version stands that was chosen
        self._sought: int | None = None  # the turn at which what was found is to be shown
        self._laying_out = False
        self._time = LoopTime(self, _SLICE)
        self._set_up_area()
        self.welcome = Welcome(theme)
        self.welcome.chosen.connect(self.suggestion_chosen)
        self.welcome.setParent(self.viewport())
        self.newest = NewestButton(theme, self.viewport())
        self.newest.clicked.connect(self.go_to_end)
        self._flush = self._timer(FLUSH_MILLISECONDS, self._show_text)
        self._again = self._timer(0, self._go_on)
        self._order = self._timer(120, lambda: order_focus(self.turns))
        # What the first answer needs is loaded beside the event loop.
        self._warm_up = self._timer(400, lambda: threading.Thread(target=warm_up, daemon=True).start())
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self._moves = ReaderMoves(self)
        for keys, by in (("Alt+Left", -1), ("Alt+Right", 1)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(functools.partial(step_version, self._views, by))
        transcript.turn_added.connect(self._add)
        transcript.turn_changed.connect(self._change)
        transcript.answer_restarted.connect(self._change)
        transcript.text_added.connect(self._text_arrived)
        transcript.earlier_added.connect(self._add_earlier)
        transcript.later_added.connect(self._add_later)
        transcript.branch_changed.connect(self._change_branch)
        transcript.place_wanted.connect(self._go_to)
        transcript.cleared.connect(self.show_chat)
        self.show_chat()

    @property
    def turns(self) -> list[TurnView]:
        """The views of the turns that are laid out, in their order."""
        return list(self._views)

    @property
    def busy(self) -> bool:
        """Whether something that shows is still being laid out."""
        return self._again.isActive()

    @property
    def old_look(self) -> bool:
        """Whether some of the text that shows has the colours from before."""
        return self.isVisible() and any(view.old_look for view in self._views)

    @property
    def writing(self) -> bool:
        """Whether text has arrived that is not shown yet."""
        return self._flush.isActive()

    def show_chat(self) -> None:
        """Show the transcript as it is now, from its end."""
        self._flush.stop()
        self._views.drop()
        self._column.fill(estimate(turn) for turn in self._transcript.turns)
        self._follow, self._sought = True, None
        self._lay_out()

    def go_to_end(self) -> None:
        """Show the newest text, and follow it."""
        self._follow = True
        self._transcript.load_end()
        self._lay_out()

    def edit_last(self) -> None:
        """Let the reader write another wording of the last question."""
        view = self._last_view()
        if view is not None and not view.turn.headless:
            view.asked.begin_edit()

    def ask_last_again(self) -> None:
        """Ask the last question again."""
        view = self._last_view()
        if view is not None:
            self.wishes.retry_requested.emit(view.turn)

    def _last_view(self) -> TurnView | None:
        self.go_to_end()
        return self._views.get(len(self._column) - 1)

    def repaint_all(self) -> None:
        """Take the colours that the theme has now."""
        self._views.drop_spare()
        for view in self._views:
            view.repaint_all()
        self.newest.dress()
        self._again.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._warm_up.start()
        self._lay_out()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Nothing: the turns are moved by :meth:`_lay_out`."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_End:
            self.go_to_end()
        elif not scroll_by_key(self.verticalScrollBar(), event.key()):
            super().keyPressEvent(event)
            return
        event.accept()

    def _set_up_area(self) -> None:
        self.setObjectName("transcript")
        self.viewport().setObjectName("page")
        self.setAccessibleName(tr("Chat"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.verticalScrollBar().setSingleStep(STEP)

    def _timer(self, milliseconds: int, action: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(action)
        return timer

    def forget_words(self) -> None:
        """Mark no words any more."""
        self._transcript.wanted_words = ""
        self._lay_out()

    # What the transcript says.

    def _add(self, index: int) -> None:
        self._column.append(estimate(self._transcript.turns[index]))
        self._follow = True
        self._lay_out()

    def _add_earlier(self, count: int) -> None:
        """So many turns are there before the first; what shows stays where it is."""
        heights = [self._column.height(index) for index in range(len(self._column))]
        self._column.fill([*(estimate(turn) for turn in self._transcript.turns[:count]), *heights])
        self._views.move(count)
        self._anchor = self._anchor.moved(count)
        if self._sought is not None:
            self._sought += count
        self._lay_out()

    def _add_later(self, count: int) -> None:
        for turn in self._transcript.turns[len(self._transcript.turns) - count :]:
            self._column.append(estimate(turn))
        self._lay_out()

    def _change_branch(self, begin: int) -> None:
        """From the turn ``begin`` on there are other ones. What the reader looks at stays where it is: above the fork
        nothing moves, and a version that was chosen stands where the one before it stood. A new question is shown."""
        turns = self._transcript.turns
        heights = [self._column.height(index) for index in range(min(begin, len(self._column)))]
        self._views.change(begin, turns)
        self._column.fill([*heights, *(estimate(turn) for turn in turns[begin:])])
        chosen, self._chosen = self._chosen, None
        if chosen is not None and chosen.index == begin:
            self._follow, self._anchor = False, chosen
        elif turns and turns[-1].state in RUNNING:
            self._follow = True
        self._lay_out()

    def _go_to(self, index: int) -> None:
        """Show a turn, and the first word in it that was looked for."""
        self._follow, self._sought = False, index
        self._anchor = Anchor(index, -self._theme.large)
        self._lay_out()

    def _find(self) -> bool:
        """All that shows is laid out: go on to the word that is sought; whether there is more to lay out for that."""
        sought, self._sought = self._sought, None
        view = self._views.get(sought) if sought is not None else None
        place = view.first_mark() if view is not None else None
        if sought is None or place is None or place < self.viewport().height() * 2 // 3:
            return False
        self._anchor = Anchor(sought, place - self.viewport().height() // 3)
        return True

    def _change(self, index: int) -> None:
        view = self._views.get(index)
        if view is not None:
            view.show_turn(self._transcript.turns[index])
            self._lay_out()
        else:
            self._views.forget(index)

    def _text_arrived(self, index: int, text: str) -> None:
        if not self._flush.isActive():
            self._flush.start()

    def _show_text(self) -> None:
        """Show what has arrived, and the next time later if that takes long."""
        began = time.perf_counter()
        self._time.begin()
        view = self._views.get(len(self._column) - 1)
        if view is not None:
            view.flush()
            self._lay_out()
        taken = (time.perf_counter() - began) * 1000
        self._flush.setInterval(max(FLUSH_MILLISECONDS, round(3 * taken)))

    # Where things stand.

    def _go_on(self) -> None:
        """The loop has come round, and there is time again for what had to wait."""
        self._time.renew()
        self._lay_out()

    def _lay_out(self) -> None:
        """Give the turns that show, and some beyond, their views and places. What takes too long goes on later."""
        if not self.isVisible():
            return
        if self._laying_out:
            self._again.start()
            return
        self._laying_out = True
        self._again.stop()
        try:
            if not self._fill() or self._find():
                self._again.start()
            self._place()  # may make the scroll bar appear, and so change the width
        finally:
            self._laying_out = False

    def _fill(self) -> bool:
        """Make views where they are needed, and text in them; False when time ran out before all was done. Whoever had
        none is the first the next time."""
        self._let_go(self._value(), self.viewport().height())
        width = self._width()
        done: dict[int, bool] = {}  # of those that had time
        for _ in range(6):
            needed = [index for index in self._needed() if not done.get(index)]
            changed = False
            for index in needed:
                if not self._time.over:
                    done[index] = self._advance(index, width)
                view = self._views.get(index)
                if view is not None and view.width() == width:  # else it waits for its new width, too
                    changed = self._column.set_height(index, view.fit(width)) or changed
            if not changed:
                break
        left = sorted((index for index in needed if not done.get(index)), key=done.__contains__)
        self._time.put_off(left)
        return not left

    def _advance(self, index: int, width: int) -> bool:
        """Make a view, give it its width and go on with its text until time is up; whether all is done."""
        view = self._view(index)
        fresh = view.width() != width
        view.fit(width)  # before there is text to lay out
        more = (fresh and self._time.over) or view.flush()
        while more and not self._time.over:
            more = view.flush()
        return not more

    def _needed(self) -> list[int]:
        """The turns to lay out, those first that show where the reader looks, and those last that have views still."""
        top, height = self._value(), self.viewport().height()
        around = self._column.within(top - _BEYOND, top + height + _BEYOND)
        shown = self._column.within(top, top + height)
        beside = [index for index in around if index not in shown]
        beyond = [index for index, _ in self._views.items() if index not in around]
        return [*self._time.queue(sorted(shown, reverse=self._follow)), *self._time.queue([*beside, *beyond])]

    def _view(self, index: int) -> TurnView:
        if index not in self._views:
            self._order.start()
        view = self._views.use(index, self._transcript.turns[index])
        view.look_for(self._transcript.wanted_words, self._transcript.wanted)
        return view

    def _make_view(self, turn: Turn) -> TurnView:
        view = TurnView(self._theme, turn, self._transcript.alternatives)
        view.setParent(self.viewport())
        view.move(0, -20_000)
        self.wishes.listen(view)
        view.version_chosen.connect(lambda name: self._choose(view, name))
        view.height_changed.connect(self._lay_out)
        view.answer.caret_moved.connect(self._moves.show_caret)
        view.answer.dragged.connect(self._moves.drag)
        return view

    def _place(self) -> None:
        """Move everything to where it belongs, and let go of what is out of sight."""
        value, height = self._value(), self.viewport().height()
        bar = self.verticalScrollBar()
        bar.setPageStep(max(1, height - STEP))
        bar.setRange(0, max(0, self._column.total - height))
        bar.setValue(value)
        left = self._side()
        self._let_go(value, height)
        for index, view in self._views.items():
            view.move(left, self._column.top(index) - value)
        self.welcome.setVisible(not len(self._column) and not self._transcript.loading)
        self.welcome.setGeometry(self.viewport().rect().adjusted(left, self._theme.large, -left, 0))
        far = bar.maximum() - value > height // 3 or self._transcript.later
        self.newest.offer(not self._follow and far)

    def _let_go(self, value: int, height: int) -> None:
        self._views.let_go(self._column.within(value - 2 * _BEYOND, value + height + 2 * _BEYOND))

    def _value(self) -> int:
        """What the scroll bar shows: the end, or where the reader looks."""
        most = max(0, self._column.total - self.viewport().height())
        if self._follow or not len(self._column):
            return most
        return min(most, max(0, self._anchor.place(self._column)))

    def _scrolled(self, value: int) -> None:
        """The reader has moved the scroll bar."""
        if self._laying_out or not len(self._column):
            return
        at_end = value >= self.verticalScrollBar().maximum() - _AT_END
        self._follow = at_end and not self._transcript.later
        index = self._column.at(value)
        self._anchor = Anchor(index, value - self._column.top(index))
        if index < _EARLY:
            self._transcript.load_earlier()
        if self._column.at(value + self.viewport().height()) >= len(self._column) - _EARLY:
            self._transcript.load_later()
        self._lay_out()

    def _choose(self, view: TurnView, name: str) -> None:
        """Show another version of what ``view`` shows. If the beginning of the turn shows, that stays where it is, else
        its end, where the arrows are."""
        for index, shown in self._views.items():
            if shown is view:
                from_end = view.y() < 0
                edge = view.y() + (self._column.height(index) if from_end else 0)
                self._chosen = Anchor(index, -edge, from_end)
        self._transcript.select(name)

    def _side(self) -> int:
        """Room at the left and the right of the column, which is at most as wide as can be read well."""
        return max(self._theme.large, (self.width() - self._theme.column) // 2)

    def _width(self) -> int:
        return max(120, self.width() - 2 * self._side())

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._again.start()
        return super().viewportEvent(event)
