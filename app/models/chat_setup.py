"""How the open chat is asked, as values that a panel shows and changes: parameters, presets, what to leave out."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from PySide6.QtCore import QObject, Signal

from app.i18n import mark, number, tr
from app.models.engine_words import from_engine
from app.models.transcript import ChatTranscript
from engine.api import schema

UNDO_MILLISECONDS = 15_000
"""So long undoing the deletion of a preset is offered."""
LONGEST_NAME = 100
_PRESET = "preset-"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of :class:`schema.SamplingChoice`. ``most`` is what the engine takes, ``usual`` where a slider ends;
    ``nothing``: what the least value means in words, if it turns the parameter off."""

    field: str
    name: str
    about: str
    least: float
    most: float
    usual: float
    digits: int
    step: float
    nothing: str = ""


PARAMETERS = (
    Parameter(
        "temperature",
        mark("Temperature"),
        mark("How freely words are chosen. 0 always takes the likeliest one."),
        0, 10, 2, 2, 0.05,
    ),
    Parameter(
        "top_p",
        mark("Top-p"),
        mark("Only the likeliest words that together have this share are chosen from."),
        0.01, 1, 1, 2, 0.05,
    ),
)  # fmt: skip
"""What most people change."""
MORE_PARAMETERS = (
    Parameter(
        "top_k",
        mark("Top-k"),
        mark("Only so many of the likeliest words are chosen from."),
        0, 1_000_000, 200, 0, 1, mark("All"),
    ),
    Parameter(
        "min_p",
        mark("Min-p"),
        mark("Words that are less likely than this share of the likeliest one are left out."),
        0, 1, 1, 2, 0.01, mark("Off"),
    ),
    Parameter(
        "repetition_penalty",
        mark("Repetition penalty"),
        mark("Above 1, words that came before become less likely."),
        0.01, 100, 2, 2, 0.05,
    ),
    Parameter(
        "presence_penalty",
        mark("Presence penalty"),
        mark("Above 0, words that came at all become less likely."),
        -2, 2, 2, 2, 0.1,
    ),
    Parameter(
        "frequency_penalty",
        mark("Frequency penalty"),
        mark("Above 0, words become less likely the more often they came."),
        -2, 2, 2, 2, 0.1,
    ),
)  # fmt: skip
"""The others that the engine takes."""
OVERFLOWS: tuple[tuple[schema.Overflow, str, str], ...] = (
    (
        "refuse",
        mark("Stop and ask me"),
        mark("Nothing is left out. The question is not sent, and you choose what happens."),
    ),
    (
        "drop_oldest",
        mark("Leave out the oldest turns"),
        mark("The model forgets how the conversation began. The system prompt stays."),
    ),
    (
        "keep_ends",
        mark("Keep the first and newest turns"),
        mark("The model forgets what was said between them. The system prompt stays."),
    ),
)
"""What can happen when the context is full: its name, and what it means."""


def overflow_about(overflow: schema.Overflow) -> str:
    """What a choice means."""
    return tr(next(about for name, _, about in OVERFLOWS if name == overflow))


@dataclass(frozen=True, slots=True)
class Meter:
    """How full the context is. ``share``: 0 to 1; ``text`` in a few words, ``about`` in whole sentences; ``full``: the
    next question does not fit as it stands."""

    share: float
    text: str
    about: str
    full: bool


def meter_of(context: schema.ContextState | None, overflow: schema.Overflow) -> Meter | None:
    """What a meter shows; None while the size of the model's context is not known."""
    if context is None or not context.limit:
        return None
    used, limit = number(context.used), number(context.limit)
    if context.exact:
        text = tr("{used} of {limit} tokens", used=used, limit=limit)
        counted = tr("Counted by the model's own tokenizer.")
    else:
        text = tr("about {used} of {limit} tokens", used=used, limit=limit)
        counted = tr("Estimated from the length of the text: the model's tokenizer is not loaded on this machine.")
    full = context.used + context.room > context.limit
    sentences = [
        tr("The conversation takes {text} of the context of {model}.", text=text, model=context.model),
        counted,
        tr("{room} of them are kept for the answer.", room=number(context.room)),
    ]
    if full:
        sentences.append(tr("It is full. {overflow}", overflow=overflow_about(overflow)))
    return Meter(min(1.0, context.used / context.limit), text, " ".join(sentences), full)


class ChatSetup(QObject):
    """Of the chat that is open. ``send`` gives a request to the engine and says whether it went out."""

    changed = Signal()
    """Something that is shown is another one."""
    problem_arose = Signal(str)
    preset_deleted = Signal(str)
    """A preset of this name can be brought back."""

    def __init__(
        self,
        chat: ChatTranscript,
        send: Callable[[schema.Request], bool],
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        super().__init__()
        self._chat = chat
        self._send = send
        self._new_id = new_id
        self.models: tuple[schema.ModelState, ...] = ()
        """All that can be asked."""
        self._deleted: schema.Preset | None = None
        self.presets: tuple[schema.Preset, ...] = ()
        chat.settings_changed.connect(self.changed)

    @property
    def settings(self) -> schema.ChatSettings:
        """How the open chat is asked."""
        return self._chat.settings

    def suited(self, model: str) -> schema.SamplingChoice:
        """How tokens are chosen where nothing is: as suits the model."""
        return next((one.sampling for one in self.models if one.id == model), schema.SamplingChoice())

    def sampling(self, model: str) -> schema.SamplingChoice:
        """How tokens are chosen when ``model`` is asked in this chat."""
        return self.settings.sampling or self.suited(model)

    def change(self, **changes: Any) -> None:
        """Change fields of the settings. They are of no preset any more, as far as they differ from it."""
        self._chat.change_settings(**changes)

    def change_sampling(self, model: str, **changes: Any) -> None:
        """Change how tokens are chosen; what is not named stays as it is shown."""
        self.change(sampling=msgspec.structs.replace(self.sampling(model), **changes))

    # Presets.

    @property
    def preset(self) -> schema.Preset | None:
        """The preset that the settings were taken from."""
        return next((one for one in self.presets if one.preset == self.settings.preset), None)

    @property
    def modified(self) -> bool:
        """Whether the settings differ from their preset."""
        preset = self.preset
        return preset is not None and _as_preset(self.settings, preset.preset, preset.name) != preset

    def take(self, preset: schema.Preset | None) -> None:
        """Set the chat up as a preset says; None: as suits the model, without a system prompt."""
        one = preset or schema.Preset(preset="-", name="-")
        name = preset.preset if preset is not None else ""
        self.change(system=one.system, sampling=one.sampling, max_tokens=one.max_tokens, stop=one.stop, preset=name)

    def name_problem(self, name: str, own: str = "") -> str:
        """Why a preset cannot be called so; "" when it can. ``own``: the id of the one that is renamed."""
        name = " ".join(name.split())
        if not name:
            return tr("Give the preset a name.")
        if len(name) > LONGEST_NAME:
            return tr("The name is too long. %Ln characters fit.", "", LONGEST_NAME)
        if any(one.name.casefold() == name.casefold() and one.preset != own for one in self.presets):
            return tr("There is a preset called “{name}” already.", name=name)
        return ""

    def save_as(self, name: str) -> bool:
        """Keep the chat's settings as a new preset, which the chat then has."""
        if self.name_problem(name):
            return False
        preset = _as_preset(self.settings, self._new_id(), " ".join(name.split()))
        if self._save(preset):
            self.change(preset=preset.preset)
            return True
        return False

    def save(self) -> bool:
        """Keep the chat's settings in their preset."""
        preset = self.preset
        return preset is not None and self._save(_as_preset(self.settings, preset.preset, preset.name))

    def save_as_default(self) -> bool:
        """New chats begin with the settings of this one."""
        default = _as_preset(self.settings, schema.DEFAULT_PRESET, self.default_name)
        if self._save(default):
            self.change(preset=schema.DEFAULT_PRESET)
            return True
        return False

    @property
    def default_name(self) -> str:
        """What the preset is called that new chats begin with."""
        there = next((one.name for one in self.presets if one.preset == schema.DEFAULT_PRESET), "")
        name = there or tr("Default", "preset")
        while self.name_problem(name, schema.DEFAULT_PRESET):
            name = f"{name} *"
        return name

    def rename(self, preset: schema.Preset, name: str) -> bool:
        """Call a preset otherwise."""
        if self.name_problem(name, preset.preset):
            return False
        return self._save(msgspec.structs.replace(preset, name=" ".join(name.split())))

    def delete(self, preset: schema.Preset) -> None:
        """Delete a preset; :meth:`restore` brings it back."""
        if self._send(schema.DeletePreset(preset=preset.preset, ref=_ref(preset))):
            self._deleted = preset
            self.preset_deleted.emit(preset.name)

    def restore(self) -> None:
        """Bring the preset back that was deleted last."""
        if self._deleted is not None and self._save(self._deleted):
            self._deleted = None

    def _save(self, preset: schema.Preset) -> bool:
        return self._send(schema.SavePreset(preset=preset, ref=_ref(preset)))

    # The engine.

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        match event:
            case schema.ChatList():
                self._know(event.presets)
            case schema.PresetsChanged():
                self._know(event.presets)
            case schema.State() if event.models != self.models:
                self.models = event.models
                self.changed.emit()
            case schema.RequestFailed() if event.ref.startswith(_PRESET):
                self.problem_arose.emit(from_engine(event))

    def _know(self, presets: tuple[schema.Preset, ...]) -> None:
        if presets == self.presets:
            return
        self.presets = presets
        default = next((one for one in presets if one.preset == schema.DEFAULT_PRESET), None)
        self._chat.begin_with(_taken(default) if default is not None else schema.ChatSettings())
        self.changed.emit()


def _ref(preset: schema.Preset) -> str:
    """Of the requests about it: the newest counts where an engine is given them again."""
    return f"{_PRESET}{preset.preset}"[:64]


def _taken(preset: schema.Preset) -> schema.ChatSettings:
    return schema.ChatSettings(
        system=preset.system,
        sampling=preset.sampling,
        max_tokens=preset.max_tokens,
        stop=preset.stop,
        preset=preset.preset,
    )


def _as_preset(settings: schema.ChatSettings, preset: str, name: str) -> schema.Preset:
    return schema.Preset(
        preset=preset,
        name=name,
        system=settings.system,
        sampling=settings.sampling,
        max_tokens=settings.max_tokens,
        stop=settings.stop,
    )
