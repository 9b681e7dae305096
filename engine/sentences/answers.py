"""Waiting for answers, and how far they can be trusted."""

from engine.sentences.marking import mark

ANSWERS = {
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
    "asked.full": mark("The machine that was asked has no place at the moment. Ask again; another one answers."),
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
    "badge.published": mark(
        "The model is unreviewed and nobody can verify its answers: {publisher} ({fingerprint}) has published it, and "
        "there is no calibration for it. The signature says only which machine answered with which files."
    ),
}
