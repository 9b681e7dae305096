"""The network, its servers and directory, and what this machine is in it."""

from engine.sentences.marking import mark

NETWORK = {
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
    "keys.plain": mark("The keys of this engine lie in a file that is not encrypted; no keyring works here."),
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
