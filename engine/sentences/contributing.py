"""What this machine does for others, and why it does not."""

from engine.sentences.marking import mark

CONTRIBUTING = {
    "contribute.loading": mark("loading the model and telling the network"),
    "contribute.waiting": mark("waiting for the network"),
    "contribute.no_network": mark("There is no network to contribute to; join one."),
    "standing.slower": mark(
        "The committee's verifiers have found that this machine reads {speeds}, less than it says; other "
        "machines pass questions on by that. Other programs may have kept it busy, or several nodes share its "
        "hardware. It is measured again, and you need not do anything."
    ),
    "standing.speed": mark("{rate} tokens a second with {model}"),
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
    "governor.contention_unseen": mark(
        "Nothing here tells whether other programs use {device}, so that alone pauses nothing. Programs in your list "
        "do."
    ),
    "governor.heat": mark("The processor is at {degrees} °C."),
    "governor.heat_gpu": mark("{device} is at {degrees} °C."),
    "governor.not_mine": mark("Only your own networks are served, and this one is open to everybody."),
    "governor.relay_off": mark("Passing on traffic is switched off."),
    "governor.relay_traffic": mark("This month's {limit} GB of other people's traffic are passed on."),
    "governor.relay_metered": mark("Nothing is passed on over a metered connection."),
    "governor.processor": mark("The processor"),
    "governor.slowed_energy": mark("It works more slowly, so that this month's energy lasts."),
    "governor.slowed_traffic": mark("It works more slowly, so that this month's traffic lasts."),
    "governor.slowed_rate": mark("It works more slowly, so that answers to others stay below {rate} Mbit/s."),
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
    "governor.heat_unmeasured": mark("{device} does not say how hot it is, so the limit of heat does nothing for it."),
    "governor.too_long": mark("The owner of this machine takes requests of at most {most} tokens."),
    "governor.finishing": mark("Running answers are being finished; no new ones are taken."),
    "governor.rules_doubt": mark("Your rules could not be read. Look at those that would hold now."),
    "governor.rules_damaged": mark(
        "Your rules for contributing are damaged ({place}). Nothing is done for others until you use the rules of a "
        "new machine, which would hold now, or change one of them and thereby use the others."
    ),
    "governor.rules_unreadable": mark(
        "Your rules for contributing could not be read. {problem} Nothing is done for others until you use the rules "
        "of a new machine, which would hold now, or change one of them and thereby use the others."
    ),
    "governor.rules_partly": mark(
        "Some of your rules for contributing could not be read: {names}. Perhaps another version has written them "
        "({place}). Nothing is done for others until you use the rules that would hold now, or change "
        "one of them and thereby use the others."
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
    "governor.pause_not_kept": mark("The pause holds now, but cannot be kept for the next start: {problem}"),
    "governor.not_measured": mark("This system does not tell."),
    "governor.event_paused": mark("Paused. {reasons}"),
    "governor.event_resumed": mark("Contributing goes on."),
    "governor.event_rules": mark("The rules were changed."),
    "governor.event_rules_used": mark("The rules that hold are used; the file that could not be read is now {place}."),
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
}
