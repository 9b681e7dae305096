"""A file that is written whole or not at all."""

from __future__ import annotations

from PySide6.QtCore import QIODevice, QSaveFile


class WholeFile:
    """What is at ``path`` stays as it is until :meth:`finish`. A disk that is full for one write alone, which Qt takes
    for a short one and goes on behind, leaves no file with a gap."""

    def __init__(self, path: str) -> None:
        self._file = QSaveFile(path)
        self.problem = ""
        """Why it cannot be written, for people."""

    def begin(self) -> bool:
        """Whether it can be written to from now on."""
        # Not gathered first: why a gathered write failed, Qt does not say.
        begun = self._file.open(QIODevice.OpenModeFlag.WriteOnly | QIODevice.OpenModeFlag.Unbuffered)
        if not begun:
            self.problem = self._file.errorString()
        return begun

    def write(self, data: bytes) -> None:
        """Append; nothing once there is a :attr:`problem`."""
        while data and not self.problem:
            written = self._file.write(data)
            if written <= 0:  # a disk that fills up takes a part, and says at the next one why
                self.problem = self._file.errorString()
            data = data[written:]

    def finish(self) -> str:
        """Put it in its place, if all of it was written. Why that failed, for people."""
        if self.problem:
            self.drop()
        elif not self._file.commit():
            self.problem = self._file.errorString()
        return self.problem

    def drop(self) -> None:
        """Leave what was there before, and nothing beside it."""
        if self._file.isOpen():
            self._file.cancelWriting()
            self._file.commit()
