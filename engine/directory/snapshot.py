"""Signed snapshots: made by the server, believed by nobody without a check, never rolled back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from engine.crypto.identity import Identity
from engine.directory import CLOCK_SKEW_SECONDS
from engine.directory.beacons import Beacons, check_beacons
from engine.directory.descriptor import check_descriptor, node_id
from engine.directory.directory import Directory, DirectoryNode
from engine.directory.genesis import GenesisRecord
from engine.directory.heads import PURPOSE, check_head, head_fields, head_of
from engine.directory.statements import Statement, check_statement
from engine.errors import DirectoryError, EquivocationError, WireError
from engine.ids import NetworkId, NodeId
from engine.wire import SUITE_ED25519
from engine.wire.codec import encode
from engine.wire.link import DirectoryHash
from engine.wire.records import Listing, Signed, SignedSnapshot, Snapshot, snapshot_decoder

FIRST_PREVIOUS = bytes(32)
LAST_GOOD_SECONDS = 86_400.0
"""With every server gone the last snapshot stays usable, with a warning, for this long."""
MAXIMUM_ENDED = 20_000
"""Revoked and succeeded ids that a reader remembers."""
WRONG_CLOCK_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class ChainPoint:
    """Where a reader or the server stands in the chain of snapshots."""

    epoch: int = 0
    digest: bytes = FIRST_PREVIOUS
    issued: int = 0


def sign_snapshot(
    server: Identity,
    network_id: NetworkId,
    last: ChainPoint,
    now: float,
    listings: tuple[Listing, ...],
    beacons: Beacons | None = None,
    *,
    revocations: tuple[Signed, ...] = (),
    successions: tuple[Signed, ...] = (),
    chain_height: int = 0,
) -> tuple[SignedSnapshot, ChainPoint]:
    """The snapshot that follows ``last`` and where the chain then stands. Time never goes back in it, except behind a
    ``last`` from so far ahead that no reader has believed it: the server's clock was wrong then, and is set now."""
    issued = int(now) if last.issued > now + WRONG_CLOCK_SECONDS else max(int(now), last.issued)
    snapshot = Snapshot(
        suite=SUITE_ED25519,
        network_id=network_id,
        epoch=last.epoch + 1,
        previous=last.digest,
        issued=issued,
        listings=listings,
        beacon=max(0, beacons.newest) if beacons else 0,
        beacons=beacons.values if beacons else (),
        revocations=revocations,
        successions=successions,
        chain_height=chain_height,
    )
    record = encode(snapshot)
    digest = hashlib.sha256(record).digest()
    signature = server.sign(PURPOSE, network_id, *head_fields(snapshot.epoch, digest))
    point = ChainPoint(snapshot.epoch, digest, issued)
    return SignedSnapshot(record=record, key=server.public_key, signature=signature), point


def beacons_of(snapshot: Snapshot) -> Beacons:
    """The beacons that a snapshot holds."""
    return Beacons(snapshot.beacon, snapshot.beacons) if snapshot.beacons else Beacons()


@dataclass(frozen=True, slots=True)
class Checked:
    """What a reader found when it checked a snapshot's listings: kept on disk, it makes the next start cheap."""

    digest: bytes
    refused: frozenset[int] = frozenset()
    """Places of the listings that did not check out."""
    ended: frozenset[NodeId] = frozenset()
    """Ids that were revoked or succeeded, also in earlier snapshots."""


class SnapshotVerifier:
    """Checks one network's snapshots in the order in which they come; remembers where the chain stands.

    It also remembers which descriptors it has checked, so that a new snapshot costs only its new descriptors, and which
    ids are over, so that no server lists them again.
    """

    def __init__(self, genesis: GenesisRecord) -> None:
        self._genesis = genesis
        self._known: dict[bytes, tuple[Listing, DirectoryNode]] = {}  # by the descriptor's signature
        self._statements: dict[bytes, Statement] = {}
        self.point = ChainPoint()
        self.beacons = Beacons()
        self.checked = Checked(b"")
        self.head: DirectoryHash | None = None

    @property
    def refused_listings(self) -> int:
        """How many listings of the last snapshot were left out."""
        return len(self.checked.refused)

    def accept(
        self, signed: SignedSnapshot, now: float, oldest: float = LAST_GOOD_SECONDS, checked: Checked | None = None
    ) -> Directory:
        """The directory in ``signed``; raises :class:`DirectoryError` and stays where it was for a bad one.

        Refused are a foreign key or network, a false signature, a roll-back (an older epoch, or an earlier time), two
        snapshots of one epoch (:class:`EquivocationError`), a successor that does not name its predecessor, other
        beacons than before, one from the future and one that was issued more than ``oldest`` seconds before ``now``. A
        single listing that does not check out is left out. ``checked``: what this reader itself found in this very
        snapshot before; the signatures of the descriptors are then not checked a second time.
        """
        digest = hashlib.sha256(signed.record).digest()
        snapshot = self._open(signed)
        head = head_of(signed, snapshot.epoch)
        check_head(self._genesis, head)
        self._check_chain(snapshot, digest)
        if snapshot.issued > now + CLOCK_SKEW_SECONDS:
            raise DirectoryError(
                f"The directory was signed {snapshot.issued - now:.0f} s in the future. This computer's clock or the"
                " server's is wrong; set it."
            )
        if snapshot.issued < now - oldest:
            raise DirectoryError(
                f"The directory is {(now - snapshot.issued) / 3600:.1f} h old; more than {oldest / 3600:.0f} h are not"
                " trusted. Wait for the bootstrap server, or check this computer's clock."
            )
        beacons, created = beacons_of(snapshot), self._genesis.genesis.created
        check_beacons(beacons, self.beacons, snapshot.issued, created, self._genesis.parameters)
        directory = self._view(snapshot, digest, checked if checked and checked.digest == digest else None)
        self.beacons = beacons
        self.point = ChainPoint(snapshot.epoch, digest, snapshot.issued)
        self.head = head
        return directory

    def _open(self, signed: SignedSnapshot) -> Snapshot:
        try:
            snapshot = snapshot_decoder.decode(signed.record)
        except WireError as error:
            raise DirectoryError(f"The directory is refused: {error}.") from error
        if snapshot.network_id != self._genesis.network_id or snapshot.suite != SUITE_ED25519:
            raise DirectoryError("The directory is for another network or of an unknown suite.")
        return snapshot

    def _check_chain(self, snapshot: Snapshot, digest: bytes) -> None:
        point = self.point
        if snapshot.epoch == point.epoch and digest != point.digest:
            raise EquivocationError(
                f"The server signed two different directories for epoch {snapshot.epoch}. Do not trust it; tell the"
                " operator and other users."
            )
        if snapshot.epoch < max(1, point.epoch) or snapshot.issued < point.issued:
            raise DirectoryError(
                f"The server went back from directory {point.epoch} to {snapshot.epoch}: it is a mirror that is behind,"
                " has lost its data, or replays an old one. It is refused; the last good one stays in use."
            )
        if snapshot.epoch == point.epoch + 1 and snapshot.previous != point.digest:
            raise DirectoryError(
                f"Directory {snapshot.epoch} does not follow from directory {point.epoch}. It is refused."
            )

    def _view(self, snapshot: Snapshot, digest: bytes, before: Checked | None) -> Directory:
        statements = self._check_statements((*snapshot.revocations, *snapshot.successions), snapshot.issued)
        ended = self.checked.ended | (before.ended if before else frozenset())
        # Bounded: the oldest statements are forgotten by the server in the same way.
        ended = frozenset([*(one.node_id for one in statements), *ended][:MAXIMUM_ENDED])
        nodes: dict[NodeId, DirectoryNode] = {}
        found: dict[bytes, tuple[Listing, DirectoryNode]] = {}
        refused: set[int] = set()
        for place, listing in enumerate(snapshot.listings):
            if before is not None and place in before.refused:
                refused.add(place)  # as it was before
                continue
            try:
                # As of the time of the snapshot: with the server away, what it listed last stays listed.
                node = self._node(listing, snapshot.issued, before is not None)
            except DirectoryError:
                refused.add(place)
                continue
            if node.node_id in ended:
                refused.add(place)
                continue
            found[listing.descriptor.signature] = (listing, node)
            nodes[node.node_id] = node
        self._known = found
        self._statements = {_cache_key(one.signed): one for one in statements}
        self.checked = Checked(digest, frozenset(refused), ended)
        return Directory(
            nodes.values(),
            parameters=self._genesis.parameters,
            created=self._genesis.genesis.created,
            epoch=snapshot.epoch,
            issued=snapshot.issued,
            digest=digest,
            beacons=beacons_of(snapshot),
            ended=ended,
            successors={one.node_id: one.successor for one in statements if one.successor is not None},
            chain_height=snapshot.chain_height,
        )

    def _node(self, listing: Listing, issued: float, signature_known: bool) -> DirectoryNode:
        """What a listing says, checked; as it was in the last snapshot if nothing of it has changed."""
        known, node = self._known.get(listing.descriptor.signature, (None, None))
        if known is not None and node is not None and known.descriptor == listing.descriptor:
            if node.descriptor.expires > issued and known == listing:
                return node
            signature_known = True
        network_id, parameters = self._genesis.network_id, self._genesis.parameters
        signed = listing.descriptor
        descriptor = check_descriptor(signed, network_id, issued, parameters, signature_known=signature_known)
        return DirectoryNode(
            node_id=node_id(descriptor),
            descriptor=descriptor,
            prefix=listing.prefix,
            first_seen=listing.first_seen,
            last_seen=listing.last_seen,
            reputation=listing.reputation,
            availability=listing.availability,
            admission=listing.admission,
        )

    def _check_statements(self, records: tuple[Signed, ...], issued: float) -> list[Statement]:
        """Those that check out; the server cannot invent any, so others are left out."""
        found = []
        for signed in records:
            known = self._statements.get(_cache_key(signed))
            try:
                found.append(known or check_statement(signed, self._genesis.network_id, issued))
            except DirectoryError:
                continue
        return found


def _cache_key(signed: Signed) -> bytes:
    return hashlib.sha256(signed.key + signed.signature + signed.record).digest()
