"""What the committee and model nodes bring: blocks, evidence, batches of receipts, contradictions, openings."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "blocks",
        sa.Column("height", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("certified", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "evidence",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("signed", sa.LargeBinary, nullable=False),
    )
    op.create_index("evidence_by_epoch", "evidence", ["epoch", "key"])
    op.create_table(
        "receipt_batches",
        sa.Column("key", sa.LargeBinary(32), primary_key=True),
        sa.Column("epoch", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        sa.Column("stored", sa.BigInteger, nullable=False),
    )
    op.create_index("receipt_batches_by_epoch", "receipt_batches", ["epoch"])
    op.create_table(
        "contradictions",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("node_id", sa.LargeBinary(20), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("shown", sa.LargeBinary, nullable=False),
        sa.Column("stored", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "openings",
        sa.Column("receipt", sa.LargeBinary(32), primary_key=True),
        sa.Column("node_id", sa.LargeBinary(20), nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("asked", sa.BigInteger, nullable=False),
        sa.Column("opening", sa.LargeBinary, nullable=True),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("openings", "contradictions", "receipt_batches", "evidence", "blocks"):
        op.drop_table(table)
