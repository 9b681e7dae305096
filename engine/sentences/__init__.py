"""What the engine says to people: sentences with a code and values, so that a window can say them in its language.

``say("paths.some", paths=3, wanted=4)`` is a text like any other, in English, for logs, the command line and programs;
it also knows its code and values, which the control API sends beside it (``words``). Texts that are put together by
:func:`together` keep those of all their parts. A text of another machine has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct


class Sentence(Struct, frozen=True):
    """One sentence. ``code`` "": the text ``values["text"]`` as it stands, from elsewhere. A value may itself be made
    of sentences; one that is called ``when`` is a time in seconds since 1970."""

    code: str
    values: dict[str, str | int | float | tuple[Sentence, ...]] = {}


class Said(str):
    """An English text that knows what it is made of."""

    __slots__ = ("parts",)
    parts: tuple[Sentence, ...]


def say(code: str, **values: str | int | float) -> Said:
    """The sentence of that code with its values."""
    shown = {name: _shown(name, value) for name, value in values.items()}
    said = Said(SENTENCES[code].format(**shown))
    said.parts = (Sentence(code, {name: _kept(value) for name, value in values.items()}),)
    return said


def said_again(text: str, parts: tuple[Sentence, ...]) -> str:
    """A text that was kept with what it is made of."""
    if not parts:
        return text
    said = Said(text)
    said.parts = parts
    return said


def together(*texts: str) -> Said:
    """Texts one after the other; empty ones are left out."""
    said = Said(" ".join(text for text in texts if text))
    said.parts = tuple(part for text in texts if text for part in parts_of(text))
    return said


def listed(code: str, texts: Sequence[str]) -> str:
    """Texts in a list, as the sentence of that code joins ``one`` and ``other``."""
    first, *others = texts
    for other in others:
        first = say(code, one=first, other=other)
    return first


def said_by(error: BaseException) -> str:
    """What an error says, with what that is made of."""
    said = error.args[0] if error.args else ""
    return said if isinstance(said, Said) else str(error)


def plain(text: str) -> str:
    """A text without what it is made of, as encoders want it."""
    return "".join(text)


def parts_of(text: str) -> tuple[Sentence, ...]:
    """What a text is made of."""
    if isinstance(text, Said):
        return text.parts
    return (Sentence("", {"text": str(text)}),)


def _shown(name: str, value: str | int | float) -> str:
    if name == "when":
        return datetime.fromtimestamp(float(value), UTC).strftime("%d %b %Y, %H:%M UTC")
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kept(value: str | int | float) -> str | int | float | tuple[Sentence, ...]:
    return value.parts if isinstance(value, Said) else value


def mark(text: str) -> str:
    """For translators: the window's texts are collected here, too."""
    return text


SENTENCES: Mapping[str, str] = {
    "chat.no_model": mark(
        "There is no model to ask: none is on this machine, and the network has none or is not joined yet. "
        "Wait a moment, or download one."
    ),
    "chat.stopped": mark("The answer was stopped. What had arrived is kept."),
    "chat.interrupted": mark("The engine ended while this answer was written. What had arrived is kept; ask again."),
    "chat.incomplete": mark("The answer ended without its last event. Its text may be incomplete; ask again."),
    "chat.answer_too_long": mark("The answer was stopped: it is longer than {most} characters."),
    "chat.mistake": mark("The engine made a mistake while it answered; its log says which."),
    "chat.request_mistake": mark("The engine made a mistake with this; its log says which."),
    "chat.thinks": mark("The model thinks before it answers"),
    "chat.holds_less": mark(
        "The machine that answers holds less than it was thought to: earlier messages are left out"
    ),
    "chat.overflow": mark(
        "This conversation takes {used} tokens, some are needed for the answer, and {model} holds {limit} together."
    ),
    "chat.overflow_about": mark(
        "This conversation takes about {used} tokens, some are needed for the answer, and {model} holds "
        "{limit} together."
    ),
    "chat.overflow_drop": mark(
        "Leave out its oldest {droppable} messages this time, or choose a model with a longer context."
    ),
    "chat.overflow_shorten": mark("Shorten the question, or choose a model with a longer context."),
    "chat.not_found": mark("There is no chat '{chat}'. It was deleted, or another data directory has it."),
    "chat.message_not_found": mark("There is no message '{message}' in this chat."),
    "chat.id_deleted": mark("The id '{chat}' belongs to a deleted chat. Restore it, or take another id."),
    "chat.too_late": mark("It is too late to restore this: the chat was removed for good, or never was."),
    "chat.id_taken": mark("There is a message with this id already. Take another one."),
    "chat.busy": mark("An answer is being written in this chat. Wait for its end, or stop it."),
    "chat.full": mark("This chat has {count} messages, and no more fit. Begin a new one."),
    "chat.versions": mark("There are {most} versions here already. Begin a new chat."),
    "chat.question_gone": mark("This answer's question is not there any more, so it cannot be asked again."),
    "chat.question_empty": mark("The question is empty. Write something, or attach a file."),
    "chat.question_too_long": mark(
        "The question has {count} characters with its files, and at most {most} can be asked at once. Leave some out."
    ),
    "chat.temporary_most": mark("There are {most} temporary chats already. Close some of them."),
    "chat.ending": mark("The engine ends, or deletes everything. Ask again in a moment."),
    "chat.answers_most": mark("{most} answers are being written already. Wait until one is done, or stop one."),
    "chat.open_most": mark("{most} chats are open here already. Close one of them."),
    "preset.nameless": mark("A preset needs a name."),
    "preset.taken": mark("There is a preset called '{name}' already. Take another name."),
    "preset.most": mark("There are {most} presets already. Delete one of them."),
    "preset.text_most": mark("The system prompts of all presets have {most} characters at most."),
    "preset.gone": mark("There is no preset '{name}'. It was deleted."),
    "folder.nameless": mark("A folder needs a name."),
    "folder.most": mark("There are {most} folders already. Delete one of them."),
    "file.not_here": mark("This chat has no attachment '{name}'. Attach the file again."),
    "file.none": mark("There is no attachment '{name}' here."),
    "file.id_taken": mark("Another message has an attachment with this id. Take another one."),
    "edit.long": mark("Another wording of a question is kept up to {most} characters."),
    "edit.most": mark("Other wordings of {most} questions are kept already. Ask one of them first."),
    "file.most": mark("{most} files are attached already. Remove one of them."),
    "file.pieces": mark("Pieces of this file are missing. Send it again from its beginning."),
    "file.too_long": mark(
        "The file {name} is longer than {most} characters, which no model here could read at once. Attach a part of it."
    ),
    "file.uploads_most": mark("{most} files are being sent already. Finish one of them first."),
    "saving.disk_full": mark("Chats cannot be saved: the disk is full. Free some space."),
    "saving.held": mark("Chats cannot be saved: another program holds the chat database. Close it."),
    "saving.read_only": mark(
        "Chats cannot be saved: the data directory cannot be written. Look at its owner and disk."
    ),
    "saving.broken": mark("The chat database cannot be used ({error}). Check the disk."),
    "saving.kept": mark("What is not yet on the disk is kept in memory until then."),
    "saving.no_room": mark("So much waits in memory already that nothing can be added."),
    "saving.closed": mark("The engine ends; chats are closed already."),
    "control.cancelled": mark("The answer was stopped. What has arrived is kept."),
    "control.no_network": mark(
        "There is no network to contribute to. Join one in the window, or start the engine with --bootstrap."
    ),
    "stage.paths": mark("Choosing anonymous paths"),
    "stage.reads_here": mark("This machine reads the question"),
    "stage.place": mark("Waiting for a place at the machine that answers"),
    "stage.reads": mark("The machine that answers reads the question"),
    "stage.writes": mark("Writing"),
    "stage.finishes": mark("Finishing"),
    "stage.sending": mark("Sending the question over anonymous paths"),
    "stage.sending_direct": mark("Sending the question directly, without relays"),
    "stage.sending_weaker": mark("Sending the question over weaker paths than the network wants: {shape}"),
    "stage.left_goes_on": mark("The machine that was answering leaves; another one goes on with the answer"),
    "stage.left_asking": mark("The machine that was answering leaves; asking another one"),
    "stage.gone_goes_on": mark("The machine that was answering is gone; another one goes on with the answer"),
    "stage.gone_asking": mark("The machine that was answering is gone; asking another one"),
    "stage.full_goes_on": mark("That machine is full; another one goes on with the answer"),
    "stage.full_asking": mark("That machine is full; asking another one"),
    "stage.changed_goes_on": mark("That machine has another model now; another one goes on with the answer"),
    "stage.changed_asking": mark("That machine has another model now; asking another one"),
    "shape.direct": mark("direct, without relays"),
    "shape.paths": mark("{paths} paths of {relays} relays"),
    "shape.paths_one": mark("{paths} paths of 1 relay"),
    "shape.path": mark("1 path of {relays} relays"),
    "shape.path_one": mark("1 path of 1 relay"),
    "list.or": mark("{one}; or {other}"),
    "list.and": mark("{one}, {other}"),
    "choice.direct": mark("go direct (sealed, but the model node sees your address)"),
    "choice.shape": mark("use {shape}"),
    "paths.not_ready": mark("The anonymous paths are not ready: {problem} You can also ask the model on this machine."),
    "paths.or_weaker": mark("Or choose something weaker: {offered}."),
    "paths.no_directory": mark("The directory of the network is not here yet."),
    "paths.no_relays": mark("No relays are known yet."),
    "paths.guards_linking": mark("Links with the first relays (guards) are still being made."),
    "paths.too_few": mark(
        "{paths} separate paths of {length} need {needed} relays; {have} can be used, so {missing} are missing. "
        "Wait until more join."
    ),
    "paths.one_missing": mark(
        "{paths} separate paths of {length} need {needed} relays; {have} can be used, so {missing} is missing. "
        "Wait until more join."
    ),
    "paths.too_few_guards": mark(
        "{needed} guards are needed and only {have} of yours can be used at the moment. Wait until more of "
        "them are back or linked."
    ),
    "paths.too_close": mark(
        "{have} relays are usable, but too many of them share a network or an owner for {paths} separate "
        "paths of {length}. Wait for relays elsewhere."
    ),
    "paths.no_machine": mark("No machine that answers is linked yet."),
    "paths.some": mark("{ready} of {wanted} anonymous paths work; the others are being built."),
    "paths.accepted": mark("Questions go {way}, as you accepted."),
    "paths.way_direct": mark("directly, without relays"),
    "paths.way": mark("over {shape}"),
    "paths.only_some": mark("Only {ready} of the {needed} anonymous paths that an answer needs could be built."),
    "paths.little": mark("Too little of the answer comes through the anonymous paths."),
    "paths.again": mark("Wait a moment and ask again."),
    "privacy.direct": mark("Direct: no relays. The machine that answered saw this machine's address."),
    "privacy.weaker": mark("{shape}: weaker than the {full} that this network wants, as you accepted."),
    "privacy.weaker_direct": mark("Weaker than the {full} that this network wants, as you accepted."),
    "network.none": mark("No network is configured; answers are made on this machine. Join one with --bootstrap."),
    "network.turn_only": mark("Links go through a TURN server only (--relayed-only), and {problem}."),
    "network.no_turn": mark("the network's operator offers no TURN server"),
    "network.turn_tried": mark("no TURN server can be used from here ({tried})"),
    "network.trying_turn": mark("TURN servers are being tried"),
    "network.joining": mark(
        "The network cannot be asked: it is still being joined. Wait a moment, or ask the model on this machine."
    ),
    "network.not_configured": mark(
        "The network cannot be asked: no network is configured. Join one with --bootstrap, or ask the model "
        "on this machine."
    ),
    "server.unreachable": mark("The bootstrap server {server} cannot be reached ({error})."),
    "server.nothing": mark("Nothing can be joined without it. Check the address and this computer's connection."),
    "server.too_old": mark("The last directory is {hours} h old and no longer trusted, so nothing new can be started."),
    "server.in_use": mark("The last directory, {hours} h old, stays in use for up to 24 h; trying again."),
    "server.other": mark("The bootstrap server {preferred} does not answer, so {current} is used until it does."),
    "server.clock_behind": mark("This computer's clock is {seconds} s behind. Set it."),
    "server.clock_ahead": mark("This computer's clock is {seconds} s ahead. Set it."),
    "contribute.loading": mark("loading the model and telling the network"),
    "contribute.waiting": mark("waiting for the network"),
    "contribute.no_network": mark("There is no network to contribute to; join one."),
    "keys.plain": mark("The keys of this engine lie in a file that is not encrypted; no keyring works here."),
    "standing.slower": mark(
        "The committee's verifiers have found that this machine reads {speeds}, less than it says; other "
        "machines pass questions on by that. Other programs may have kept it busy, or several nodes share its "
        "hardware. It is measured again, and you need not do anything."
    ),
    "standing.speed": mark("{rate} tokens a second with {model}"),
    "machine.none": mark(
        "Nobody on the network serves {model} at the moment. Choose another model or try again later."
    ),
    "machine.none_known": mark(
        "Nobody on the network serves {model} in the version that this machine knows at the moment. Choose "
        "another model or try again later."
    ),
    "machine.standing": mark(
        "No machine that serves {model} has the standing that is asked for. Ask for less, or try again later."
    ),
    "machine.excluded": mark(
        "Every machine that serves {model} was found not to serve what it claims. Choose another model."
    ),
    "machine.not_served": mark("The machine that is asked does not serve {model} at the moment."),
    "machine.not_read": mark("The answer was not read in time, so it was stopped. Ask again."),
    "machine.broke": mark("The machine that answered broke the protocol. Ask again; another one answers."),
    "machine.gone": mark(
        "The machine that was answering is gone. What has arrived is kept; ask again and another one answers."
    ),
    "machine.gone_links": mark(
        "The machine that was answering is gone. Its links with our paths have ended. What has arrived is "
        "kept; ask again and another one answers."
    ),
    "machine.gone_silent": mark(
        "The machine that was answering is gone. It has fallen silent while our paths work. What has arrived "
        "is kept; ask again and another one answers."
    ),
    "machine.gone_stranger": mark(
        "The machine that was answering is gone. Another one that may not answer this has answered in its "
        "place. What has arrived is kept; ask again and another one answers."
    ),
    "machine.no_link": mark(
        "No link with the machine that answers could be made within {seconds} s, and this question goes there "
        "directly. Ask again; gentorrent doctor finds out what is in the way."
    ),
    "badge.local": mark("Answered on this machine; nobody else saw it."),
    "badge.signed": mark("Signed by the machine that answered; it matches the question and every token."),
    "badge.signed_all": mark(
        "Signed by the machines that answered ({count}), each for its part; they match the question and every token."
    ),
    "badge.misdated": mark(
        "The receipt bears a date at which the answer was not made: the clock of the machine that answered is wrong, "
        "or it would rather not be held to the answer."
    ),
    "badge.unsigned": mark("Not signed are the {count} tokens that came last from a machine that went away."),
    "badge.contradicted": mark(
        "Machine {machine} is excluded: it has signed two things that contradict each other, as its signatures prove."
    ),
    "badge.new": mark("Machine {machine} is new: the committee has judged none of its answers yet."),
    "badge.excluded": mark(
        "Machine {machine} is excluded: the committee found that it does not serve the model that it claims ({when})."
    ),
    "badge.passed": mark(
        "Machine {machine} was last checked by the committee on {when} and passed; its reputation is "
        "{reputation} after {judged} checks."
    ),
    "badge.not_passed": mark(
        "Machine {machine} was last checked by the committee on {when} and did not pass; its reputation is "
        "{reputation} after {judged} checks."
    ),
    "badge.passed_young": mark(
        "Machine {machine} was last checked by the committee on {when} and passed; its reputation is "
        "{reputation} after {judged} checks, not enough yet to be established."
    ),
    "badge.not_passed_young": mark(
        "Machine {machine} was last checked by the committee on {when} and did not pass; its reputation is "
        "{reputation} after {judged} checks, not enough yet to be established."
    ),
    "automatic.chosen": mark("{model} is where this machine helps most."),
    "automatic.only": mark("{model} is the only model here that can be taken."),
    "automatic.nobody": mark("Nobody else serves it."),
    "automatic.others": mark("Others that serve it: {others}; of these about {busy} % are answering."),
    "automatic.measured": mark("It writes {rate} tokens a second here."),
    "automatic.expected": mark("It is expected to write about {rate} tokens a second here."),
    "automatic.better": mark("{model} would help more, once it is downloaded ({size} GB)."),
    "automatic.failed": mark("{model} could not be loaded and is tried again later."),
    "automatic.failed_all": mark("None of the models here could be loaded."),
    "automatic.none": mark("No model here fits into the memory that may be used."),
    "automatic.event": mark("Contributing {model} from now on: {reason}"),
    "governor.paused": mark("You have paused it."),
    "governor.paused_until_start": mark("You have paused it until the engine's next start."),
    "governor.schedule": mark("The weekly schedule has this hour off."),
    "governor.schedule_never": mark("The weekly schedule has every hour off."),
    "governor.energy": mark("This month's {limit} kWh are used up."),
    "governor.traffic": mark("This month's {limit} GB of traffic are used up."),
    "governor.idle": mark(
        "Somebody is at this machine. It goes on after {minutes} minutes without mouse and keyboard."
    ),
    "governor.battery": mark("This machine runs on battery."),
    "governor.metered": mark("The connection is metered."),
    "governor.full_screen": mark("A program fills the screen."),
    "governor.game": mark("A game is running."),
    "governor.program": mark("{program} is running."),
    "governor.contention": mark("Other programs need {share} % of the processors."),
    "governor.contention_gpu": mark("Another program is using {device}."),
    "governor.heat": mark("The processor is at {degrees} °C."),
    "governor.heat_gpu": mark("{device} is at {degrees} °C."),
    "governor.not_mine": mark("Only your own networks are served, and this one is open to everybody."),
    "governor.relay_off": mark("Passing on traffic is switched off."),
    "governor.relay_traffic": mark("This month's {limit} GB of other people's traffic are passed on."),
    "governor.relay_metered": mark("Nothing is passed on over a metered connection."),
    "governor.processor": mark("The processor"),
    "governor.slowed_energy": mark("It works more slowly, so that this month's energy lasts."),
    "governor.slowed_traffic": mark("It works more slowly, so that this month's traffic lasts."),
    "governor.slowed_power": mark("{device} works more slowly, so that it stays below {watts} W."),
    "governor.slowed_heat": mark("{device} works more slowly, as it is at {degrees} °C."),
    "governor.device_off": mark("It is switched off for contributing."),
    "governor.device_lost": mark("It does not answer any more: it was removed, or its driver has lost it."),
    "governor.device_power": mark("It takes more than {watts} W even when it hardly works; it rests for a minute."),
    "governor.no_device": mark("What could compute here may not be used: {device}. {reason}"),
    "governor.power_refused": mark(
        "The driver does not permit this user to limit the power of {device}. The engine works in pauses instead, so "
        "that it stays below."
    ),
    "governor.power_least": mark(
        "{device} cannot be limited to less than {watts} W. The engine works in pauses, so that it stays below."
    ),
    "governor.power_fails": mark(
        "The power of {device} could not be limited: {error} The engine works in pauses instead, so that it stays "
        "below."
    ),
    "governor.power_unmeasured": mark("{device} does not say how much power it takes, so its limit does nothing."),
    "governor.too_long": mark("The owner of this machine takes requests of at most {most} tokens."),
    "governor.finishing": mark("Running answers are being finished; no new ones are taken."),
    "governor.rules_damaged": mark(
        "The rules for contributing were damaged and are set aside as {place}. The rules that a new machine has hold; "
        "look whether they suit you."
    ),
    "governor.count_damaged": mark(
        "The count of this month's energy and traffic was damaged and is set aside as {place}. Limits of the month "
        "count from nothing."
    ),
    "governor.log_damaged": mark("The log of contributing was damaged and is set aside as {place}. It begins anew."),
    "governor.pause_damaged": mark(
        "What was kept of your pause was damaged and is set aside as {place}. Pause again if you want to."
    ),
    "governor.rules_not_kept": mark("The rules hold now, but cannot be kept for the next start: {problem}"),
    "governor.not_measured": mark("This system does not tell."),
    "governor.event_paused": mark("Paused. {reasons}"),
    "governor.event_resumed": mark("Contributing goes on."),
    "governor.event_rules": mark("The rules were changed."),
    "governor.sensors_off": mark("The engine's settings switch this off (sensors)."),
    "governor.sensor_hangs": mark("The system did not answer in time."),
    "governor.sensor_failed": mark("It could not be read: {problem}"),
    "governor.no_thermometer": mark("No thermometer of the processor is shown to programs."),
    "governor.gpu_refused": mark("The driver does not permit this user to look at the GPU."),
    "governor.gpu_fails": mark("The GPU or its driver does not answer as it should: {error}"),
    "governor.x_server": mark("The X server does not tell: {problem}"),
    "governor.no_gpu": mark("No GPU was found."),
    "governor.no_idle": mark("Neither the desktop nor the system tells when mouse and keyboard were used."),
    "governor.wayland": mark("A Wayland desktop does not tell what fills the screen."),
    "governor.no_display": mark("There is no screen."),
    "governor.not_metered": mark("NetworkManager does not know whether the connection is metered."),
    "governor.rapl_refused": mark("Only the administrator may read the processor's energy counter."),
    "governor.no_power": mark("The processor has no energy counter that programs can read."),
    "hosting.none": mark("No network was made on this machine yet. Host one first."),
    "hosting.not_running": mark("The server of the network that is hosted here does not run. Start it first."),
    "hosting.name": mark("The name of a network has 1 to 64 characters that can be printed."),
    "hosting.exists": mark(
        "The network “{name}” was made on this machine already. Start that one; its name and who may join it never "
        "change."
    ),
    "hosting.reach_fixed": mark(
        "The network “{name}” was made for this machine alone or for others as well, and that never changes."
    ),
    "hosting.url": mark(
        "This is not an address under which others could reach this machine. Write a name or a number as in "
        "http://example.org:8900."
    ),
    "hosting.port_in_use": mark("Another program uses the port {port}. Choose another one, or end that program."),
    "hosting.port_refused": mark("The system does not give the port {port} ({error}). Choose one above 1023."),
    "hosting.elsewhere": mark(
        "The server of this network was started by another program, such as gentorrent bootstrap, and is ended there."
    ),
    "hosting.ended": mark("The server of the network ended: {problem} It is started again."),
    "hosting.unknown": mark("This engine does not know what is asked. Is it of the same version?"),
    "invite.open_network": mark(
        "This network is open: everybody who has its address may join, so there is nobody to invite. A private one is "
        "made with gentorrent bootstrap --init --invited-only, or in the window."
    ),
    "invite.unknown": mark("In this network no invitation begins with '{invitation}'."),
    "invite.several": mark("In this network {count} invitations begin with '{invitation}'. Give more of its id."),
    "invite.no_id": mark("This is not the id of an engine. The one who is invited finds both on the page Network."),
    "join.not_understood": mark(
        "This is neither an invitation, which begins with gentorrent-invite-, nor the address of a network, which "
        "begins with http:// or https://. Copy the whole text again."
    ),
    "join.no_invitation": mark(
        "This is not an invitation: one begins with gentorrent-invite- and has one long word after it."
    ),
    "join.no_address": mark("This address cannot be used: {problem}"),
    "join.damaged": mark("The invitation is incomplete or mistyped. Copy the whole text again."),
    "join.expired": mark(
        "The invitation expired on {when}, unless this computer's clock is wrong. Set the clock if it is; else ask the "
        "operator for a new invitation."
    ),
    "join.early": mark(
        "The invitation was made on {when}, which is yet to come by this computer's clock, so the clock is wrong. Set "
        "it and try again."
    ),
    "join.for_another": mark(
        "The invitation was made for another machine. Send its operator the two ids of this one, which stand on the "
        "page Network (gentorrent invite ids), and ask for an invitation that is good for them."
    ),
    "join.named_at_start": mark(
        "The network of this engine was named when it was started (--bootstrap, GENTORRENT_BOOTSTRAP or config.toml), "
        "which goes before what is joined here. Leave that out and start again."
    ),
    "doctor.running": mark("An examination is going on already. Wait for its end."),
    "doctor.unavailable": mark("This engine was started in a way that has no doctor. Run gentorrent doctor."),
    "doctor.no_network": mark("No network is named."),
    "doctor.no_network_means": mark(
        "Without a bootstrap server's address there is nothing to connect to; answers are made here only."
    ),
    "doctor.no_network_do": mark(
        "Ask a network's operator for an invitation or its address and join on the page Network (--bootstrap "
        "URL#NETWORKID), or host a network of your own."
    ),
    "doctor.server": mark("The bootstrap server of “{name}” answers in {milliseconds} ms."),
    "doctor.server_lists": mark("{nodes} nodes are listed, {relays} of them relays."),
    "doctor.server_silent": mark("It is used because {servers}, which should be first, does not answer."),
    "doctor.server_slow": mark("So slow a connection delays new links, not answers."),
    "doctor.not_visited": mark(
        "The running engine uses this private network's only login, so no link was tried; stop it and run "
        "gentorrent doctor if you want that."
    ),
    "doctor.unreachable": mark("The bootstrap server does not answer ({said})."),
    "doctor.unreachable_means": mark(
        "Nothing new can be joined. Engines that run go on with their neighbours for up to a day."
    ),
    "doctor.unreachable_do": mark(
        "Check the address and whether other sites open. If they do, the server is down: ask its operator."
    ),
    "doctor.certificate": mark("The bootstrap server's certificate is not trusted ({said})."),
    "doctor.certificate_means": mark(
        "Either its operator uses a certificate of his own, or somebody on the way reads along."
    ),
    "doctor.certificate_do": mark(
        "Ask the operator. Behind a company's inspecting proxy its certificate must be installed in this system."
    ),
    "doctor.portal": mark("Something else answers in the place of the bootstrap server ({said})."),
    "doctor.portal_means": mark(
        "Usually this is the login page of a hotel's or company's network, or the address is wrong."
    ),
    "doctor.portal_do": mark(
        "Open any web page in a browser and log in there; if none asks you to, check the address."
    ),
    "doctor.other": mark("The server belongs to another network ({said})."),
    "doctor.other_means": mark("The address names a network that this server does not serve."),
    "doctor.other_do": mark("Ask the operator for the current address."),
    "doctor.refused": mark("The bootstrap server answers, but logging in failed: {detail}"),
    "doctor.refused_means": mark("This machine cannot take part before that is mended."),
    "doctor.do_as_said": mark("Do what the reason says."),
    "doctor.clock": mark("The clock is right."),
    "doctor.seconds": mark("{count} s"),
    "doctor.minutes": mark("{count} minutes"),
    "doctor.clock_behind": mark("This computer's clock is {time} behind the server's."),
    "doctor.clock_ahead": mark("This computer's clock is {time} ahead of the server's."),
    "doctor.clock_wrong_means": mark(
        "Logins and questions carry the time and are refused when it is more than {minutes} minutes off."
    ),
    "doctor.clock_off_means": mark("It still works, but not for long if the clock goes on like this."),
    "doctor.clock_do": mark("Switch on automatic time in the system's settings."),
    "doctor.nat_unknown": mark("The kind of router could not be found out: no STUN or TURN server is known."),
    "doctor.nat_unknown_means": mark("Links are tried directly; behind strict routers some of them fail."),
    "doctor.ask_for_turn": mark("Ask the network's operator to run a TURN server (operator guide)."),
    "doctor.udp": mark("UDP is blocked here: no STUN or TURN server answered over it."),
    "doctor.udp_means": mark("All links go through a TURN server over TCP or TLS, which is slower."),
    "doctor.udp_alone_means": mark("Links need UDP or a TURN server by TCP or TLS, and neither works."),
    "doctor.udp_do": mark("If the firewall is yours, allow outgoing UDP."),
    "doctor.udp_alone_do": mark("Otherwise ask the operator for a TURN server over TLS on port 443."),
    "doctor.seen": mark("From outside it is seen as {address}."),
    "doctor.nat_none": mark("This machine has a public address of its own."),
    "doctor.nat_none_means": mark("Links are direct."),
    "doctor.nat_cone": mark("The router maps one public port for all (a cone NAT)."),
    "doctor.nat_cone_means": mark("Most links are direct."),
    "doctor.nat_strict": mark("The router maps a new public port for every peer (a symmetric NAT)."),
    "doctor.nat_strict_means": mark("Links with others behind such routers go through a TURN server."),
    "doctor.nat_strict_alone_means": mark("Links with others behind such routers fail, as no TURN server can be used."),
    "doctor.nat_strict_do": mark(
        "A router with another NAT setting (often called full cone or open), or a port forwarding, makes direct "
        "links possible."
    ),
    "doctor.nat_strict_alone_do": mark("Else ask the operator for a TURN server."),
    "doctor.nat_few": mark("UDP works; fewer than two servers answered, so the kind of router is not known."),
    "doctor.nat_few_do": mark("The operator can name a second STUN server."),
    "doctor.no_turn": mark("The network's operator offers no TURN server."),
    "doctor.no_turn_means": mark("Pairs of machines that are both behind strict routers cannot be linked."),
    "doctor.turn": mark("A TURN server lends addresses by {transport} in {milliseconds} ms."),
    "doctor.turn_others": mark("Not usable: {failed}."),
    "doctor.turn_others_means": mark("One transport is enough; the others are for networks that block it."),
    "doctor.turn_fails": mark("No TURN server can be used: {failed}."),
    "doctor.turn_fails_means": mark("Links that cannot be direct fail."),
    "doctor.turn_secret_do": mark(
        "Tell the operator: the TURN server and the bootstrap server have different secrets."
    ),
    "doctor.turn_certificate_do": mark(
        "Tell the operator to use a certificate that systems trust, or have his authority's certificate and name "
        "it with --turn-ca FILE."
    ),
    "doctor.turn_refused_do": mark("Do what the reason says, or tell the operator."),
    "doctor.turn_silent_do": mark("Tell the operator that it does not answer, unless your firewall blocks its ports."),
    "doctor.no_relays": mark("No other relay is listed, so no link could be tried."),
    "doctor.no_relays_means": mark("Whether others can be reached is not known."),
    "doctor.no_links": mark("None of {count} listed relays could be linked."),
    "doctor.no_links_means": mark("Questions cannot be asked on the network from here."),
    "doctor.no_links_do": mark(
        "Follow what is said about UDP, the router and TURN; if all of that is good, a local firewall may block "
        "this program. Where few relays are listed they may just have left: run this again in a minute."
    ),
    "doctor.links": mark(
        "{opened} of {tried} relays were linked within {seconds} s, {direct} directly and {relayed} through a "
        "TURN server."
    ),
    "doctor.links_means": mark(
        "This machine can be reached from outside: each direct link carries packets that the relay sends to our "
        "address."
    ),
    "doctor.links_relayed_means": mark("This machine can be reached from outside through the TURN server only."),
    "doctor.no_bandwidth": mark("Bandwidth could not be measured: {error}."),
    "doctor.bandwidth": mark(
        "{down} Mbit/s from the bootstrap server and {up} Mbit/s to it (measured with {megabytes} MB)."
    ),
    "doctor.bandwidth_means": mark("Enough to ask; too little to relay well for others."),
    "doctor.bandwidth_do": mark("Consider --no-relay, or a connection by cable."),
    "doctor.ipv6": mark("This machine has a way out by IPv6."),
    "doctor.no_ipv6": mark("There is no IPv6 here."),
    "doctor.no_ipv6_means": mark("Nothing is missing: IPv4 is enough. With IPv6 more links are direct."),
    "doctor.engine_none": mark("The running engine is in no network."),
    "doctor.engine_joining": mark("The running engine is joining."),
    "doctor.engine_ready": mark("The running engine is ready."),
    "doctor.engine_weak": mark("The running engine is weak: it has fewer paths or relays than the network wants."),
    "doctor.engine_offline": mark("The running engine is offline."),
    "doctor.engine_has": mark("It has {links} links and {paths} of {wanted} paths."),
    "doctor.engine_relayed": mark("{count} of the links go through a TURN server ({server})."),
    "doctor.engine_do": mark("If everything else here is good, restart the engine and run this again."),
    "doctor.engine_refused_do": mark("Mend first why the bootstrap server refuses this machine."),
    "doctor.relays_nothing": mark("The running engine relays nothing for others: {reason}"),
    "doctor.relays_nothing_means": mark("Questions can be asked all the same."),
    "doctor.relays_nothing_do": mark(
        "Do what the reason says (gentorrent identity tells and changes under which identity this machine "
        "relays), or start the engine with --no-relay."
    ),
    "doctor.engine_says": mark("The running engine says: {said}"),
    "probe.at": mark("{server}: {reason}"),
    "probe.and": mark("{one}; {other}"),
    "probe.silent": mark("no answer within {seconds} s"),
    "probe.user": mark("refused: it does not accept our user name and password"),
    "probe.address": mark("refused: it does not serve this address"),
    "probe.quota": mark(
        "refused: our quota of relayed links is used up; close other links or ask the operator for more"
    ),
    "probe.full": mark("refused: it has no room for more relayed links now"),
    "probe.refused": mark("refused: it answered with error {error}"),
    "probe.certificate": mark("its certificate is not trusted: {problem}"),
    "probe.no_host": mark("there is no such host"),
    "probe.no_network": mark("no network"),
    "library.unknown": mark("The catalogue has no model '{model}'."),
    "library.licence": mark("The licence of {model} ({licence}) has to be accepted before it is downloaded."),
    "library.ending": mark("The engine ends. Ask again in a moment."),
    "library.most": mark("{most} models are being downloaded already. Stop one, or wait."),
    "manifest.damaged": mark("This is no manifest of a model: {problem}. Get it again from its publisher."),
    "manifest.too_long": mark(
        "The manifest would have {count} bytes, and {most} are allowed. Publish fewer files, or shorten the texts."
    ),
    "manifest.forged": mark(
        "The manifest of {model} is not signed by the publisher that it names: it is forged or damaged. Get it again "
        "from its publisher."
    ),
    "manifest.early": mark(
        "The manifest of {model} was made on {when}, which is yet to come: this computer's clock is wrong, or that of "
        "the publisher was. Set it."
    ),
    "manifest.expired": mark(
        "The manifest of {model} by {publisher} has expired ({when}). Its publisher has to publish it anew; if that "
        "was done, look at this computer's clock."
    ),
    "manifest.old": mark(
        "Version {version} of {model} is older than version {known}, which is known already. It is not gone back to."
    ),
    "manifest.conflict": mark(
        "The publisher of {model} has signed two different versions {version}. The one that came first stays; the next "
        "needs a higher number."
    ),
    "manifest.withdrawn": mark("{publisher} has withdrawn {model} ({when}). It is not asked or served any more."),
    "manifest.withdrawn_reason": mark("The publisher says: {reason}"),
    "manifest.file": mark(
        "The manifest of {model} names the file {file}, which is not accepted: {problem}. The model is not used."
    ),
    "manifest.twice": mark("The manifest of {model} names the file {file} twice. The model is not used."),
    "manifest.graph": mark("The manifest of {model} names no graph among its files. The model is not used."),
    "manifest.address": mark(
        "The manifest of {model} names the address {address}, from which nothing is fetched: {problem}."
    ),
    "manifest.other_model": mark(
        "The files of {model} are those that its manifest names, but together they are another model than its "
        "publisher has signed. It is not used; tell the publisher."
    ),
    "manifest.changed": mark(
        "{file} of {model} is not the file that its publisher has signed. Somebody has changed it behind its address. "
        "Nothing of it is used; tell the publisher."
    ),
    "manifest.unreachable": mark(
        "{file} of {model} could not be fetched from any address of its manifest. {error} What has arrived is kept: "
        "run the same again to go on."
    ),
    "manifest.unknown": mark(
        "Nothing is known here of the published model {model}. Join the network that has it, or give its manifest to: "
        "gentorrent models add-manifest FILE"
    ),
    "manifest.unknown_publisher": mark("No model of the publisher {fingerprint} is known here. Check the fingerprint."),
    "manifest.newer": mark(
        "What lies here of {model} is not version {version}, which its publisher has signed. Download it again."
    ),
    "manifest.most": mark("{most} published models are known here already. No more are taken."),
    "publisher.untrusted": mark(
        "{model} is published by {publisher} ({fingerprint}), whose models you do not serve. Allow it in the window, "
        "or with: gentorrent models publishers trust {fingerprint}"
    ),
    "model.unreviewed": mark(
        "{model} is unreviewed: {publisher} ({fingerprint}) has published it, and nobody else has looked at it. "
        "Confirm in the window that you want to ask it, or with: gentorrent models confirm {model}"
    ),
    "badge.published": mark(
        "The model is unreviewed and nobody can verify its answers: {publisher} ({fingerprint}) has published it, and "
        "there is no calibration for it. The signature says only which machine answered with which files."
    ),
    "hub.unreachable": mark(
        "The model hub {hub} cannot be reached ({reason}). Check the connection, or set HF_ENDPOINT to a mirror."
    ),
    "hub.offline": mark("HF_HUB_OFFLINE is set, so no hub is asked. Unset it to download models."),
    "hub.gated": mark(
        "{repository} is not open to everybody. Accept its terms on {page}, then set HF_TOKEN to a token of your "
        "account (or log in once with: hf auth login) and try again."
    ),
    "hub.not_found": mark(
        "{hub} has no repository {repository}, or it is private. Check the name. For a private one set HF_TOKEN."
    ),
    "hub.too_often": mark("{hub} is asked too often from here. Wait some minutes and try again."),
    "hub.status": mark("{hub} answered with status {status}. Try again later."),
    "hub.not_understood": mark(
        "What {hub} says of {repository} is not understood. Check that HF_ENDPOINT is a model hub, or try again later."
    ),
    "download.wrong_content": mark(
        "{file} of {model} is not what the hub says: expected {expected}, found {found}, twice. Somebody on the way, "
        "or the hub's copy, is broken. Try again later, or from another network."
    ),
    "download.other_than_before": mark(
        "{file} of {model} is not what the earlier download was: expected {expected}, found {found}, twice. Somebody "
        "on the way, or the hub's copy, is broken. Try again later, or from another network."
    ),
    "download.cut_off": mark(
        "{file} of {model} could not be fetched: {reason}, {times} times in a row. What has arrived is kept, and the "
        "download can go on from there."
    ),
    "download.not_given": mark("The hub does not give {file} of {model}: status {status}. Try again later."),
    "download.disk_full": mark("The disk is full: {file} cannot grow."),
    "download.disk_missing": mark("{missing} of it are missing."),
    "download.kept": mark("What has arrived is kept. Free some space, and the download goes on from there."),
    "library.busy": mark("{model} is being downloaded, imported or removed now. Wait until that is done."),
    "library.left_over": mark("An import or a download from elsewhere was broken off. Discard it, or begin it again."),
    "import.stopped": mark("The import was stopped. Nothing of it stays."),
    "import.most": mark("{most} models are being imported already. Wait until one is done."),
    "import.relative": mark("The folder {folder} has to be named from the root of the disk."),
    "import.no_folder": mark("There is no folder {folder}."),
    "import.missing": mark(
        "The folder {folder} is no model that can be used here. It lacks {parts}. Take what is missing from the "
        "model's repository."
    ),
    "import.unusable": mark("The folder {folder} is no model that can be used here: {problem}"),
    "import.graph": mark("the network itself (a file that ends in .onnx)"),
    "import.config": mark("its settings (config.json or genai_config.json)"),
    "import.tokenizer": mark("its vocabulary (tokenizer.json)"),
    "import.taken": mark(
        "There is a model called {model} on this machine already. Import this one under another name, or remove "
        "that one."
    ),
    "remove.stays": mark("{model} is part of the program and stays."),
    "remove.contributed": mark(
        "{model} is being contributed: this machine answers others with it. Choose another model on the page "
        "Contribute, or switch contributing off, and remove it then."
    ),
    "remove.answers": mark(
        "{model} is answering ({answers}). Wait until it is done, or stop it, and remove the model then."
    ),
    "library.disk_limit": mark(
        "{model} needs {needed}, but of the {limit} that you allow for models {used} are taken and {left} are left. "
        "Remove a model, or allow {more} more."
    ),
    "library.no_room": mark(
        "{model} needs {needed}, and the disk has {left} for it ({reserve} stay free). Free {more}, or choose a "
        "smaller one."
    ),
    "size.gb": mark("{count} GB"),
    "size.mb": mark("{count} MB"),
    "size.kb": mark("{count} kB"),
    "size.bytes": mark("{count} bytes"),
    "library.stopped": mark("The download was stopped. What has arrived is kept."),
    "recovered.damaged": mark("The chat database was damaged."),
    "recovered.damaged_as": mark("The chat database was damaged ({found})."),
    "recovered.foreign": mark("The chat database was not of this program."),
    "recovered.newer": mark("The chat database was of a newer version of this program."),
    "recovered.aside": mark("It was kept as {name} in {folder}."),
    "recovered.some": mark("What could be read of it is in a new one (chats: {chats}, messages: {messages})."),
    "recovered.nothing": mark("Nothing in it could be read; a new, empty one was made."),
    "committee.not_voting": mark("This verifier does not vote on the present block: it could not write. {problem}"),
    "committee.two_things": mark("The member of the committee with the key {key} has signed two things at once."),
    "committee.no_part": mark("This machine takes no part in the committee. {problem}"),
    "committee.left": mark("The committee has other members now: this machine is a verifier no longer."),
    "committee.not_kept": mark("The committee's new block could not be kept; it is fetched again later. {problem}"),
    "signaling.not_direct": mark("Other nodes cannot signal straight to this one, because {problem}."),
    "signaling.address": mark(
        "--signaling-address {address} does not work, because {problem}. Nodes that come back while every "
        "server is away cannot begin here. End the other program, or choose another port, and start again."
    ),
    "receipts.refused": mark("The server refuses this node's receipts of epoch {epoch} for good: {problem}"),
    "receipts.not_counted": mark("The answers of this run are not counted. {problem}"),
    "publish.refused": mark("The network does not take what you published: {problem}"),
    "guards.not_saved": mark("The list of guards could not be saved: {problem}"),
    "guards.retired": mark(
        "Relay {relay} is no longer one of your guards: {failures} of its last {paths} paths failed, {usual} "
        "are usual. It may be overloaded, or it may have tried to choose the rest of your paths. Another one "
        "was drawn; you need not do anything."
    ),
    "keys.not_made": mark("The keys of the day could not be made. {problem}"),
    "backend.unprotected": mark(
        "Questions to {address} leave this machine unencrypted: everybody on the way can read them. Use "
        "https://, or a tunnel."
    ),
    "successor.known": mark("The network knows that this node's new identity takes the place of its old one."),
    "successor.refused": mark("The server did not take the change of this node's identity: {problem}."),
    "successor.not_told": mark("The change of this node's identity could not be told: {problem}"),
    "directory.first_network": mark(
        "The address named no network id, so the first network that answered is trusted from now on: "
        '"{name}", {number}. Compare this number with the operator\'s.'
    ),
    "directory.not_kept": mark("The directory is used but could not be kept for the next start. {problem}"),
    "directory.two": mark(
        "The bootstrap server signed two different directories of epoch {epoch}, so somebody is shown a "
        "network of his own. Do not rely on anonymity until its operator has explained this."
    ),
    "directory.proof_kept": mark("The proof, two signatures of the server, is kept in {folder}."),
    "directory.proof_not_kept": mark("The proof could not be kept: {problem}"),
}
"""All that the engine says with a code. Codes never change their meaning."""
