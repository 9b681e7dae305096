"""Draw every view of the window, light, dark, in German and narrow, and two as a screen with twice the pixels shows
them, into docs/screenshots. Needs no screen.

`make screenshots` runs it; ARGS="chat" draws the views whose name contains that. The data is made up and always the
same, so that a difference between two runs is a difference of the window.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["QT_API"] = "pyside6"

import msgspec
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QTimer
from PySide6.QtGui import QCursor, QFont, QFontDatabase, QImage, QImageWriter
from PySide6.QtWidgets import QApplication, QWidget

from app.appearance import dress
from app.desktop import Desktop
from app.models.history import SECONDS
from app.models.limits import Hardware
from app.options import Options
from app.preferences import PreferenceStore
from app.views.navigation import PageName
from app.views.stage_row import OFFER_SECONDS_AFTER
from app.views.turn_view import TurnView
from engine.api import schema
from engine.sentences import say
from tools import contribute_views, models_views, network_views
from tools.played_window import NODES, NoAutostart, PlayedLink, play, state, topology

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
WIDE, NARROW = (1280, 800), (480, 800)
FONTS = ("Inter", "Noto Sans", "DejaVu Sans")
"""The first that is installed: what desktops set their windows in."""
GROUND = 0.002
"""A colour with this share of a picture is a ground that stays as it is, however close another one is."""


@dataclass(frozen=True)
class Variant:
    """One way to look at a view. Without a ``size`` the window is as large as a new one."""

    name: str
    look: str = "light"
    language: str = "en"
    size: tuple[int, int] | None = WIDE


VARIANTS = (
    Variant("light"),
    Variant("dark", look="dark"),
    Variant("german", language="de"),
    Variant("narrow", size=NARROW),
)
DENSE = Variant("dense")
"""With two device pixels for each logical one: in a process of its own, as Qt reads the factor once."""
DENSE_VIEWS = ("chat", "contribute")


def _answer(desktop: Desktop, question: str, text: str, **details: object) -> schema.MessageChanged:
    message = schema.StoredMessage(
        message=f"to-{question}", parent=question, role="assistant", text=text, characters=len(text),
        model="Qwen3-8B-Instruct", details=schema.AnswerDetails(finish_reason="stop", **details),  # type: ignore[arg-type]
    )  # fmt: skip
    return schema.MessageChanged(chat=desktop.chat.chat, message=message)


DAY = 86_400.0
TITLES = (
    ("Receipts in a network of volunteers", 0.0, ""), ("Bread that rises overnight", 0.0, "writing"),
    ("Plural forms in Polish", 1.0, ""), ("Letter to the housing association", 1.0, ""),
    ("What a guard relay knows", 3.0, ""), ("Trip to the coast, four days without a car", 5.0, ""),
    ("SQL: the newest row of each group", 20.0, ""), ("Names for a grey cat", 41.0, ""),
)  # fmt: skip


FOLDERS = (schema.Folder("work", "Work"), schema.Folder("house", "House and garden"))
INSIDE = {3: "house", 4: "work", 6: "work"}


def chats_listed(desktop: Desktop, title: str = TITLES[0][0], folders: bool = False) -> None:
    """The sidebar of somebody who uses it; ``title`` is of the chat that is open."""
    now = time.time()
    entries = tuple(
        schema.ChatEntry(
            chat=f"chat-{place}" if place else desktop.chat.chat, title=name if place else title,
            updated=now - days * DAY, activity=100 - place, answering=answering,
            folder=INSIDE.get(place, "") if folders else "",
        )
        for place, (name, days, answering) in enumerate(TITLES)
    )  # fmt: skip
    desktop.link.event_received.emit(schema.ChatList(
        ref="list-0", chats=entries, folders=FOLDERS if folders else (),
    ))  # fmt: skip
    desktop.link.event_received.emit(schema.ChatChanged(chat=schema.ChatEntry(
        chat="chat-2", title=TITLES[2][0], updated=now - DAY, activity=98, answering="x",
    )))  # fmt: skip
    desktop.link.event_received.emit(schema.ChatChanged(chat=entries[2]))


def answered(desktop: Desktop, question: str, answer: str) -> None:
    """A question with its answer from the network."""
    desktop.window.header.choose(next(choice for choice in desktop.status.models if choice.model.startswith("Qwen")))
    desktop.window.ask(question)
    turn = desktop.chat.turns[-1]
    desktop.link.event_received.emit(
        _answer(
            desktop, turn.question_id, answer, prompt_tokens=21, completion_tokens=96,
            served_by=NODES[0], seed=7, badge="verified",
            badge_reason=say("badge.passed", machine=NODES[0][:8], when=1_790_000_000.0, reputation=0.97, judged=212),
            paths=tuple((NODES[1 + 3 * path], NODES[2 + 3 * path], NODES[3 + 3 * path]) for path in range(4)),
            n=4, k=3, ttft_ms=640, receipt=True, tokens_per_s=58, machines=(NODES[0],), asked=(NODES[0],),
            standings=(schema.MachineStanding(node=NODES[0], standing="established", passed=True),),
            privacy=schema.Privacy(paths=4, needed=3, hops=3, direct=False, full_paths=4, full_hops=3, weaker=False),
        )
    )  # fmt: skip


QUESTION = "Why does a network of volunteers need receipts?"
ANSWER = (
    "Because nobody should have to take a stranger's word for it. The machine that answers signs what it was asked and "
    "every token that it wrote. With that receipt:\n\n"
    "1. you can show later what was answered, and by which machine,\n"
    "2. a committee can compute the answer again and compare,\n"
    "3. a machine that runs a smaller model than it claims is found out.\n\n"
    "A receipt names machines, never the person who asked."
)


CODE = """Point any OpenAI client at this machine. The **token** lies in the data directory:

```python
from pathlib import Path
from openai import OpenAI

token = Path("~/.local/share/GenTorrent/api-token").expanduser().read_text()
client = OpenAI(base_url="http://127.0.0.1:8765/v1", api_key=token.strip())
answer = client.chat.completions.create(
    model="Qwen3-8B-Instruct",
    messages=[{"role": "user", "content": "Hello"}],  # goes out on four paths
)
print(answer.choices[0].message.content)
```

| parameter | meaning |
|---|---|
| `stream` | tokens as they come |
| `seed` | the same answer again |
"""


def turn_views(desktop: Desktop) -> list[TurnView]:
    """What the transcript shows, once that is laid out, which takes as long as it takes."""
    transcript = desktop.window.transcript
    while transcript.busy or not transcript.turns:
        settle(20)
    return transcript.turns


def _chat(desktop: Desktop) -> None:
    play(desktop, state())
    chats_listed(desktop)
    answered(desktop, QUESTION, ANSWER)
    answered(desktop, "And who could read my question?", "Only the machine that answered. It does not know who asked.")


def _code(desktop: Desktop) -> None:
    play(desktop, state())
    chats_listed(desktop, "Asking from Python")
    answered(desktop, "How do I ask from Python?", CODE)


def _details(desktop: Desktop) -> None:
    play(desktop, state())
    chats_listed(desktop)
    answered(desktop, QUESTION, "So that nobody has to take a stranger's word for it.")
    turn_views(desktop)[-1].who.click()


def _waiting(desktop: Desktop) -> None:
    play(desktop, state(contributing=False))
    chats_listed(desktop)
    answered(desktop, QUESTION, ANSWER)
    desktop.window.ask("Write a sonnet about onions.")
    chat, turn = desktop.chat.chat, desktop.chat.turns[-1]
    begun = schema.StoredMessage(
        message="sonnet", parent=turn.question_id, role="assistant", text="", characters=0, state="writing"
    )
    desktop.link.event_received.emit(schema.MessageChanged(chat=chat, message=begun, added=True))
    turn.began -= OFFER_SECONDS_AFTER
    stage = schema.AnswerStage(chat=chat, message="sonnet", stage="queued", place=3, estimate=40)
    desktop.link.event_received.emit(stage)


def _deleted(desktop: Desktop) -> None:
    """The list as a narrow window shows it: in place of the chat."""
    _chat(desktop)
    desktop.window.chat_page.show_chats()
    desktop.chats.delete(["chat-3"])
    desktop.link.event_received.emit(schema.ChatsRemoved(chats=("chat-3",)))


def _folders(desktop: Desktop) -> None:
    play(desktop, state())
    chats_listed(desktop, folders=True)
    answered(desktop, QUESTION, ANSWER)
    desktop.chats.folders.fold("house", True)
    desktop.window.chat_page.show_chats()


def _found(desktop: Desktop) -> None:
    _chat(desktop)
    desktop.window.chat_page.show_chats()
    desktop.window.chat_page.chats.focus_search()
    desktop.window.chat_page.chats.search.setText("relay")
    settle(400)
    hits = tuple(
        schema.ChatHit(
            chat=schema.ChatEntry(chat=f"chat-{place}", title=TITLES[place][0]), message="m", snippet=snippet
        )
        for place, snippet in ((4, "… the first relay of a path knows your address …"), (0, "… relays carry sealed …"))
    )
    desktop.link.event_received.emit(schema.ChatsFound(ref=desktop.chats.search_ref, hits=hits))


PRESETS = (
    schema.Preset(
        preset="p", name="Plain words", system="Answer in short sentences. No jargon; explain what cannot be avoided.",
        sampling=schema.SamplingChoice(temperature=0.4, top_p=0.9), max_tokens=512,
    ),
    schema.Preset(preset="q", name="Translator", system="Translate to Polish."),
)  # fmt: skip


def _setup(desktop: Desktop) -> None:
    """How the chat is asked, beside it."""
    _chat(desktop)
    chat, setup = desktop.chat, desktop.setup
    desktop.link.event_received.emit(schema.PresetsChanged(presets=PRESETS))
    desktop.link.event_received.emit(
        schema.ContextState(
            chat=chat.chat, model="Qwen3-8B-Instruct", used=2_210, limit=32_768, left=30_558, exact=False, room=512,
        )
    )  # fmt: skip
    setup.take(PRESETS[0])
    desktop.window.chat_page.toggle_setup()


LIBRARY = (
    schema.LibraryModel(
        model="Qwen2.5-1.5B-Instruct", variant="q4", licence="apache-2.0", page="https://huggingface.co/Qwen",
        context=32_768, size=1_190_000_000, memory=2_100_000_000, verdict="fits", tokens_per_s=78,
    ),
    schema.LibraryModel(
        model="SmolLM2-360M-Instruct", variant="q4", licence="apache-2.0", page="https://huggingface.co/HuggingFaceTB",
        context=8_192, size=270_000_000, memory=800_000_000, verdict="fits", tokens_per_s=210,
    ),
    schema.LibraryModel(
        model="Qwen3-32B", variant="q4", licence="apache-2.0", page="https://huggingface.co/Qwen",
        context=32_768, size=19_400_000_000, memory=22_600_000_000, verdict="does_not_fit",
    ),
)  # fmt: skip


def _library(desktop: Desktop) -> None:
    _chat(desktop)
    desktop.link.event_received.emit(schema.Library(ref="library", models=LIBRARY))


def _offered(desktop: Desktop) -> None:
    """A model that is to be downloaded."""
    _library(desktop)
    desktop.library.propose(LIBRARY[0].model)


def _downloading(desktop: Desktop) -> None:
    _offered(desktop)
    desktop.link.event_received.emit(
        schema.DownloadProgress(
            model=LIBRARY[0].model, stage="downloading", done=486_000_000, total=1_190_000_000, speed=9_400_000
        )
    )


def _picker(desktop: Desktop) -> None:
    """The list of models, drawn over the window that it belongs to."""
    _library(desktop)
    desktop.window.chat_page.models.open()
    picker = desktop.window.chat_page.models.picker
    assert picker is not None
    header = desktop.window.header.models
    models_views.into_the_window(picker, desktop)
    picker.resize(min(picker.width(), desktop.window.width() - 16), picker.height())
    place = header.mapTo(desktop.window, header.rect().bottomLeft())
    picker.move(max(8, min(place.x(), desktop.window.width() - picker.width() - 8)), place.y() + 4)
    picker.show()
    desktop.window.chat_page.models.refresh()
    picker.raise_()


def _setup_full(desktop: Desktop) -> None:
    """The end of the panel, with a context that is full."""
    _setup(desktop)
    chat = desktop.chat.chat
    desktop.link.event_received.emit(
        schema.ContextState(
            chat=chat, model="gentorrent-builtin", used=1_990, limit=2_048, left=58, exact=True, room=256
        )
    )
    desktop.setup.change(overflow="keep_ends", local_only=True)
    settle()
    desktop.window.chat_page.show_overflow()


def _files(desktop: Desktop) -> None:
    """A question with files, and another one that is being written with one."""
    play(desktop, state())
    chats_listed(desktop, "Towns that grew")
    answered(desktop, "Which of these towns grew?", "Only **Cologne** did, by 1.2 % in five years.")
    turn = desktop.chat.turns[-1]
    turn.files = (
        schema.Attachment(attachment="a", name="towns-2019-2024.csv", characters=18_204),
        schema.Attachment(attachment="b", name="notes.md", characters=912),
    )
    turn_views(desktop)[-1].show_turn(turn)
    desktop.chat.files.show([schema.Attachment(attachment="c", name="survey of the districts.txt", characters=48_113)])
    desktop.window.composer.input.setPlainText("And the districts?")


def _stored(name: str, parent: str, text: str, *versions: str) -> schema.StoredMessage:
    """A message of a chat that has been kept; an answer if its name begins so."""
    answer = name.startswith("answer")
    details = schema.AnswerDetails(finish_reason="stop", badge="local", served_by="local", tokens_per_s=48)
    return schema.StoredMessage(
        message=name, parent=parent, role="assistant" if answer else "user", text=text, characters=len(text),
        details=details if answer else None, siblings=versions or (name,),
    )  # fmt: skip


def _versions(desktop: Desktop, wanted: str = "") -> None:
    """A chat with other versions of a question and of an answer."""
    play(desktop, state())
    chats_listed(desktop)
    chat = "chat-4"
    desktop.chat.open_chat(chat, wanted, "relay" if wanted else "")
    messages = (
        _stored("question-1", "", "What does a guard relay know?", "question-0", "question-1"),
        _stored("answer-1", "question-1", GUARD, "answer-0", "answer-1", "answer-2"),
        _stored("question-2", "answer-1", "And the last one?"),
        _stored("answer-3", "question-2", "Which machine is asked, but not by whom."),
    )
    opened = schema.ChatOpened(
        ref=chat, chat=schema.ChatEntry(chat=chat, title=TITLES[4][0]), settings=schema.ChatSettings(),
        messages=messages, earlier=False, draft=schema.Draft(),
    )  # fmt: skip
    desktop.link.event_received.emit(opened)


def _editing(desktop: Desktop) -> None:
    _versions(desktop)
    settle(200)
    view = turn_views(desktop)[0]
    view.asked.begin_edit()
    assert view.asked.editor is not None
    view.asked.editor.input.setPlainText("What does a guard relay know, and for how long?")


def _hit(desktop: Desktop) -> None:
    _versions(desktop, "answer-1")
    finding = desktop.chats.finding
    finding.begin("chat-4", "answer-1", "relay")
    hits = tuple(
        schema.ChatHit(chat=schema.ChatEntry(chat="chat-4", title=""), message=message)
        for message in ("question-1", "answer-1")
    )
    desktop.link.event_received.emit(schema.ChatsFound(ref=finding.ref, hits=hits))


def _removed(desktop: Desktop) -> None:
    """Messages were deleted, and can be brought back."""
    _versions(desktop)
    desktop.chats.receive(
        schema.MessagesRemoved(ref="delete-message", chat="chat-4", removed="r", message="question-3", count=2)
    )


def _elsewhere(desktop: Desktop) -> None:
    """An answer is written on a branch that does not show, and the folded list has news."""
    _versions(desktop)
    desktop.window.chat_page.elsewhere.show_elsewhere(True)
    for name in ("y", ""):
        entry = schema.ChatEntry(chat="chat-1", title=TITLES[1][0], activity=120, answering=name)
        desktop.link.event_received.emit(schema.ChatChanged(chat=entry))
    if desktop.window.chat_page.chats.isVisibleTo(desktop.window.chat_page):
        desktop.window.chat_page.toggle_chats()


def _failed(desktop: Desktop) -> None:
    play(desktop, state())
    chats_listed(desktop, "Three ways to proof bread dough")
    desktop.window.header.choose(next(one for one in desktop.status.models if one.model.startswith("Llama")))
    desktop.window.ask("Compare three ways to proof bread dough.")
    turn = desktop.chat.turns[-1]
    refused = schema.RequestFailed(request="send_message", code="overloaded", text=say("asked.full"), ref=turn.ref)
    desktop.link.event_received.emit(refused)


GUARD = (
    "A guard is the first relay of a path. It knows **your address**, as somebody has to take your packets, and the "
    "relay behind it. It does not know what you ask, nor which machine answers: both are sealed for others."
)


def _welcome(desktop: Desktop) -> None:
    """The chat before the first question."""
    play(desktop, state(network=False, contributing=False), schema.ChatList(ref="list-0", chats=(), folders=()))


def _page(name: PageName, **fields: bool) -> Callable[[Desktop], None]:
    def prepare(desktop: Desktop) -> None:
        play(desktop, state(**fields))
        desktop.window.open_page(name)

    return prepare


def _contribute(*opened: str, scrolled: str = "") -> Callable[[Desktop], None]:
    def prepare(desktop: Desktop) -> None:
        play(desktop, _contributes())
        contribute_views.show(desktop, *opened, scrolled=scrolled)

    return prepare


def _contribute_processor(desktop: Desktop) -> None:
    """The devices of a machine that has no other."""
    play(desktop, state())
    contribute_views.show(desktop, "devices", scrolled="devices", devices=(contribute_views.PROCESSOR,))


def _contributes(better: bool = False) -> schema.State:
    """A machine with graphics cards, on which the engine has chosen a model; perhaps it knows of a better one."""
    chosen = contribute_views.CHOSEN
    return msgspec.structs.replace(
        state(),
        contributing=chosen if better else msgspec.structs.replace(chosen, better="", better_reason=""),
        models=(
            schema.ModelState(
                id=contribute_views.CHOSEN.model, where="both", nodes=5, context_length=32_768, tokens_per_s=61,
                provider="CUDAExecutionProvider",
            ),
            *state().models,
        ),
    )  # fmt: skip


def _contribute_automatic(desktop: Desktop) -> None:
    """The engine knows of something better."""
    play(desktop, _contributes(better=True))
    contribute_views.show(desktop)


def _contribute_offers(desktop: Desktop) -> None:
    """On a machine without a graphics card that answers nobody."""
    play(desktop, state(contributing=False))
    contribute_views.show(
        desktop,
        devices=(contribute_views.PROCESSOR,),
        rests=SECONDS,
        rules=schema.Rules(relay=False),
        totals=schema.Totals(),
        relay_reason=say("governor.relay_off"),
    )


def _contribute_problem(desktop: Desktop) -> None:
    play(desktop, _contributes())
    contribute_views.show(desktop, problem=contribute_views.NOT_KEPT)


def _contribute_doubt(desktop: Desktop) -> None:
    play(desktop, msgspec.structs.replace(state(), contributing=contribute_views.IN_DOUBT))
    contribute_views.show(
        desktop,
        works=False,
        paused=True,
        reasons=(contribute_views.IN_DOUBT.reason,),
        relay_reason=contribute_views.IN_DOUBT.reason,
        problem=contribute_views.UNREAD,
        in_doubt=True,
    )


def _contribute_failed(desktop: Desktop) -> None:
    play(desktop, msgspec.structs.replace(state(), contributing=contribute_views.FAILED))
    contribute_views.show(desktop, works=False)


def _contribute_paused(desktop: Desktop) -> None:
    """While a game runs, on a machine without a graphics card that can be used."""
    reason = say("governor.program", program="Cyberpunk2077")
    now = schema.ContributingState(on=True, status="paused", reason=reason, model="gentorrent-builtin", answered=31)
    play(desktop, msgspec.structs.replace(state(), contributing=now))
    contribute_views.show(
        desktop, "devices", scrolled="", rests=200, devices=(contribute_views.PROCESSOR,), paused=True,
        reasons=(reason,),
        rules=schema.Rules(), totals=schema.Totals(tokens_today=1200, tokens_month=40_000, answers=31),
    )  # fmt: skip


def _models(show: Callable[[Desktop], object]) -> Callable[[Desktop], None]:
    def prepare(desktop: Desktop) -> None:
        said = state()
        here = schema.ModelState(id="Mistral-7B-Instruct-v0.3", where="local", provider="CUDAExecutionProvider")
        play(desktop, msgspec.structs.replace(said, models=(said.models[0], here, *said.models[1:])))
        show(desktop)

    return prepare


SUGGESTED = schema.Library(
    ref="library",
    models=(
        schema.LibraryModel(
            model="Qwen2.5-7B-Instruct",
            variant="q4",
            licence="apache-2.0",
            size=4_900_000_000,
            verdict="fits",
            tokens_per_s=24,
        ),
    ),
)


def _first_run(desktop: Desktop) -> None:
    play(desktop, state(network=False, contributing=False), SUGGESTED)
    page = desktop.window.show_first_run()
    page.show_hardware(Hardware(16, 32 << 30, ("NVIDIA GeForce RTX 4070",)))


def _hosting(
    desktop: Desktop, *events: schema.Event, name: str = "", scrolled: bool = False, to_box: bool = False
) -> None:
    hosted = isinstance(events[0], schema.Hosting) and events[0].status != "none"
    play(desktop, state(network=hosted, contributing=False), *events)
    page = network_views.page_of(desktop)
    for event in events[1:]:
        desktop.link.event_received.emit(event)
    page.host.form.name.setText(name)
    settle()
    if scrolled:
        network_views.scroll_to(page, lambda page: page.host.box if to_box else page.host)


def _checked(desktop: Desktop, event: schema.Event) -> None:
    """The check of the connection."""
    said = state(contributing=False)
    strict = msgspec.structs.replace(said.network, nat="endpoint-dependent", turn_server="", links_relayed=0)
    play(desktop, msgspec.structs.replace(said, network=strict), network_views.NONE)
    page = network_views.page_of(desktop)
    desktop.status.doctor.examine(bandwidth=True)
    desktop.link.event_received.emit(event)
    settle()
    network_views.scroll_to(page, lambda page: page.doctor)


def _network(desktop: Desktop, links: int = 14) -> None:
    said = state()
    if links > said.network.relays:
        network = msgspec.structs.replace(
            said.network, nodes=8 * links, relays=6 * links, links=links, links_relayed=links // 11
        )
        said = msgspec.structs.replace(said, network=network)
    play(desktop, said, topology(links))
    desktop.window.open_page("network")


def _servers(desktop: Desktop) -> None:
    _network(desktop)
    settle()
    network_views.scroll_to(network_views.page_of(desktop), lambda page: page.servers)


VIEWS: dict[str, Callable[[Desktop], None]] = {
    "first-run": _first_run,
    "welcome": _welcome,
    "chat": _chat,
    "chat-deleted": _deleted,
    "chat-folders": _folders,
    "chat-found": _found,
    "chat-versions": _versions,
    "chat-editing": _editing,
    "chat-hit": _hit,
    "chat-removed": _removed,
    "chat-elsewhere": _elsewhere,
    "chat-failed": _failed,
    "chat-code": _code,
    "chat-details": _details,
    "chat-files": _files,
    "chat-waiting": _waiting,
    "chat-models": _picker,
    "chat-offered": _offered,
    "chat-downloading": _downloading,
    "chat-setup": _setup,
    "chat-setup-full": _setup_full,
    "contribute": _contribute(),
    "contribute-automatic": _contribute_automatic,
    "contribute-offers": _contribute_offers,
    "contribute-paused": _contribute_paused,
    "contribute-problem": _contribute_problem,
    "contribute-doubt": _contribute_doubt,
    "contribute-failed": _contribute_failed,
    "contribute-when": _contribute("when", scrolled="when"),
    "contribute-devices": _contribute("devices", scrolled="devices"),
    "contribute-processor": _contribute_processor,
    "contribute-limits": _contribute("money", "traffic", "whom", "relay", scrolled="money"),
    "contribute-log": _contribute("log", "meaning", scrolled="log"),
    "models": _models(models_views.show),
    "models-to-download": _models(lambda desktop: models_views.show(desktop, moving=False, scrolled="catalogue")),
    "models-publishers": _models(lambda desktop: models_views.show(desktop, moving=False, scrolled="published")),
    "models-details": _models(models_views.details),
    "models-licence": _models(lambda desktop: models_views.asked(desktop, "fetch", models_views.POEMS)),
    "models-delete": _models(lambda desktop: models_views.asked(desktop, "remove", "Mistral-7B-Instruct-v0.3")),
    "models-refused": _models(models_views.refused),
    "models-hub": _models(models_views.searched),
    "models-none": lambda desktop: desktop.window.open_page("models"),
    "network": _network,
    "network-servers": _servers,
    "network-crowded": lambda desktop: _network(desktop, links=1000),
    "network-none": lambda desktop: _hosting(desktop, network_views.NONE),
    "network-host": lambda desktop: _hosting(desktop, network_views.NONE, name="Our house", scrolled=True),
    "network-hosting": lambda desktop: _hosting(desktop, network_views.hosting(), scrolled=True),
    "network-invited": lambda desktop: _hosting(
        desktop, network_views.hosting(), network_views.INVITED, scrolled=True, to_box=True
    ),
    "network-checking": lambda desktop: _checked(desktop, schema.DoctorProgress(ref="doctor", step="links")),
    "network-checked": lambda desktop: _checked(desktop, network_views.examined()),
    "network-open": lambda desktop: _hosting(desktop, network_views.hosting(private=False), scrolled=True),
    "settings": _page("settings", contributing=False),
}


def main() -> int:
    """Draw; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", help="draw only views whose file name contains one of these")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--dense", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    wanted = pictures(given.name, dense=given.dense)
    if not given.dense and pictures(given.name, dense=True):
        command = [sys.executable, "-m", "tools.screenshots", *given.name, "--folder", str(given.folder), "--dense"]
        subprocess.run(command, env={**os.environ, "QT_SCALE_FACTOR": "2"}, check=True)
    application = QApplication(sys.argv[:1])
    dress(application)
    installed = QFontDatabase.families()
    application.setFont(QFont(next(name for name in FONTS if name in installed)))
    given.folder.mkdir(parents=True, exist_ok=True)
    for file, view, variant in wanted:
        with shown(VIEWS[view], variant) as desktop:
            save(desktop.window, given.folder / file)
    print(f"{len(wanted)} pictures in {given.folder}")
    return 0 if wanted or pictures(given.name, dense=True) else 1


def pictures(parts: Sequence[str], *, dense: bool) -> list[tuple[str, str, Variant]]:
    """File, view and variant of all pictures whose file name contains one of ``parts``, or of all."""
    views, variants = (DENSE_VIEWS, (DENSE,)) if dense else (tuple(VIEWS), VARIANTS)
    every = [(f"{view}-{variant.name}.png", view, variant) for view in views for variant in variants]
    return [one for one in every if not parts or any(part in one[0] for part in parts)]


@contextmanager
def shown(prepare: Callable[[Desktop], None], variant: Variant) -> Iterator[Desktop]:
    """A window that shows a view, at rest."""
    with tempfile.TemporaryDirectory() as directory:
        options = Options(Path(directory), (), own_directory=True)
        store = PreferenceStore(options.data_directory)
        store.change(welcomed=True, look=variant.look, language=variant.language)
        desktop = Desktop(options, PlayedLink(options), store, NoAutostart())
        desktop.window._data_directory = "/home/ada/.local/share/GenTorrent"
        if variant.size is not None:
            desktop.window.resize(*variant.size)
        QCursor.setPos(*WIDE)
        desktop.window.show()
        QCursor.setPos(desktop.window.width() - 1, 1)  # nothing is hovered
        prepare(desktop)
        settle()
        desktop.window.composer.input.clearFocus()
        settle()
        yield desktop
        desktop.window.hide()
        desktop.window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def settle(milliseconds: int = 80) -> None:
    """Let layouts and timers come to rest."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def save(widget: QWidget, file: Path) -> None:
    """As a small PNG."""
    writer = QImageWriter(str(file))
    writer.setQuality(0)  # packed as tightly as possible
    if not writer.write(in_few_colours(widget.grab().toImage())):
        raise SystemExit(f"{file} cannot be written: {writer.errorString()}")


def in_few_colours(picture: QImage) -> QImage:
    """With 256 colours at most, none of them far from what it stands for: a third of the size, and nobody sees it."""
    picture = picture.convertToFormat(QImage.Format.Format_RGB32)
    height, width = picture.height(), picture.width()
    pixels = np.frombuffer(picture.constBits(), np.uint8).reshape(height, picture.bytesPerLine())[:, : 4 * width]
    colours, which, count = np.unique(
        np.ascontiguousarray(pixels).view(np.uint32).ravel(), return_inverse=True, return_counts=True
    )
    channels = np.stack([(colours >> shift & 255).astype(np.int32) for shift in (0, 8, 16)], axis=1)
    sorted_channels = channels[np.argsort(-count, kind="stable")]
    grounds = sorted_channels[: int((count > pixels.size / 4 * GROUND).sum())]
    spacing = 16
    while len(kept := spread(sorted_channels, grounds, spacing)) > 256:
        spacing *= 2
    distance = ((channels[:, None] - kept[None, :]) ** 2).sum(axis=2)
    indexes = np.argmin(distance, axis=1).astype(np.uint8)[which].reshape(height, width)
    few = QImage(indexes.tobytes(), width, height, width, QImage.Format.Format_Indexed8)
    few.setColorTable([0xFF000000 | int(red) << 16 | int(green) << 8 | int(blue) for blue, green, red in kept])
    return few.copy()


def spread(colours: npt.NDArray[np.int32], grounds: npt.NDArray[np.int32], spacing: int) -> npt.NDArray[np.int32]:
    """``grounds``, and of ``colours`` (those first) all that are at least ``spacing`` (squared) from all before."""
    kept = grounds
    for colour in colours[len(grounds) :]:
        if ((kept - colour) ** 2).sum(axis=1).min() >= spacing:
            kept = np.concatenate([kept, colour[None, :]])
            if len(kept) > 256:
                break
    return kept


if __name__ == "__main__":
    sys.exit(main())
