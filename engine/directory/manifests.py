"""Manifests of published models: making, checking, and which of two records of one model stands.

A model's id is ``FINGERPRINT/NAME``, the fingerprint being that of its publisher's key: nobody can take another's name,
nor one of the catalogue. A newer version, or a withdrawal, replaces an older one by the same key only, and nothing ever
goes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from engine.crypto.identity import Identity, node_id_of, verify
from engine.directory import CLOCK_SKEW_SECONDS
from engine.errors import ManifestError, SignatureError, WireError
from engine.ids import NetworkId, is_published_name, node_id_text
from engine.sentences import say
from engine.wire import SUITE_ED25519
from engine.wire.codec import encode
from engine.wire.manifests import MAX_MANIFEST, ModelManifest, ModelWithdrawal, published_decoder
from engine.wire.records import Signed

MANIFEST, WITHDRAWAL = "model-manifest", "model-withdrawal"
EVERY_NETWORK = NetworkId(bytes(32))
DAY_SECONDS = 86_400
MAX_LIFE_SECONDS = 400 * DAY_SECONDS
"""From ``created`` to ``expires``. A withdrawal lives so long, and so outlives every version before it."""
LAST_SECOND = 1 << 33
"""Of the times that are taken, in the year 2242: systems do not agree on what comes much later."""
Record: TypeAlias = ModelManifest | ModelWithdrawal


def fingerprint_of(public_key: bytes) -> str:
    """Of a publisher's key: 32 characters, the first 160 bits of its SHA-256 in base32."""
    return node_id_text(node_id_of(public_key))


@dataclass(frozen=True, slots=True)
class Published:
    """A record whose signature was checked."""

    signed: Signed
    record: Record

    @property
    def fingerprint(self) -> str:
        """Of the publisher's key."""
        return fingerprint_of(self.record.publisher_key)

    @property
    def model_id(self) -> str:
        """What the model is called everywhere."""
        return f"{self.fingerprint}/{self.record.name}"

    @property
    def manifest(self) -> ModelManifest | None:
        """None for a withdrawal."""
        return self.record if isinstance(self.record, ModelManifest) else None


def sign_record(identity: Identity, record: Record) -> Signed:
    """The record under its publisher's key; :class:`ManifestError` if it is too long."""
    data = encode(record)
    if len(data) > MAX_MANIFEST:
        raise ManifestError(say("manifest.too_long", count=len(data), most=MAX_MANIFEST))
    purpose = MANIFEST if isinstance(record, ModelManifest) else WITHDRAWAL
    return Signed(record=data, key=identity.public_key, signature=identity.sign(purpose, EVERY_NETWORK, data))


def make_withdrawal(
    identity: Identity, publisher: str, name: str, version: int, now: float, reason: str = ""
) -> Signed:
    """Takes back every version of ``name`` up to this one."""
    record = ModelWithdrawal(
        suite=SUITE_ED25519,
        publisher_key=identity.public_key,
        publisher=publisher,
        name=name,
        version=version,
        created=int(now),
        expires=int(now) + MAX_LIFE_SECONDS,
        reason=reason,
    )
    return sign_record(identity, record)


def read_record(signed: Signed) -> Published:
    """A record that its publisher has signed, whether or not it holds now; :class:`ManifestError` says why not."""
    try:
        record = published_decoder.decode(signed.record)
    except WireError as error:
        raise ManifestError(say("manifest.damaged", problem=str(error)[:200])) from error
    if encode(record) != signed.record:
        raise ManifestError(say("manifest.damaged", problem="its bytes are not in the one form that is signed"))
    if record.suite != SUITE_ED25519:
        raise ManifestError(say("manifest.damaged", problem=f"it is of suite {record.suite}"))
    if not is_published_name(record.name) or not _is_plain(record.publisher) or not record.publisher.strip():
        raise ManifestError(say("manifest.damaged", problem="the names in it are not allowed"))
    lasts = record.expires - record.created
    if record.version < 1 or not 0 < lasts <= MAX_LIFE_SECONDS or record.created > LAST_SECOND:
        raise ManifestError(say("manifest.damaged", problem="its version or its times are not allowed"))
    purpose = MANIFEST if isinstance(record, ModelManifest) else WITHDRAWAL
    try:
        if record.publisher_key != signed.key:
            raise SignatureError("signed by another key")
        verify(record.publisher_key, purpose, EVERY_NETWORK, signed.signature, signed.record)
    except SignatureError as error:
        raise ManifestError(say("manifest.forged", model=record.name)) from error
    return Published(signed, record)


def check_times(published: Published, now: float) -> None:
    """:class:`ManifestError` if it does not hold yet, or no more, at ``now``."""
    record = published.record
    if record.created > now + CLOCK_SKEW_SECONDS:
        raise ManifestError(say("manifest.early", model=record.name, when=record.created))
    if record.expires <= now:
        raise ManifestError(say("manifest.expired", model=record.name, publisher=record.publisher, when=record.expires))


def check_record(signed: Signed, now: float) -> Published:
    """A record that is signed by its publisher and holds at ``now``; :class:`ManifestError` says why not."""
    published = read_record(signed)
    check_times(published, now)
    return published


def check_replaces(new: Published, old: Published | None) -> bool:
    """Whether ``new`` is news beside ``old``, a record of the same model; :class:`ManifestError` for one that would go
    back, or that says something else under the same version."""
    if old is None:
        return True
    if new.record.version > old.record.version:
        return True
    if new.signed.record == old.signed.record:
        return False
    code = "manifest.conflict" if new.record.version == old.record.version else "manifest.old"
    raise ManifestError(say(code, model=new.record.name, version=new.record.version, known=old.record.version))


def _is_plain(text: str) -> bool:
    """Whether it can be shown as it is: no line breaks, no control characters, nothing that turns writing around."""
    return text.isprintable()
