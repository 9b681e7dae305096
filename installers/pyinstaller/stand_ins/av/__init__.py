"""Stands in for PyAV in a bundle, and for nothing else.

aiortc imports PyAV for sound and pictures, which GenTorrent never sends: it opens data channels only. PyAV's wheels
bring FFmpeg with x264 and x265, which are under the GPL. These are the names that aiortc imports at its start; whoever
makes anything of them is told why there is nothing.
"""

from av._absent import Absent


class AudioFrame(Absent):
    pass


class VideoFrame(Absent):
    pass


class AudioResampler(Absent):
    pass


class CodecContext(Absent):
    pass


class FFmpegError(Exception):
    pass
