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
    "server.no_answer": mark("no answer in time"),
    "server.status": mark("it answers with HTTP status {status}"),
    "server.status_of": mark("it answers {name} with HTTP status {status}"),
    "server.redirects": mark("it sends us to another address, which no bootstrap server does"),
    "server.no_bootstrap": mark(
        "it answers {name} with {kind}, which no bootstrap server does. A login page of this network, perhaps? Open a "
        "web browser and see"
    ),
    "server.refuses_connections": mark("nothing takes connections there"),
    "server.no_way": mark("no way leads there from here"),
    "server.cut": mark("the connection was cut"),
    "server.no_health": mark("status {status}, {kind}, no health report"),
    "server.serves": mark("it serves network {network}"),
    "server.measuring": mark("the server is busy with other measurements"),
    "server.closed": mark("the connection was closed"),
    "server.network_changed": mark("this computer's network has changed"),
    "server.refuses": mark("The bootstrap server refused this node: {reason}."),
    "server.no_protocol": mark("The bootstrap server does not follow the login protocol. Is the address right?"),
    "server.private": mark(
        'The network "{name}" is private: only who is invited is admitted. Ask its operator for an invitation, and '
        "start once with --join INVITATION."
    ),
    "server.versions": mark(
        "The bootstrap server speaks protocol versions {least} to {most} and this program {own_least} to {own_most}. "
        "Update the older of the two."
    ),
    "server.stale": mark(
        "The server {server} keeps showing an old directory, while others have a newer one that is signed by this "
        "network. It is stuck, or holds news back; do not rely on it alone."
    ),
    "server.frozen": mark(
        "The server has shown no new directory for {minutes} minutes, though it should every 10. It is stuck, or holds "
        "news back. Tell its operator."
    ),
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
    "sample.no_network": mark("This engine is in no network yet, so it can hand nothing in."),
    "sample.other_network": mark("The receipt belongs to another network: {network}."),
    "sample.nobody": mark("No other machine is there now that could bring the receipt to the server. Try again later."),
    "sample.direct": mark("The network has no relays for it now, and the receipt would go directly."),
    "sample.silent": mark("The machine that was to bring the receipt to the server does not answer. Try again."),
    "sample.something_else": mark("The machine that was to bring the receipt to the server did something else."),
    "sample.not_brought": mark("The machine that was to bring the receipt to the server has not done so. Try again."),
    "sample.no_verifiers": mark("This network has no verifiers, so nobody can look at a receipt."),
    "sample.too_many": mark(
        "The machine that was to bring the receipt to the server brings as many as it may at the moment. Try again in "
        "some minutes."
    ),
    "sample.server_away": mark("The machine that was to bring the receipt does not reach the server now. Try again."),
    "sample.too_old": mark("The answer was too long ago: receipts of newer ones only are looked at."),
    "sample.unknown_machine": mark("The machine that signed the receipt is not known to the server."),
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
    "directory.not_fetched": mark("The directory could not be fetched: {problem}"),
    "directory.pin_damaged": mark(
        "{path}, which says which network {server} belongs to, is damaged, so nobody at that address is trusted. Add "
        "#NETWORKID to the address, or delete the file to trust the network that answers next."
    ),
    "directory.two": mark(
        "The bootstrap server signed two different directories of epoch {epoch}, so somebody is shown a "
        "network of his own. Do not rely on anonymity until its operator has explained this."
    ),
    "directory.proof_kept": mark("The proof, two signatures of the server, is kept in {folder}."),
    "directory.proof_not_kept": mark("The proof could not be kept: {problem}"),
}
