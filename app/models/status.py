"""The state of the engine as the window shows it: one line of words, the contribute switch, the list of models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from PySide6.QtCore import QObject, QTimer, Signal

from app.i18n import mark, number, tr
from app.models.catalogue import BUILTIN, ModelChoice, choices
from app.models.contribution import ContributionModel
from app.models.doctor import DoctorModel
from app.models.engine_words import from_engine
from app.models.hosting import HostingModel
from app.models.sharing import SharingModel
from app.models.shelf_model import ShelfModel
from engine.api import schema

Tone = Literal["good", "busy", "neutral", "warning", "error"]
NOTICE_MILLISECONDS = 20_000
"""So long the status line says what happened just now instead of how the network is."""
DELETION = "delete-all"
_MOST_PASTED = 10_000
"""Characters of an invitation or address, with words around it."""
PAUSE_SECONDS = 3600
"""Of the pause that ends by itself."""
STARTS_ANEW = mark("The engine starts anew with what you have chosen as soon as no answer is being written.")
HOW_TO_JOIN = mark(
    "You are not in a network, so questions are answered on this machine and nothing leaves it.\n\n"
    "To join a network, ask its operator for an invitation or for the address, and paste it on the page Network.\n\n"
    "To host a network of your own, say how it is called on the page Network, and invite others from there."
)


@dataclass(frozen=True, slots=True)
class StatusLine:
    """``help`` is a longer text behind a click; empty: none. ``can_retry``: trying again now makes sense."""

    tone: Tone
    text: str
    help: str = ""
    can_retry: bool = False


@dataclass(frozen=True, slots=True)
class ContributeLine:
    """The switch. ``checked`` is what the owner wants, ``text`` what happens and why."""

    checked: bool
    enabled: bool
    text: str
    tone: Tone = "neutral"
    details: str = ""

    @property
    def sentence(self) -> str:
        """State, reason and numbers together."""
        return ": ".join(filter(None, (self.text, self.details)))


class StatusModel(QObject):
    """Fed with the engine's ``State`` and the link's words; ``changed`` after each. ``send`` as for the chat."""

    changed = Signal()
    data_deleted = Signal(str)
    """All stored chats are gone, or why not; empty: they are."""
    network_kept = Signal(str)
    """From its next start on the engine is in another network, or in none; the address."""
    network_refused = Signal(str)
    """Why a network can be neither joined nor left."""
    contributing_wished = Signal(bool)
    """The owner turned the switch, and the engine was told."""

    def __init__(self, send: Callable[[schema.Request], bool]) -> None:
        super().__init__()
        self._send = send
        self._state: schema.State | None = None
        self._wanted: bool | None = None
        self._refusal = ""
        self._connected = False
        self._engine_text = tr("Starting the engine on this machine")
        self._engine_tone: Tone = "busy"
        self._note = ""
        self._notice = ""
        self._saving = schema.SavingState()
        self._not_kept = ""
        self.intends = False
        """Whether the owner wants to contribute as soon as that is possible."""
        self.contribution = ContributionModel(send)
        """The rules of contributing, and what is measured."""
        self.hosting = HostingModel(send)
        """The network that this machine hosts."""
        self.sharing = SharingModel(send)
        """Whether a few receipts go to the verifiers by themselves."""
        self.sharing.changed.connect(self.changed)
        self.shelf = ShelfModel(send)
        """All models, and what is done with them."""
        self.doctor = DoctorModel(send)
        """What is wrong with the connection."""
        self._forget = QTimer(self)
        self._forget.setSingleShot(True)
        self._forget.setInterval(NOTICE_MILLISECONDS)
        self._forget.timeout.connect(self.forget_notice)

    @property
    def state(self) -> schema.State | None:
        """The engine's newest word; None before the first and while it is away."""
        return self._state

    @property
    def models(self) -> list[ModelChoice]:
        return choices(self._state.models) if self._state is not None else []

    @property
    def serves_others(self) -> bool:
        """Whether stopping the engine would take something away from other people now."""
        state = self._state
        if state is None:
            return False
        relaying = state.relay.on and state.network.status not in ("none", "offline")
        return state.contributing.on or relaying or self.hosting.runs

    def engine_connected(self, note: str = "") -> None:
        """A connection stands. ``note`` is something that the owner should know about this engine."""
        self._connected = True
        self._note = note
        self._notice = note
        self._forget.start()
        self.changed.emit()

    def engine_away(self, text: str, failed: bool = False) -> None:
        """There is no connection, and why."""
        self._connected = False
        self._state = None
        self._saving = schema.SavingState()
        self._wanted = None
        self.contribution.connection_lost()
        self.doctor.connection_lost()
        self._engine_text = text
        self._engine_tone = "error" if failed else "busy"
        self.changed.emit()

    def set_contributing(self, on: bool) -> None:
        """The owner turns the switch. It shows the wish until the engine says what came of it."""
        self._refusal = ""
        if self._state is not None and on != self._state.contributing.on and self._send(schema.SetContributing(on=on)):
            self._wanted = on
            self.contributing_wished.emit(on)
        self.changed.emit()

    def restore_contributing(self) -> None:
        """The engine is another one: the switch goes where the owner has left it, and their pause goes on."""
        if self._state is None or self._state.contributing.on:
            return
        if self._send(schema.SetContributing(on=True, by_owner=False)):
            self._wanted = True
        self.changed.emit()

    @property
    def can_pause(self) -> bool:
        """Whether there is something to pause."""
        there = self._state is not None and self._state.contributing.on and self.contribution.now is not None
        return there and not self.can_resume

    @property
    def can_resume(self) -> bool:
        """Whether the owner has paused it."""
        return self._state is not None and self._state.contributing.by_owner

    def pause(self, seconds: float | None) -> None:
        """Stop contributing for so long (None: until the engine's next start); the owner still wants to."""
        if self.can_pause:
            self.contribution.pause(seconds)

    def resume(self) -> None:
        """End a pause of the owner."""
        self.contribution.resume()

    def join_network(self, text: str) -> bool:
        """Be in the network that an invitation or an address names; False when there is no engine to be told."""
        return bool(text.strip()) and self._send(schema.JoinNetwork(text=text.strip()[:_MOST_PASTED]))

    def leave_network(self) -> bool:
        """Be in no network; False when there is no engine to be told."""
        return self._send(schema.LeaveNetwork())

    def delete_all_data(self, keys: bool = False) -> bool:
        """Delete everything that the engine keeps of chats, for good, and the ``keys`` of this machine if that is
        wanted; False when there is no engine to be told."""
        return self._send(schema.DeleteEverything(ref=DELETION, confirm="delete all my data", keys=keys))

    def forget_notice(self) -> None:
        """The owner has had the time to read it; the line says again how the network is."""
        self._refusal = ""
        self._notice = ""
        self.changed.emit()

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        self.contribution.receive(event)
        self.hosting.receive(event)
        self.sharing.receive(event)
        self.shelf.receive(event)
        self.doctor.receive(event)
        match event:
            case schema.State():
                self._state = event
                if self._wanted == event.contributing.on:
                    self._wanted = None
                if event.contributing.on:
                    self._refusal = ""
            case schema.Contribution():
                pass  # whether there is a pause to be ended
            case schema.SavingState():
                self._saving = event
            case schema.Accepted(request="delete_everything"):
                self.data_deleted.emit("")
            case schema.RequestFailed(request="delete_everything"):
                self.data_deleted.emit(from_engine(event))
            case schema.NetworkKept():
                self.network_kept.emit(event.address)
            case schema.RequestFailed(request="join_network" | "leave_network"):
                self.network_refused.emit(from_engine(event))
            case schema.RequestFailed(request="set_contributing"):
                self._wanted = None
                self._refusal = from_engine(event)
                self._forget.start()
            case _:
                return
        self.changed.emit()

    def cannot_keep(self, reason: str) -> None:
        """The window cannot write down what the engine has not got yet; "": it can."""
        self._not_kept = reason
        self.changed.emit()

    @property
    def not_kept(self) -> str:
        """What would be lost with the window, because the disk does not take it; "" for nothing."""
        if not self._not_kept:
            return ""
        return tr(
            "What you have written is not with the engine yet and cannot be kept on the disk ({reason}); it is lost if "
            "you quit now.",
            reason=self._not_kept,
        )

    def line(self) -> StatusLine:
        """The one line at the bottom of the window."""
        line = self._line()
        if not self._not_kept:
            return line
        return replace(line, tone="error", text=f"{line.text.rstrip('.')}. {self.not_kept}")

    def _line(self) -> StatusLine:
        if not self._connected or self._state is None:
            retry = self._engine_tone == "error"
            text = tr("Asking the engine how it is") if self._connected else self._engine_text
            return StatusLine("busy" if self._connected else self._engine_tone, text, can_retry=retry)
        state = self._state
        if state.stopping:
            return StatusLine("busy", tr(STARTS_ANEW))
        if state.worker.status in ("restarting", "failed"):
            return _worker_line(state.worker)
        if self._saving.problem:
            waiting = tr("%Ln change(s) wait for it.", "", self._saving.waiting)
            return StatusLine("error", " ".join([from_engine(self._saving, "problem"), waiting]))
        if self._refusal or self._notice:
            return StatusLine("warning", self._refusal or self._notice)
        if state.contributing.status == "failed" and state.contributing.reason:
            return StatusLine(
                "warning", tr(_AS_SAID[state.contributing.status], reason=from_engine(state.contributing, "reason"))
            )
        return _network_line(state.network)

    def loss(self, names: int = 0) -> str:
        """What would be lost if engine and window ended now, because the disk does not take it; "" for nothing.
        ``names``: so many changes of names, folders and presets the engine has not said that it has saved."""
        if not self._connected and names:
            lost = tr(
                "%Ln change(s) of names, folders and presets, not saved when the engine ended, would be lost.",
                "",
                names,
            )
            return " ".join(filter(None, (self.not_kept, lost)))
        if self._not_kept or not self._saving.waiting:
            return self.not_kept
        lost = tr(
            "%Ln change(s) to your chats would be lost: the newest of messages, names, folders, presets and deletions.",
            "",
            self._saving.waiting,
        )
        return " ".join([from_engine(self._saving, "problem"), lost])

    def contribute_words(self) -> str:
        """Why the switch stands as it does, or what it does: a sentence for the page about it."""
        line, state = self.contribute(), self._state
        if state is None or line.tone in ("warning", "error", "busy"):
            return line.details
        if not line.checked and self.intends and state.network.status == "none":
            return tr("It begins as soon as this machine is in a network.")
        if not line.checked:
            return tr("Turn it on to answer other people's questions on this machine.")
        return tr("Other people's questions are answered with {model}.", model=state.contributing.model or BUILTIN)

    def network(self) -> tuple[Tone, str, str]:
        """(tone, state, reason) of the network alone."""
        if self._state is None:
            return self._engine_tone, tr("Not known"), self._engine_text
        network = self._state.network
        tone = _network_line(network).tone
        if network.status == "none":
            return tone, tr("In no network"), tr("Answers are made on this machine only, and nothing leaves it.")
        words = " · ".join(filter(None, (network.name, tr(_NETWORK_STATES[network.status]))))
        return tone, words, from_engine(network, "reason")

    def notes(self) -> tuple[str, ...]:
        """What the engine wants its owner to know, such as how its keys are kept."""
        own = (self._note,) if self._note and self._connected else ()
        if self._state is None:
            return own
        relay = self._state.relay
        refused = (
            (tr("This machine relays nothing for others: {reason}", reason=from_engine(relay, "reason")),)
            if relay.refused
            else ()
        )
        return (
            *own,
            *refused,
            *(from_engine(self._state, f"warnings[{at}]") for at in range(len(self._state.warnings))),
        )

    def contribute(self) -> ContributeLine:
        """The switch, for window and tray alike."""
        if self._state is None:
            return ContributeLine(False, False, tr("Waiting for the engine"))
        now = self._state.contributing
        if self._wanted is not None:
            return ContributeLine(self._wanted, True, tr("Turning on…") if self._wanted else tr("Turning off…"), "busy")
        if self._refusal and not now.on:
            return ContributeLine(False, True, tr("Not possible"), "warning", self._refusal)
        return ContributeLine(now.on, True, tr(_STATES[now.status]), _CONTRIBUTING_TONES[now.status], _details(now))


_NETWORK_STATES = {
    "joining": mark("Joining"),
    "ready": mark("Connected"),
    "weak": mark("Connected, weaker than it should be"),
    "offline": mark("Not reachable"),
}

_CONTRIBUTING_TONES: dict[str, Tone] = {
    "off": "neutral",
    "starting": "busy",
    "on": "good",
    "paused": "neutral",
    "draining": "busy",
    "failed": "error",
}


_STATES = {
    "off": mark("Off"),
    "starting": mark("Starting…"),
    "on": mark("On"),
    "paused": mark("Paused"),
    "draining": mark("Finishing…"),
    "failed": mark("Not possible"),
}
_AS_SAID = {
    "paused": mark("Contributing is paused: {reason}"),
    "failed": mark("Contributing is not possible: {reason}"),
}


def _worker_line(worker: schema.WorkerState) -> StatusLine:
    reason = from_engine(worker, "reason").rstrip(". ") or tr("it does not say why")
    if worker.status == "failed":
        return StatusLine("error", tr("The part of the engine that runs models cannot run: {reason}.", reason=reason))
    text = tr(
        "The part of the engine that runs models ended: {reason}. It starts again, and answers go on.", reason=reason
    )
    return StatusLine("busy", text)


def _details(now: schema.ContributingState) -> str:
    """The reason if there is one, else numbers."""
    if now.reason:
        return from_engine(now, "reason")
    numbers = [tr("answering %Ln now", "", now.answering)] if now.answering else []
    if now.answered:
        numbers.append(
            tr("{answered} answered, {tokens} tokens", answered=number(now.answered), tokens=number(now.tokens))
        )
    return ", ".join(numbers)


def _network_line(network: schema.NetworkState) -> StatusLine:
    name = network.name
    match network.status:
        case "none":
            return StatusLine("neutral", tr("No network: answers are made on this machine only."), tr(HOW_TO_JOIN))
        case "joining":
            return StatusLine(
                "busy",
                _with_reason(
                    tr("Joining the network “{name}”.", name=name) if name else tr("Joining the network."), network
                ),
            )
        case "ready":
            return StatusLine("good", _ready(network))
        case "weak":
            return StatusLine(
                "warning",
                _with_reason(
                    tr("In the network “{name}”, weaker than it should be.", name=name)
                    if name
                    else tr("In the network, weaker than it should be."),
                    network,
                ),
            )
        case "offline":
            return StatusLine(
                "error",
                _with_reason(
                    tr("The network “{name}” cannot be reached.", name=name)
                    if name
                    else tr("The network cannot be reached."),
                    network,
                ),
            )


def _ready(network: schema.NetworkState) -> str:
    details = tr(
        "{paths} of {wanted} paths, {relays} relays, {nodes} nodes",
        paths=number(network.paths),
        wanted=number(network.paths_wanted),
        relays=number(network.relays),
        nodes=number(network.nodes),
    )
    if network.name:
        return tr("In the network “{name}”: {details}", name=network.name, details=details)
    return tr("In the network: {details}", details=details)


def _with_reason(sentence: str, network: schema.NetworkState) -> str:
    return f"{sentence} {from_engine(network, 'reason')}".strip()
