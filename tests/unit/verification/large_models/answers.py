"""One answer that a committee shows and nodes score."""

from engine.crypto.identity import Identity
from engine.verification.chain.results import Material
from engine.verification.challenges.duties import publicly_drawn
from engine.wire.signed import SignedRecord
from tests.support.judging import Judging, judging
from tests.support.records import identity

NODES = [identity(number) for number in range(3)]
NODE = NODES[0]
SCORERS = [identity(number) for number in (20, 21, 22)]


def begun() -> Judging:
    """After the first block: commitments for epoch 1 are in it."""
    network = judging()
    network.append(0, Material(commitments=network.commit_all(1, NODES)))
    return network


def author(network: Judging) -> Identity:
    """A member that has to check NODE in epoch 1."""
    return network.member(publicly_drawn(network.state.epochs[1].basis, NODE.node_id)[0])


def shown(network: Judging) -> SignedRecord:
    """What it shows of that."""
    return network.evidence(1, author(network), NODE.node_id, NODE)
