"""Hosting a network, inviting others, and joining one."""

from engine.sentences.marking import mark

HOSTING = {
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
}
