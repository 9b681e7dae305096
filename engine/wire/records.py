"""Signed records: genesis, descriptors, directory snapshots (numbers 30 to 49).

A signed record travels as :class:`Signed`: the exact bytes that were signed, the key and the signature. Signatures are
made and checked by ``engine.crypto.identity`` over ``gentorrent/<purpose>/v1``, the network id and these bytes.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from engine.wire.codec import (
    Decoder,
    Id16,
    Id20,
    Key32,
    Message,
    ShortText,
    Signature,
    UInt8,
    UInt16,
    UInt32,
    UInt53,
)

Url = Annotated[str, Meta(max_length=300)]
SealingKey = Annotated[bytes, Meta(min_length=32, max_length=2048)]
Seconds = Annotated[float, Meta(ge=0, le=4e9)]
Rate = Annotated[float, Meta(ge=0, le=1e9)]


class Parameters(Message, frozen=True, tag=30):
    """What a network fixes for everybody (part of the genesis file)."""

    n: Annotated[int, Meta(ge=1, le=16)] = 4  # paths per answer
    k: Annotated[int, Meta(ge=1, le=16)] = 3  # cloves that suffice
    path_length: Annotated[int, Meta(ge=0, le=3)] = 3  # relays per path; 0: no relays, everybody asks directly
    guard_count: Annotated[int, Meta(ge=1, le=32)] = 8
    allow_loopback: bool = False  # ICE candidates on 127.0.0.0/8 and ::1 are accepted
    one_prefix: bool = False  # relays of one /16 may share a path (one-machine networks only)
    snapshot_seconds: Annotated[float, Meta(ge=0.2, le=3600)] = 10.0  # least time between two snapshots
    descriptor_seconds: Annotated[float, Meta(ge=10, le=86400)] = 1800.0  # life of a descriptor
    mesh_relays: Annotated[int, Meta(ge=2, le=300)] = 96  # up to so many relays everybody is linked with everybody
    rings: Annotated[int, Meta(ge=1, le=150)] = 48  # above; two links in each
    beacon_seconds: Annotated[float, Meta(ge=10, le=3600)] = 300.0  # from one beacon to the next
    least_n: Annotated[int, Meta(ge=1, le=16)] = 1  # paths that a user may choose while relays are missing
    least_path_length: Annotated[int, Meta(ge=0, le=3)] = 2  # relays per path then; 0: direct may be chosen
    invited_only: bool = False  # only who has an invitation is admitted
    epoch_seconds: Annotated[float, Meta(ge=1, le=86400)] = 600.0  # from one block of the committee to the next


class Genesis(Message, frozen=True, tag=31):
    """The first record of a network; SHA-256 of its bytes is the network id. An empty committee judges nobody."""

    suite: UInt8
    name: ShortText
    server_keys: Annotated[tuple[Key32, ...], Meta(min_length=1, max_length=16)]
    committee_keys: Annotated[tuple[Key32, ...], Meta(max_length=256)]
    created: UInt53  # seconds since 1970
    salt: Key32
    parameters: Parameters


class OnionKey(Message, frozen=True, tag=32):
    """A relay's X25519 key for path set-up, replaced daily."""

    suite: UInt8
    key: Key32
    expires: UInt53


class SealKey(Message, frozen=True, tag=33):
    """A model node's HPKE key, replaced daily; ``suite`` 1 for cloves, 2 for requests."""

    suite: UInt8
    key: SealingKey
    expires: UInt53


class ServedModel(Message, frozen=True, tag=34):
    """A model that a node serves."""

    model_id: Annotated[str, Meta(min_length=1, max_length=200)]
    digest: Key32
    tokenizer_digest: Key32
    context_length: Annotated[int, Meta(ge=1, le=100_000_000)]
    slots: Annotated[int, Meta(ge=0, le=4096)]
    prefill_rate: Rate  # tokens/s, measured
    decode_rate: Rate  # tokens/s, measured
    kv_tokens_total: UInt53
    kv_tokens_free: UInt53
    seeds: bool = True  # canonical sampling: the same seed gives the same answer
    token_ids: bool = True  # ids are the model's own, so that logit_bias has a meaning
    logprobs: bool = True  # log probabilities can be asked for
    constraints: bool = True  # answers can be held to a JSON schema
    tools: bool = True  # tools can be given to it


class Descriptor(Message, frozen=True, tag=35):
    """What a node says of itself; signed with purpose ``descriptor``, valid until ``expires``."""

    suite: UInt8
    network_id: Key32
    identity_key: Key32
    issued: UInt53
    expires: UInt53
    started: UInt53  # requests sealed before are refused
    minimum_version: UInt16
    maximum_version: UInt16
    relay: bool
    onion_keys: Annotated[tuple[OnionKey, ...], Meta(max_length=2)]
    seal_keys: Annotated[tuple[SealKey, ...], Meta(max_length=4)]
    models: Annotated[tuple[ServedModel, ...], Meta(max_length=64)]
    relay_bandwidth: UInt53  # bytes/s, 0 when not relaying
    family: ShortText
    software: ShortText
    spare_capacity: bool = True  # a relay that wants no new paths says False
    signaling: ShortText = ""  # IP:PORT of the relay's own listener for offers, empty if it has none


class Signed(Message, frozen=True, tag=36):
    """A record's exact bytes with the key that signed them."""

    record: Annotated[bytes, Meta(max_length=32_768)]
    key: Key32
    signature: Signature


class Listing(Message, frozen=True, tag=37):
    """A descriptor in the directory, with what the server attests beside it."""

    descriptor: Signed
    prefix: Annotated[str, Meta(max_length=64)]  # observed /16 or /32, e.g. "203.0.0.0/16"
    first_seen: UInt53
    last_seen: UInt53
    reputation: Annotated[float, Meta(ge=0, le=1)]
    availability: Annotated[float, Meta(ge=0, le=1)] = 0.0  # share of the last 7 days in which it was listed
    admission: UInt53 = 0  # number of the beacon that fixes this relay's place in the graph; 0: no relay


class Snapshot(Message, frozen=True, tag=38):
    """One directory for everybody; signed with purpose ``snapshot`` over epoch and SHA-256 of its bytes, so that the
    signature can be shown without them (``DirectoryHash``); chained by ``previous``."""

    suite: UInt8
    network_id: Key32
    epoch: UInt53
    previous: Key32  # SHA-256 of the previous snapshot's record bytes, zeros for the first
    issued: UInt53
    listings: Annotated[tuple[Listing, ...], Meta(max_length=20_000)]
    beacon: UInt53 = 0  # number of the newest beacon
    beacons: Annotated[tuple[Key32, ...], Meta(max_length=8_640)] = ()  # of the last 24 hours, oldest first
    revocations: Annotated[tuple[Signed, ...], Meta(max_length=4_096)] = ()  # Revocation records, newest last
    successions: Annotated[tuple[Signed, ...], Meta(max_length=4_096)] = ()  # Succession records, newest last
    chain_height: UInt53 = 0  # of the newest block of the committee that the server has; 0: none


class SignedSnapshot(Message, frozen=True, tag=39):
    """A snapshot's exact bytes (too long for :class:`Signed`) with the server's signature."""

    record: Annotated[bytes, Meta(max_length=64 * 1024 * 1024)]
    key: Key32
    signature: Signature


class AwayMark(Message, frozen=True, tag=40):
    """Between snapshots: the listed nodes that have been silent for 60 s (``away``) and those that are back; signed
    with purpose ``away-mark``."""

    network_id: Key32
    epoch: UInt53
    issued: UInt53
    away: Annotated[tuple[Id20, ...], Meta(max_length=1_024)]
    back: Annotated[tuple[Id20, ...], Meta(max_length=1_024)] = ()


class DeltaStep(Message, frozen=True, tag=41):
    """How one snapshot record becomes the next. Each run: pass over so many bytes of the old record, copy so many,
    then take so many of ``fresh``."""

    base: Key32  # SHA-256 of the old record
    digest: Key32  # SHA-256 of the new one
    runs: Annotated[tuple[tuple[UInt32, UInt32, UInt32], ...], Meta(max_length=500_000)]
    fresh: Annotated[bytes, Meta(max_length=64 * 1024 * 1024)]


class DirectoryDelta(Message, frozen=True, tag=42):
    """What leads from a snapshot that the reader holds to the newest, with the newest one's signature."""

    steps: Annotated[tuple[DeltaStep, ...], Meta(min_length=1, max_length=256)]
    key: Key32
    signature: Signature


class Revocation(Message, frozen=True, tag=43):
    """This identity is over, for good; signed by itself with purpose ``revocation``. Outlives the descriptor."""

    suite: UInt8
    network_id: Key32
    identity_key: Key32
    issued: UInt53


class Succession(Message, frozen=True, tag=44):
    """``new_key`` takes the place of ``old_key``: signed by the old one with purpose ``succession``; ``consent`` is the
    new one's signature (purpose ``succession-consent``), so that nobody is made an heir unasked."""

    suite: UInt8
    network_id: Key32
    old_key: Key32
    new_key: Key32
    issued: UInt53
    consent: Signature


class Grant(Message, frozen=True, tag=47):
    """The operator's word that one engine may join; signed by a server key with purpose ``grant``.

    Who shows it proves at each login that it holds the private half of ``invite_key``. ``bound``: the node ids that it
    is for; empty: the first node and the first client that use it before ``expires``.
    """

    suite: UInt8
    network_id: Key32
    invite_id: Id16
    invite_key: Key32
    created: UInt53
    expires: UInt53  # of the first use
    until: UInt53  # end of the membership; 0: none
    bound: Annotated[tuple[Id20, ...], Meta(max_length=2)] = ()


class Invite(Message, frozen=True, tag=48):
    """What the text of an invitation holds: where to go, the grant, and the seed of its ``invite_key``."""

    url: Url
    network_id: Key32
    grant: Signed
    seed: Key32


class Expulsion(Message, frozen=True, tag=49):
    """``node`` is admitted no longer; signed by a server key with purpose ``expulsion``."""

    network_id: Key32
    node: Id20
    issued: UInt53


MAX_SNAPSHOT = 64 * 1024 * 1024
genesis_decoder: Decoder[Genesis] = Decoder(Genesis)
descriptor_decoder: Decoder[Descriptor] = Decoder(Descriptor)
signed_decoder: Decoder[Signed] = Decoder(Signed)
snapshot_decoder: Decoder[Snapshot] = Decoder(Snapshot, MAX_SNAPSHOT)
delta_step_decoder: Decoder[DeltaStep] = Decoder(DeltaStep, MAX_SNAPSHOT)
signed_snapshot_decoder: Decoder[SignedSnapshot] = Decoder(SignedSnapshot, MAX_SNAPSHOT + 1024)
directory_answer_decoder: Decoder[SignedSnapshot | DirectoryDelta] = Decoder(
    SignedSnapshot | DirectoryDelta, MAX_SNAPSHOT + 1024
)
revocation_decoder: Decoder[Revocation] = Decoder(Revocation)
succession_decoder: Decoder[Succession] = Decoder(Succession)
away_mark_decoder: Decoder[AwayMark] = Decoder(AwayMark)
grant_decoder: Decoder[Grant] = Decoder(Grant, 1024)
invite_decoder: Decoder[Invite] = Decoder(Invite, 2048)
