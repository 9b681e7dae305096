"""What every class of the stand-in is."""

from typing import NoReturn


class Absent:
    def __new__(cls, *_: object, **__: object) -> NoReturn:
        raise NotImplementedError(f"This bundle of GenTorrent has no PyAV, so there is no {cls.__name__}.")

    @classmethod
    def create(cls, *_: object, **__: object) -> NoReturn:
        cls()
        raise AssertionError
