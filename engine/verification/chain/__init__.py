"""The chain of blocks: what makes a block valid after those before it, and what follows from it. Pure.

``block`` makes and checks blocks by one derivation (``derivation``), ``state`` is what it leads to, ``entries`` are
judged answers, ``certificate`` is the committee's agreement, ``standings`` what readers of the directory check. It
holds no votes: how members come to agree is ``engine.verification.committee``; who stores blocks, ``engine.bootstrap``.
"""

from engine.verification.chain.block import check_block, make_block
from engine.verification.chain.certificate import check_certificate, check_certified
from engine.verification.chain.results import Material, MissingRecordError
from engine.verification.chain.standings import CheckedStandings, check_standings
from engine.verification.chain.state import ChainState, encoded_standings, first_state

__all__ = [
    "ChainState",
    "CheckedStandings",
    "Material",
    "MissingRecordError",
    "check_block",
    "check_certificate",
    "check_certified",
    "check_standings",
    "encoded_standings",
    "first_state",
    "make_block",
]
