"""A tray as desktops have one: the watcher that programs register their icons with (StatusNotifierItem on D-Bus).

`python -m tests.support.tray_host` runs on the session bus and prints the bus name of every icon that comes.
"""

import sys

from PySide6.QtCore import ClassInfo, Property, QCoreApplication, QObject, Signal, Slot
from PySide6.QtDBus import QDBusAbstractAdaptor, QDBusConnection


@ClassInfo({"D-Bus Interface": "org.kde.StatusNotifierWatcher"})  # type: ignore[call-arg]
class Watcher(QDBusAbstractAdaptor):  # type: ignore[operator]
    """What a desktop offers; names are the protocol's."""

    StatusNotifierHostRegistered = Signal()

    @Slot(str)
    def RegisterStatusNotifierItem(self, service: str) -> None:
        print(service, flush=True)

    @Slot(str)
    def RegisterStatusNotifierHost(self, service: str) -> None:
        pass

    @Property(bool)
    def IsStatusNotifierHostRegistered(self) -> bool:
        return True

    @Property(int)
    def ProtocolVersion(self) -> int:
        return 0


def main() -> int:
    """Serve until the end; returns the exit code."""
    application = QCoreApplication(sys.argv[:1])
    bus = QDBusConnection.sessionBus()
    tray = QObject()
    tray.watcher = Watcher(tray)  # type: ignore[attr-defined]
    if not bus.registerService("org.kde.StatusNotifierWatcher") or not bus.registerObject(
        "/StatusNotifierWatcher", tray
    ):
        print("there is no session bus, or another tray has it", file=sys.stderr)
        return 1
    print("ready", flush=True)
    return int(application.exec())


if __name__ == "__main__":
    sys.exit(main())
