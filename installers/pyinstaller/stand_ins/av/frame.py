"""See ``av``."""

from av._absent import Absent


class Frame(Absent):
    pass
