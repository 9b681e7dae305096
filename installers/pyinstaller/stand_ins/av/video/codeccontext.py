"""See ``av``."""

from av._absent import Absent


class VideoCodecContext(Absent):
    pass
