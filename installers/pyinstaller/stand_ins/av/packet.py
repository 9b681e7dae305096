"""See ``av``."""

from av._absent import Absent


class Packet(Absent):
    pass
