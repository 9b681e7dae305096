"""The server's tables. Every change of them is a new migration in ``migrations/versions``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Float, LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables of the bootstrap server."""


class MemberRow(Base):
    """A node that published here (see ``registry.Member``)."""

    __tablename__ = "members"

    node_id: Mapped[bytes] = mapped_column(LargeBinary(20), primary_key=True)
    record: Mapped[bytes] = mapped_column(LargeBinary(32_768))
    key: Mapped[bytes] = mapped_column(LargeBinary(32))
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
    issued: Mapped[int] = mapped_column(BigInteger)
    expires: Mapped[int] = mapped_column(BigInteger)
    prefix: Mapped[str] = mapped_column(String(64))
    first_seen: Mapped[int] = mapped_column(BigInteger)
    last_seen: Mapped[int] = mapped_column(BigInteger)
    hours: Mapped[bytes] = mapped_column(LargeBinary(21))
    hour: Mapped[int] = mapped_column(BigInteger)
    withdrawn: Mapped[bool] = mapped_column(Boolean)
    admission: Mapped[int] = mapped_column(BigInteger)
    absence: Mapped[float] = mapped_column(Float)


class SnapshotRow(Base):
    """The chain of snapshots: the digests of the newest ones, and what gives the bytes of the very last: one whole
    ``record`` and an encoded ``step`` for each snapshot since."""

    __tablename__ = "snapshots"

    epoch: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    issued: Mapped[int] = mapped_column(BigInteger)
    record: Mapped[bytes | None] = mapped_column(LargeBinary)
    key: Mapped[bytes] = mapped_column(LargeBinary(32))
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
    step: Mapped[bytes | None] = mapped_column(LargeBinary)


class InvitationRow(Base):
    """An invitation (see ``invitations.Invited``); ``bound`` holds its node ids one after the other."""

    __tablename__ = "invitations"

    invite_id: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    label: Mapped[str] = mapped_column(String(100))
    created: Mapped[int] = mapped_column(BigInteger)
    expires: Mapped[int] = mapped_column(BigInteger)
    until: Mapped[int] = mapped_column(BigInteger)
    bound: Mapped[bytes] = mapped_column(LargeBinary(40))
    node: Mapped[bytes | None] = mapped_column(LargeBinary(20))
    client: Mapped[bytes | None] = mapped_column(LargeBinary(20))
    revoked: Mapped[bool] = mapped_column(Boolean)


class StatementRow(Base):
    """A revocation or succession; kept for good."""

    __tablename__ = "statements"

    node_id: Mapped[bytes] = mapped_column(LargeBinary(20), primary_key=True)
    record: Mapped[bytes] = mapped_column(LargeBinary(1_024))
    key: Mapped[bytes] = mapped_column(LargeBinary(32))
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
    accepted: Mapped[int] = mapped_column(BigInteger)


class BlockRow(Base):
    """The committee's chain: encoded ``CertifiedBlock``."""

    __tablename__ = "blocks"

    height: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    certified: Mapped[bytes] = mapped_column(LargeBinary)


class CheckpointRow(Base):
    """What all blocks up to one have led to (``engine.verification.chain.checkpoint``); the newest alone is kept."""

    __tablename__ = "chain_checkpoints"

    height: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    checkpoint: Mapped[bytes] = mapped_column(LargeBinary)


class EvidenceRow(Base):
    """An encoded ``SignedRecord`` of ``Evidence`` or ``Unanswered``; ``digest`` of the record in it."""

    __tablename__ = "evidence"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    epoch: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[bytes] = mapped_column(LargeBinary(32))
    signed: Mapped[bytes] = mapped_column(LargeBinary)


class BatchRow(Base):
    """One batch of receipts of each node and epoch (``chain.batch_store`` bounds them)."""

    __tablename__ = "receipt_batches"

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    epoch: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    record: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
    stored: Mapped[int] = mapped_column(BigInteger)


class ForgottenRow(Base):
    """One row: batches of receipts of epochs ``before`` this one were deleted, and none is taken any more."""

    __tablename__ = "receipt_batches_forgotten"

    before: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class ContradictionRow(Base):
    """An encoded ``Contradiction``, in the order in which they came."""

    __tablename__ = "contradictions"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    node_id: Mapped[bytes] = mapped_column(LargeBinary(20))
    kind: Mapped[str] = mapped_column(String(16))
    shown: Mapped[bytes] = mapped_column(LargeBinary)
    stored: Mapped[int] = mapped_column(BigInteger)


class ChangeRow(Base):
    """The newest change of the committee that a member's owner wants: an encoded ``SignedRecord``."""

    __tablename__ = "committee_changes"

    member: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    issued: Mapped[int] = mapped_column(BigInteger)
    signed: Mapped[bytes] = mapped_column(LargeBinary)


class OpeningRow(Base):
    """A receipt (its SHA-256) that somebody wanted to see in a batch of ``epoch`` or the one behind it, and whether the
    node has ``shown`` it. ``asked`` is an epoch, too. ``record`` and ``signature``: what the node (``key``) has signed,
    while a block can name it."""

    __tablename__ = "openings"

    receipt: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    node_id: Mapped[bytes] = mapped_column(LargeBinary(20))
    epoch: Mapped[int] = mapped_column(BigInteger)
    asked: Mapped[int] = mapped_column(BigInteger)
    shown: Mapped[bool] = mapped_column(Boolean)
    key: Mapped[bytes | None] = mapped_column(LargeBinary)
    record: Mapped[bytes | None] = mapped_column(LargeBinary)
    signature: Mapped[bytes | None] = mapped_column(LargeBinary)


class SampleRow(Base):
    """A node's newest receipt that a user doubts, signed for in ``epoch``."""

    __tablename__ = "samples"

    node_id: Mapped[bytes] = mapped_column(LargeBinary(20), primary_key=True)
    epoch: Mapped[int] = mapped_column(BigInteger, index=True)
    key: Mapped[bytes] = mapped_column(LargeBinary(32))
    record: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))


class ManifestRow(Base):
    """The newest record of a published model: an encoded ``Signed``. ``source``: a keyed hash of the network that it
    came from, to count by. Kept, though it is shown no more, until no older version can hold (``kept_until``)."""

    __tablename__ = "manifests"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - numbers of deleted rows never come again

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    model_id: Mapped[str] = mapped_column(String(100), unique=True)
    fingerprint: Mapped[str] = mapped_column(String(32), index=True)
    expires: Mapped[int] = mapped_column(BigInteger)
    kept_until: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[bytes] = mapped_column(LargeBinary(16), index=True)
    signed: Mapped[bytes] = mapped_column(LargeBinary)
