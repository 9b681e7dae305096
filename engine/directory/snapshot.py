"""Signed snapshots: made by the server, believed by nobody without a check, never rolled back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from engine.crypto.identity import Identity, verify
from engine.directory import CLOCK_SKEW_SECONDS
from engine.directory.beacons import Beacons, check_beacons
from engine.directory.descriptor import check_descriptor, node_id
from engine.directory.directory import Directory, DirectoryNode
from engine.directory.genesis import GenesisRecord
from engine.errors import DirectoryError, SignatureError, WireError
from engine.ids import NetworkId, NodeId
from engine.wire import SUITE_ED25519
from engine.wire.codec import encode
from engine.wire.records import AwayMark, Descriptor, Listing, Signed, SignedSnapshot, Snapshot, snapshot_decoder

PURPOSE = "snapshot"
MARK_PURPOSE = "away-mark"
FIRST_PREVIOUS = bytes(32)
LAST_GOOD_SECONDS = 86_400.0
"""With every server gone the last snapshot stays usable, with a warning, for this long."""


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
    )
    record = encode(snapshot)
    signature = server.sign(PURPOSE, network_id, record)
    point = ChainPoint(snapshot.epoch, hashlib.sha256(record).digest(), issued)
    return SignedSnapshot(record=record, key=server.public_key, signature=signature), point


def beacons_of(snapshot: Snapshot) -> Beacons:
    """The beacons that a snapshot holds."""
    return Beacons(snapshot.beacon, snapshot.beacons) if snapshot.beacons else Beacons()


class SnapshotVerifier:
    """Checks one network's snapshots in the order in which they come; remembers where the chain stands.

    It also remembers which descriptors it has checked, so that a new snapshot costs only its new descriptors.
    """

    def __init__(self, genesis: GenesisRecord) -> None:
        self._genesis = genesis
        self._checked: dict[bytes, Descriptor] = {}
        self.point = ChainPoint()
        self.beacons = Beacons()
        self.refused_listings = 0

    def accept(self, signed: SignedSnapshot, now: float, oldest: float = LAST_GOOD_SECONDS) -> Directory:
        """The directory in ``signed``; raises :class:`DirectoryError` and stays where it was for a bad one.

        Refused are a foreign key or network, a false signature, a roll-back (an older epoch, or an earlier time), two
        snapshots of one epoch, a successor that does not name its predecessor, other beacons than before, one from the
        future and one that was issued more than ``oldest`` seconds before ``now``. A single listing that does not check
        out is left out.
        """
        digest = hashlib.sha256(signed.record).digest()
        snapshot = self._open(signed)
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
        directory = self._view(snapshot, digest)
        self.beacons = beacons
        self.point = ChainPoint(snapshot.epoch, digest, snapshot.issued)
        return directory

    def _open(self, signed: SignedSnapshot) -> Snapshot:
        network_id = self._genesis.network_id
        if signed.key not in self._genesis.genesis.server_keys:
            raise DirectoryError(
                "The directory is signed by a key that the genesis file of this network does not name."
            )
        try:
            verify(signed.key, PURPOSE, network_id, signed.signature, signed.record)
            snapshot = snapshot_decoder.decode(signed.record)
        except (SignatureError, WireError) as error:
            raise DirectoryError(f"The directory is refused: {error}.") from error
        if snapshot.network_id != network_id or snapshot.suite != SUITE_ED25519:
            raise DirectoryError("The directory is for another network or of an unknown suite.")
        return snapshot

    def _check_chain(self, snapshot: Snapshot, digest: bytes) -> None:
        point = self.point
        if snapshot.epoch == point.epoch and digest != point.digest:
            raise DirectoryError(
                f"The server signed two different directories for epoch {snapshot.epoch}. Do not trust it; tell the"
                " operator and other users."
            )
        if snapshot.epoch < max(1, point.epoch) or snapshot.issued < point.issued:
            raise DirectoryError(
                f"The server went back from directory {point.epoch} to {snapshot.epoch}: an old one is being replayed"
                " or the server lost its data. It is refused; the last good one stays in use."
            )
        if snapshot.epoch == point.epoch + 1 and snapshot.previous != point.digest:
            raise DirectoryError(
                f"Directory {snapshot.epoch} does not follow from directory {point.epoch}. It is refused."
            )

    def _view(self, snapshot: Snapshot, digest: bytes) -> Directory:
        nodes: dict[NodeId, DirectoryNode] = {}
        checked: dict[bytes, Descriptor] = {}
        self.refused_listings = 0
        for listing in snapshot.listings:
            try:
                # As of the time of the snapshot: with the server away, what it listed last stays listed.
                descriptor = self._check(listing.descriptor, snapshot.issued)
            except DirectoryError:
                self.refused_listings += 1
                continue
            checked[_cache_key(listing.descriptor)] = descriptor
            name = node_id(descriptor)
            nodes[name] = DirectoryNode(
                node_id=name,
                descriptor=descriptor,
                prefix=listing.prefix,
                first_seen=listing.first_seen,
                last_seen=listing.last_seen,
                reputation=listing.reputation,
                availability=listing.availability,
                admission=listing.admission,
            )
        self._checked = checked
        return Directory(
            nodes.values(),
            parameters=self._genesis.parameters,
            created=self._genesis.genesis.created,
            epoch=snapshot.epoch,
            issued=snapshot.issued,
            digest=digest,
            beacons=beacons_of(snapshot),
        )

    def _check(self, signed: Signed, issued: float) -> Descriptor:
        known = self._checked.get(_cache_key(signed))
        if known is not None and known.expires > issued:
            return known
        return check_descriptor(signed, self._genesis.network_id, issued, self._genesis.parameters)


def sign_mark(server: Identity, mark: AwayMark) -> bytes:
    """The server's signature of an away or back mark."""
    return server.sign(MARK_PURPOSE, mark.network_id, encode(mark))


def check_mark(genesis: GenesisRecord, mark: AwayMark, key: bytes, signature: bytes) -> None:
    """Raise :class:`DirectoryError` unless a server of this network signed ``mark``."""
    if key not in genesis.genesis.server_keys or mark.network_id != genesis.network_id:
        raise DirectoryError("An away mark is not from a server of this network.")
    try:
        verify(key, MARK_PURPOSE, genesis.network_id, signature, encode(mark))
    except SignatureError as error:
        raise DirectoryError(f"An away mark is refused: {error}.") from error


class AwayMarks:
    """The marks that a reader has seen since it logged in; the newest per node counts. Bounded by what is listed."""

    def __init__(self, maximum: int = 20_000) -> None:
        self._maximum = maximum
        self._marks: dict[NodeId, AwayMark] = {}

    def clear(self) -> None:
        """Forget all of them; a server sends those that hold after each login."""
        self._marks.clear()

    def add(self, mark: AwayMark) -> bool:
        """Take a checked mark; False if it says nothing new."""
        known = self._marks.get(NodeId(mark.node))
        # Marks are serial on one connection, so of two of one second the later one to arrive counts.
        if known is not None and (known.issued > mark.issued or known.away == mark.away):
            return False
        if known is None and (not mark.away or len(self._marks) >= self._maximum):
            return False
        self._marks[NodeId(mark.node)] = mark
        return True

    def keep_only(self, listed: Any) -> None:
        """Drop the marks of nodes for which ``node_id in listed`` is false."""
        self._marks = {name: mark for name, mark in self._marks.items() if name in listed}

    def away(self) -> frozenset[NodeId]:
        """The nodes whose newest mark says away."""
        return frozenset(name for name, mark in self._marks.items() if mark.away)


def _cache_key(signed: Signed) -> bytes:
    return hashlib.sha256(signed.key + signed.signature + signed.record).digest()
