"""What is wrong with the connection."""

from engine.sentences.marking import mark

DOCTOR = {
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
}
