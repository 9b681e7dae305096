"""The routers of the memory internet: which pairs of nodes are linked directly, which through a TURN server, which not.

The kinds are those of RFC 3489 and RFC 4787, and the pairs those that the NAT laboratory has measured (docs/nat.md).
"""

from __future__ import annotations

import enum


class Router(enum.Enum):
    """What a node is behind."""

    FULL_CONE = "full-cone"  # or none: it lets in whoever sends to a port that is in use
    ADDRESS_RESTRICTED = "address-restricted"
    PORT_RESTRICTED = "port-restricted"
    SYMMETRIC = "symmetric"
    UDP_BLOCKED = "udp-blocked"


class Passage(enum.Enum):
    """How a link between two nodes goes."""

    DIRECT = "direct"
    RELAYED = "relayed"
    NONE = "none"


_NEVER_DIRECT = frozenset(
    frozenset(pair)
    for pair in ((Router.SYMMETRIC,), (Router.SYMMETRIC, Router.PORT_RESTRICTED))  # a set of one: both are symmetric
)


def passage(one: Router, other: Router, *, turn_server: bool) -> Passage:
    """The way between nodes behind these routers; what is not direct needs a TURN server."""
    pair = frozenset((one, other))
    if Router.UDP_BLOCKED not in pair and pair not in _NEVER_DIRECT:
        return Passage.DIRECT
    return Passage.RELAYED if turn_server else Passage.NONE
