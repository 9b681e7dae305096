"""Each device of this machine: whether it works for others, what it may take, and what it does now."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.i18n import tr
from app.models.devices import LIMITS, DeviceLine, limited
from app.theme import Theme
from app.views.basics import Switch
from app.views.contribute.rule_field import RuleField
from app.views.contribute.rule_row import RuleRow


class DeviceRows(QWidget):
    """``chosen`` with the id of the device, the field of its rule and the new value."""

    chosen = Signal(str, str, object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.large)
        self.groups: dict[str, DeviceGroup] = {}

    def show_devices(self, devices: tuple[DeviceLine, ...]) -> None:
        """Show exactly these; what is the same as before keeps its widgets."""
        if [one.device for one in devices] != list(self.groups):
            for group in self.groups.values():
                group.hide()
                group.deleteLater()
            self.groups = {}
            for one in devices:
                group = DeviceGroup(self._theme, one)
                group.chosen.connect(self.chosen)
                self._column.addWidget(group)
                self.groups[one.device] = group
        for one in devices:
            self.groups[one.device].show_device(one)


class DeviceGroup(QWidget):
    """One device."""

    chosen = Signal(str, str, object)

    def __init__(self, theme: Theme, device: DeviceLine) -> None:
        super().__init__()
        self._device = device.device
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.medium)
        self.switch = Switch(theme, tr("Use {device} for others", device=device.name))
        self.switch.clicked.connect(lambda on: self.chosen.emit(self._device, "on", on))
        self.head = RuleRow(theme, device.name, " ", self.switch)
        column.addWidget(self.head)
        self.limits: dict[str, RuleField] = {}
        for rule in LIMITS:
            field = RuleField(theme, limited(rule, device))
            field.control.setAccessibleName(tr("{rule}: {device}", rule=tr(rule.name), device=device.name))
            field.chosen.connect(lambda name, value: self.chosen.emit(self._device, name, value))
            inner = QVBoxLayout()
            inner.setContentsMargins(theme.large, 0, 0, 0)
            inner.addWidget(field.row)
            column.addLayout(inner)
            self.limits[rule.field] = field

    def show_device(self, device: DeviceLine) -> None:
        """How it is now."""
        self.switch.setChecked(device.on)
        self.head.show_about(device.words)
        self.head.show_problem(device.problem)
        for name, field in self.limits.items():
            field.row.setVisible(name in device.limits)
            field.show_value(device.limits.get(name))
            field.row.show_missing(device.missing.get(name, ""))
