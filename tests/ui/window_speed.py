"""Measure how the chat feels: does the window stay free while an answer streams, and in a chat of 1,000 messages?

    python -m tests.ui.window_speed            # three minutes, on a machine that does nothing else; writes nothing
    python -m tests.ui.window_speed --write    # and keeps the numbers in docs/benchmarks/window.{md,json}
    python -m tests.ui.window_speed --xvfb     # the same on an X server that this starts (Xvfb)
    python -m tests.ui.window_speed --quick    # half a minute: less of it; what `make test` holds to bounds

Without a display and without --xvfb Qt's platform "offscreen" is used.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

if sys.platform == "linux" and not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import PySide6
from PySide6.QtCore import QElapsedTimer, Qt, QTimer
from PySide6.QtWidgets import QApplication

from app.appearance import dress, wear
from app.collector import Collector
from app.models.transcript import ChatTranscript
from app.models.turns import Turn
from app.theme import LIGHT
from app.views.transcript_view import TranscriptView
from engine.api import schema
from engine.bench.machine import commit
from tests.support.transcripts import CHOICE, filled, long_answer, tokens
from tests.ui.app_memory import whole_app
from tests.ui.chart_speed import live_charts
from tests.ui.page_speed import measure_pages
from tests.ui.window_changes import another_look, another_width
from tests.ui.window_page import SIZE, keep

ROOT = Path(__file__).resolve().parents[2]
TOKENS_PER_SECOND = 100
PROBE_MILLISECONDS = 2
TURNS = 500
"""Questions and answers: 1,000 messages."""
SECONDS, QUICK_SECONDS = 30.0, 4.0
FRAMES, QUICK_FRAMES = 1500, 150
PAGES, QUICK_PAGES = 15, 2
"""Windows whose pages are opened, and changes of the list of chats."""
CHANGES, QUICK_CHANGES = 60, 12
"""Of the look and of the width."""
STARTS, QUICK_STARTS = 7, 1


class Lateness:
    """How late a timer of 2 ms fires: what a key press or a click would have waited for; and the processor time that
    went by meanwhile, which does not depend on what else the machine does."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.worked: list[float] = []
        self._work = time.thread_time()
        self._clock = QElapsedTimer()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PROBE_MILLISECONDS)
        self._timer.timeout.connect(self._fired)
        self._start()

    def stop(self) -> dict[str, dict[str, float]]:
        """End; what has been found, in milliseconds."""
        self._timer.stop()
        return {"lateness": quantiles(self.late), "processor": quantiles(self.worked)}

    def _start(self) -> None:
        self._clock.start()
        self._work = time.thread_time()
        self._timer.start()

    def _fired(self) -> None:
        self.late.append(max(0.0, self._clock.nsecsElapsed() / 1e6 - PROBE_MILLISECONDS))
        self.worked.append((time.thread_time() - self._work) * 1000)
        self._start()


def run_for(application: QApplication, done: Callable[[], bool], seconds: float = 120.0) -> None:
    """Let the event loop run until ``done()``."""
    watch = QTimer()
    watch.setInterval(20)
    watch.timeout.connect(lambda: done() and application.exit())
    watch.start()
    end = QTimer()
    end.setSingleShot(True)
    end.timeout.connect(application.exit)
    end.start(int(seconds * 1000))
    application.exec()
    watch.stop()
    end.stop()


def wait(application: QApplication, seconds: float) -> None:
    """Let the event loop run for some time."""
    until = time.monotonic() + seconds
    run_for(application, lambda: time.monotonic() > until, seconds + 1)


def quantiles(values: list[float]) -> dict[str, float]:
    """Median, 99th percentile and most, rounded."""
    ordered = sorted(values)
    at = min(len(ordered) - 1, int(len(ordered) * 0.99))
    return {
        "median_ms": round(statistics.median(ordered), 2),
        "p99_ms": round(ordered[at], 2),
        "most_ms": round(ordered[-1], 2),
        "count": len(ordered),
    }


def new_view(transcript: ChatTranscript) -> TranscriptView:
    """A view of the usual size, shown."""
    view = TranscriptView(LIGHT, transcript)
    wear(view, LIGHT)
    view.resize(*SIZE)
    view.show()
    return view


def asked(transcript: ChatTranscript) -> str:
    """A question on its way, also in a chat that is longer than an engine would take; returns its id."""
    turn = Turn(
        "Tell me everything.", CHOICE, question_id="asking", answer_id="asked", kept=True, begun=True, sent=True
    )
    transcript.turns.append(turn)
    transcript.turn_added.emit(len(transcript.turns) - 1)
    return turn.answer_id


def streaming(application: QApplication, turns: int, seconds: float, *, hurried: bool = True) -> dict[str, object]:
    """Lateness while a long answer with code and tables arrives at 100 tokens/s at the end of a chat. Not
    ``hurried``: what is late because the machine does other things comes later, not at once."""
    transcript = ChatTranscript(lambda request: True)
    filled(transcript, turns)
    view = new_view(transcript)
    wait(application, 1.0)
    request = asked(transcript)
    pieces = tokens(long_answer())[: int(seconds * TOKENS_PER_SECOND)]
    sent = 0
    began = time.monotonic()

    def arrive() -> None:
        nonlocal sent
        due = int((time.monotonic() - began) * TOKENS_PER_SECOND) if hurried else sent + 1
        due = min(len(pieces), due)
        for piece in pieces[sent:due]:
            at = transcript.turns[-1].length
            transcript.receive(schema.AnswerDelta(chat=transcript.chat, message=request, text=piece, tokens=1, at=at))
        sent = due

    feed = QTimer()
    feed.setTimerType(Qt.TimerType.PreciseTimer)
    feed.setInterval(1000 // TOKENS_PER_SECOND)
    feed.timeout.connect(arrive)
    feed.start()
    cpu = time.process_time()
    probe = Lateness()
    run_for(application, lambda: sent == len(pieces), seconds + 10 if hurried else 20 * seconds)
    found = probe.stop()
    feed.stop()
    view.turns[-1].finish()
    if len(view.turns[-1].answer.toPlainText()) < 0.4 * sum(map(len, pieces)):
        raise RuntimeError("the view does not show what has been sent")
    view.close()
    view.deleteLater()
    return {
        **found,
        "tokens": len(pieces),
        "characters": sum(map(len, pieces)),
        "cpu_s": round(time.process_time() - cpu, 2),
    }


class Frames:
    """How long what was done held the loop until it was painted, and how much of the processor's time."""

    def __init__(self, application: QApplication) -> None:
        self._application = application
        self._took: list[float] = []
        self._worked: list[float] = []
        self._whole: list[float] = []

    def do(self, action: Callable[[], object], busy: Callable[[], bool] = lambda: False) -> None:
        """Do it, and paint; what goes on while ``busy`` is done piece by piece, each of which holds the loop for
        itself."""
        took, worked = [], []
        work: Callable[[], object] = action
        going = True
        while going:
            going = busy() or work is action
            began, before = time.perf_counter(), time.thread_time()
            work()
            self._application.processEvents()
            worked.append((time.thread_time() - before) * 1000)
            took.append((time.perf_counter() - began) * 1000)
            work = _nothing
        self._took.append(max(took))
        self._worked.append(max(worked))
        self._whole.append(sum(took))

    def found(self) -> dict[str, float]:
        """In milliseconds: the longest piece of each."""
        return quantiles(self._took) | {
            "processor_p99_ms": quantiles(self._worked)["p99_ms"],
            "processor_most_ms": quantiles(self._worked)["most_ms"],
        }

    def whole(self) -> dict[str, float]:
        """In milliseconds, until all was there."""
        return quantiles(self._whole)


def _nothing() -> None:
    pass


def page_turns(application: QApplication, times: int) -> dict[str, object]:
    """What opening pages and what is done on them takes, by name."""
    frames: dict[str, Frames] = {}
    measure_pages(application, lambda name, *work: frames.setdefault(name, Frames(application)).do(*work), times)
    return {name: one.found() for name, one in frames.items()}


def late_for(application: QApplication, seconds: float) -> dict[str, object]:
    """Lateness while the loop does what it has to for some time."""
    probe = Lateness()
    wait(application, seconds)
    return dict(probe.stop())


def starting(count: int) -> dict[str, float]:
    """Seconds from the start of the program until its window is drawn and takes input, and of the processor's time,
    each time with a data directory of its own."""
    took, worked = [], []
    environment = {**os.environ, "GENTORRENT_MEASURE_START": "1", "GENTORRENT_KEYRING": "off"}
    for _ in range(count):
        with tempfile.TemporaryDirectory() as data:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            began = time.perf_counter()
            command = [sys.executable, "-m", "app", "--data", data]
            with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as window:
                assert window.stdout is not None
                if window.stdout.readline() != "usable\n":
                    raise RuntimeError("the window did not become usable")
                took.append(time.perf_counter() - began)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            worked.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {
        "median_s": round(statistics.median(took), 2),
        "most_s": round(max(took), 2),
        "processor_s": round(statistics.median(worked), 2),
        "count": count,
    }


def scrolling(application: QApplication, frames: int) -> dict[str, object]:
    """A chat of 1,000 messages: opening it, scrolling through it, jumping about in it, and what it takes."""
    process = psutil.Process()
    transcript = ChatTranscript(lambda request: True)
    filled(transcript, TURNS)
    wait(application, 0.2)
    gc.collect()
    before = process.memory_info().rss
    began = time.perf_counter()
    view = new_view(transcript)
    application.processEvents()
    first = time.perf_counter() - began
    probe = Lateness()
    wait(application, 0.5)
    opening = probe.stop()
    bar = view.verticalScrollBar()
    wheel, jumps = Frames(application), Frames(application)
    for _ in range(frames):
        wheel.do(lambda: bar.setValue(bar.value() - 120))
    source = random.Random(1)
    for _ in range(frames // 15):
        jumps.do(lambda: bar.setValue(source.randrange(bar.maximum())))
    settled = [settle(application, view, source.randrange(bar.maximum())) for _ in range(30)]
    gc.collect()
    after = process.memory_info().rss
    widgets = len(view.viewport().children())
    view.close()
    view.deleteLater()
    return {
        "characters": sum(turn.length for turn in transcript.turns),
        "open_first_frame_ms": round(first * 1000, 1),
        "opening": opening,
        "wheel_frame": wheel.found(),
        "jump_frame": jumps.found(),
        "jump_until_settled": quantiles(settled),
        "memory_mib": round((after - before) / 2**20, 1),
        "turns_with_widgets": widgets,
    }


def settle(application: QApplication, view: TranscriptView, value: int) -> float:
    """Milliseconds until all that shows after a jump is there."""
    began = time.perf_counter()
    view.verticalScrollBar().setValue(value)
    while view.busy:
        application.processEvents()
    return (time.perf_counter() - began) * 1000


def measured(quick: bool) -> Iterator[tuple[str, object]]:
    """All measurements by name."""
    seconds = QUICK_SECONDS if quick else SECONDS
    yield "start", starting(QUICK_STARTS if quick else STARTS)
    yield "memory of the whole program", whole_app()
    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    dress(application)
    # The first answer loads the parser and the lexers; people see that once.
    streaming(application, 0, 3.0)
    collector = Collector(application)
    if not quick:
        yield "streaming in an empty chat", streaming(application, 0, seconds)
    yield "streaming in a chat of 1,000 messages", streaming(application, TURNS, seconds, hurried=not quick)
    yield "a chat of 1,000 messages", scrolling(application, QUICK_FRAMES if quick else FRAMES)
    yield "live charts", live_charts(application, lambda length: late_for(application, length), seconds)
    for name, change in (("another look", another_look), ("another width", another_width)):
        frames = Frames(application)
        change(application, frames.do, QUICK_CHANGES if quick else CHANGES)
        yield name, {"frame": frames.found(), "whole": frames.whole()}
    yield "pages", page_turns(application, QUICK_PAGES if quick else PAGES)
    collector.close()


def on_xvfb(arguments: list[str]) -> int:
    """The same command on an X server of its own; the exit code."""
    server = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    with subprocess.Popen(server, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as screen:
        try:
            assert screen.stdout is not None
            display = f":{screen.stdout.readline().strip()}"
            environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
            environment.pop("WAYLAND_DISPLAY", None)
            command = [sys.executable, "-m", "tests.ui.window_speed", *arguments]
            return subprocess.run(command, env=environment, check=False).returncode
        finally:
            screen.terminate()


def main() -> int:
    """Measure and print; with ``--write`` keep the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep the numbers in docs/benchmarks/window.{md,json}")
    parser.add_argument("--xvfb", action="store_true", help="on an X server that is started for it")
    parser.add_argument("--quick", action="store_true", help="with fewer tokens and frames")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    given = parser.parse_args()
    if given.write and given.quick:
        parser.error("--quick is too little to be kept: leave out one of --write and --quick")
    if given.xvfb:
        return on_xvfb([argument for argument in sys.argv[1:] if argument != "--xvfb"])
    found: dict[str, Any] = {
        "commit": commit(ROOT),
        "date": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "pyside": PySide6.__version__,
        "processors": os.cpu_count(),
    }
    for name, numbers in measured(given.quick):
        found[name] = numbers
        if not given.json:
            print(name, json.dumps(numbers, indent=2))
    found["platform"] = QApplication.platformName()
    if given.json:
        print(json.dumps(found))
    if given.write:
        keep(found, ROOT / "docs" / "benchmarks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
