"""Measure what the pages take of the window's event loop, a list of 2,000 chats, another language, and what is opened
on a page: the details of a model, a licence, a log, the check of the connection, diagnostics."""

from __future__ import annotations

import contextlib
import gc
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from app import i18n
from app.desktop import Desktop
from app.options import Options
from app.preferences import PreferenceStore
from app.views.navigation import PAGES, PageName
from app.views.pages.contribute_page import ContributePage
from app.views.pages.models_page import ModelsPage
from app.views.pages.network_page import NetworkPage
from app.views.shelf.licence_dialog import LicenceDialog
from app.views.topology_view import MOST_ROWS
from engine.api import schema
from engine.clock import SystemClock
from engine.sentences import say
from tests.support.transcripts import filled
from tools import contribute_views, models_views, network_views
from tools.played_window import NoAutostart, PlayedLink, play, state, topology

SIZE = (1100, 800)
CHATS = 2_000
LINKS = 1_000
CATALOGUE, PUBLISHED, ON_THE_NETWORK = 25, 20, 20
"""Models beside those of the pictures."""
LICENCE = (models_views.LICENCE * 100)[:65_000]
REPORT = '{"log": ["nothing of note"]}\n' * 10_000
HITS = 50
CHARTED = 8
"""Seconds of live charts."""
AFTER_SECONDS = 0.1
"""So long is looked at what follows of itself once all is there."""
LONGEST_SECONDS = 120.0
Page = TypeVar("Page", bound=QWidget)
Do = Callable[[str, Callable[[], object], Callable[[], bool]], None]
"""Under a name, does it, and lets the loop run while the second says so."""


def measure_pages(application: QApplication, do: Do, times: int) -> None:
    """All of it, so many times."""
    for _ in range(times):
        with _desk(application) as desktop:
            _open_pages(desktop, do)
            _look_at_models(desktop, do)
            _look_at_network(desktop, do)
            _look_at_contributing(desktop, do)
    with _desk(application) as desktop:
        _use_list(desktop, do, times)
        _speak(desktop, do, times)
    i18n.use(i18n.SOURCE_LANGUAGE)


def _open_pages(desktop: Desktop, do: Do) -> None:
    for name in PAGES:
        if name != "chat":
            do(f"{name}, the first time", _opening(desktop, name), _until(lambda name=name: _is_whole(desktop, name)))  # type: ignore[misc]
    for name in PAGES:
        do(f"{name}, again", _opening(desktop, name), _until(lambda name=name: _is_whole(desktop, name)))  # type: ignore[misc]


def _look_at_models(desktop: Desktop, do: Do) -> None:
    page = _page(desktop, "models", ModelsPage)
    row = page.cards["here"].rows[models_views.HERE[1].model]
    do("details of a model", row.more.click, _until(lambda: row.panel is not None and not row.panel.waits.isVisible()))
    known: list[LicenceDialog] = []

    def shown() -> bool:
        known[:] = page.findChildren(LicenceDialog)
        return any(dialog.accept_button.isEnabled() for dialog in known)

    do("a long licence", lambda: page.acts.press("fetch", models_views.FREE[0].model), _until(shown))
    for dialog in known:
        dialog.reject()


def _look_at_network(desktop: Desktop, do: Do) -> None:
    page = _page(desktop, "network", NetworkPage)
    do("the check of the connection", page.doctor.check.click, _until(page.doctor.report.isVisible))


def _look_at_contributing(desktop: Desktop, do: Do) -> None:
    page = _page(desktop, "contribute", ContributePage)
    _work_on(desktop, do)
    do("a full log", page.section("log").head.click, _until(lambda: True))
    do("all of a full log", page.event_list.more.click, _until(lambda: not page.event_list.growing))
    do("diagnostics", page.diagnose.click, _until(lambda: page.findChildren(QFileDialog)))
    for dialog in page.findChildren(QFileDialog):
        dialog.reject()


def _work_on(desktop: Desktop, do: Do) -> None:
    """Seconds of a machine that answers others: new points of all charts, other totals, and a line of the log."""
    now, said = SystemClock().wall(), contribute_views.contribution()
    cards = tuple(one for one in said.devices if one.kind == "gpu")
    for at, sample in enumerate(contribute_views.samples(now, cards)[-CHARTED:], 1):
        totals = msgspec.structs.replace(
            said.totals, tokens=said.totals.tokens + 90 * at, answers=said.totals.answers + at
        )
        news: tuple[schema.Event, ...] = (
            msgspec.structs.replace(sample, at=now + at),
            msgspec.structs.replace(said, totals=totals),
            schema.OwnerEvent(at=now + at, text=say("governor.event_resumed")),
        )
        do("a second of live charts, totals and log", lambda news=news: play(desktop, *news), _until(lambda: True))  # type: ignore[misc]


def _use_list(desktop: Desktop, do: Do, times: int) -> None:
    sidebar, told = desktop.window.chat_page.chats, desktop.link.event_received
    entries = desktop.chats.chats
    found = tuple(
        schema.ChatHit(chat=entry, message="m", snippet="… and the relay asks for its key …")
        for entry in entries[:HITS]
    )
    bar = sidebar.list.verticalScrollBar()
    for at in range(20 * times):
        do("the wheel in 2,000 chats", lambda: bar.setValue(bar.value() + 120), _never)
        do("a jump in 2,000 chats", lambda at=at: bar.setValue(at * 7919 % max(1, bar.maximum())), _never)  # type: ignore[misc]
    for at in range(times):
        for words in ("k", "ke", "key"):
            do("search in 2,000 chats", lambda words=words: sidebar.search.setText(words), _until(lambda: True))  # type: ignore[misc]
        hits = schema.ChatsFound(ref=desktop.chats.search_ref, hits=found)
        do("search in 2,000 chats", lambda hits=hits: told.emit(hits), _until(lambda: sidebar.list.count() == HITS))  # type: ignore[misc]
        do("2,000 chats after a search", sidebar.search.clear, _until(lambda: _all_listed(desktop)))
        newest = msgspec.structs.replace(entries[at], title=f"Another name, {at}", activity=CHATS + at)
        changed = schema.ChatChanged(chat=newest)
        do("one of 2,000 chats changes", lambda changed=changed: told.emit(changed), _until(lambda: True))  # type: ignore[misc]


def _speak(desktop: Desktop, do: Do, times: int) -> None:
    """Another language, with the chat open and the other pages made."""
    for at in range(times):
        language, old = ("de", "en")[at % 2], desktop.window
        change = lambda language=language: desktop.preferences.change(language=language)  # noqa: E731
        do("another language", change, _until(lambda old=old: desktop.window is not old and _all_listed(desktop)))  # type: ignore[misc]


class AnsweringLink(PlayedLink):
    """An engine that answers what the pages ask, one turn of the loop later."""

    def send(self, request: schema.Request) -> bool:
        answers: tuple[schema.Event, ...] = ()
        match request:
            case schema.GetCatalogue():
                answers = (schema.Catalogue(ref=request.ref, models=MODELS, room=models_views.room(MODELS)),)
            case schema.ListPublishers():
                answers = (schema.Publishers(ref=request.ref, publishers=models_views.PUBLISHERS),)
            case schema.GetModelDetails():
                answers = (msgspec.structs.replace(models_views.DETAILS, ref=request.ref),)
            case schema.GetLicence():
                answers = (schema.LicenceText(ref=request.ref, name="LICENSE", text=LICENCE),)
            case schema.WatchTopology(on=True):
                answers = (topology(LINKS),)
            case schema.ExamineConnection():
                examined = msgspec.structs.replace(network_views.examined(), ref=request.ref)
                answers = (schema.DoctorProgress(ref=request.ref, step="links"), examined)
            case schema.GetDiagnostics():
                answers = (schema.Diagnostics(ref=request.ref, text=REPORT),)
        for answer in answers:
            QTimer.singleShot(0, self, lambda answer=answer: self.event_received.emit(answer))
        return True


@contextlib.contextmanager
def _desk(application: QApplication) -> Iterator[Desktop]:
    """A window whose engine has much to say."""
    with tempfile.TemporaryDirectory() as folder:
        options = Options(Path(folder), (), own_directory=True)
        store = PreferenceStore(options.data_directory)
        store.change(welcomed=True, look="light", language="en")
        desktop = Desktop(options, AnsweringLink(options), store, NoAutostart())
        desktop.window.resize(*SIZE)
        desktop.window.show()
        play(desktop, _state(), *_contributing(), network_views.NONE, _chats())
        filled(desktop.chat, 50)
        busy = _until(lambda: _all_listed(desktop) and not desktop.window.transcript.busy)
        while busy():
            application.processEvents()
        yield desktop
        desktop.window.hide()
        desktop.window.deleteLater()
        application.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()


def _state() -> schema.State:
    said = state()
    others = tuple(
        schema.ModelState(id=f"Somebody-{at}-Instruct", where="network", nodes=1 + at, context_length=8192)
        for at in range(ON_THE_NETWORK)
    )
    network = msgspec.structs.replace(said.network, nodes=8 * LINKS, relays=6 * LINKS, links=LINKS)
    return msgspec.structs.replace(said, models=(*said.models, *others), network=network)


def _models() -> tuple[schema.CatalogueModel, ...]:
    other = msgspec.structs.replace
    free, poems = models_views.FREE[0], models_views.FREE[-1]
    return (
        *models_views.HERE,
        *models_views.MOVING,
        *models_views.FREE,
        *(other(free, model=f"Open-{at}", title=f"Open {at}") for at in range(CATALOGUE)),
        *(
            other(poems, model=f"{models_views.LAB}/poems-{at}", title=f"poems-{at}", new_licence=None)
            for at in range(PUBLISHED)
        ),
    )


MODELS = _models()


def _contributing() -> list[schema.Event]:
    now = SystemClock().wall()
    said = contribute_views.contribution()
    cards = tuple(one for one in said.devices if one.kind == "gpu")
    texts = [text for _, text in contribute_views.LOG] + [say("governor.event_resumed")]
    log = tuple(
        schema.OwnerEvent(at=now - 60 * (schema.MOST_EVENTS - at), text=texts[at % len(texts)])
        for at in range(schema.MOST_EVENTS)
    )
    return [said, schema.OwnerEvents(ref="contribution", events=log), *contribute_views.samples(now, cards)]


def _chats() -> schema.ChatList:
    now = SystemClock().wall()
    entries = tuple(
        schema.ChatEntry(
            chat=f"chat-{at}",
            title=f"Question {at}: what is a relay asked for, and by whom?",
            updated=now - at * 3600.0,
            activity=CHATS - at,
            folder=("work", "house", "", "", "")[at % 5],
        )
        for at in range(CHATS)
    )
    folders = (schema.Folder("work", "Work"), schema.Folder("house", "House and garden"))
    return schema.ChatList(ref="list-0", chats=entries, folders=folders)


def _opening(desktop: Desktop, name: PageName) -> Callable[[], object]:
    return lambda: desktop.window.open_page(name)


def _page(desktop: Desktop, name: PageName, kind: type[Page]) -> Page:
    page = desktop.window.page_widget(name)
    assert isinstance(page, kind)
    desktop.window.open_page(name)
    return page


def _is_whole(desktop: Desktop, name: PageName) -> bool:
    """Whether everything shows on this page."""
    page = desktop.window.page_widget(name)
    if isinstance(page, ContributePage):
        return all(chart.drawn for chart in page.charts.charts.values() if chart.isVisible())
    if isinstance(page, ModelsPage):
        return {one.model for one in MODELS} <= {model for card in page.cards.values() for model in card.rows}
    if isinstance(page, NetworkPage):
        return page.list.count() == MOST_ROWS
    return page.isVisible()


def _all_listed(desktop: Desktop) -> bool:
    return desktop.window.chat_page.chats.list.count() >= CHATS


def _never() -> bool:
    return False


def _until(shown: Callable[[], object]) -> Callable[[], bool]:
    """Busy until it shows, and a moment longer."""
    began, seen = time.monotonic(), 0.0

    def busy() -> bool:
        nonlocal seen
        now = time.monotonic()
        if now > began + LONGEST_SECONDS:
            raise RuntimeError("the window does not come to rest")
        if not seen and shown():
            seen = now
        return not seen or now < seen + AFTER_SECONDS

    return busy
