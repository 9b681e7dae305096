"""One number of how a model is asked: its name, a field to type it, and a slider where that helps."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.chat_setup import Parameter
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.number_field import NumberField


class ParameterSlider(QSlider):
    """The wheel scrolls the panel: nobody wants to change a parameter by that."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class ParameterRow(QWidget):
    """Emits ``chosen`` with the value that the user gave; showing one from outside is silent."""

    chosen = Signal(float)

    def __init__(self, theme: Theme, parameter: Parameter) -> None:
        super().__init__()
        self.parameter = parameter
        name, about = tr(parameter.name), tr(parameter.about)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        row = QHBoxLayout()
        label = PlainLabel(name)
        row.addWidget(label, 1)
        nothing = tr(parameter.nothing) if parameter.nothing else ""
        self.field = NumberField(parameter.least, parameter.most, parameter.digits, parameter.step, nothing)
        label.setBuddy(self.field)
        row.addWidget(self.field)
        column.addLayout(row)
        self.slider = ParameterSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, round((parameter.usual - self._least) / parameter.step))
        self.slider.setPageStep(max(1, self.slider.maximum() // 10))
        column.addWidget(self.slider)
        for control in (self.field, self.slider):
            control.setAccessibleName(name)
            control.setAccessibleDescription(about)
        self.setToolTip(about)
        self.field.chosen.connect(self._typed)
        self.slider.valueChanged.connect(self._slid)
        self.slider.sliderReleased.connect(lambda: self.chosen.emit(self.field.value))

    @property
    def _least(self) -> float:
        """Where the slider begins: on a whole step."""
        return self.parameter.step * int(self.parameter.least / self.parameter.step)

    def show_value(self, value: float) -> None:
        """Show what is chosen; while the slider is held, it says what is."""
        if self.slider.isSliderDown():
            return
        self.field.show_value(value)
        self.slider.blockSignals(True)
        self.slider.setValue(round((value - self._least) / self.parameter.step))
        self.slider.blockSignals(False)

    def _typed(self, value: float) -> None:
        self.show_value(value)
        self.chosen.emit(value)

    def _slid(self, place: int) -> None:
        self.field.show_value(max(self.parameter.least, self._least + place * self.parameter.step))
        if not self.slider.isSliderDown():
            self.chosen.emit(self.field.value)
